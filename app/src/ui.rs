//! Parts that pages are made of.

mod copy;
mod dialog;
mod field;
mod icon;
mod live;
mod menu;
mod notices;
mod notifications;
mod places;

pub(crate) use copy::CopyField;
pub(crate) use dialog::{Confirm, Dialog};
pub(crate) use field::{Field, focus, focus_first_error};
pub(crate) use icon::{Avatar, PluginIcon, ToolbarIcon, ToolkitMark};
pub(crate) use live::{Keyed, effect, flag, keyed, live, live_if, live_maybe, live_text};
pub(crate) use menu::Menu;
pub(crate) use notices::{Notices, Toasts};
pub(crate) use notifications::Notifications;
pub(crate) use places::{Empty, Failure, Skeleton, badge, switch_badge};
