//! A panel on the page.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use leptos::prelude::*;
use taiku_bridge::api::{Plugin, segment};
use taiku_bridge::manifest::Panel;

use crate::consent::Consent;
use crate::state::App;
use crate::{bridge_host, text};

/// What can be seen of a panel's document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameState {
    /// Not there yet.
    Loading,
    /// There.
    Live,
    /// It did not come, or is not what was asked for.
    Failed,
    /// The panel has left its document and was stopped.
    Dead,
    /// The panel has sent far more messages than it may: its document is gone.
    Flooded,
}

/// A panel on the page, open or closed. Copies name the same frame.
#[derive(Clone)]
pub(crate) struct Frame {
    /// Tells it from every other frame of this page.
    pub(crate) key: u32,
    /// The plugin as it was when the panel was opened.
    pub(crate) plugin: Arc<Plugin>,
    /// The panel.
    pub(crate) panel: Panel,
    /// Whether it is shown.
    pub(crate) open: ArcRwSignal<bool>,
    /// What can be seen of its document.
    pub(crate) state: ArcRwSignal<FrameState>,
    /// How often it was loaded again.
    pub(crate) reloads: ArcRwSignal<u32>,
}

impl Frame {
    fn new(plugin: Arc<Plugin>, panel: Panel) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self {
            key: NEXT.fetch_add(1, Ordering::Relaxed),
            plugin,
            panel,
            open: ArcRwSignal::new(true),
            state: ArcRwSignal::new(FrameState::Loading),
            reloads: ArcRwSignal::new(0),
        }
    }

    /// The panel's title, fit to be shown.
    pub(crate) fn title(&self) -> String {
        text::shown(&self.panel.title, text::NAME)
    }

    /// The plugin's name, fit to be shown.
    pub(crate) fn plugin_name(&self) -> String {
        text::shown(&self.plugin.name, text::NAME)
    }

    /// The address that shows it.
    pub(crate) fn path(&self) -> String {
        panel_path(&self.plugin, &self.panel)
    }

    fn is(&self, plugin: &Plugin, panel: &str) -> bool {
        self.plugin.id == plugin.id && self.panel.id == panel
    }
}

/// The address that shows a panel.
pub(crate) fn panel_path(plugin: &Plugin, panel: &Panel) -> String {
    format!("/panel/{}/{}", plugin.id, segment(&panel.id))
}

/// The plugin and panel that an address names.
pub(super) fn named_by(path: &str) -> Option<(String, String)> {
    let (plugin, panel) = path.strip_prefix("/panel/")?.split_once('/')?;
    let decoded = js_sys::decode_uri_component(panel).ok().and_then(|panel| panel.as_string());
    Some((plugin.to_owned(), decoded?))
}

impl App {
    /// Shows a panel, after asking for consent if there is none.
    ///
    /// # Errors
    /// A sentence when there is no such panel.
    pub(crate) fn open_panel(self, plugin: &str, panel: &str) -> Result<(), String> {
        let Some(plugin) = self.plugin_untracked(plugin) else {
            let name = text::shown(plugin, text::NAME);
            return Err(format!("There is no plugin {name} here."));
        };
        let Some(panel) = plugin.manifest.panel(panel).cloned() else {
            let (id, name) = (text::shown(panel, text::NAME), text::shown(&plugin.name, text::NAME));
            return Err(format!("{name} has no panel {id}."));
        };
        if plugin.grant.is_none() {
            self.consent.set(Some(Consent { plugin, panel: Some(panel.id) }));
            return Ok(());
        }
        let grown = plugin.change.as_ref().is_some_and(|change| change.added != Default::default());
        let first_time =
            !self.frames.with_untracked(|frames| frames.iter().any(|f| f.is(&plugin, &panel.id)));
        if grown && first_time {
            self.consent.set(Some(Consent { plugin: plugin.clone(), panel: None }));
        }
        self.show_panel(&plugin, panel);
        Ok(())
    }

    /// Shows a panel of a plugin that has a grant.
    fn show_panel(self, plugin: &Arc<Plugin>, panel: Panel) {
        let known =
            self.frames.with_untracked(|frames| frames.iter().find(|f| f.is(plugin, &panel.id)).cloned());
        if let Some(frame) = known {
            frame.open.set(true);
        } else {
            self.frames.update(|frames| frames.push(Frame::new(plugin.clone(), panel)));
        }
    }

    /// Ends every panel of a plugin.
    pub(crate) fn close_plugin(self, plugin: &str) {
        self.frames.update(|frames| {
            frames.retain(|frame| {
                let stays = frame.plugin.id.as_str() != plugin;
                if !stays {
                    bridge_host::forget(frame.key);
                }
                stays
            });
        });
    }

    /// Ends every panel.
    pub(crate) fn close_all(self) {
        for frame in self.frames.get_untracked() {
            bridge_host::forget(frame.key);
        }
        self.frames.set(Vec::new());
    }
}
