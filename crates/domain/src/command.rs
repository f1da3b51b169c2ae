//! What a person asks for, and what the system itself asks for.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    entry::{Identifier, SendError},
    ids::{CaseId, CommandId, ContactId, ConversationId, LineId, MediaId, MessageId, Millis, Seq, StaffId, Team},
    words::{Role, Status},
};

/// A command as it travels: its id, made by the client, and what is asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Command {
    /// A UUIDv7. The same id gets the same answer, however often it is sent.
    pub id: CommandId,
    /// What is asked for.
    #[serde(flatten)]
    pub ask: Ask,
}

impl Command {
    /// Reads a command. One that cannot be read is refused rather than guessed at: a field that this version would
    /// ignore may be what the person meant most.
    pub fn read(id: CommandId, mut fields: serde_json::Map<String, Value>) -> Result<Self, Refusal> {
        fields.remove("id");
        let known = fields.get("kind").and_then(Value::as_str).is_some_and(|kind| Ask::KINDS.contains(&kind));
        if !known {
            return Err(Refusal::new(Code::UnknownCommand, format!("Known kinds: {}", Ask::KINDS.join(", "))));
        }
        let ask = serde_json::from_value(Value::Object(fields))
            .map_err(|error| Refusal::new(Code::Invalid, format!("The command cannot be read: {error}")))?;
        Ok(Self { id, ask })
    }
}

/// What a member of staff asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// Answers the citizen. The message bears the command's id.
    Reply {
        /// Where.
        conversation: ConversationId,
        /// The case it answers; the active one if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<CaseId>,
        /// What it says.
        text: String,
        /// The last seq the writer had on screen.
        seen: Seq,
    },
    /// Writes for colleagues. The note bears the command's id.
    AddNote {
        /// The case it is on.
        case: CaseId,
        /// What it says.
        text: String,
        /// The files that go with it, at most ten.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        media: Vec<MediaId>,
    },
    /// Takes a case.
    Claim {
        /// Which.
        case: CaseId,
    },
    /// Gives a case to somebody.
    Assign {
        /// Which.
        case: CaseId,
        /// To whom.
        staff: StaffId,
    },
    /// Gives a case back to its team's queue.
    Release {
        /// Which.
        case: CaseId,
    },
    /// Gives a case to another team.
    Transfer {
        /// Which.
        case: CaseId,
        /// To which.
        team: Team,
    },
    /// Ends a case.
    CloseCase {
        /// Which.
        case: CaseId,
        /// How, by the pack's slug.
        outcome: String,
    },
    /// Opens a closed case again.
    ReopenCase {
        /// Which.
        case: CaseId,
    },
    /// Adds an account. The member of staff bears the command's id.
    AddStaff {
        /// What they sign in with.
        username: String,
        /// What they are called.
        name: String,
        /// What they may do.
        roles: Vec<Role>,
        /// Where they belong.
        teams: Vec<Team>,
    },
    /// Changes an account; what is absent stays.
    ChangeStaff {
        /// Whose.
        staff: StaffId,
        /// What they are called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// What they may do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        roles: Option<Vec<Role>>,
        /// Where they belong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        teams: Option<Vec<Team>>,
        /// Whether they may sign in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        active: Option<bool>,
    },
    /// Says up to where this person has seen a case. No entry comes of it.
    SeenUpTo {
        /// Which.
        case: CaseId,
        /// Up to where; the greater wins.
        seq: Seq,
    },
    /// Says what became of a message of which nobody knows whether WhatsApp got it.
    SettleUncertain {
        /// Which.
        message: MessageId,
        /// What to do.
        settle: Settle,
    },
    /// Takes a reply back that still waits its turn.
    Recall {
        /// Which.
        message: MessageId,
    },
    /// Erases a person, with all that they wrote and all that was written to them and about them.
    EraseContact {
        /// Whom; whoever sees one of their cases sees this id.
        contact: ContactId,
        /// Why: a reference to the request. It names nobody.
        reason: String,
    },
}

impl Ask {
    /// Every kind of command, as it travels.
    pub const KINDS: &'static [&'static str] = &[
        "reply",
        "add_note",
        "claim",
        "assign",
        "release",
        "transfer",
        "close_case",
        "reopen_case",
        "add_staff",
        "change_staff",
        "seen_up_to",
        "settle_uncertain",
        "recall",
        "erase_contact",
    ];

    /// The files that it names.
    pub fn media(&self) -> &[MediaId] {
        match self {
            Self::AddNote { media, .. } => media,
            _ => &[],
        }
    }
}

/// How many files a command may name.
pub const MOST_MEDIA: usize = 10;

/// How an uncertain message is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Settle {
    /// It arrived: the citizen said so, or it is on the agency's own telephone.
    Sent,
    /// Send it once more, at the risk of a second copy.
    Resend,
}

/// What the system asks for: intake, and the sender.
#[derive(Debug, Clone, PartialEq)]
pub enum SystemAsk {
    /// A citizen's message came in.
    Receive(Box<Inbound>),
    /// WhatsApp reported how far a message of ours has come.
    Report(Report),
    /// The sender wants to POST a message: the entry that comes of it is the permission.
    BeginSending {
        /// Which.
        message: MessageId,
    },
    /// The sender tells what came of its POST.
    EndSending {
        /// Which.
        message: MessageId,
        /// The entry that permitted the POST: what came of another one says nothing about it.
        begun: Seq,
        /// What came of it.
        outcome: SendOutcome,
    },
    /// The process that was sending this message is gone.
    Abandon {
        /// Which.
        message: MessageId,
    },
    /// This message waited, or was being sent, in a journal that was restored: it may have gone out since it was copied.
    Doubt {
        /// Which.
        message: MessageId,
    },
    /// A later version understands a message that was kept raw.
    Understand {
        /// Which.
        message: MessageId,
        /// WhatsApp's type.
        r#type: String,
        /// What it says.
        text: Option<String>,
        /// Which version of the reader understood it.
        reader: u32,
    },
    /// This person was erased, and is back in a journal that was restored.
    EraseAgain {
        /// Whom.
        contact: ContactId,
        /// Why, as it was then.
        reason: String,
    },
    /// The agency's pack is this text from now on.
    LoadPack {
        /// TOML.
        content: String,
    },
    /// A WhatsApp number is configured like this.
    ConfigureLine {
        /// Its `phone_number_id`.
        line: LineId,
        /// What people dial.
        display_number: String,
    },
    /// The agency's first account.
    AddFirstStaff {
        /// Its id.
        staff: StaffId,
        /// What they sign in with.
        username: String,
        /// What they are called.
        name: String,
    },
}

/// A message as intake read it from a delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    /// To which number.
    pub line: LineId,
    /// WhatsApp's id of the message.
    pub wamid: String,
    /// How WhatsApp knows the sender; at least one.
    pub identifiers: Vec<Identifier>,
    /// The name that the person gave themself.
    pub name: Option<String>,
    /// WhatsApp's type, as it came.
    pub r#type: String,
    /// The text of a text message.
    pub text: Option<String>,
    /// The wamid of the message it quotes.
    pub context: Option<String>,
    /// The file in it, at most one.
    pub media: Vec<MediaId>,
    /// When it was sent, by WhatsApp's clock.
    pub sent_at: Millis,
    /// When the delivery arrived at the gateway.
    pub received_at: Millis,
    /// The message as WhatsApp gave it, where this version does not handle its type.
    pub raw: Option<Value>,
    /// Which version of the reader read it.
    pub reader: u32,
}

/// A status webhook, one item of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Our message id, where WhatsApp gave back `biz_opaque_callback_data`.
    pub message: Option<MessageId>,
    /// WhatsApp's id of the message.
    pub wamid: String,
    /// How far it has come.
    pub status: Status,
    /// Why it failed.
    pub error: Option<SendError>,
}

/// What came of a POST to the Graph API.
#[derive(Debug, Clone, PartialEq)]
pub enum SendOutcome {
    /// WhatsApp accepted it under this id.
    Accepted {
        /// WhatsApp's id of the message.
        wamid: String,
    },
    /// It certainly did not go out, and may be tried again.
    NotSent,
    /// WhatsApp refused it for good.
    Refused(SendError),
    /// Nobody knows whether it went out.
    Ambiguous(SendError),
}

/// Why a command was refused. Code and message, and details for the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error, ToSchema)]
#[error("{code:?}: {message}")]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For developers, in English.
    pub message: String,
    /// What the window needs to say more.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// Why a command was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code { $($(#[$doc])* #[serde(rename = $text)] $name),* }

        impl Code {
            /// Every code, as it travels.
            pub const ALL: &'static [&'static str] = &[$($text),*];

            /// The code as it travels.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

codes! {
    /// This person's roles do not allow it.
    Forbidden = "forbidden",
    /// It is not there, or this person may not know that it is.
    NotFound = "not_found",
    /// A field's value will not do.
    Invalid = "invalid",
    /// The kind of command is not known here.
    UnknownCommand = "unknown_command",
    /// The same id came before with another body.
    IdReused = "id_reused",
    /// A colleague's reply in the same case came after what the writer had on screen.
    NewerReply = "newer_reply",
    /// The case named is not in this conversation, or has been closed while another is active.
    CaseMoved = "case_moved",
    /// Written long ago while the citizen wrote again: look before it goes.
    Stale = "stale",
    /// WhatsApp's 24 hours since the citizen's last message have passed.
    WindowClosed = "window_closed",
    /// Another person owns the case.
    Owned = "owned",
    /// The case is closed.
    Closed = "closed",
    /// The case is open already.
    NotClosed = "not_closed",
    /// The message is not uncertain (any more).
    NotUncertain = "not_uncertain",
    /// The message does not wait any more: it may be on its way.
    TooLate = "too_late",
    /// The username is taken.
    Taken = "taken",
}

impl Refusal {
    /// A refusal without details.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Value::Null }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: Value) -> Result<Command, Refusal> {
        let Value::Object(fields) = text else { panic!("Not an object") };
        Command::read(CommandId(uuid::Uuid::from_u128(1)), fields)
    }

    #[test]
    fn a_command_travels_as_the_contract_says() {
        let text = json!({"id": "00000000-0000-0000-0000-000000000001", "kind": "reply",
            "conversation": "01900000-0000-7000-8000-000000000002", "text": "نعم", "seen": 12});
        let command = read(text.clone()).unwrap();
        assert!(matches!(&command.ask, Ask::Reply { case: None, seen: 12, .. }));
        assert_eq!(serde_json::to_value(&command).unwrap(), text);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert_eq!(read(json!({"kind": "fly"})).unwrap_err().code, Code::UnknownCommand);
        assert_eq!(read(json!({"kind": "claim"})).unwrap_err().code, Code::Invalid);
        let surplus = json!({"kind": "claim", "case": "01900000-0000-7000-8000-000000000002", "gently": true});
        assert_eq!(read(surplus).unwrap_err().code, Code::Invalid);
    }

    #[test]
    fn the_list_of_kinds_is_whole() {
        // serde names the variants it expects when it meets another.
        let error = serde_json::from_value::<Ask>(json!({"kind": "fly"})).unwrap_err().to_string();
        for kind in Ask::KINDS {
            assert!(error.contains(&format!("`{kind}`")), "{kind} is not a variant: {error}");
        }
        assert_eq!(error.matches('`').count() / 2 - 1, Ask::KINDS.len(), "{error}");
    }
}
