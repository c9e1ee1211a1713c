//! The parameters of `integrations.*`.

use serde_json::value::RawValue;

use super::fields::Fields;
use crate::refusal::Refusal;
use crate::slug::Slug;

/// How many tools `integrations.tools` answers unless told otherwise.
pub const DEFAULT_LIMIT: u32 = 50;
/// How many tools `integrations.tools` answers at the most.
pub const MAX_LIMIT: u32 = 100;
/// Longest search text, in characters; what is longer is cut, since no tool has so long a name.
pub const MAX_SEARCH: usize = 1024;

/// Parameters of `integrations.connect`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// The toolkit to connect.
    pub toolkit: Slug,
    /// Where the browser lands after consent: a path of the host page's own origin. The broker checks it.
    pub callback_url: Option<String>,
}

/// Parameters of `integrations.tools`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    /// The toolkit whose tools are asked for.
    pub toolkit: Slug,
    /// Literal text to look for.
    pub search: Option<String>,
    /// How many to answer, 1 to 100.
    pub limit: u32,
}

/// Parameters of `integrations.execute`.
#[derive(Clone, Debug)]
pub struct Execute {
    /// The toolkit that has the tool.
    pub toolkit: Slug,
    /// The tool's slug.
    pub action: String,
    /// The tool's arguments: a JSON object, kept as the text that was checked.
    pub arguments: Box<RawValue>,
    /// The account to use; the user's default otherwise.
    pub connection_id: Option<String>,
    /// The same key and arguments run the tool once.
    pub idempotency_key: Option<String>,
}

impl Connect {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        Ok(Self { toolkit: fields.toolkit()?, callback_url: fields.text("callbackUrl")? })
    }
}

impl Tools {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            toolkit: fields.toolkit()?,
            search: fields.text("search")?.map(|text| text.chars().take(MAX_SEARCH).collect()),
            limit: fields.number("limit")?.map_or(DEFAULT_LIMIT, clamp_limit),
        })
    }
}

impl Execute {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            toolkit: fields.toolkit()?,
            action: fields.needed("action")?,
            arguments: fields.object("arguments")?,
            connection_id: fields.text("connectionId")?,
            idempotency_key: fields.text("idempotencyKey")?,
        })
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// `invalid_params` when the action or the key is empty or too long.
    pub fn checked(self) -> Result<Self, Refusal> {
        if self.action.is_empty() || self.action.len() > 256 {
            return Err(Refusal::field("/action", "must name a tool in 1 to 256 characters"));
        }
        if self.idempotency_key.as_ref().is_some_and(|key| key.is_empty() || key.len() > 255) {
            return Err(Refusal::field("/idempotencyKey", "must have 1 to 255 characters"));
        }
        Ok(self)
    }
}

/// Brings a requested number of tools between 1 and [`MAX_LIMIT`].
#[must_use]
pub fn clamp_limit(limit: f64) -> u32 {
    // A float converts to an integer by saturating, so no number is out of range here.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 100 by then")]
    let whole = limit.clamp(1.0, f64::from(MAX_LIMIT)) as u32;
    whole
}
