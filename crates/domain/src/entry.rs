//! Entries of the journal: one fact each.
//!
//! An entry carries resulting values, never increments, and a kind never changes its meaning: fields are added, and
//! are optional; anything else is a new kind. A kind that this version does not know is kept as [`Fact::Unknown`].

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    ids::{CaseId, ContactId, ConversationId, EntryId, LineId, MediaId, MessageId, Millis, NoteId, Seq, StaffId, Team},
    words::{CaseState, Role, Status},
};

macro_rules! tagged {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident $(($inner:ty))? = $tag:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant $(($inner))?),* }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(tagged!(@pattern inner, $variant $($inner)?) => tagged!(@write f, inner, $tag $($inner)?)),* }
            }
        }

        impl FromStr for $name {
            type Err = NotAReference;
            fn from_str(text: &str) -> Result<Self, NotAReference> {
                let (tag, rest) = text.split_once(':').unwrap_or((text, ""));
                $(if tag == $tag { return tagged!(@parse text, rest, $variant $($inner)?); })*
                Err(NotAReference(text.to_owned()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
    (@pattern $x:ident, $variant:ident $inner:ty) => { Self::$variant($x) };
    (@pattern $x:ident, $variant:ident) => { Self::$variant };
    (@write $f:ident, $x:ident, $tag:literal $inner:ty) => { write!($f, "{}:{}", $tag, $x) };
    (@write $f:ident, $x:ident, $tag:literal) => { $f.write_str($tag) };
    (@parse $text:ident, $rest:ident, $variant:ident $inner:ty) => {
        $rest.parse().map(Self::$variant).map_err(|_| NotAReference($text.to_owned()))
    };
    (@parse $text:ident, $rest:ident, $variant:ident) => { Ok(Self::$variant) };
}

/// A text that should have been a reference such as `case:0190…`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("Not a reference: {0:?}")]
pub struct NotAReference(pub String);

tagged! {
    /// What an entry belongs to, and so who may see it: a reference, never a list of readers.
    Scope {
        /// Everybody who is signed in to the agency.
        Agency = "agency",
        /// One member of staff.
        Staff(StaffId) = "staff",
        /// Whoever sees the case.
        Case(CaseId) = "case",
    }
}

tagged! {
    /// Who did it.
    Actor {
        /// A member of staff.
        Staff(StaffId) = "staff",
        /// The citizen.
        Contact(ContactId) = "contact",
        /// A rule, the sender, or WhatsApp.
        System = "system",
    }
}

tagged! {
    /// What an entry is about.
    Subject {
        /// A conversation.
        Conversation(ConversationId) = "conversation",
        /// A case.
        Case(CaseId) = "case",
        /// A message.
        Message(MessageId) = "message",
        /// A note.
        Note(NoteId) = "note",
        /// A contact.
        Contact(ContactId) = "contact",
        /// A member of staff.
        Staff(StaffId) = "staff",
        /// A WhatsApp number.
        Line(LineId) = "line",
        /// The agency's pack.
        Pack = "pack",
        /// What an entry of a kind not known yet is about.
        Unknown(String) = "unknown",
    }
}

/// How WhatsApp knows a person. The phone number may be absent (Meta, business-scoped-user-ids).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierKind {
    /// Business-scoped user id, `KW.…`; the whole string, opaque.
    Bsuid,
    /// `wa_id`: the telephone number in digits, without `+`.
    Phone,
}

/// One identifier of a contact, with the time it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Identifier {
    /// Which kind.
    pub kind: IdentifierKind,
    /// Its value.
    pub value: String,
    /// Since when we know it.
    pub from: Millis,
    /// Until when it held; absent while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Millis>,
}

/// Where a message goes, frozen when it is queued: a later change of the contact cannot turn it to another person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recipient {
    /// Which kind of identifier.
    pub kind: IdentifierKind,
    /// Its value.
    pub value: String,
}

/// Why a message failed, in WhatsApp's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS, ToSchema)]
pub struct SendError {
    /// Meta's code, or 0 where there was none.
    pub code: i64,
    /// Meta's title or message.
    pub title: String,
    /// Meta's details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

macro_rules! facts {
    ($($(#[$doc:meta])* $variant:ident = $kind:literal {
        $($(#[$fdoc:meta])* $field:ident $(as $name:literal)? : $type:ty),* $(,)?
    })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
            pub struct $variant {
                $($(#[$fdoc])* $(#[serde(rename = $name)])? pub $field: $type,)*
            }

            impl $variant {
                /// The kind as it stands in the journal.
                pub const KIND: &'static str = $kind;
            }
        )*

        /// What an entry says, by its kind.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(missing_docs, reason = "each variant is documented by its body")]
        pub enum Fact {
            $($variant($variant),)*
            /// A kind that this version does not know; kept raw.
            Unknown { kind: String, body: Value },
            /// What it said was erased, with the person whom it was about. It is handed to nobody.
            Erased { kind: String },
        }

        /// Every kind of entry that this version knows.
        pub const KINDS: &[&str] = &[$($kind),*];

        impl Fact {
            /// The kind as it stands in the journal.
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $kind,)*
                    Self::Unknown { kind, .. } | Self::Erased { kind } => kind,
                }
            }

            /// The body as JSON.
            pub fn body(&self) -> Result<Value, serde_json::Error> {
                match self {
                    $(Self::$variant(body) => serde_json::to_value(body),)*
                    Self::Unknown { body, .. } => Ok(body.clone()),
                    Self::Erased { .. } => Ok(Value::Null),
                }
            }

            /// Reads a body by its kind. An unknown kind is kept raw; a known kind whose body does not fit is an error.
            pub fn read(kind: &str, body: Value) -> Result<Self, serde_json::Error> {
                match kind {
                    $($kind => serde_json::from_value(body).map(Self::$variant),)*
                    _ => Ok(Self::Unknown { kind: kind.to_owned(), body }),
                }
            }
        }

        /// Every kind with its body's name and schema, and what these refer to.
        pub(crate) fn bodies(others: &mut crate::schema::Named) -> Vec<(&'static str, String, crate::schema::Shape)> {
            $(<$variant as ToSchema>::schemas(others);)*
            vec![$(($kind, <$variant as ToSchema>::name().into_owned(), <$variant as utoipa::PartialSchema>::schema())),*]
        }

        $(impl From<$variant> for Fact {
            fn from(body: $variant) -> Self { Self::$variant(body) }
        })*
    };
}

facts! {
    /// A contact wrote to a line for the first time.
    ConversationOpened = "conversation_opened" {
        /// The conversation.
        conversation: ConversationId,
        /// Who writes.
        contact: ContactId,
        /// To which number.
        line: LineId,
    }
    /// The citizen wrote.
    MessageReceived = "message_received" {
        /// The message.
        message: MessageId,
        /// Its conversation.
        conversation: ConversationId,
        /// Its case.
        case: CaseId,
        /// WhatsApp's id of it.
        wamid: String,
        /// WhatsApp's type, as it came: an open list.
        r#type: String,
        /// The text of a text message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The wamid of the message it quotes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<String>,
        /// The file in it, at most one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        media: Vec<MediaId>,
        /// When the citizen sent it, by WhatsApp's clock.
        sent_at: Millis,
        /// Where it stands in the conversation, fixed once.
        place: Millis,
        /// The message as WhatsApp gave it, for a type that this version does not handle.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        raw: Option<Value>,
        /// Which version of the reader left it raw; absent in entries of before these were numbered: the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reader: Option<u32>,
    }
    /// A message that was kept raw is understood by a later version.
    MessageUnderstood = "message_understood" {
        /// The message.
        message: MessageId,
        /// WhatsApp's type.
        r#type: String,
        /// What it says, where it is of a kind that says something.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Which version of the reader understood it.
        reader: u32,
    }
    /// A reply was accepted and waits for its turn.
    MessageQueued = "message_queued" {
        /// The message; its id is the command's.
        message: MessageId,
        /// Its conversation.
        conversation: ConversationId,
        /// Its case.
        case: CaseId,
        /// Where it goes.
        recipient: Recipient,
        /// WhatsApp's type.
        r#type: String,
        /// The text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Who wrote it.
        by: StaffId,
    }
    /// A message that we send moved on. `queued` → `sending` is the entry that permits the POST.
    MessageStatusChanged = "message_status_changed" {
        /// The message.
        message: MessageId,
        /// WhatsApp's id of it, once known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wamid: Option<String>,
        /// Where it stands now.
        status: Status,
        /// Why it failed or is uncertain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<SendError>,
    }
    /// Work began.
    CaseOpened = "case_opened" {
        /// The case.
        case: CaseId,
        /// Its conversation.
        conversation: ConversationId,
        /// Its number, dense for an agency and year.
        number: String,
        /// Which kind, by the pack's slug.
        kind: String,
        /// Its team, and so its audience, from birth.
        team: Team,
        /// Who writes. Repeated here, so that a case can be understood by whoever sees it and nothing else.
        contact: ContactId,
        /// To which number.
        line: LineId,
    }
    /// A case has this team and this owner from now on.
    CaseAssigned = "case_assigned" {
        /// The case.
        case: CaseId,
        /// Its team, and so its audience.
        team: Team,
        /// Its owner; absent when it waits for one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        staff: Option<StaffId>,
    }
    /// Something else about a case.
    CaseChanged = "case_changed" {
        /// The case.
        case: CaseId,
        /// Its state; `open` when it was reopened.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<CaseState>,
        /// Its kind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
    }
    /// Work ended.
    CaseClosed = "case_closed" {
        /// The case.
        case: CaseId,
        /// How, by the pack's slug.
        outcome: String,
    }
    /// Staff wrote for each other.
    NoteAdded = "note_added" {
        /// The note; its id is the command's.
        note: NoteId,
        /// The case it is on.
        case: CaseId,
        /// What it says.
        text: String,
        /// The files that go with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        media: Vec<MediaId>,
    }
    /// What is known about a contact now. Written into the scope of each case whose people should know.
    ContactChanged = "contact_changed" {
        /// The contact.
        contact: ContactId,
        /// The name that the person gave themself on WhatsApp.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// How WhatsApp knows them, past and present.
        identifiers: Vec<Identifier>,
        /// Another contact that turned out to be the same person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merged_into: Option<ContactId>,
    }
    /// A person was erased: every body in the scope of their cases is blank from now on, and whoever holds something of
    /// them deletes it.
    ContactErased = "contact_erased" {
        /// The contact.
        contact: ContactId,
        /// The contact and every other that had turned out to be the same person.
        contacts: Vec<ContactId>,
        /// Their conversations, by their marks.
        conversations: Vec<String>,
        /// Their cases, by their marks.
        cases: Vec<String>,
        /// The case number given last, by anybody's case: none is given twice, although the case may be gone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<String>,
        /// Why: a reference to the request. It names nobody, since everybody reads it.
        reason: String,
    }
    /// A member of staff as they are now.
    StaffChanged = "staff_changed" {
        /// Who.
        staff: StaffId,
        /// What they sign in with.
        username: String,
        /// What they are called.
        name: String,
        /// What they may do.
        roles: Vec<Role>,
        /// Where they belong.
        teams: Vec<Team>,
        /// Whether they may sign in.
        active: bool,
    }
    /// The agency's pack as it is now: processes and desks use this, never the file.
    PackChanged = "pack_changed" {
        /// SHA-256 of the content, in hex.
        sha: String,
        /// The TOML text.
        content: String,
    }
    /// A WhatsApp number as it is now.
    LineChanged = "line_changed" {
        /// Its `phone_number_id`.
        line: LineId,
        /// What people dial.
        display_number: String,
    }
}

/// A fact that was decided and has no place in the journal yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// Who may see it.
    pub scope: Scope,
    /// What it is about.
    pub subject: Subject,
    /// Who did it.
    pub actor: Actor,
    /// The command or delivery behind it.
    pub cause: Option<Uuid>,
    /// What it says.
    pub fact: Fact,
}

/// One fact in the journal, as it travels. Its digest and chain stay at the gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place.
    pub seq: Seq,
    /// Its id.
    pub id: EntryId,
    /// When, by the gateway's clock; never before the last one.
    pub at: Millis,
    /// Who may see it.
    pub scope: Scope,
    /// What it is about.
    pub subject: Subject,
    /// Who did it.
    pub actor: Actor,
    /// The command or delivery behind it.
    pub cause: Option<Uuid>,
    /// Version of the kind.
    pub version: u32,
    /// What it says.
    pub fact: Fact,
}

/// The version in which this program writes every kind.
pub const VERSION: u32 = 1;

impl Entry {
    /// The entry that a new one becomes at its place.
    pub fn from_new(new: NewEntry, seq: Seq, id: EntryId, at: Millis) -> Self {
        let NewEntry { scope, subject, actor, cause, fact } = new;
        Self { seq, id, at, scope, subject, actor, cause, version: VERSION, fact }
    }
}

#[derive(Serialize, Deserialize)]
struct Flat {
    seq: Seq,
    id: EntryId,
    at: Millis,
    scope: Scope,
    subject: String,
    actor: Actor,
    cause: Option<Uuid>,
    kind: String,
    version: u32,
    body: Value,
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Flat {
            seq: self.seq,
            id: self.id,
            at: self.at,
            scope: self.scope.clone(),
            subject: match &self.subject {
                Subject::Unknown(text) => text.clone(),
                known => known.to_string(),
            },
            actor: self.actor.clone(),
            cause: self.cause,
            kind: self.fact.kind().to_owned(),
            version: self.version,
            body: self.fact.body().map_err(serde::ser::Error::custom)?,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let flat = Flat::deserialize(deserializer)?;
        Ok(Self {
            seq: flat.seq,
            id: flat.id,
            at: flat.at,
            scope: flat.scope,
            subject: flat.subject.parse().unwrap_or(Subject::Unknown(flat.subject)),
            actor: flat.actor,
            cause: flat.cause,
            version: flat.version,
            fact: Fact::read(&flat.kind, flat.body).map_err(de::Error::custom)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_travels_as_the_contract_says() {
        let text = json!({
            "seq": 7, "id": "01900000-0000-7000-8000-000000000001", "at": 1000,
            "scope": "case:01900000-0000-7000-8000-000000000002",
            "subject": "note:01900000-0000-7000-8000-000000000003",
            "actor": "staff:01900000-0000-7000-8000-000000000004",
            "cause": "01900000-0000-7000-8000-000000000003", "kind": "note_added", "version": 1,
            "body": {"note": "01900000-0000-7000-8000-000000000003", "case": "01900000-0000-7000-8000-000000000002", "text": "اتصلت"}
        });
        let entry: Entry = serde_json::from_value(text.clone()).unwrap();
        assert!(matches!(&entry.fact, Fact::NoteAdded(note) if note.text == "اتصلت"));
        assert_eq!(serde_json::to_value(&entry).unwrap(), text);
        let mut with_media = text;
        with_media["body"]["media"] = json!(["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]);
        let entry: Entry = serde_json::from_value(with_media.clone()).unwrap();
        assert!(matches!(&entry.fact, Fact::NoteAdded(note) if note.media.len() == 1));
        assert_eq!(serde_json::to_value(&entry).unwrap(), with_media);
    }

    #[test]
    fn an_unknown_kind_is_kept_raw() {
        let text = json!({
            "seq": 8, "id": "01900000-0000-7000-8000-000000000001", "at": 1000, "scope": "agency", "subject": "moon:full",
            "actor": "system", "cause": null, "kind": "moon_rose", "version": 3, "body": {"phase": 0.5}
        });
        let entry: Entry = serde_json::from_value(text).unwrap();
        assert_eq!(entry.subject, Subject::Unknown("moon:full".into()));
        assert_eq!(entry.fact, Fact::Unknown { kind: "moon_rose".into(), body: json!({"phase": 0.5}) });
    }

    #[test]
    fn a_known_kind_with_a_bad_body_is_an_error() {
        assert!(Fact::read("note_added", json!({"text": 1})).is_err());
    }
}
