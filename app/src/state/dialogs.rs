//! Questions to the user, one at a time.

use std::sync::Arc;

use leptos::prelude::*;

use super::App;
use crate::ui::Confirm;

/// A dialog.
#[derive(Clone)]
pub(crate) struct Ask(Arc<dyn Fn() -> AnyView + Send + Sync>);

impl Ask {
    /// Draws it.
    pub(crate) fn view(&self) -> AnyView {
        (self.0)()
    }
}

/// What is asked before something that cannot be taken back.
#[derive(Clone)]
pub(crate) struct Question {
    /// The question.
    pub(crate) title: &'static str,
    /// What will happen.
    pub(crate) sentence: String,
    /// What the button says that does it.
    pub(crate) action: &'static str,
}

impl App {
    /// Shows a dialog.
    pub(crate) fn ask(self, view: impl Fn() -> AnyView + Send + Sync + 'static) {
        self.dialog.set(Some(Ask(Arc::new(view))));
    }

    /// Takes the dialog away.
    pub(crate) fn close_dialog(self) {
        self.dialog.set(None);
    }

    /// Asks, and does something when the user wants it.
    pub(crate) fn confirm(self, question: Question, then: impl Fn() + Send + Sync + 'static) {
        let then: Arc<dyn Fn() + Send + Sync> = Arc::new(then);
        self.ask(move || {
            let (question, then) = (question.clone(), then.clone());
            view! { <Confirm question then/> }.into_any()
        });
    }
}
