//! How large panels may be, and where they may stand, in the room that there is. All in CSS pixels.

use taiku_bridge::manifest::Position;

/// Height of a panel's header, which must stay within reach.
const HEADER: i32 = 46;
/// What stays free around a panel that stands over the others.
const MARGIN: i32 = 8;

/// The room of the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Its width.
    pub(crate) width: i32,
    /// Its height.
    pub(crate) height: i32,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    /// The width.
    Width,
    /// The height.
    Height,
}

/// The least and the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The least.
    pub(crate) least: i32,
    /// The most, never below the least.
    pub(crate) most: i32,
}

impl Limits {
    /// Limits in which the least wins where the room is too small for both.
    pub(crate) fn new(least: i32, most: i32) -> Self {
        Self { least, most: most.max(least) }
    }

    /// The value within the limits that is nearest to the wanted one.
    pub(crate) fn hold(self, wanted: i32) -> i32 {
        wanted.clamp(self.least, self.most)
    }
}

impl Room {
    /// How wide or high a panel of a position may be. A docked panel leaves room for the page beside it.
    pub(crate) fn limits(self, position: Position, axis: Axis) -> Limits {
        let (room, least, left) = match (position, axis) {
            (Position::Sidebar, Axis::Width) => (self.width, 240, 320),
            (Position::Bottom, Axis::Height) => (self.height, 140, 140),
            (Position::Sidebar, Axis::Height) => (self.height, 120, 0),
            (Position::Bottom, Axis::Width) => (self.width, 200, 0),
            (Position::Floating, Axis::Width) => (self.width, 240, 2 * MARGIN),
            (Position::Floating, Axis::Height) => (self.height, 160, 2 * MARGIN),
            (Position::Tooltip, Axis::Width) => (self.width.min(520), 160, 2 * MARGIN),
            (Position::Tooltip, Axis::Height) => (self.height.min(520), 110, 2 * MARGIN),
            (Position::Overlay, Axis::Width) => (self.width, 280, 6 * MARGIN),
            (Position::Overlay, Axis::Height) => (self.height, 200, 6 * MARGIN),
        };
        Limits::new(least, room - left)
    }

    /// Where the left and the upper edge of a panel that stands over the others may be: its header stays in sight.
    pub(crate) fn spots(self, width: i32) -> (Limits, Limits) {
        (Limits::new(0, self.width - width), Limits::new(0, self.height - HEADER))
    }

    /// Where a floating panel stands that nobody has moved: at the lower right, each a step from the last.
    pub(crate) fn cascade(self, step: i32, width: i32, height: i32) -> (i32, i32) {
        let away = 3 * MARGIN + 4 * MARGIN * (step % 6);
        (self.width - width - away, self.height - height - away)
    }
}

/// The size that a panel has unless its manifest, its plugin or its user says otherwise.
pub(crate) fn usual(position: Position, axis: Axis) -> i32 {
    let (width, height) = match position {
        Position::Sidebar => (380, 480),
        Position::Bottom => (480, 300),
        Position::Floating => (420, 480),
        Position::Tooltip => (320, 220),
        Position::Overlay => (880, 620),
    };
    match axis {
        Axis::Width => width,
        Axis::Height => height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSITIONS: [Position; 5] =
        [Position::Sidebar, Position::Bottom, Position::Floating, Position::Tooltip, Position::Overlay];

    #[test]
    fn a_docked_panel_leaves_room_for_the_page() {
        let room = Room { width: 1280, height: 800 };
        assert_eq!(room.limits(Position::Sidebar, Axis::Width).hold(9_999), 960);
        assert_eq!(room.limits(Position::Bottom, Axis::Height).hold(9_999), 660);
        assert_eq!(room.limits(Position::Sidebar, Axis::Width).hold(1), 240);
    }

    #[test]
    fn limits_hold_in_any_room() {
        for room in [Room { width: 0, height: 0 }, Room { width: 360, height: 300 }] {
            for position in POSITIONS {
                for axis in [Axis::Width, Axis::Height] {
                    let limits = room.limits(position, axis);
                    assert!(limits.least <= limits.most, "{position:?} {axis:?}");
                    assert_eq!(limits.hold(i32::MIN), limits.least);
                }
            }
        }
    }

    #[test]
    fn a_floating_panel_keeps_its_header_in_sight() {
        let room = Room { width: 800, height: 600 };
        let (across, down) = room.spots(400);
        assert_eq!((across.hold(5_000), down.hold(5_000)), (400, 554));
        assert_eq!((across.hold(-5), down.hold(-5)), (0, 0));
        assert_ne!(room.cascade(0, 400, 300), room.cascade(1, 400, 300), "one does not hide the other");
    }
}
