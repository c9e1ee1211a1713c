//! Parts of a page that change.
//!
//! Boxed, so that the code that keeps a part up to date exists once and not once for every part.

use leptos::prelude::*;

/// A view that follows what it reads.
pub(crate) fn live(view: impl Fn() -> AnyView + Send + 'static) -> AnyView {
    boxed_view(Box::new(view))
}

/// A view that may be there, and follows what it reads.
pub(crate) fn live_maybe(view: impl Fn() -> Option<AnyView> + Send + 'static) -> AnyView {
    live(move || view().unwrap_or_else(|| ().into_any()))
}

/// A view that is there as long as a condition holds; the condition's own changes count, nothing else.
pub(crate) fn live_if(
    condition: impl Fn() -> bool + Send + Sync + 'static,
    view: impl Fn() -> AnyView + Send + 'static,
) -> AnyView {
    let condition = boxed_memo(Box::new(condition));
    live(move || if condition.get() { view() } else { ().into_any() })
}

/// A text that follows what it reads.
pub(crate) fn live_text(text: impl Fn() -> String + Send + 'static) -> AnyView {
    boxed_text(Box::new(text))
}

fn boxed_view(view: Box<dyn Fn() -> AnyView + Send>) -> AnyView {
    (move || view()).into_any()
}

fn boxed_text(text: Box<dyn Fn() -> String + Send>) -> AnyView {
    (move || text()).into_any()
}

fn boxed_memo(condition: Box<dyn Fn() -> bool + Send + Sync>) -> Memo<bool> {
    Memo::new(move |_| condition())
}
