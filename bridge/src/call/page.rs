//! The parameters of what the host page does itself.

use serde_json::value::RawValue;

use super::fields::Fields;
use crate::event::RESERVED;
use crate::refusal::Refusal;

/// Longest title of a notification, in characters; what is longer is cut.
pub const MAX_TITLE: usize = 120;
/// Longest body of a notification, in characters; what is longer is cut.
pub const MAX_NOTICE: usize = 500;
/// Longest id, tag or name of an event, in characters.
pub const MAX_EVENT_NAME: usize = 128;
/// Largest data of a broadcast event, in bytes of JSON text.
pub const MAX_EVENT: usize = 64 * 1024;
/// Largest number at a toolbar action; what is larger is shown as this.
pub const MAX_BADGE: u32 = 9_999;
/// Largest width and height of a panel, in CSS pixels; the page may have less room.
pub const MAX_LENGTH: u32 = 10_000;

/// How a toast looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToastKind {
    /// Neutral.
    #[default]
    Info,
    /// Something worked.
    Success,
    /// Something failed.
    Error,
}

/// Parameters of `showToast`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShowToast {
    /// The text.
    pub message: String,
    /// How it looks.
    pub kind: ToastKind,
    /// How long it stays, in milliseconds.
    pub duration: Option<u32>,
}

/// Parameters of `sendNotification`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The first line.
    pub title: String,
    /// The text below it; may be empty.
    pub body: String,
    /// A later notification of the plugin with the same tag takes this one's place.
    pub tag: Option<String>,
}

/// Parameters of `playSound`: the sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sound {
    /// Two soft notes.
    #[default]
    Chime,
}

/// Parameters of `broadcastEvent`.
#[derive(Clone, Debug)]
pub struct Broadcast {
    /// The event's type; none of [`RESERVED`].
    pub name: String,
    /// What it says: a JSON object, kept as the text that was checked.
    pub data: Box<RawValue>,
}

/// Parameters of `setBadge`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    /// The toolbar action.
    pub action_id: String,
    /// The number; 0 takes the badge away.
    pub count: u32,
}

/// Parameters of `openPanel`, `closePanel` and `resizePanel`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelTarget {
    /// Which panel of the plugin; none is the one that calls.
    pub panel_id: Option<String>,
    /// Its new width.
    pub width: Option<Length>,
    /// Its new height.
    pub height: Option<Length>,
}

/// A width or height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many CSS pixels, 1 to [`MAX_LENGTH`].
    Pixels(u32),
    /// The default of the manifest.
    Fit,
}

impl ShowToast {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        let kind = match fields.raw("kind") {
            None => ToastKind::Info,
            Some(_) => ToastKind::parse(&fields.needed("kind")?)?,
        };
        let duration = fields.number_or_null("duration")?.map(whole);
        Ok(Self { message: fields.needed("message")?, kind, duration })
    }
}

impl ToastKind {
    fn parse(name: &str) -> Result<Self, Refusal> {
        match name {
            "info" => Ok(Self::Info),
            "success" => Ok(Self::Success),
            "error" => Ok(Self::Error),
            _ => Err(Refusal::field("/kind", "must be `info`, `success` or `error`")),
        }
    }
}

impl Notification {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        let cut = |text: String, most: usize| text.chars().take(most).collect();
        Ok(Self {
            title: cut(fields.needed("title")?, MAX_TITLE),
            body: cut(fields.text("body")?.unwrap_or_default(), MAX_NOTICE),
            tag: fields.name("tag")?,
        })
    }
}

impl Sound {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        match fields.text("sound")?.as_deref() {
            None | Some("chime") => Ok(Self::Chime),
            Some(_) => Err(Refusal::field("/sound", "must be `chime`")),
        }
    }
}

impl Broadcast {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        Ok(Self { name: fields.needed("type")?, data: fields.object("data")? })
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// `invalid_params` when the type is empty, too long, has control characters or is the host's own, or when
    /// the data is too large.
    pub fn checked(self) -> Result<Self, Refusal> {
        super::fields::checked_name("type", &self.name)?;
        if RESERVED.contains(&self.name.as_str()) {
            return Err(Refusal::field(
                "/type",
                format!("`{}` is an event that only the host sends", self.name),
            ));
        }
        match self.data.get().len() {
            0..=MAX_EVENT => Ok(self),
            size => {
                Err(Refusal::field("/data", format!("has {size} bytes, at most {MAX_EVENT} are allowed")))
            }
        }
    }
}

impl Badge {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        let action_id =
            fields.name("actionId")?.ok_or_else(|| Refusal::field("", "`actionId` is missing"))?;
        let count = fields.number_or_null("count")?.map_or(0, whole);
        Ok(Self { action_id, count: count.min(MAX_BADGE) })
    }
}

impl PanelTarget {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            panel_id: fields.name("panelId")?,
            width: Length::read(fields, "width")?,
            height: Length::read(fields, "height")?,
        })
    }
}

impl Length {
    fn read(fields: &Fields<'_>, name: &str) -> Result<Option<Self>, Refusal> {
        match fields.raw(name) {
            None | Some("null") => Ok(None),
            Some(r#""fit""#) => Ok(Some(Self::Fit)),
            Some(_) => match fields.number(name) {
                Ok(number) => Ok(number.map(|number| Self::Pixels(whole(number).clamp(1, MAX_LENGTH)))),
                Err(_) => Err(Refusal::field(format!("/{name}"), "must be a number of pixels or `fit`")),
            },
        }
    }
}

/// A float as a whole number; such a cast saturates.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "such a cast saturates")]
fn whole(number: f64) -> u32 {
    number as u32
}
