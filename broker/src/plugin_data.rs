//! What plugins store for users: values as the JSON text that came, files as bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use taiku_bridge::api::{Items, StoredFile};
use taiku_bridge::call::{Act, Data, Encoding, Entry, Listing, MAX_FILE, Shelf};
use taiku_bridge::{Code, PluginId, Refusal};

use crate::broker::Broker;
use crate::failure::Failure;
use crate::store::plugin_data::{self as shelves, Place, USER_BYTES, Written, quota};

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
    let place = Place::new(data.shelf, plugin, user_id);
    match &data.act {
        Act::Get { name, encoding } => read(broker, &place, name, *encoding).await,
        Act::List(listing) => list(broker, data.shelf, &place, listing).await,
        Act::Set(entry) if is_nothing(entry) => delete(broker, user_id, &place, &entry.name).await,
        Act::Set(entry) => write(broker, user_id, data.shelf, &place, entry).await,
        Act::Delete { name } => delete(broker, user_id, &place, name).await,
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

async fn read(broker: &Broker, place: &Place, name: &str, encoding: Encoding) -> Result<Answer, Failure> {
    let mut tx = broker.store.read().await?;
    let found = shelves::get(&mut tx, place, name).await?;
    drop(tx);
    Ok(Answer::Value(found.map_or_else(|| Ok("null".to_owned()), |bytes| json(bytes, encoding))?))
}

async fn write(
    broker: &Broker,
    user_id: &str,
    shelf: Shelf,
    place: &Place,
    entry: &Entry,
) -> Result<Answer, Failure> {
    let bytes = bytes(entry)?;
    let now = broker.clock.now();
    broker.limits.store(user_id, now)?;
    let mut tx = broker.store.write().await?;
    match shelves::put(&mut tx, place, &entry.name, &bytes, now).await? {
        Written::Stored => tx.commit().await?,
        full => return Err(exceeded(shelf, full)),
    }
    Ok(Answer::Done)
}

async fn delete(broker: &Broker, user_id: &str, place: &Place, name: &str) -> Result<Answer, Failure> {
    broker.limits.store(user_id, broker.clock.now())?;
    let mut tx = broker.store.write().await?;
    shelves::delete(&mut tx, place, name).await?;
    tx.commit().await?;
    Ok(Answer::Done)
}

async fn list(broker: &Broker, shelf: Shelf, place: &Place, listing: &Listing) -> Result<Answer, Failure> {
    let mut tx = broker.store.read().await?;
    let (items, more) = shelves::list(&mut tx, place, listing).await?;
    let used = shelves::used(&mut tx, place).await?;
    drop(tx);
    let next_cursor = items.last().filter(|_| more).map(|item| item.name.clone());
    let (used_bytes, max_bytes) = (used.bytes, quota(shelf).bytes);
    Ok(Answer::Items(match shelf {
        Shelf::UserData | Shelf::Kv => {
            let keys = items.into_iter().map(|item| item.name).collect();
            Items::Keys { keys, next_cursor, used_bytes, max_bytes }
        }
        Shelf::Files => {
            let file = |item: shelves::Item| StoredFile {
                name: item.name,
                size: item.size,
                updated_at: item.updated_at,
            };
            let files = items.into_iter().map(file).collect();
            Items::Files { files, next_cursor, used_bytes, max_bytes }
        }
    }))
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
