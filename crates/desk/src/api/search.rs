//! Search.

use std::fmt;

use domain::{
    ids::{CaseId, ConversationId, Millis, Seq},
    words::CaseState,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{About, Author, Contact, Mode, Name, Person, Position, Stage};

dto! {
    /// Searches everything on this workstation: words, names, numbers, and operators (`from:`, `قبل:` …).
    SearchAll {
        /// What was typed.
        text: String,
        /// `Found::more` of the page before this one.
        below: Option<Seq>,
        /// At most so many messages and notes.
        limit: u32,
    }
    /// What was found on this workstation.
    Found {
        /// Citizens by name, number or spoken code, who wrote last first. On the first page alone, and without operators.
        people: Vec<FoundPerson>,
        /// Cases by number. On the first page alone, and without operators.
        cases: Vec<FoundCase>,
        /// What I have written and not sent. On the first page alone, and without operators.
        unsent: Vec<FoundUnsent>,
        /// Messages and notes, newest first.
        texts: Vec<FoundText>,
        /// There may be more: ask for what is below this.
        more: Option<Seq>,
        /// Operators whose value was not understood, as they were typed.
        unclear: Vec<String>,
        /// How much of this machine's history can be searched already, in percent, while that is not all.
        indexed: Option<u32>,
    }
    /// A citizen who was found.
    FoundPerson {
        /// Their conversation.
        conversation: ConversationId,
        /// Who they are.
        contact: Contact,
        /// Their name, marked.
        name: Option<Vec<Piece>>,
        /// Their number, marked.
        phone: Option<Vec<Piece>>,
        /// Where the conversation's case stands.
        state: CaseState,
        /// Whether they wait for a reply.
        waiting: bool,
        /// When something was said last.
        at: Millis,
        /// Whose it is.
        owner: Option<Person>,
    }
    /// A case that was found by its number.
    FoundCase {
        /// Its id.
        case: CaseId,
        /// Its conversation.
        conversation: ConversationId,
        /// Its number, marked.
        number: Vec<Piece>,
        /// Its kind's name.
        kind: Name,
        /// Where it stands.
        state: CaseState,
        /// Where it begins in its conversation.
        position: Position,
        /// Whose case it is.
        contact: Contact,
    }
    /// Something of mine that was found and has not gone: a draft, a reply, a note.
    FoundUnsent {
        /// What names it among the others.
        id: String,
        /// Where; `None` once the conversation is out of sight.
        about: Option<About>,
        /// Reply or note.
        mode: Mode,
        /// How far it is.
        stage: Stage,
        /// The line around what was found, marked.
        text: Vec<Piece>,
    }
    /// A message or a note that was found.
    FoundText {
        /// Its conversation.
        conversation: ConversationId,
        /// The citizen.
        contact: Contact,
        /// Its case's number.
        number: String,
        /// The message's or note's id.
        id: String,
        /// Whether it is an internal note.
        note: bool,
        /// Where it stands.
        position: Position,
        /// Who wrote it.
        from: Author,
        /// The colleague who wrote it.
        by: Option<Person>,
        /// The line around what was found, marked.
        text: Vec<Piece>,
    }
    /// A piece of a text.
    Piece {
        /// It.
        text: String,
        /// Whether it is what was asked for.
        found: bool,
    }
    /// Searches one conversation.
    SearchIn {
        /// Which.
        conversation: ConversationId,
        /// What was typed.
        text: String,
    }
    /// Where in a conversation something stands.
    FoundIn {
        /// Newest first.
        spots: Vec<Spot>,
        /// Whether there are more than these.
        more: bool,
    }
    /// A message or a note in which something was found.
    Spot {
        /// Where it stands.
        position: Position,
        /// The message's or note's id.
        id: String,
        /// What of its text was found.
        marks: Vec<Mark>,
    }
    /// A part of a text, counted in UTF-16.
    Mark {
        /// Where it begins.
        from: u32,
        /// Where it ends.
        to: u32,
    }
    /// What this person searched for lately.
    Recent {
        /// The last first.
        texts: Vec<String>,
    }
    /// Keeps what was searched for.
    KeepSearch {
        /// What was typed.
        text: String,
    }
}
