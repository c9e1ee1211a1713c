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
    let condition = flag(condition);
    live(move || if condition.get() { view() } else { ().into_any() })
}

/// A text that follows what it reads.
pub(crate) fn live_text(text: impl Fn() -> String + Send + 'static) -> AnyView {
    boxed_text(Box::new(text))
}

/// Whether something holds; changes only when that does.
pub(crate) fn flag(condition: impl Fn() -> bool + Send + Sync + 'static) -> Memo<bool> {
    boxed_memo(Box::new(condition))
}

/// Does something now, and again whenever what it read has changed.
pub(crate) fn effect(act: impl Fn() + 'static) {
    boxed_effect(Box::new(act));
}

/// An item of a list, which keeps its place in the document as long as it is in the list.
pub(crate) struct Keyed {
    /// Tells it from the others.
    pub(crate) key: u32,
    /// Draws it, once.
    pub(crate) view: Box<dyn FnOnce() -> AnyView + Send>,
}

/// A list whose items are drawn once, as they come.
pub(crate) fn keyed(items: impl Fn() -> Vec<Keyed> + Send + Sync + 'static) -> AnyView {
    boxed_list(Box::new(items))
}

fn boxed_list(items: Box<dyn Fn() -> Vec<Keyed> + Send + Sync>) -> AnyView {
    view! { <For each=move || items() key=|item| item.key children=|item: Keyed| (item.view)()/> }.into_any()
}

fn boxed_effect(act: Box<dyn Fn()>) {
    Effect::new(move |_| act());
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
