//! Parts of the program that a first visit does without: each is a wasm file of its own, loaded when it is first shown.
//!
//! What only a part's entry reaches lies in its file; what the rest of the program reaches too does not. So a part
//! is as large as what it alone uses, and moving code in or out needs no more than naming its entry with [`part!`].

use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::SplitLoaderError;

use crate::http::HttpError;
use crate::state::Loadable;
use crate::ui::{Failure, Skeleton, live};

/// Draws what a part shows, from what it is given.
pub(crate) type Draw<T> = fn(T) -> AnyView;

/// The entry of a part on its way.
pub(crate) type Loading<T> = Pin<Box<dyn Future<Output = Result<Draw<T>, SplitLoaderError>>>>;

/// Makes a function that loads a part and returns its entry. Entries of the same part share a file.
///
/// `cargo xtask web` splits the program; without its feature `split`, as under Trunk, all of it is one file.
macro_rules! part {
    ($(#[$about:meta])* $vis:vis fn $name:ident() -> $part:ident, $given:ty => $entry:path) => {
        $(#[$about])*
        $vis fn $name() -> crate::part::Loading<$given> {
            #[cfg_attr(feature = "split", ::leptos::wasm_split::wasm_split(
                $part,
                wasm_split_path = ::leptos::wasm_split,
                fallible,
            ))]
            #[cfg(feature = "split")]
            fn load() -> Result<crate::part::Draw<$given>, ::leptos::wasm_split::SplitLoaderError> {
                Ok($entry)
            }
            #[cfg(not(feature = "split"))]
            async fn load() -> Result<crate::part::Draw<$given>, ::leptos::wasm_split::SplitLoaderError> {
                Ok($entry)
            }
            Box::pin(load())
        }
    };
}
pub(crate) use part;

/// Shows a part: first that it is on its way, then what it draws.
pub(crate) fn show<T: Clone + Send + Sync + 'static>(load: fn() -> Loading<T>, given: T) -> AnyView {
    let entry = RwSignal::new(Loadable::<Draw<T>>::Loading);
    let fetch = move || {
        entry.set(Loadable::Loading);
        spawn_local(async move {
            let loaded = load().await;
            // What asked for it may be gone by now.
            let _ = entry.try_set(match loaded {
                Ok(draw) => Loadable::Ready(draw),
                Err(_) => Loadable::Failed(HttpError::Unreachable),
            });
        });
    };
    fetch();
    live(move || match entry.get() {
        Loadable::Loading => view! { <Skeleton rows=3/> }.into_any(),
        Loadable::Failed(error) => view! { <Failure error retry=fetch/> }.into_any(),
        Loadable::Ready(draw) => draw(given.clone()),
    })
}
