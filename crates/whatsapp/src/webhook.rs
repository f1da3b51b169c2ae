//! Webhook bodies, read so that nothing in them can be lost.
//!
//! A POST holds up to a thousand updates of several numbers, is repeated for days while it is refused, and changes its
//! shape without notice. So nothing here is required: every change keeps its raw JSON beside what could be read of it,
//! a word or type that nobody knows stays as it came, and what cannot be read at all becomes an item that says why.
//! One bad message never costs its siblings. Types derived from the documentation, with required fields and closed
//! lists, were rejected: they refuse a whole POST for one field that Meta added the day before.

mod item;
pub(crate) mod lenient;
mod repair;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

pub use self::item::{Contact, Message, Progress, READER, Sender, Status};
use self::lenient::text;
use crate::MetaError;

/// The body is not JSON at all; everything else can be read.
#[derive(Debug, thiserror::Error)]
#[error("Reading a webhook: the body is not JSON")]
pub struct NotJson(#[source] serde_json::Error);

/// One POST.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// What stands in it, in its order.
    pub entries: Vec<Entry>,
}

/// The changes of one WhatsApp Business account.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The account's id.
    pub id: Option<String>,
    /// What happened there.
    pub changes: Vec<Change>,
}

/// One change: what happened on one number, or to the account.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The change as it came; where the envelope itself is broken, the part that could not be opened.
    pub raw: Value,
    /// What it is about (`messages`, `account_update`, …).
    pub field: Option<String>,
    /// Which number it is for; absent for what concerns the account.
    pub phone_number_id: Option<String>,
    /// That number as people dial it.
    pub display_phone_number: Option<String>,
    /// What it carries; never empty.
    pub items: Vec<Item>,
}

/// The smallest thing that is received once.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The same for every repetition of this item, and for nothing else: wamid for a message; wamid, word and
    /// participant for a status; a hash of the change for the rest. Contains personal data: never log it.
    pub key: String,
    /// As it came.
    pub raw: Value,
    /// What could be read of it.
    pub content: Content,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A person wrote.
    Message(Box<Message>),
    /// A sent message moved on.
    Status(Box<Status>),
    /// Meta reports an error that belongs to no single message.
    Error(MetaError),
    /// A change of another kind, whole, as it came.
    Other,
    /// What could not be read, and why.
    Unreadable(&'static str),
}

/// Reads a body. Fails only if it is not JSON.
pub fn parse(raw: &[u8]) -> Result<Webhook, NotJson> {
    let body = json(raw)?;
    let entries = match body.get("entry").and_then(Value::as_array) {
        Some(entries) => entries.iter().map(Entry::read).collect(),
        None => vec![Entry { id: None, changes: vec![Change::unreadable(&body, "The body has no entries")] }],
    };
    Ok(Webhook { entries })
}

/// The body as JSON, mended where its texts are broken.
pub fn json(raw: &[u8]) -> Result<Value, NotJson> {
    serde_json::from_slice(raw)
        .or_else(|first| serde_json::from_str(&repair::repaired(raw)).map_err(|_| first))
        .map_err(NotJson)
}

impl Webhook {
    /// Every item with the change in which it stands.
    pub fn items(&self) -> impl Iterator<Item = (&Change, &Item)> {
        self.entries
            .iter()
            .flat_map(|entry| &entry.changes)
            .flat_map(|change| change.items.iter().map(move |item| (change, item)))
    }
}

impl Entry {
    fn read(raw: &Value) -> Self {
        let changes = match raw.get("changes").and_then(Value::as_array) {
            Some(changes) => changes.iter().map(|change| Change::read(raw, change)).collect(),
            None => vec![Change::unreadable(raw, "The entry has no changes")],
        };
        Self { id: text(raw.get("id")), changes }
    }
}

/// The parts of a change's value that are read, or say nothing by themselves.
const KNOWN: [&str; 6] = ["messaging_product", "metadata", "contacts", "messages", "statuses", "errors"];

impl Change {
    fn read(entry: &Value, raw: &Value) -> Self {
        let Some(value) = raw.get("value").and_then(Value::as_object) else {
            return Self::unreadable(raw, "The change has no value");
        };
        let metadata = value.get("metadata");
        Self {
            raw: raw.clone(),
            field: text(raw.get("field")),
            phone_number_id: text(metadata.and_then(|metadata| metadata.get("phone_number_id"))),
            display_phone_number: text(metadata.and_then(|metadata| metadata.get("display_phone_number"))),
            items: items(entry, raw, value),
        }
    }

    fn unreadable(raw: &Value, reason: &'static str) -> Self {
        let item = Item { key: hashed(&[raw]), raw: raw.clone(), content: Content::Unreadable(reason) };
        Self {
            raw: raw.clone(),
            field: text(raw.get("field")),
            phone_number_id: None,
            display_phone_number: None,
            items: vec![item],
        }
    }
}

fn items(entry: &Value, change: &Value, value: &Map<String, Value>) -> Vec<Item> {
    let list = |name: &str| value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let contacts: Vec<Contact> = list("contacts").iter().map(Contact::read).collect();
    // The same account-level change can truly happen twice (a quality rating that falls, recovers and falls again):
    // the entry's time tells it from a repetition of the same POST.
    let hash = |raw: &Value| {
        let of = |part: Option<&Value>| part.cloned().unwrap_or_default();
        hashed(&[
            &of(entry.get("id")),
            &of(entry.get("time")),
            &of(change.get("field")),
            &of(value.get("metadata")),
            raw,
        ])
    };
    let unreadable =
        |raw: &Value, reason| Item { key: hash(raw), raw: raw.clone(), content: Content::Unreadable(reason) };

    let mut items = Vec::new();
    items.extend(list("messages").iter().map(|raw| match Message::read(raw, &contacts) {
        Ok(message) => Item {
            key: json!(["message", message.id]).to_string(),
            raw: raw.clone(),
            content: Content::Message(Box::new(message)),
        },
        Err(reason) => unreadable(raw, reason),
    }));
    items.extend(list("statuses").iter().map(|raw| match Status::read(raw) {
        Ok(status) => Item {
            key: json!(["status", status.id, status.progress.as_str(), status.participant]).to_string(),
            raw: raw.clone(),
            content: Content::Status(Box::new(status)),
        },
        Err(reason) => unreadable(raw, reason),
    }));
    items.extend(list("errors").iter().map(|raw| Item {
        key: hash(raw),
        raw: raw.clone(),
        content: Content::Error(MetaError::read(raw)),
    }));
    for name in ["messages", "statuses", "errors"] {
        if let Some(raw) = value.get(name).filter(|raw| !raw.is_array() && !raw.is_null()) {
            items.push(unreadable(raw, "A list of the change is not a list"));
        }
    }
    // A new scalar beside messages says nothing new; a new list (calls, echoes, …) does.
    let more = value
        .iter()
        .any(|(name, part)| !KNOWN.contains(&name.as_str()) && part.as_array().is_some_and(|list| !list.is_empty()));
    if items.is_empty() || more {
        items.push(Item { key: hash(change), raw: change.clone(), content: Content::Other });
    }
    items
}

/// A key for what has no id of its own.
fn hashed(parts: &[&Value]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| feed(&mut hash, part));
    json!(["other", HEXLOWER.encode(&hash.finalize())]).to_string()
}

/// Object members in sorted order, whatever order the parser keeps: a key must outlive the program that made it.
fn feed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            hash.update("{");
            for (name, value) in members {
                feed(hash, &Value::String(name.clone()));
                feed(hash, value);
            }
            hash.update("}");
        }
        Value::Array(list) => {
            hash.update("[");
            list.iter().for_each(|value| feed(hash, value));
            hash.update("]");
        }
        scalar => {
            hash.update(scalar.to_string());
            hash.update(",");
        }
    }
}
