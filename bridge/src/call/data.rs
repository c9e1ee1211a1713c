//! The parameters of what the broker stores for plugins: `getUserData`, `setUserData`, `kv.*` and `storage.*`.
//!
//! Three shelves with the same four acts, so that host and broker carry them out from one table.

use serde_json::value::RawValue;

use super::Method;
use super::fields::Fields;
use crate::refusal::Refusal;

/// Longest key or file name, in characters.
pub const MAX_NAME: usize = 200;
/// Largest value of user data or shared data, in bytes of JSON text.
pub const MAX_VALUE: usize = 64 * 1024;
/// Largest file, in bytes. A message carries at most 1 MiB of JSON: a megabyte of plain text, or three quarters of
/// that as base64.
pub const MAX_FILE: usize = 1_000_000;
/// How many names a list has unless told otherwise.
pub const DEFAULT_ENTRIES: u32 = 1_000;
/// How many names a list has at the most.
pub const MAX_ENTRIES: u32 = 1_000;

/// Where something is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shelf {
    /// Values of one plugin for one user.
    UserData,
    /// Values of one plugin, shared by all users.
    Kv,
    /// Files of one plugin for one user.
    Files,
}

/// What can be done on a shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Read one.
    Get,
    /// Write one.
    Set,
    /// Delete one.
    Delete,
    /// List the names.
    List,
}

/// What is done on a shelf.
#[derive(Clone, Debug)]
pub enum Act {
    /// Read one.
    Get {
        /// Which one.
        name: String,
        /// How the answer is written.
        encoding: Encoding,
    },
    /// Write one.
    Set(Entry),
    /// Delete one.
    Delete {
        /// Which one.
        name: String,
    },
    /// List the names.
    List(Listing),
}

/// Something to store.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Under which name.
    pub name: String,
    /// The value as the JSON text that was checked; of a file, a JSON string.
    pub value: Box<RawValue>,
    /// How the value is written.
    pub encoding: Encoding,
}

/// Which names to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Only names that begin with this.
    pub prefix: String,
    /// Only names after this one: `nextCursor` of the list before.
    pub cursor: String,
    /// How many, 1 to [`MAX_ENTRIES`].
    pub limit: u32,
}

/// How what is stored is written in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Any JSON value, kept as it is. User data and shared data are always so.
    Json,
    /// A string that is the text of a file.
    #[default]
    Utf8,
    /// A string that is base64 of the bytes of a file (RFC 4648, section 4).
    Base64,
}

/// A call to a shelf.
#[derive(Clone, Debug)]
pub struct Data {
    /// Where.
    pub shelf: Shelf,
    /// What.
    pub act: Act,
}

impl Data {
    /// The method by which a plugin makes this call.
    #[must_use]
    pub fn method(&self) -> Method {
        self.shelf.method(self.act.verb())
    }

    /// A write out of a name and a JSON body `{value, encoding?}`.
    ///
    /// # Errors
    /// `invalid_params` with the pointer of the field.
    pub fn from_body(shelf: Shelf, name: String, body: &str) -> Result<Self, Refusal> {
        let fields = Fields::read(body)?;
        Self { shelf, act: Act::Set(Entry::read(shelf, name, &fields)?) }.checked()
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// `invalid_params` when a name is not 1 to [`MAX_NAME`] characters without control characters, or `.` or `..`,
    /// which no path can carry; or when a value is too large or no string where it is a file.
    pub fn checked(self) -> Result<Self, Refusal> {
        let field = self.shelf.name_field();
        match &self.act {
            Act::Get { name, .. } | Act::Delete { name } => checked_name(field, name)?,
            Act::Set(entry) => {
                checked_name(field, &entry.name)?;
                checked_value(self.shelf, &entry.value)?;
            }
            Act::List(listing) => {
                short("prefix", &listing.prefix)?;
                short("cursor", &listing.cursor)?;
            }
        }
        Ok(self)
    }

    pub(super) fn get(shelf: Shelf, fields: &Fields<'_>) -> Result<Self, Refusal> {
        let encoding = Encoding::read(shelf, fields)?;
        Self { shelf, act: Act::Get { name: shelf.name(fields)?, encoding } }.checked()
    }

    pub(super) fn set(shelf: Shelf, fields: &Fields<'_>) -> Result<Self, Refusal> {
        Self { shelf, act: Act::Set(Entry::read(shelf, shelf.name(fields)?, fields)?) }.checked()
    }

    pub(super) fn delete(shelf: Shelf, fields: &Fields<'_>) -> Result<Self, Refusal> {
        Self { shelf, act: Act::Delete { name: shelf.name(fields)? } }.checked()
    }

    pub(super) fn list(shelf: Shelf, fields: &Fields<'_>) -> Result<Self, Refusal> {
        let listing = Listing {
            prefix: fields.text("prefix")?.unwrap_or_default(),
            cursor: fields.text("cursor")?.unwrap_or_default(),
            limit: fields.number_or_null("limit")?.map_or(DEFAULT_ENTRIES, Listing::clamp),
        };
        Self { shelf, act: Act::List(listing) }.checked()
    }
}

impl Act {
    /// What is done, without what it is done to.
    #[must_use]
    pub fn verb(&self) -> Verb {
        match self {
            Self::Get { .. } => Verb::Get,
            Self::Set(_) => Verb::Set,
            Self::Delete { .. } => Verb::Delete,
            Self::List(_) => Verb::List,
        }
    }
}

impl Entry {
    fn read(shelf: Shelf, name: String, fields: &Fields<'_>) -> Result<Self, Refusal> {
        let value = fields.kept("value").ok_or_else(|| Refusal::field("", "`value` is missing"))?;
        Ok(Self { name, value, encoding: Encoding::read(shelf, fields)? })
    }
}

impl Shelf {
    /// The method by which a plugin does something here. User data has no methods to delete and to list: what writes
    /// it may delete it, what reads it may list it.
    #[must_use]
    pub fn method(self, verb: Verb) -> Method {
        match (self, verb) {
            (Self::UserData, Verb::Get | Verb::List) => Method::GetUserData,
            (Self::UserData, Verb::Set | Verb::Delete) => Method::SetUserData,
            (Self::Kv, Verb::Get) => Method::KvGet,
            (Self::Kv, Verb::Set) => Method::KvSet,
            (Self::Kv, Verb::Delete) => Method::KvDelete,
            (Self::Kv, Verb::List) => Method::KvList,
            (Self::Files, Verb::Get) => Method::StorageRead,
            (Self::Files, Verb::Set) => Method::StorageWrite,
            (Self::Files, Verb::Delete) => Method::StorageDelete,
            (Self::Files, Verb::List) => Method::StorageList,
        }
    }

    /// The last part of its path in the API.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::UserData => "user-data",
            Self::Kv => "kv",
            Self::Files => "files",
        }
    }

    /// What a name is called in parameters.
    #[must_use]
    pub fn name_field(self) -> &'static str {
        match self {
            Self::UserData | Self::Kv => "key",
            Self::Files => "name",
        }
    }

    fn name(self, fields: &Fields<'_>) -> Result<String, Refusal> {
        fields.needed(self.name_field())
    }
}

impl Listing {
    /// Brings a requested number of names between 1 and [`MAX_ENTRIES`].
    #[must_use]
    pub fn clamp(limit: f64) -> u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "such a cast saturates")]
        let whole = limit as u32;
        whole.clamp(1, MAX_ENTRIES)
    }
}

impl Encoding {
    fn read(shelf: Shelf, fields: &Fields<'_>) -> Result<Self, Refusal> {
        match shelf {
            Shelf::UserData | Shelf::Kv => Ok(Self::Json),
            Shelf::Files => Self::of_file(fields.text("encoding")?.as_deref()),
        }
    }

    /// The encoding of a file by its name; without one it is text.
    ///
    /// # Errors
    /// `invalid_params` for another name.
    pub fn of_file(name: Option<&str>) -> Result<Self, Refusal> {
        match name {
            None | Some("utf8") => Ok(Self::Utf8),
            Some("base64") => Ok(Self::Base64),
            Some(_) => Err(Refusal::field("/encoding", "must be `utf8` or `base64`")),
        }
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Utf8 => "utf8",
            Self::Base64 => "base64",
        }
    }
}

fn checked_name(field: &str, name: &str) -> Result<(), Refusal> {
    short(field, name)?;
    let wrong = name.is_empty() || matches!(name, "." | "..") || name.chars().any(char::is_control);
    if wrong {
        let rule =
            format!("must have 1 to {MAX_NAME} characters, no control characters, and not be `.` or `..`");
        return Err(Refusal::field(format!("/{field}"), rule));
    }
    Ok(())
}

fn short(field: &str, text: &str) -> Result<(), Refusal> {
    if text.chars().count() > MAX_NAME {
        return Err(Refusal::field(format!("/{field}"), format!("must have at most {MAX_NAME} characters")));
    }
    Ok(())
}

fn checked_value(shelf: Shelf, value: &RawValue) -> Result<(), Refusal> {
    let size = value.get().len();
    match shelf {
        Shelf::UserData | Shelf::Kv if size > MAX_VALUE => {
            let rule = format!("has {size} bytes, at most {MAX_VALUE} are allowed; store more as a file");
            Err(Refusal::field("/value", rule))
        }
        Shelf::Files if !value.get().starts_with('"') => Err(Refusal::field("/value", "must be a text")),
        Shelf::UserData | Shelf::Kv | Shelf::Files => Ok(()),
    }
}
