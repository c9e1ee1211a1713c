//! Short messages that go away by themselves.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use leptos::prelude::*;

use super::App;

/// How long a toast stays unless told otherwise, in milliseconds.
const STAY_MS: u32 = 6_000;
/// The shortest and the longest that a plugin may ask for, in milliseconds.
const STAY_RANGE_MS: (u32, u32) = (1_500, 15_000);
/// How many are shown at once; older ones give way.
const MOST: usize = 4;

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Neutral.
    Info,
    /// Something worked.
    Success,
    /// Something failed.
    Error,
}

impl Tone {
    /// The name in the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Success => "success",
            Self::Error => "error",
        }
    }
}

/// A short message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toast {
    /// Tells it from the others.
    pub(crate) id: u32,
    /// How it is meant.
    pub(crate) tone: Tone,
    /// The plugin that says it, none for this page.
    pub(crate) plugin: Option<String>,
    /// What it says.
    pub(crate) message: String,
}

impl App {
    /// Says something.
    pub(crate) fn toast(self, tone: Tone, message: impl Into<String>) {
        self.show_toast(tone, None, message.into(), None);
    }

    /// Says something for a plugin, under its name.
    pub(crate) fn show_toast(
        self,
        tone: Tone,
        plugin: Option<String>,
        message: String,
        stay_ms: Option<u32>,
    ) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        self.toasts.update(|toasts| {
            toasts.retain(|toast| toast.message != message || toast.plugin != plugin);
            toasts.push(Toast { id, tone, plugin, message });
            let surplus = toasts.len().saturating_sub(MOST);
            toasts.drain(..surplus);
        });
        let stay = stay_ms.unwrap_or(STAY_MS).clamp(STAY_RANGE_MS.0, STAY_RANGE_MS.1);
        set_timeout(move || self.close_toast(id), Duration::from_millis(u64::from(stay)));
    }

    /// Takes a message away.
    pub(crate) fn close_toast(self, id: u32) {
        self.toasts.update(|toasts| toasts.retain(|toast| toast.id != id));
    }
}
