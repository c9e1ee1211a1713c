//! Where panels stand and how large they are, as the user left them.

use leptos::prelude::*;
use taiku_bridge::manifest::Position;

use super::Frame;
use super::geometry::{Axis, Limits, Room, usual};
use crate::state::App;

/// Height of the bar above the workspace, `--top` of the style sheet.
const TOP: i32 = 56;
/// Up to this width panels are shown one at a time, as the style sheet says.
const NARROW: i32 = 720;

/// What panels share of the workspace. Copies name the same.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    /// The room that there is.
    pub(crate) room: RwSignal<Room>,
    /// The width of the place at the side; none until somebody chose it.
    side: RwSignal<Option<i32>>,
    /// The height of the place below; none until somebody chose it.
    bottom: RwSignal<Option<i32>>,
    /// The panel that was used last. On a small screen it is the one that is shown; none is the page itself.
    pub(crate) front: RwSignal<Option<u32>>,
    /// Whether something is dragged: then no frame may take the pointer.
    pub(crate) dragging: RwSignal<bool>,
}

/// A panel's place: what its user or its plugin chose, and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Area {
    /// Its width.
    pub(crate) width: Option<i32>,
    /// Its height.
    pub(crate) height: Option<i32>,
    /// Its left and upper edge, where it floats; the middle of its anchor, where it is a tooltip.
    pub(crate) spot: Option<(i32, i32)>,
    /// Its part of the place that it shares with others, in percent.
    pub(crate) share: Option<i32>,
}

impl Layout {
    /// The layout before anything was chosen.
    pub(crate) fn new() -> Self {
        Self {
            room: RwSignal::new(room()),
            side: RwSignal::new(None),
            bottom: RwSignal::new(None),
            front: RwSignal::new(None),
            dragging: RwSignal::new(false),
        }
    }

    /// Follows the size of the window as long as the workspace is there.
    pub(crate) fn follow(self) {
        let listener = window_event_listener_untyped("resize", move |_| self.room.set(room()));
        on_cleanup(move || listener.remove());
    }

    /// Whether an open panel can be seen: on a small screen only one is.
    pub(crate) fn shows(self, frame: &Frame) -> bool {
        self.room.get_untracked().width > NARROW || self.front.get_untracked() == Some(frame.key)
    }

    /// The size that was chosen for the places at the side and below.
    pub(crate) fn chosen(self, position: Position) -> Option<RwSignal<Option<i32>>> {
        match position {
            Position::Sidebar => Some(self.side),
            Position::Bottom => Some(self.bottom),
            Position::Floating | Position::Tooltip | Position::Overlay => None,
        }
    }

    /// Reads what the signed-in user chose on earlier visits.
    pub(crate) fn recall(self, app: App) {
        let read = |name| app.recall(name).and_then(|text| text.parse().ok());
        self.side.set(read(name_of(Position::Sidebar)));
        self.bottom.set(read(name_of(Position::Bottom)));
    }

    /// Keeps the size of a place for the next visits.
    pub(crate) fn keep(self, app: App, position: Position) {
        let size = self.chosen(position).and_then(|chosen| chosen.get_untracked());
        app.remember(name_of(position), size.map(|size| size.to_string()).as_deref());
    }
}

/// The name in storage of a place that panels share.
fn name_of(position: Position) -> &'static str {
    if position == Position::Bottom { "bottom" } else { "side" }
}

/// The room below the bar.
fn room() -> Room {
    #[expect(clippy::cast_possible_truncation, reason = "no window is that large, and the cast saturates")]
    let pixels = |size: Result<wasm_bindgen::JsValue, _>| {
        size.ok().and_then(|size| size.as_f64()).unwrap_or_default() as i32
    };
    let window = window();
    Room { width: pixels(window.inner_width()), height: pixels(window.inner_height()) - TOP }
}

impl Area {
    /// As it is kept: five numbers, empty where nothing was chosen.
    fn to_text(self) -> String {
        let spot = [self.spot.map(|(x, _)| x), self.spot.map(|(_, y)| y)];
        let mut text = String::new();
        for number in [self.width, self.height, spot[0], spot[1], self.share] {
            if let Some(number) = number {
                text.push_str(&number.to_string());
            }
            text.push(' ');
        }
        text
    }

    /// Reads what [`Area::to_text`] wrote; what cannot be read was not chosen.
    fn of_text(text: &str) -> Self {
        let mut numbers = text.split(' ').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        let (width, height, x, y) = (next(), next(), next(), next());
        Self { width, height, spot: x.zip(y), share: next() }
    }

    /// What was chosen for a panel on earlier visits.
    pub(crate) fn recall(app: App, panel: &str) -> Self {
        app.recall(panel).map(|text| Self::of_text(&text)).unwrap_or_default()
    }

    /// Keeps it for the next visits.
    pub(crate) fn keep(self, app: App, panel: &str) {
        app.remember(panel, (self != Self::default()).then(|| self.to_text()).as_deref());
    }

    /// The size that was chosen along an axis.
    pub(crate) fn size(self, axis: Axis) -> Option<i32> {
        match axis {
            Axis::Width => self.width,
            Axis::Height => self.height,
        }
    }

    /// The size that is chosen along an axis, to change.
    pub(crate) fn size_mut(&mut self, axis: Axis) -> &mut Option<i32> {
        match axis {
            Axis::Width => &mut self.width,
            Axis::Height => &mut self.height,
        }
    }
}

/// A wanted size within its limits; without one the author's, without that the usual one.
pub(crate) fn settled(
    limits: Limits,
    wanted: Option<i32>,
    author: Option<u32>,
    position: Position,
    axis: Axis,
) -> i32 {
    let author = author.map(|size| i32::try_from(size).unwrap_or(i32::MAX));
    limits.hold(wanted.or(author).unwrap_or_else(|| usual(position, axis)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_read_as_it_was_written() {
        let areas = [
            Area::default(),
            Area { width: Some(300), height: None, spot: Some((-4, 7)), share: None },
            Area { width: Some(1), height: Some(2), spot: Some((3, 4)), share: Some(50) },
        ];
        for area in areas {
            assert_eq!(Area::of_text(&area.to_text()), area);
        }
    }

    #[test]
    fn what_cannot_be_read_was_not_chosen() {
        for text in ["", "x y z", "1e9", "99999999999 -"] {
            assert_eq!(Area::of_text(text), Area::default(), "{text}");
        }
    }
}
