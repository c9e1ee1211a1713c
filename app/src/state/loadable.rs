//! Data that comes from the server.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use super::App;
use crate::http::{HttpError, Request};
use crate::wire::{self, FromJson};

/// A value that is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Loadable<T> {
    /// No answer yet.
    Loading,
    /// The answer.
    Ready(T),
    /// No answer, and why.
    Failed(HttpError),
}

impl<T> Loadable<T> {
    /// The value, once it is there.
    pub(crate) fn ready(&self) -> Option<&T> {
        match self {
            Self::Ready(value) => Some(value),
            Self::Loading | Self::Failed(_) => None,
        }
    }
}

/// The answer of one path, which can be loaded again. It is read where it is shown.
#[derive(Clone, Copy)]
pub(crate) struct Remote {
    app: App,
    path: StoredValue<String>,
    value: RwSignal<Loadable<Arc<Value>>>,
}

/// Loads a path.
pub(crate) fn remote(app: App, path: impl Into<String>) -> Remote {
    let remote = Remote { app, path: StoredValue::new(path.into()), value: RwSignal::new(Loadable::Loading) };
    remote.reload();
    remote
}

impl Remote {
    /// The answer.
    pub(crate) fn get<T: FromJson>(self) -> Loadable<T> {
        match self.value.get() {
            Loadable::Loading => Loadable::Loading,
            Loadable::Failed(error) => Loadable::Failed(error),
            Loadable::Ready(value) => {
                wire::read(&value).map_or(Loadable::Failed(HttpError::Unreadable(200)), Loadable::Ready)
            }
        }
    }

    /// The answer, once it is there.
    pub(crate) fn ready<T: FromJson>(self) -> Option<T> {
        self.value.with(|value| value.ready().and_then(|value| wire::read(value)))
    }

    /// Takes a newer answer, such as that of a change.
    pub(crate) fn put(self, value: Value) {
        // The page that asked may be gone by now.
        let _ = self.value.try_set(Loadable::Ready(Arc::new(value)));
    }

    /// Loads it again; what is shown stays until the answer is there.
    pub(crate) fn reload(self) {
        let Some(path) = self.path.try_get_value() else { return };
        if self.value.try_with_untracked(|value| matches!(value, Loadable::Failed(_))).unwrap_or(true) {
            let _ = self.value.try_set(Loadable::Loading);
        }
        spawn_local(async move {
            match Request::get(&path).json().await {
                Ok(value) => self.put(value),
                Err(error) => {
                    self.app.notice_expiry(&error);
                    let _ = self.value.try_set(Loadable::Failed(error));
                }
            }
        });
    }
}
