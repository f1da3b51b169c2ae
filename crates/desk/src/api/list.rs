//! The list of conversations.

use std::fmt;

use domain::{
    ids::{CaseId, ConversationId, Millis, Seq, StaffId},
    words::CaseState,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Author, Delivery, Filter, Order};

dto! {
    /// Asks for rows of the list.
    ListConversations {
        /// Which.
        filter: Filter,
        /// In which order.
        order: Order,
        /// After so many of them.
        skip: u32,
        /// At most so many.
        limit: u32,
    }
    /// Rows of the list and the figures on the filters.
    ConversationList {
        /// In that order.
        rows: Vec<ConversationRow>,
        /// Whether more rows come after these.
        more: bool,
        /// How many conversations each filter holds.
        counts: Counts,
    }
    /// How many conversations each filter holds.
    Counts {
        /// Mine.
        mine: u32,
        /// Nobody's.
        unassigned: u32,
        /// Of my teams.
        team: u32,
        /// All open.
        open: u32,
        /// Closed.
        closed: u32,
        /// Open ones in which a citizen waits for a reply; the tray shows this.
        waiting: u32,
        /// Those of them in which WhatsApp's window ends within two hours.
        closing: u32,
    }
    /// One row: a conversation, shown by its active or latest case.
    ConversationRow {
        /// The conversation.
        conversation: ConversationId,
        /// Its active case, or the latest one.
        case: CaseId,
        /// Where that case stands.
        state: CaseState,
        /// The contact.
        contact: Contact,
        /// The first of the last message's text, or nothing where it has none.
        preview: Option<String>,
        /// WhatsApp's type of the last message (`text`, `image`, …).
        preview_type: String,
        /// Who wrote the last message.
        preview_from: Author,
        /// Where our last message stands, if the last message is ours.
        status: Option<Delivery>,
        /// Place of the last message.
        at: Millis,
        /// Its entry: which of two is later that were written in one second.
        seq: Seq,
        /// Messages of the citizen's new to me: since I last looked or, where I never did, since somebody answered.
        unread: u32,
        /// Whether the citizen waits for a reply.
        waiting: bool,
        /// Since when.
        waiting_since: Option<Millis>,
        /// Whose it is.
        owner: Option<Person>,
        /// Whether I have a draft here.
        draft: bool,
        /// When WhatsApp's 24 hours end; `None` if the citizen never wrote.
        window_ends: Option<Millis>,
    }
    /// A citizen as the desk knows them.
    Contact {
        /// The name they gave themself on WhatsApp.
        name: Option<String>,
        /// Their number, formatted `+965 6604 1187`; absent where WhatsApp does not show it.
        phone: Option<String>,
        /// Four letters and digits that can be said aloud, for a contact without a visible number.
        short_code: String,
    }
    /// A member of staff by name.
    Person {
        /// Their id.
        staff: StaffId,
        /// Their name.
        name: String,
    }
}
