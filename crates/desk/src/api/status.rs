//! Choices, how the desk stands to the gateway, and what is kept here.

use std::fmt;

use domain::ids::{CaseId, CommandId, ConversationId, Millis};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Contact, Fate, FirstStep, Kept, Link, Mode, Name, Person, Problem};

dto! {
    /// Those to whom a case may be given.
    AssignableRequest {
        /// Which case.
        case: CaseId,
    }
    /// Those to whom a case may be given.
    Assignable {
        /// By name.
        people: Vec<Person>,
    }
    /// An outcome with which a case may be closed.
    Outcome {
        /// The pack's slug.
        slug: String,
        /// Its name.
        name: Name,
    }
    /// Outcomes with which a case may be closed.
    Outcomes {
        /// In the pack's order.
        outcomes: Vec<Outcome>,
    }
    /// What the foot says.
    DeskStatus {
        /// On line, syncing, or off line.
        link: Link,
        /// When the desk last stood at the gateway's head, by the gateway's clock.
        synced_at: Option<Millis>,
        /// Since when it is off line.
        offline_since: Option<Millis>,
        /// Commands that wait to be sent.
        waiting: u32,
        /// Commands that the gateway refused and that wait for the person.
        stuck: u32,
        /// The gateway's clock less this computer's, in milliseconds.
        clock_offset: Millis,
        /// During a first sync: how far it is.
        receiving: Option<Receiving>,
        /// Why it cannot sync, where the person has to act (`signed_out`, `too_old`).
        problem: Option<Problem>,
        /// Files that were damaged and have been put in order, until the person has read it.
        mended: Vec<Mended>,
    }
    /// A first sync under way.
    Receiving {
        /// So many entries have come since it began, or since it was taken up again.
        entries: u32,
        /// How much of the journal has been gone through, in percent, where the gateway says how long it is.
        percent: Option<u32>,
        /// So many milliseconds are left, at this pace.
        left: Option<Millis>,
    }
    /// What somebody who begins is led to, until they have done each once, or know it.
    FirstSteps {
        /// What is still before them.
        todo: Vec<FirstStep>,
        /// The agency's WhatsApp numbers, as people write them.
        lines: Vec<String>,
    }
    /// The person needs not be led to this any more.
    StepDone {
        /// Which.
        step: FirstStep,
    }
    /// Everything of mine on this computer that has not reached the gateway.
    Unsent {
        /// What I did, in order.
        acts: Vec<UnsentAct>,
        /// What I have not finished writing.
        drafts: Vec<UnsentDraft>,
    }
    /// A reply, a note or an act that waits.
    UnsentAct {
        /// The command's id.
        id: CommandId,
        /// Which kind of command.
        kind: String,
        /// What a reply or note says.
        text: Option<String>,
        /// When it was written, by the gateway's clock.
        written_at: Millis,
        /// What will become of it.
        fate: Fate,
        /// Whether it is nowhere but here, so that it can be dropped or taken back.
        only_here: bool,
        /// Why it is stuck, if it is.
        problem: Option<Problem>,
        /// Where; `None` once the case is out of sight.
        about: Option<About>,
    }
    /// A draft.
    UnsentDraft {
        /// Where.
        conversation: ConversationId,
        /// Reply or note.
        mode: Mode,
        /// What it says so far.
        text: String,
        /// Where; `None` once the conversation is out of sight.
        about: Option<About>,
    }
    /// The conversation of something that waits.
    About {
        /// Which.
        conversation: ConversationId,
        /// With whom.
        contact: Contact,
        /// The case's number.
        number: String,
    }
    /// What is kept on this computer for me.
    Storage {
        /// Where it lies.
        folder: String,
        /// Bytes that can be had again from the gateway.
        records: u64,
        /// Bytes that cannot: drafts, notes and replies not sent.
        precious: u64,
        /// Bytes of damaged files that were set aside.
        aside: u64,
        /// How many conversations.
        conversations: u32,
        /// How many messages.
        messages: u32,
        /// How many notes.
        notes: u32,
        /// When the oldest message was written.
        since: Option<Millis>,
        /// How many drafts.
        drafts: u32,
        /// How many replies, notes and acts have not reached the gateway.
        unsent: u32,
    }
    /// A file was damaged and has been put in order.
    Mended {
        /// When.
        at: Millis,
        /// Which.
        file: Kept,
        /// The name under which the damaged file was set aside, in the folder that `storage` names.
        aside: String,
        /// So many drafts were saved into the new file.
        drafts: u32,
        /// So many replies, notes and acts that had not been sent.
        unsent: u32,
        /// Whether everything in it could be read.
        whole: bool,
    }
}
