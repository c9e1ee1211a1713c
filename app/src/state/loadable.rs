//! Data that comes from the server.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;

use super::App;
use crate::http::{HttpError, Request};

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

/// The answer of one path, which can be loaded again.
pub(crate) struct Remote<T: Send + Sync + 'static> {
    app: App,
    path: StoredValue<String>,
    /// The answer.
    pub(crate) value: RwSignal<Loadable<T>>,
}

impl<T: Send + Sync + 'static> Clone for Remote<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Remote<T> {}

/// Loads a path.
pub(crate) fn remote<T: DeserializeOwned + Send + Sync + 'static>(
    app: App,
    path: impl Into<String>,
) -> Remote<T> {
    let remote = Remote { app, path: StoredValue::new(path.into()), value: RwSignal::new(Loadable::Loading) };
    remote.reload();
    remote
}

impl<T: DeserializeOwned + Send + Sync + 'static> Remote<T> {
    /// Loads it again; what is shown stays until the answer is there.
    pub(crate) fn reload(self) {
        let Some(path) = self.path.try_get_value() else { return };
        if self.value.try_with_untracked(|value| matches!(value, Loadable::Failed(_))).unwrap_or(true) {
            let _ = self.value.try_set(Loadable::Loading);
        }
        spawn_local(async move {
            let answer = Request::get(&path).read::<T>().await;
            if let Err(error) = &answer {
                self.app.notice_expiry(error);
            }
            // The page that asked may be gone by now.
            let _ = self.value.try_set(answer.map_or_else(Loadable::Failed, Loadable::Ready));
        });
    }
}
