//! A conversation: messages, notes and events by place; and a case.

use domain::{
    entry::SendError,
    ids::{CaseId, ConversationId, MessageId, Millis, NoteId, Seq, StaffId, Team},
    words::{CaseState, Status},
};
use rusqlite::{Row, params};
use uuid::Uuid;

use crate::{Records, Result, people::read_word};

/// One item of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its case.
    pub case: CaseId,
    /// Its seq.
    pub seq: Seq,
    /// Where it stands; items sort by (place, seq).
    pub place: Millis,
    /// What it is.
    pub what: What,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A message.
    Message(Message),
    /// An internal note.
    Note {
        /// Its id.
        note: NoteId,
        /// Who wrote it.
        by: StaffId,
        /// What it says.
        text: String,
    },
    /// Something that happened to the case.
    Event {
        /// `opened`, `assigned`, `released`, `closed`, `reopened`.
        what: String,
        /// Who did it; none for the system or the citizen.
        by: Option<StaffId>,
        /// To whom it was given.
        to: Option<StaffId>,
        /// How it ended, by the pack's slug.
        outcome: Option<String>,
    },
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub message: MessageId,
    /// Whether the citizen wrote it.
    pub inbound: bool,
    /// Who of us wrote it.
    pub author: Option<StaffId>,
    /// WhatsApp's type.
    pub r#type: String,
    /// Its text.
    pub text: Option<String>,
    /// The message that it quotes, by WhatsApp's id.
    pub quoted: Option<String>,
    /// When it was sent.
    pub sent_at: Millis,
    /// How far ours has come.
    pub status: Option<Status>,
    /// Since when it has come that far, by the gateway's clock.
    pub status_at: Option<Millis>,
    /// Why it failed or is uncertain.
    pub error: Option<SendError>,
}

/// A case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its id.
    pub case: CaseId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its number.
    pub number: String,
    /// Its kind, by the pack's slug.
    pub kind: String,
    /// Its team.
    pub team: Team,
    /// Whose it is.
    pub owner: Option<StaffId>,
    /// Where it stands.
    pub state: CaseState,
    /// How it ended, by the pack's slug.
    pub outcome: Option<String>,
    /// When it was opened.
    pub opened_at: Millis,
    /// When it was closed.
    pub closed_at: Option<Millis>,
    /// Whether the citizen waits for a reply in it.
    pub waiting: bool,
}

impl Case {
    /// Whether it is closed, and the citizen has not written into it since.
    pub fn is_at_rest(&self) -> bool {
        self.state == CaseState::Closed && !self.waiting
    }
}

/// On which side of a place in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Older.
    Before,
    /// There, or newer.
    From,
}

const MESSAGE: &str = "case_id, seq, place, id, inbound, author, type, text, sent_at, status, error, quoted, status_at";
const CASE: &str =
    "SELECT id, conversation, number, kind, team, owner, state, outcome, opened_at, closed_at, waiting FROM cases";

impl Records {
    /// The items on one side of a place and seq: at most `limit`, those next to it, oldest first.
    pub fn items(
        &self,
        conversation: ConversationId,
        side: Side,
        (place, seq): (Millis, Seq),
        limit: u32,
    ) -> Result<Vec<Item>> {
        let (lies, order) = match side {
            Side::Before => ("<", "DESC"),
            Side::From => (">=", "ASC"),
        };
        let values = params![conversation.0, place, seq, limit];
        let mut items = vec![];

        let sql = format!(
            "SELECT {MESSAGE} FROM messages
             WHERE conversation = ?1 AND (place, seq) {lies} (?2, ?3) ORDER BY place {order}, seq {order} LIMIT ?4"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(values, |row| Ok(message(row)))?;
        for row in rows {
            items.push(row??);
        }
        let sql = format!(
            "SELECT case_id, seq, at, id, author, text FROM notes
             WHERE conversation = ?1 AND (at, seq) {lies} (?2, ?3) ORDER BY at {order}, seq {order} LIMIT ?4"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(values, note)?;
        for row in rows {
            items.push(row?);
        }
        let sql = format!(
            "SELECT case_id, seq, at, what, actor, given_to, outcome FROM events
             WHERE conversation = ?1 AND (at, seq) {lies} (?2, ?3) ORDER BY at {order}, seq {order} LIMIT ?4"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(values, |row| {
            let what = What::Event {
                what: row.get(3)?,
                by: row.get::<_, Option<Uuid>>(4)?.map(StaffId),
                to: row.get::<_, Option<Uuid>>(5)?.map(StaffId),
                outcome: row.get(6)?,
            };
            Ok(Item { case: CaseId(row.get(0)?), seq: row.get(1)?, place: row.get(2)?, what })
        })?;
        for row in rows {
            items.push(row?);
        }
        items.sort_by_key(|item| (item.place, item.seq));
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(match side {
            Side::Before => items.split_off(items.len().saturating_sub(most)),
            Side::From => {
                items.truncate(most);
                items
            }
        })
    }

    /// The latest items: at most `limit`, oldest first.
    pub fn latest_items(&self, conversation: ConversationId, limit: u32) -> Result<Vec<Item>> {
        self.items(conversation, Side::Before, (Millis::MAX, Seq::MAX), limit)
    }

    /// A message of this conversation by WhatsApp's id, if it is here.
    pub fn quoted_message(&self, conversation: ConversationId, wamid: &str) -> Result<Option<Item>> {
        let sql = format!("SELECT {MESSAGE} FROM messages WHERE wamid = ?1 AND conversation = ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![wamid, conversation.0])?;
        rows.next()?.map(message).transpose()
    }

    /// A case.
    pub fn case(&self, case: CaseId) -> Result<Option<Case>> {
        Ok(self.cases("WHERE id = ?1", case.0)?.into_iter().next())
    }

    /// The cases of a conversation, the last one touched first.
    pub fn cases_of(&self, conversation: ConversationId) -> Result<Vec<Case>> {
        self.cases("WHERE conversation = ?1 ORDER BY last_seq DESC", conversation.0)
    }

    fn cases(&self, condition: &str, value: Uuid) -> Result<Vec<Case>> {
        let mut statement = self.connection.prepare_cached(&format!("{CASE} {condition}"))?;
        let rows = statement.query_map([value], |row| Ok(case(row)))?;
        rows.map(|row| row?).collect()
    }

    /// The notes on a case, oldest first.
    pub fn notes(&self, case: CaseId) -> Result<Vec<Item>> {
        let sql = "SELECT case_id, seq, at, id, author, text FROM notes WHERE case_id = ?1 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_map([case.0], note)?.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether a note is here.
    pub fn has_note(&self, note: NoteId) -> Result<bool> {
        let mut statement = self.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM notes WHERE id = ?1)")?;
        Ok(statement.query_row([note.0], |row| row.get(0))?)
    }

    /// The last seq in a conversation: what a writer has on screen who sees its end.
    pub fn last_seq(&self, conversation: ConversationId) -> Result<Seq> {
        let sql = "SELECT coalesce(max(last_seq), 0) FROM cases WHERE conversation = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([conversation.0], |row| row.get(0))?)
    }

    /// Citizens' messages after one of them that an older version than `reader` left raw, and how WhatsApp gave them.
    pub fn left_raw(&self, reader: u32, after: MessageId, limit: u32) -> Result<Vec<(MessageId, String)>> {
        let sql = "SELECT id, raw FROM messages
                   WHERE raw IS NOT NULL AND coalesce(reader, 1) < ?1 AND id > ?2 ORDER BY id LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows =
            statement.query_map(params![reader, after.0, limit], |row| Ok((MessageId(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The conversation of a message, and how far it has come.
    pub fn message(&self, message: MessageId) -> Result<Option<(ConversationId, Item)>> {
        let sql = format!("SELECT {MESSAGE}, conversation FROM messages WHERE id = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([message.0])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let conversation = ConversationId(row.get(13)?);
        Ok(Some((conversation, self::message(row)?)))
    }
}

fn message(row: &Row) -> Result<Item> {
    let status: Option<String> = row.get(9)?;
    let error: Option<String> = row.get(10)?;
    let what = What::Message(Message {
        message: MessageId(row.get(3)?),
        inbound: row.get(4)?,
        author: row.get::<_, Option<Uuid>>(5)?.map(StaffId),
        r#type: row.get(6)?,
        text: row.get(7)?,
        quoted: row.get(11)?,
        sent_at: row.get(8)?,
        status: status.map(|status| read_word(&status)).transpose()?,
        status_at: row.get(12)?,
        error: error.map(|error| serde_json::from_str(&error)).transpose()?,
    });
    Ok(Item { case: CaseId(row.get(0)?), seq: row.get(1)?, place: row.get(2)?, what })
}

fn note(row: &Row) -> rusqlite::Result<Item> {
    let what = What::Note { note: NoteId(row.get(3)?), by: StaffId(row.get(4)?), text: row.get(5)? };
    Ok(Item { case: CaseId(row.get(0)?), seq: row.get(1)?, place: row.get(2)?, what })
}

fn case(row: &Row) -> Result<Case> {
    Ok(Case {
        case: CaseId(row.get(0)?),
        conversation: ConversationId(row.get(1)?),
        number: row.get(2)?,
        kind: row.get(3)?,
        team: row.get(4)?,
        owner: row.get::<_, Option<Uuid>>(5)?.map(StaffId),
        state: read_word(&row.get::<_, String>(6)?)?,
        outcome: row.get(7)?,
        opened_at: row.get(8)?,
        closed_at: row.get(9)?,
        waiting: row.get(10)?,
    })
}
