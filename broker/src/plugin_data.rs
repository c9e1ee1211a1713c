//! What plugins store for users: values as the JSON text that came, files as bytes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use taiku_bridge::api::{Items, StoredFile};
use taiku_bridge::call::{Act, Data, Encoding, Entry, Listing, MAX_FILE, Shelf};
use taiku_bridge::event::{DATA_CHANGED, may_hear};
use taiku_bridge::{Code, PluginId, Refusal};

use crate::broker::Broker;
use crate::events::Event;
use crate::failure::Failure;
use crate::store::plugin_data::{self as shelves, Item, Place, USER_BYTES, Written, quota};
use crate::store::{Tx, grants};

/// What a call to a shelf came to.
#[derive(Debug)]
pub enum Answer {
    /// JSON text: what is stored, or `null`.
    Value(String),
    /// What there is.
    Items(Items),
    /// It is done.
    Done,
}

/// Carries out a call that was decided on.
///
/// # Errors
/// `invalid_params`, `quota_exceeded`, `rate_limited`, or what the database says.
pub async fn run(broker: &Broker, user_id: &str, plugin: &PluginId, data: &Data) -> Result<Answer, Failure> {
    let by =
        By { broker, user_id, plugin, place: Place::new(data.shelf, plugin, user_id), shelf: data.shelf };
    match &data.act {
        Act::Get { name, encoding } => by.read(name, *encoding).await,
        Act::List(listing) => by.list(listing).await,
        Act::Set(entry) if is_nothing(entry) => by.delete(&entry.name).await,
        Act::Set(entry) => by.write(entry).await,
        Act::Delete { name } => by.delete(name).await,
    }
}

/// Deletes all that a plugin stored in one place, for the user whose it is.
///
/// # Errors
/// What the database says.
pub async fn clear(broker: &Broker, user_id: &str, plugin: &PluginId, shelf: Shelf) -> Result<(), Failure> {
    let mut tx = broker.store.write().await?;
    shelves::clear(&mut tx, &Place::new(shelf, plugin, user_id)).await?;
    Ok(tx.commit().await?)
}

/// `null` is what a missing value is read as, so storing it deletes.
fn is_nothing(entry: &Entry) -> bool {
    entry.encoding == Encoding::Json && entry.value.get() == "null"
}

/// A call, and for whom it is made.
struct By<'a> {
    broker: &'a Broker,
    user_id: &'a str,
    plugin: &'a PluginId,
    place: Place,
    shelf: Shelf,
}

impl By<'_> {
    async fn read(&self, name: &str, encoding: Encoding) -> Result<Answer, Failure> {
        let mut tx = self.broker.store.read().await?;
        let found = shelves::get(&mut tx, &self.place, name).await?;
        drop(tx);
        Ok(Answer::Value(found.map_or_else(|| Ok("null".to_owned()), |bytes| json(bytes, encoding))?))
    }

    async fn write(&self, entry: &Entry) -> Result<Answer, Failure> {
        let bytes = bytes(entry)?;
        let now = self.broker.clock.now();
        self.broker.limits.store(self.user_id, now)?;
        let mut tx = self.broker.store.write().await?;
        match shelves::put(&mut tx, &self.place, &entry.name, &bytes, now).await? {
            Written::Stored => self.commit(tx, &entry.name).await,
            full => Err(exceeded(self.shelf, full)),
        }
    }

    async fn delete(&self, name: &str) -> Result<Answer, Failure> {
        self.broker.limits.store(self.user_id, self.broker.clock.now())?;
        let mut tx = self.broker.store.write().await?;
        if shelves::delete(&mut tx, &self.place, name).await? {
            return self.commit(tx, name).await;
        }
        Ok(Answer::Done)
    }

    /// Makes a change last. What is shared is then told to everybody who may hear of it; a key is nobody else's to know.
    async fn commit(&self, mut tx: Tx, name: &str) -> Result<Answer, Failure> {
        let mut hearers = match self.shelf {
            Shelf::UserData | Shelf::Files => BTreeMap::new(),
            Shelf::Kv => grants::of_plugin(&mut tx, self.plugin).await?,
        };
        tx.commit().await?;
        hearers.retain(|_, stored| may_hear(DATA_CHANGED, &stored.grant));
        let changed = Event::DataChanged { plugin: self.plugin.to_string(), key: name.to_owned() };
        hearers.keys().for_each(|user_id| self.broker.events.tell(user_id, &changed));
        Ok(Answer::Done)
    }

    async fn list(&self, listing: &Listing) -> Result<Answer, Failure> {
        let mut tx = self.broker.store.read().await?;
        let (items, more) = shelves::list(&mut tx, &self.place, listing).await?;
        let used = shelves::used(&mut tx, &self.place).await?;
        drop(tx);
        let next_cursor = items.last().filter(|_| more).map(|item| item.name.clone());
        let (used_bytes, max_bytes) = (used.bytes, quota(self.shelf).bytes);
        Ok(Answer::Items(match self.shelf {
            Shelf::UserData | Shelf::Kv => {
                let keys = items.into_iter().map(|item| item.name).collect();
                Items::Keys { keys, next_cursor, used_bytes, max_bytes }
            }
            Shelf::Files => {
                let files = items.into_iter().map(file).collect();
                Items::Files { files, next_cursor, used_bytes, max_bytes }
            }
        }))
    }
}

fn file(item: Item) -> StoredFile {
    StoredFile { name: item.name, size: item.size, updated_at: item.updated_at }
}

/// The bytes to store.
fn bytes(entry: &Entry) -> Result<Vec<u8>, Refusal> {
    let text = || {
        serde_json::from_str::<String>(entry.value.get())
            .map_err(|_| Refusal::field("/value", "must be a text"))
    };
    let bytes = match entry.encoding {
        // Values are as large as the bridge lets them be.
        Encoding::Json => return Ok(entry.value.get().as_bytes().to_vec()),
        Encoding::Utf8 => text()?.into_bytes(),
        Encoding::Base64 => STANDARD
            .decode(text()?)
            .map_err(|_| Refusal::field("/value", "must be base64, with its padding"))?,
    };
    if bytes.len() > MAX_FILE {
        let rule = format!("is a file of {} bytes, at most {MAX_FILE} are allowed", bytes.len());
        return Err(Refusal::field("/value", rule));
    }
    Ok(bytes)
}

/// What is stored, as JSON text.
fn json(bytes: Vec<u8>, encoding: Encoding) -> Result<String, Failure> {
    let text = match encoding {
        Encoding::Base64 => STANDARD.encode(bytes),
        Encoding::Json | Encoding::Utf8 => String::from_utf8(bytes).map_err(|_| {
            Refusal::field("/encoding", "must be `base64`: the bytes of this file are not UTF-8 text")
        })?,
    };
    match encoding {
        Encoding::Json => Ok(text),
        Encoding::Utf8 | Encoding::Base64 => {
            serde_json::to_string(&text).map_err(|error| Failure::Internal(error.to_string()))
        }
    }
}

fn exceeded(shelf: Shelf, full: Written) -> Failure {
    let quota = quota(shelf);
    let (what, whose) = match shelf {
        Shelf::UserData => ("keys", "The user data of this plugin"),
        Shelf::Kv => ("keys", "The shared data of this plugin"),
        Shelf::Files => ("files", "The storage of this plugin"),
    };
    let message = match full {
        Written::TooMany => {
            format!("{whose} has {} {what}, and may not have more. Delete some.", quota.entries)
        }
        Written::UserFull => format!(
            "All plugins together already store nearly {USER_BYTES} bytes for you. Delete what you do not need."
        ),
        Written::Stored | Written::ShelfFull => format!(
            "{whose} would be larger than {} bytes, names included. Delete some {what} or store less.",
            quota.bytes
        ),
    };
    Failure::new(Code::QuotaExceeded, message)
}
