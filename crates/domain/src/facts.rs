//! What `records` loads for one decision. `domain` queries nothing: what a decision may depend on stands here.

use std::sync::Arc;

use crate::{
    entry::Identifier,
    ids::{CaseId, ContactId, ConversationId, LineId, MediaId, MessageId, Millis, Seq, StaffId, Team},
    pack::Pack,
    visibility::{Audience, Viewer},
    words::{CaseState, Status},
};

/// What is known for one decision; what the question does not touch is absent.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The agency's pack; absent before the first was loaded.
    pub pack: Option<Arc<Pack>>,
    /// Who asks.
    pub actor: Option<StaffFacts>,
    /// The member of staff whom the command names, or whose username it names.
    pub staff: Option<StaffFacts>,
    /// Open cases which that member of staff owns.
    pub owned: Vec<(CaseId, Team)>,
    /// The case that the command names; for a reply that names none, the conversation's active one.
    pub case: Option<CaseFacts>,
    /// For a reply: the last one in the case that somebody else wrote, and who.
    pub others_reply: Option<(Seq, StaffId)>,
    /// Of the files that the command names, those that this person may name: they see a case to which it belongs, or have
    /// uploaded it themself of late.
    pub media: Vec<MediaId>,
    /// The conversation that the command names, or the message came to.
    pub conversation: Option<ConversationFacts>,
    /// The message that the question names.
    pub message: Option<MessageFacts>,
    /// A citizen's message that is kept raw, if the question names one.
    pub raw: Option<RawFacts>,
    /// The person whom the question would erase.
    pub erasure: Option<ErasureFacts>,
    /// The contact whom the sender's BSUID names, aliases resolved.
    pub by_bsuid: Option<ContactFacts>,
    /// The contact whom the sender's telephone number names, aliases resolved.
    pub by_phone: Option<ContactFacts>,
    /// For an inbound message: the case of the message it quotes, if it is in the same conversation.
    pub quoted: Option<CaseFacts>,
    /// For an inbound message: the conversation's open case in which something happened last.
    pub active: Option<CaseFacts>,
    /// For an inbound message: the conversation's case that was closed last.
    pub closed: Option<CaseFacts>,
    /// The number given to a case last.
    pub last_number: Option<String>,
    /// The line as it is configured now.
    pub display_number: Option<String>,
    /// SHA-256 of the pack in force, in hex.
    pub pack_sha: Option<String>,
}

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffFacts {
    /// What sight depends on.
    pub viewer: Viewer,
    /// What they sign in with.
    pub username: String,
    /// What they are called.
    pub name: String,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFacts {
    /// Its id.
    pub id: CaseId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Who may see it.
    pub audience: Audience,
    /// Whose it is.
    pub owner: Option<StaffId>,
    /// Where it stands.
    pub state: CaseState,
    /// When it was closed last.
    pub closed_at: Option<Millis>,
    /// Where it was closed last, 0 if never.
    pub closed_seq: Seq,
    /// The citizen's last message in it, 0 if none.
    pub last_inbound: Seq,
    /// The last reply in it, 0 if none.
    pub last_reply: Seq,
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationFacts {
    /// Its id.
    pub id: ConversationId,
    /// Its number.
    pub line: LineId,
    /// Its contact, aliases resolved.
    pub contact: ContactFacts,
    /// When WhatsApp's 24 hours end; `None` if the citizen never wrote.
    pub window_ends: Option<Millis>,
    /// Its open case in which something happened last.
    pub active: Option<CaseId>,
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactFacts {
    /// Their id.
    pub id: ContactId,
    /// The name that they gave themself.
    pub name: Option<String>,
    /// How WhatsApp knows them, past and present.
    pub identifiers: Vec<Identifier>,
    /// Their open cases, or their last one where none is open: whose people are told of a change.
    pub cases: Vec<CaseId>,
}

/// A message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFacts {
    /// Its id.
    pub id: MessageId,
    /// Its case.
    pub case: CaseId,
    /// Where it stands.
    pub status: Status,
    /// The entry that says so.
    pub status_seq: Seq,
    /// WhatsApp's id of it, once known.
    pub wamid: Option<String>,
    /// Who wrote it.
    pub author: Option<StaffId>,
    /// Whether it was ever unknown if it went out.
    pub doubted: bool,
}

/// A citizen's message that was kept as WhatsApp gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawFacts {
    /// Its id.
    pub id: MessageId,
    /// Its case.
    pub case: CaseId,
    /// Which version of the reader saw it last.
    pub reader: u32,
}

/// All that there is of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureFacts {
    /// The contact, aliases resolved.
    pub contact: ContactId,
    /// The contact and its aliases.
    pub contacts: Vec<ContactId>,
    /// Their conversations.
    pub conversations: Vec<ConversationId>,
    /// Their cases.
    pub cases: Vec<CaseId>,
}
