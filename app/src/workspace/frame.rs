//! A panel on the page.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use leptos::prelude::*;
use taiku_bridge::api::{Plugin, segment};
use taiku_bridge::call::Length;
use taiku_bridge::manifest::{Panel, Position};

use super::geometry::{Axis, Limits};
use super::layout::{Area, settled};
use super::regions;
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
    /// The user has stopped it: its document is gone.
    Stopped,
    /// It took the keyboard while the page asked something, and was stopped.
    Greedy,
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
    /// Its place and size.
    pub(crate) area: ArcRwSignal<Area>,
    /// Which panels that stand over others it stands over: those of a lower rank.
    pub(crate) rank: ArcRwSignal<u32>,
}

impl Frame {
    fn new(app: App, plugin: Arc<Plugin>, panel: Panel) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let area = Area::recall(app, &panel_path(&plugin, &panel));
        Self {
            key: NEXT.fetch_add(1, Ordering::Relaxed),
            plugin,
            panel,
            open: ArcRwSignal::new(false),
            state: ArcRwSignal::new(FrameState::Loading),
            reloads: ArcRwSignal::new(0),
            area: ArcRwSignal::new(area),
            rank: ArcRwSignal::new(0),
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

    /// Whether it shows that panel.
    pub(crate) fn is(&self, plugin: &Plugin, panel: &str) -> bool {
        self.plugin.id == plugin.id && self.panel.id == panel
    }

    /// The id of its place on the page.
    pub(crate) fn element_id(&self) -> String {
        format!("panel-{}", self.key)
    }

    /// How wide or high it may be.
    pub(super) fn limits(&self, app: App, axis: Axis) -> Limits {
        app.layout.room.get().limits(self.panel.position, axis)
    }

    /// How wide or high it is where it does not share its place.
    pub(super) fn size(&self, app: App, axis: Axis) -> i32 {
        let author = match axis {
            Axis::Width => self.panel.default_width,
            Axis::Height => self.panel.default_height,
        };
        let wanted = self.area.with(|area| area.size(axis));
        settled(self.limits(app, axis), wanted, author, self.panel.position, axis)
    }

    /// Gives it a size, within the limits. What shares its place gets a part of it. It is not kept for the next
    /// visits: only the user's own choices are.
    pub(crate) fn resize(&self, app: App, axis: Axis, length: Length) {
        let position = self.panel.position;
        let room = app.layout.room.get_untracked();
        let wanted = match length {
            Length::Pixels(pixels) => {
                Some(room.limits(position, axis).hold(i32::try_from(pixels).unwrap_or(i32::MAX)))
            }
            Length::Fit => None,
        };
        match (position, axis) {
            (Position::Sidebar, Axis::Width) | (Position::Bottom, Axis::Height) => {
                if let Some(chosen) = app.layout.chosen(position) {
                    chosen.set(wanted);
                }
            }
            (Position::Sidebar, Axis::Height) => {
                self.area.update(|area| area.share = part(wanted, room.height));
            }
            (Position::Bottom, Axis::Width) => self.area.update(|area| area.share = part(wanted, room.width)),
            (Position::Floating | Position::Tooltip | Position::Overlay, _) => {
                self.area.update(|area| *area.size_mut(axis) = wanted);
            }
        }
    }

    /// Keeps its place for the next visits.
    pub(super) fn keep(&self, app: App) {
        self.area.get_untracked().keep(app, &self.path());
    }

    /// Puts it before the others.
    pub(crate) fn raise(&self, app: App) {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        self.rank.set(NEXT.fetch_add(1, Ordering::Relaxed));
        app.layout.front.set(Some(self.key));
    }

    /// Hides it; its document lives on. The focus goes back to where it was opened.
    pub(crate) fn close(&self, app: App) {
        let held = regions::has_focus(&self.element_id());
        self.open.set(false);
        if app.layout.front.get_untracked() == Some(self.key) {
            app.layout.front.set(None);
        }
        if held {
            regions::focus_opener(&self.path());
        }
    }
}

/// A length as a part of all, in percent.
fn part(length: Option<i32>, all: i32) -> Option<i32> {
    length.map(|length| (length.saturating_mul(100) / all.max(1)).clamp(10, 90))
}

/// Whether only one panel of a position is shown at a time: what is small or covers everything.
fn is_alone(position: Position) -> bool {
    matches!(position, Position::Tooltip | Position::Overlay)
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
        let first_time = self.known_frame(&plugin, &panel.id).is_none();
        if grown && first_time {
            self.consent.set(Some(Consent { plugin: plugin.clone(), panel: None }));
        }
        self.show_panel(&plugin, panel);
        Ok(())
    }

    /// Shows a panel of a plugin that has a grant.
    pub(crate) fn show_panel(self, plugin: &Arc<Plugin>, panel: Panel) {
        let frame = self.frame(plugin, panel);
        if is_alone(frame.panel.position) {
            for other in self.frames.get_untracked() {
                let in_its_way = other.panel.position == frame.panel.position && other.key != frame.key;
                if in_its_way && other.open.get_untracked() {
                    other.open.set(false);
                }
            }
        }
        if frame.panel.position == Position::Tooltip {
            let anchor = regions::anchor(&frame.path());
            frame.area.update(|area| area.spot = anchor);
        }
        frame.open.set(true);
        frame.raise(self);
    }

    /// The frame of a panel: that which is there, or a new one, which is closed.
    pub(crate) fn frame(self, plugin: &Arc<Plugin>, panel: Panel) -> Frame {
        self.known_frame(plugin, &panel.id).unwrap_or_else(|| {
            let frame = Frame::new(self, plugin.clone(), panel);
            self.frames.update(|frames| frames.push(frame.clone()));
            frame
        })
    }

    /// The frame of a panel that is on the page, open or closed.
    pub(crate) fn known_frame(self, plugin: &Plugin, panel: &str) -> Option<Frame> {
        self.frames.with_untracked(|frames| frames.iter().find(|frame| frame.is(plugin, panel)).cloned())
    }

    /// Loads the panels that run without being shown, of every plugin that has a grant.
    pub(super) fn load_background(self) {
        let plugins = self.plugins.with(|plugins| plugins.ready().cloned().unwrap_or_default());
        for plugin in plugins.iter().filter(|plugin| plugin.grant.is_some()) {
            for panel in plugin.manifest.panels.iter().filter(|panel| panel.background) {
                untrack(|| self.frame(plugin, panel.clone()));
            }
        }
    }

    /// Ends every panel of a plugin.
    pub(crate) fn close_plugin(self, plugin: &str) {
        self.forget_badges(plugin);
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

    /// Goes to a panel, because the user chose something that stands for it: shows it, and gives it the focus.
    pub(crate) fn visit_panel(self, plugin: &str, panel: &str) {
        self.visit.set(Some((plugin.to_owned(), panel.to_owned())));
    }

    /// Ends every panel.
    pub(crate) fn close_all(self) {
        self.badges.set(Vec::new());
        self.notices.set(Vec::new());
        for frame in self.frames.get_untracked() {
            bridge_host::forget(frame.key);
        }
        self.frames.set(Vec::new());
    }
}
