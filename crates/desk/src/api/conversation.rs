//! A conversation: its messages, notes, events, and its case.

use std::fmt;

use domain::{
    entry::SendError,
    ids::{CaseId, CommandId, ConversationId, MessageId, Millis, NoteId, Seq},
    words::CaseState,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Author, ConversationRow, Delivery, Happened, Name, Person};

dto! {
    /// Asks for a page of a conversation.
    OpenConversation {
        /// Which.
        conversation: ConversationId,
        /// Which part of it.
        part: Part,
        /// At most so many items.
        limit: u32,
    }
    /// Where an item stands: by place, then seq. Pending ones have no seq and stand last.
    Position {
        /// The item's place.
        place: Millis,
        /// The item's seq.
        seq: Seq,
    }
    /// A page of a conversation.
    ConversationPage {
        /// The row as in the list.
        row: ConversationRow,
        /// The case panel: the active case or the latest.
        case: CaseView,
        /// Earlier cases of this conversation that I may see, latest first.
        earlier: Vec<EarlierCase>,
        /// Oldest first.
        items: Vec<Item>,
        /// Whether older items exist here.
        more: bool,
        /// Whether newer items exist here. What waits in the outbox stands on a page after which nothing comes.
        later: bool,
        /// The last seq on this page: what `seen` of a reply says.
        seen: Seq,
        /// The last seq of the conversation, on this page or not.
        last: Seq,
        /// Where the first message stands that is new to me, on this page or not.
        first_new: Option<Position>,
        /// My drafts here.
        draft: Drafts,
    }
    /// An earlier case.
    EarlierCase {
        /// Its id.
        case: CaseId,
        /// Its number.
        number: String,
        /// Its kind's name.
        kind: Name,
        /// Where it stands.
        state: CaseState,
        /// When it was opened.
        opened_at: Millis,
    }
    /// The case as the panel shows it.
    CaseView {
        /// Its id.
        case: CaseId,
        /// Its number, `MEW-2026-000184`.
        number: String,
        /// Its kind's name.
        kind: Name,
        /// Where it stands.
        state: CaseState,
        /// Its team's name.
        team: Name,
        /// Whose it is.
        owner: Option<Person>,
        /// When it was opened.
        opened_at: Millis,
        /// When it was closed.
        closed_at: Option<Millis>,
        /// How it ended.
        outcome: Option<Name>,
        /// Acts of mine on it that wait to be sent (`claim`, `close_case`, …).
        pending: Vec<Pending>,
        /// Its notes, oldest first, waiting ones last.
        notes: Vec<Note>,
    }
    /// An act that waits in the outbox, or that the gateway refused.
    Pending {
        /// The command's id.
        id: CommandId,
        /// Which kind of command.
        kind: String,
        /// Why it is stuck, if it is.
        refused: Option<Problem>,
    }
    /// A message in the conversation.
    MessageItem {
        /// Its id; the same from pending to read, so that a row is never mounted anew.
        message: MessageId,
        /// Its case.
        case: CaseId,
        /// Its seq, 0 while pending.
        seq: Seq,
        /// Where it stands.
        place: Millis,
        /// When the citizen sent it, where that is over two minutes before it arrived; else the same as `place`.
        sent_at: Millis,
        /// Who wrote it.
        from: Author,
        /// The colleague who wrote it, for our own messages.
        by: Option<Person>,
        /// WhatsApp's type, an open list.
        r#type: String,
        /// Its text.
        text: Option<String>,
        /// The message that it quotes.
        quoted: Option<Quote>,
        /// How far ours has come.
        delivery: Option<Delivery>,
        /// Since when it has come that far, by the gateway's clock; unknown while it waits here.
        delivery_at: Option<Millis>,
        /// Why ours is stuck, failed or uncertain.
        problem: Option<Problem>,
    }
    /// A message that another one quotes.
    Quoted {
        /// Its id.
        message: MessageId,
        /// Where it stands.
        place: Millis,
        /// Its seq.
        seq: Seq,
        /// Who wrote it.
        from: Author,
        /// The colleague who wrote it, for our own messages.
        by: Option<Person>,
        /// WhatsApp's type.
        r#type: String,
        /// The first of its text.
        text: Option<String>,
    }
    /// A note, in the conversation and in the panel.
    Note {
        /// Its id.
        note: NoteId,
        /// Its case.
        case: CaseId,
        /// Its seq, 0 while pending.
        seq: Seq,
        /// When it was written.
        place: Millis,
        /// Who wrote it.
        by: Person,
        /// What it says.
        text: String,
        /// Whether it waits to be sent to the gateway.
        pending: bool,
        /// Why it is stuck, if it is.
        problem: Option<Problem>,
    }
    /// Something that happened to a case, as a thin line in the conversation.
    Event {
        /// The case.
        case: CaseId,
        /// Its seq.
        seq: Seq,
        /// When.
        place: Millis,
        /// What happened.
        what: Happened,
        /// Who did it; `None` for the system or the citizen.
        by: Option<Person>,
        /// The case's number.
        number: String,
        /// To whom it was given, for `assigned`.
        to: Option<Person>,
        /// How it ended, for `closed`.
        outcome: Option<Name>,
    }
    /// What went wrong, by code; the window says it in words.
    Problem {
        /// A refusal's or failure's code (`window_closed`, `newer_reply`, `failed`, `uncertain`, …).
        code: String,
        /// Meta's own error, for a message that failed.
        error: Option<SendError>,
    }
    /// My drafts in a conversation: on this workstation alone.
    Drafts {
        /// The reply.
        reply: String,
        /// The internal note.
        note: String,
    }
}

/// Which part of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Part {
    /// Where one begins to read: the latest items or, where what is new to me begins before them, those around its beginning.
    Start {},
    /// The latest items.
    Latest {},
    /// Those right before this place.
    Before(Position),
    /// Those from this place on.
    From(Position),
    /// Half of them before this place, and half from there on. A day is a place, too: its first moment, with no seq.
    Around(Position),
}

/// What a message quotes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "quote", rename_all = "snake_case")]
pub enum Quote {
    /// A message that this person may see, and that is here.
    Here(Quoted),
    /// One that is not here: older than what this desk keeps, or of a case that this person does not see.
    Elsewhere {},
}

/// One item of a conversation, in order of place and seq.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum Item {
    /// A message.
    Message(MessageItem),
    /// An internal note.
    Note(Note),
    /// Something that happened to a case.
    Event(Event),
}
