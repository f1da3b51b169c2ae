//! Signed heads, and who else is here.

use std::fmt;

use domain::{
    ids::{CaseId, ConversationId},
    wire::Witness,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Person;

dto! {
    /// The heads that the gateway has signed and this desk has kept: evidence against a rewritten journal.
    SignedHeads {
        /// Oldest first.
        heads: Vec<Witness>,
    }
    /// The colleagues who read or write at this moment.
    Colleagues {
        /// By case.
        cases: Vec<InCase>,
    }
    /// The colleagues in a case.
    InCase {
        /// Which.
        case: CaseId,
        /// Who.
        colleagues: Vec<Colleague>,
    }
    /// A colleague who reads a case now, or writes in it.
    Colleague {
        /// Who.
        person: Person,
        /// Whether they are writing; else they read.
        typing: bool,
    }
    /// What this window shows now, so that nobody is notified of what is before their eyes, and colleagues see who reads.
    Showing {
        /// The open conversation.
        conversation: Option<ConversationId>,
        /// Whether the window has the focus.
        focused: bool,
    }
}
