//! What a webhook carries: messages, statuses, and the people they are about.

use domain::ids::Millis;
use serde_json::Value;

use super::lenient::{millis, phone, sha256, text};
use crate::MetaError;

/// Who wrote. A telephone number may be absent, and a business-scoped user id (BSUID) too in older bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// Only the number is known: digits, without `+`.
    Phone(String),
    /// Only the BSUID is known: the whole string, opaque.
    Bsuid(String),
    /// Both are known, and belong to one person.
    Both {
        /// Digits, without `+`.
        phone: String,
        /// The whole string, opaque.
        bsuid: String,
    },
}

impl Sender {
    fn of(phone: Option<String>, bsuid: Option<String>) -> Option<Self> {
        match (phone, bsuid) {
            (Some(phone), Some(bsuid)) => Some(Self::Both { phone, bsuid }),
            (Some(phone), None) => Some(Self::Phone(phone)),
            (None, Some(bsuid)) => Some(Self::Bsuid(bsuid)),
            (None, None) => None,
        }
    }

    /// The number, if it is visible.
    pub fn phone(&self) -> Option<&str> {
        match self {
            Self::Phone(phone) | Self::Both { phone, .. } => Some(phone),
            Self::Bsuid(_) => None,
        }
    }

    /// The BSUID, if it is known.
    pub fn bsuid(&self) -> Option<&str> {
        match self {
            Self::Bsuid(bsuid) | Self::Both { bsuid, .. } => Some(bsuid),
            Self::Phone(_) => None,
        }
    }
}

/// A person as WhatsApp describes them beside a message or status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// The name that the person gave themself.
    pub name: Option<String>,
    /// The public user name, where one was taken.
    pub username: Option<String>,
    /// The number in digits, if visible.
    pub phone: Option<String>,
    /// The BSUID.
    pub bsuid: Option<String>,
}

impl Contact {
    pub(super) fn read(raw: &Value) -> Self {
        Self {
            name: text(raw.pointer("/profile/name")),
            username: text(raw.pointer("/profile/username")),
            phone: phone(raw.get("wa_id")),
            bsuid: text(raw.get("user_id")),
        }
    }

    fn is(&self, sender: &Sender) -> bool {
        let same = |ours: &Option<String>, theirs: Option<&str>| ours.is_some() && ours.as_deref() == theirs;
        same(&self.bsuid, sender.bsuid()) || same(&self.phone, sender.phone())
    }
}

/// Which version of the reader this is: raised whenever it understands messages that it left raw before, which are then
/// read again. 1: texts. 2: what was tapped (`button`, and replies of `interactive`).
pub const READER: u32 = 2;

/// Something that a person sent to the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The wamid.
    pub id: String,
    /// Who wrote; absent in some messages of the type `system`.
    pub sender: Option<Sender>,
    /// The person, joined by number or BSUID and never by position.
    pub contact: Option<Contact>,
    /// The group in which it was written.
    pub group_id: Option<String>,
    /// When it was sent, by WhatsApp's clock; absent if that cannot be read.
    pub timestamp: Option<Millis>,
    /// The type as it came, an open list; `unknown` if absent.
    pub kind: String,
    /// The body of a text message.
    pub text: Option<String>,
    /// What was on the button, or in the row of a list, that the person tapped.
    pub tapped: Option<String>,
    /// The wamid of the message that this one quotes.
    pub quotes: Option<String>,
    /// The SHA-256 of the file in it.
    pub sha256: Option<[u8; 32]>,
    /// What WhatsApp itself could not deliver of it.
    pub errors: Vec<MetaError>,
}

/// Where that stands (Meta, webhooks/reference/messages/button and interactive).
const TAPPED: [&str; 3] = ["/button/text", "/interactive/button_reply/title", "/interactive/list_reply/title"];

impl Message {
    /// Reads one that was kept as it came.
    pub fn kept(raw: &Value) -> Result<Self, &'static str> {
        Self::read(raw, &[])
    }

    /// What it says, as far as this version of the reader understands it.
    pub fn says(&self, reader: u32) -> Option<&str> {
        match self.kind.as_str() {
            "text" => self.text.as_deref(),
            "button" | "interactive" if reader >= 2 => self.tapped.as_deref(),
            _ => None,
        }
    }

    pub(super) fn read(raw: &Value, contacts: &[Contact]) -> Result<Self, &'static str> {
        let sender = Sender::of(phone(raw.get("from")), text(raw.get("from_user_id")));
        let contact = sender.as_ref().and_then(|sender| contacts.iter().find(|contact| contact.is(sender))).cloned();
        let kind = text(raw.get("type"));
        Ok(Self {
            id: text(raw.get("id")).ok_or("The message has no id")?,
            sender,
            contact,
            group_id: text(raw.get("group_id")),
            timestamp: millis(raw.get("timestamp")),
            sha256: kind.as_ref().and_then(|kind| sha256(raw.get(kind)?.get("sha256"))),
            kind: kind.unwrap_or_else(|| "unknown".to_owned()),
            text: text(raw.pointer("/text/body")),
            tapped: TAPPED.iter().find_map(|at| text(raw.pointer(at))),
            quotes: text(raw.pointer("/context/id")),
            errors: errors(raw),
        })
    }
}

/// How far a message that was sent from the line has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// WhatsApp has sent it on.
    Sent,
    /// It is on the telephone.
    Delivered,
    /// It was opened.
    Read,
    /// A voice message was played.
    Played,
    /// It will not arrive.
    Failed,
    /// A word that this version does not know.
    Unknown(String),
}

impl Progress {
    fn of(word: &str) -> Self {
        match word {
            "sent" => Self::Sent,
            "delivered" => Self::Delivered,
            "read" => Self::Read,
            "played" => Self::Played,
            "failed" => Self::Failed,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// WhatsApp's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed => "failed",
            Self::Unknown(other) => other,
        }
    }
}

/// A report about a message that was sent from the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The wamid of that message.
    pub id: String,
    /// How far it has come.
    pub progress: Progress,
    /// When, by WhatsApp's clock.
    pub timestamp: Option<Millis>,
    /// To whom it went.
    pub recipient: Option<Sender>,
    /// Which member of a group it is about.
    pub participant: Option<String>,
    /// What was sent along as `biz_opaque_callback_data`.
    pub callback_data: Option<String>,
    /// Why it failed.
    pub errors: Vec<MetaError>,
}

impl Status {
    pub(super) fn read(raw: &Value) -> Result<Self, &'static str> {
        Ok(Self {
            id: text(raw.get("id")).ok_or("The status has no message id")?,
            progress: Progress::of(&text(raw.get("status")).ok_or("The status has no status")?),
            timestamp: millis(raw.get("timestamp")),
            recipient: Sender::of(phone(raw.get("recipient_id")), text(raw.get("recipient_user_id"))),
            participant: text(raw.get("recipient_participant_id"))
                .or_else(|| text(raw.get("recipient_participant_user_id"))),
            callback_data: text(raw.get("biz_opaque_callback_data")),
            errors: errors(raw),
        })
    }
}

fn errors(raw: &Value) -> Vec<MetaError> {
    raw.get("errors").and_then(Value::as_array).into_iter().flatten().map(MetaError::read).collect()
}
