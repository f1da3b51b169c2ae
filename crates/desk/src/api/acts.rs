//! What a person does: each act is a command in the outbox.

use std::fmt;

use domain::ids::{CaseId, CommandId, ConversationId, Seq, StaffId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Drafts, Mode};

dto! {
    /// Keeps a draft; an empty text drops it.
    SaveDraft {
        /// Where.
        conversation: ConversationId,
        /// Reply or note.
        mode: Mode,
        /// What was typed.
        text: String,
    }
    /// Queues a reply. It is on screen at once; the draft is dropped in the same transaction.
    SendReply {
        /// Where.
        conversation: ConversationId,
        /// The case it answers.
        case: CaseId,
        /// What it says.
        text: String,
        /// `ConversationPage::seen` when it was written.
        seen: Seq,
    }
    /// Queues a note. The note's draft is dropped in the same transaction.
    AddNote {
        /// Where.
        conversation: ConversationId,
        /// The case it is on.
        case: CaseId,
        /// What it says.
        text: String,
    }
    /// The id under which an act waits in the outbox.
    Queued {
        /// The command's id.
        id: CommandId,
    }
    /// Takes a case.
    Claim {
        /// Which.
        case: CaseId,
    }
    /// Gives a case back to the queue.
    Release {
        /// Which.
        case: CaseId,
    }
    /// Gives a case to somebody.
    Assign {
        /// Which.
        case: CaseId,
        /// To whom.
        staff: StaffId,
    }
    /// Ends a case.
    CloseCase {
        /// Which.
        case: CaseId,
        /// How, by the pack's slug.
        outcome: String,
    }
    /// Opens a closed case again.
    ReopenCase {
        /// Which.
        case: CaseId,
    }
    /// Tries a stuck command again, with what the person has on screen now. For a reply that is `uncertain`: sends it
    /// once more.
    Retry {
        /// The command's or message's id.
        id: CommandId,
        /// `ConversationPage::seen` now.
        seen: Seq,
    }
    /// Drops a command that is nowhere but here: it never left, or is stuck. For a reply that is `uncertain`: settles that
    /// it was sent.
    Discard {
        /// The command's or message's id.
        id: CommandId,
    }
    /// Takes a reply back that has not gone to WhatsApp yet, or a note that has not gone to the gateway. What is nowhere but
    /// here becomes the draft again; of a reply that may be at the gateway, the gateway is asked.
    TakeBack {
        /// The command's or message's id.
        id: CommandId,
    }
    /// What came of taking something back.
    TakenBack {
        /// The drafts with its text, if it was nowhere but here. `None`: the gateway is asked, and the message shows how it
        /// ends.
        drafts: Option<Drafts>,
    }
    /// Takes back that a command was dropped.
    PutBack {
        /// The command's id.
        id: CommandId,
    }
    /// Leaves a draft behind as an internal note on the conversation's case, for colleagues.
    LeaveAsNote {
        /// Where.
        conversation: ConversationId,
        /// Which draft.
        mode: Mode,
    }
    /// Says up to where I have seen a case.
    SeenUpTo {
        /// Which.
        case: CaseId,
        /// Up to where.
        seq: Seq,
    }
}
