//! The list: conversations by their shown case.

use domain::{
    ids::{CaseId, ContactId, ConversationId, Millis, Seq, StaffId},
    words::{CaseState, Status},
};
use rusqlite::{OptionalExtension, Row, named_params};
use uuid::Uuid;

use crate::{Records, Result, people::read_word};

/// Which conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Needing attention, and this person's.
    Mine(StaffId),
    /// Needing attention, and nobody's.
    Unassigned,
    /// Needing attention, and of one of this person's teams.
    Team(StaffId),
    /// A citizen waits for a reply.
    Waiting,
    /// A citizen waits for a reply, and WhatsApp's window ends between these two moments.
    Closing(Millis, Millis),
    /// Needing attention: open, or closed and written into since.
    Open,
    /// Closed, and nothing since.
    Closed,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// What was written into last comes first.
    Latest,
    /// Who has waited longest for a reply comes first, then those who do not wait, the latest first.
    Longest,
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its contact, as the conversation names them; `Records::contact` resolves aliases.
    pub contact: ContactId,
    /// When WhatsApp's 24 hours end.
    pub window_ends: Option<Millis>,
    /// Place of the last message.
    pub last_place: Millis,
    /// Its entry, or 0 where there is none: WhatsApp tells times by the second, and many are written in one.
    pub last_seq: Seq,
    /// The shown case.
    pub case: CaseId,
    /// Where it stands.
    pub state: CaseState,
    /// Whose it is.
    pub owner: Option<StaffId>,
    /// Whether the citizen waits for a reply in it.
    pub waiting: bool,
    /// Since when.
    pub waiting_since: Option<Millis>,
    /// The last message, where there is one.
    pub last: Option<Last>,
    /// The citizen's messages in this case since this person last looked, or, where they never did, since somebody
    /// answered; counted up to 1,000, which is enough to see that they are many.
    pub unread: u32,
}

/// The last message of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Last {
    /// Whether the citizen wrote it.
    pub inbound: bool,
    /// Who of us wrote it.
    pub author: Option<StaffId>,
    /// WhatsApp's type.
    pub r#type: String,
    /// Its text.
    pub text: Option<String>,
    /// How far ours has come.
    pub status: Option<Status>,
}

/// How many conversations there are of each sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Needing attention, and this person's.
    pub mine: u32,
    /// Needing attention, and nobody's.
    pub unassigned: u32,
    /// Needing attention, and of one of this person's teams.
    pub team: u32,
    /// Needing attention.
    pub open: u32,
    /// Closed, and nothing since.
    pub closed: u32,
    /// In which a citizen waits for a reply.
    pub waiting: u32,
    /// Those of them in which WhatsApp's window ends soon.
    pub closing: u32,
}

/// Whether a message `n` of a case `k` is new to this desk's person.
macro_rules! is_new {
    () => {
        "n.case_id = k.id AND n.inbound = 1
         AND n.seq > coalesce((SELECT seq FROM seen WHERE case_id = k.id), k.last_reply)"
    };
}

const ROW: &str = concat!(
    "SELECT c.id, c.contact, c.window_ends, c.last_place, k.id, k.state, k.owner, k.waiting,
    m.inbound, m.author, m.type, m.text, m.status,
    (SELECT count(*) FROM (SELECT 1 FROM messages n WHERE ",
    is_new!(),
    " LIMIT 1000)),
    c.last_seq,
    (SELECT w.at FROM messages w WHERE k.waiting AND w.case_id = k.id AND w.inbound = 1
       AND w.seq > max(k.last_reply, k.closed_seq) ORDER BY w.seq LIMIT 1)
    FROM conversations c JOIN cases k ON k.id = c.shown_case LEFT JOIN messages m ON m.id = c.last_message"
);

// What was written in one burst may arrive in another order, so the first by place is among the first that came; to
// order all of them by place would read each of a hundred thousand.
const FIRST_NEW: &str = concat!(
    "SELECT place, seq FROM (SELECT n.place, n.seq FROM conversations c JOIN cases k ON k.id = c.shown_case
       JOIN messages n ON ",
    is_new!(),
    " WHERE c.id = ?1 ORDER BY n.seq LIMIT 100) ORDER BY place, seq LIMIT 1"
);

pub(crate) const COUNTS: &str = "SELECT coalesce(sum(k.owner = ?1), 0), coalesce(sum(k.owner IS NULL), 0), count(*),
    (SELECT count(*) FROM conversations) - count(*), coalesce(sum(k.waiting), 0),
    coalesce(sum(k.team IN (SELECT t.value FROM staff s, json_each(s.teams) t WHERE s.id = ?1)), 0),
    coalesce(sum(k.waiting AND c.window_ends > ?2 AND c.window_ends <= ?3), 0)
    FROM cases k CROSS JOIN conversations c ON c.shown_case = k.id WHERE (k.state = 'open' OR k.waiting)";

/// The rows are chosen first and filled in then. `CROSS JOIN` makes SQLite begin with the left side: with what needs
/// attention, which is little; for closed ones with the latest conversations, most of which are.
pub(crate) fn sql(which: Which, order: Order) -> String {
    let needing = "cases k CROSS JOIN conversations c ON c.shown_case = k.id WHERE (k.state = 'open' OR k.waiting)";
    let chosen = match which {
        Which::Mine(_) => format!("{needing} AND k.owner = :me"),
        Which::Unassigned => format!("{needing} AND k.owner IS NULL"),
        Which::Team(_) => {
            format!("{needing} AND k.team IN (SELECT t.value FROM staff s, json_each(s.teams) t WHERE s.id = :me)")
        }
        Which::Waiting => format!("{needing} AND k.waiting"),
        Which::Closing(..) => {
            format!("{needing} AND k.waiting AND c.window_ends > :after AND c.window_ends <= :until")
        }
        Which::Open => needing.to_owned(),
        Which::Closed => "conversations c CROSS JOIN cases k ON c.shown_case = k.id
            WHERE k.state = 'closed' AND NOT k.waiting"
            .to_owned(),
    };
    // The rule is the same for choosing and for showing.
    let (chosen_by, shown_by) = match order {
        Order::Latest => ("", ""),
        Order::Longest => (
            "CASE WHEN k.waiting THEN (SELECT w.at FROM messages w WHERE w.case_id = k.id AND w.inbound = 1
               AND w.seq > max(k.last_reply, k.closed_seq) ORDER BY w.seq LIMIT 1) END NULLS LAST, ",
            "16 NULLS LAST, ",
        ),
    };
    // Every parameter stands in every statement, whether it chooses or not.
    format!(
        "{ROW} WHERE (:me IS :me AND :after IS :after AND :until IS :until) AND c.id IN
         (SELECT c.id FROM {chosen} ORDER BY {chosen_by}c.last_place DESC, c.last_seq DESC, c.id
          LIMIT :limit OFFSET :skip)
         ORDER BY {shown_by}c.last_place DESC, c.last_seq DESC, c.id"
    )
}

impl Records {
    /// Rows of the list after the first `skip`.
    pub fn list(&self, which: Which, order: Order, skip: u32, limit: u32) -> Result<Vec<Listed>> {
        let me = if let Which::Mine(me) | Which::Team(me) = which { Some(me.0) } else { None };
        let (after, until) = if let Which::Closing(after, until) = which { (after, until) } else { (0, 0) };
        let mut statement = self.connection.prepare_cached(&sql(which, order))?;
        let values = named_params! { ":me": me, ":after": after, ":until": until, ":limit": limit, ":skip": skip };
        let rows = statement.query_map(values, |row| Ok(read(row)))?;
        rows.map(|row| row?).collect()
    }

    /// One row.
    pub fn row(&self, conversation: ConversationId) -> Result<Option<Listed>> {
        let mut statement = self.connection.prepare_cached(&format!("{ROW} WHERE c.id = ?1"))?;
        let mut rows = statement.query_map([conversation.0], |row| Ok(read(row)))?;
        rows.next().map(|row| row?).transpose()
    }

    /// The contact of a conversation, as it names them.
    pub fn contact_of(&self, conversation: ConversationId) -> Result<Option<ContactId>> {
        let mut statement = self.connection.prepare_cached("SELECT contact FROM conversations WHERE id = ?1")?;
        Ok(statement.query_row([conversation.0], |row| Ok(ContactId(row.get(0)?))).optional()?)
    }

    /// How many conversations there are of each sort, for `me`; a window that ends between these two moments ends soon.
    pub fn counts(&self, me: StaffId, (after, until): (Millis, Millis)) -> Result<Counts> {
        let mut statement = self.connection.prepare_cached(COUNTS)?;
        Ok(statement.query_row(rusqlite::params![me.0, after, until], |row| {
            Ok(Counts {
                mine: row.get(0)?,
                unassigned: row.get(1)?,
                open: row.get(2)?,
                closed: row.get(3)?,
                waiting: row.get(4)?,
                team: row.get(5)?,
                closing: row.get(6)?,
            })
        })?)
    }

    /// Where the first of those messages stands that the list counts as new to this desk's person.
    pub fn first_new(&self, conversation: ConversationId) -> Result<Option<(Millis, Seq)>> {
        let mut statement = self.connection.prepare_cached(FIRST_NEW)?;
        Ok(statement.query_row([conversation.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    /// Says up to where this desk's person has seen a case; the greater wins. Whether that was news.
    pub fn set_seen(&self, case: CaseId, seq: Seq) -> Result<bool> {
        let sql = "INSERT INTO seen (case_id, seq) VALUES (?1, ?2)
                   ON CONFLICT (case_id) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seen.seq";
        Ok(self.connection.prepare_cached(sql)?.execute(rusqlite::params![case.0, seq])? > 0)
    }
}

fn read(row: &Row) -> Result<Listed> {
    let inbound: Option<bool> = row.get(8)?;
    let last = match inbound {
        None => None,
        Some(inbound) => Some(Last {
            inbound,
            author: row.get::<_, Option<Uuid>>(9)?.map(StaffId),
            r#type: row.get(10)?,
            text: row.get(11)?,
            status: row.get::<_, Option<String>>(12)?.map(|status| read_word(&status)).transpose()?,
        }),
    };
    Ok(Listed {
        conversation: ConversationId(row.get(0)?),
        contact: ContactId(row.get(1)?),
        window_ends: row.get(2)?,
        last_place: row.get(3)?,
        case: CaseId(row.get(4)?),
        state: read_word(&row.get::<_, String>(5)?)?,
        owner: row.get::<_, Option<Uuid>>(6)?.map(StaffId),
        waiting: row.get(7)?,
        last,
        unread: row.get(13)?,
        last_seq: row.get(14)?,
        waiting_since: row.get(15)?,
    })
}
