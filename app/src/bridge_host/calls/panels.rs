//! `openPanel`, `closePanel`, `resizePanel`: a plugin's own panels and no others.

use std::sync::Arc;

use taiku_bridge::Refusal;
use taiku_bridge::api::Plugin;
use taiku_bridge::call::PanelTarget;
use taiku_bridge::manifest::Panel;

use super::super::answer::Ticket;
use super::super::reply::Outcome;
use super::super::speakers;
use super::attention::{Means, done, spend};
use crate::state::App;
use crate::workspace::{Axis, Frame};

/// What is done with a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Open,
    Close,
    Resize,
}

/// Does it, and answers.
pub(super) fn answer(
    app: App,
    ticket: &Ticket,
    plugin: &Arc<Plugin>,
    target: &PanelTarget,
    deed: Deed,
) -> Outcome {
    let panel = spend(&plugin.id, Means::Panels).and_then(|()| panel(ticket, plugin, target));
    done(panel.map(|panel| act(app, plugin, panel, target, deed)))
}

/// The panel that is meant; without a name, the one that calls.
fn panel(ticket: &Ticket, plugin: &Plugin, target: &PanelTarget) -> Result<Panel, Refusal> {
    let own = || speakers::with(ticket.document, |speaker| speaker.frame.panel.id.clone());
    let id = target.panel_id.clone().or_else(own).unwrap_or_default();
    plugin
        .manifest
        .panel(&id)
        .cloned()
        .ok_or_else(|| Refusal::field("/panelId", "names no panel of this plugin"))
}

fn act(app: App, plugin: &Arc<Plugin>, panel: Panel, target: &PanelTarget, deed: Deed) {
    match deed {
        Deed::Open => {
            let frame = app.frame(plugin, panel.clone());
            resize(app, &frame, target);
            app.show_panel(plugin, panel);
        }
        // A panel that was never opened need not be loaded to be closed.
        Deed::Close => {
            if let Some(frame) = app.known_frame(plugin, &panel.id) {
                frame.close(app);
            }
        }
        Deed::Resize => {
            if let Some(frame) = app.known_frame(plugin, &panel.id) {
                resize(app, &frame, target);
            }
        }
    }
}

fn resize(app: App, frame: &Frame, target: &PanelTarget) {
    for (axis, length) in [(Axis::Width, target.width), (Axis::Height, target.height)] {
        if let Some(length) = length {
            frame.resize(app, axis, length);
        }
    }
}
