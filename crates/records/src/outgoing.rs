//! What the sender asks: which messages wait, and whose turn it is.

use domain::{
    entry::Recipient,
    ids::{CaseId, ConversationId, LineId, MessageId, Millis, Seq},
};
use rusqlite::params;

use crate::{Records, Result};

/// A message that may go now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The message.
    pub message: MessageId,
    /// Its conversation: one in flight for each.
    pub conversation: ConversationId,
    /// Its case.
    pub case: CaseId,
    /// From which number.
    pub line: LineId,
    /// To whom; frozen when it was queued.
    pub recipient: Recipient,
    /// What it says.
    pub text: String,
    /// Its place in the journal.
    pub seq: Seq,
}

/// A message that somebody is POSTing, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// The message.
    pub message: MessageId,
    /// From which number.
    pub line: LineId,
    /// The entry that permitted the POST.
    pub begun: Seq,
}

// SQLite takes a partial index only where its condition stands word for word, hence the conditions that say more than
// they need to.
pub(crate) const OUTGOING: &str = "SELECT m.id, m.conversation, m.case_id, c.line, m.recipient, m.text, m.seq
    FROM messages m JOIN conversations c ON c.id = m.conversation
    WHERE m.status IN ('queued', 'sending', 'uncertain') AND m.status = 'queued' AND NOT EXISTS (
      SELECT 1 FROM messages o WHERE o.conversation = m.conversation
      AND o.status IN ('queued', 'sending', 'uncertain')
      AND (o.status = 'queued' AND o.seq < m.seq
        OR o.status = 'sending' AND o.wamid IS NULL
        OR o.status = 'uncertain' AND o.status_at > ?1 AND o.status_at <= ?2))
    ORDER BY m.seq LIMIT ?3";
pub(crate) const UNDER_WAY: &str = "SELECT m.id, c.line, coalesce(m.status_seq, 0)
    FROM messages m JOIN conversations c ON c.id = m.conversation
    WHERE m.status IN ('queued', 'sending', 'uncertain') AND m.status = 'sending' AND m.wamid IS NULL ORDER BY m.seq";

impl Records {
    /// Messages that may go now: the first of each conversation that has none under way and none of which nobody has
    /// known since `patience` what became of it. What is said to be from a later time than now holds nothing back: the
    /// clock was set back since.
    pub fn outgoing(&self, now: Millis, patience: Millis, limit: u32) -> Result<Vec<Outgoing>> {
        let mut statement = self.connection.prepare_cached(OUTGOING)?;
        let rows = statement.query_map(params![now.saturating_sub(patience), now, limit], |row| {
            Ok((
                MessageId(row.get(0)?),
                ConversationId(row.get(1)?),
                CaseId(row.get(2)?),
                row.get(3)?,
                row.get::<_, String>(4)?,
                row.get::<_, Option<String>>(5)?,
                row.get(6)?,
            ))
        })?;
        let mut outgoing = vec![];
        for row in rows {
            let (message, conversation, case, line, recipient, text, seq) = row?;
            let recipient = serde_json::from_str(&recipient)?;
            let text = text.unwrap_or_default();
            outgoing.push(Outgoing { message, conversation, case, line, recipient, text, seq });
        }
        Ok(outgoing)
    }

    /// Messages that somebody is POSTing, or was when their process ended.
    pub fn under_way(&self) -> Result<Vec<UnderWay>> {
        let mut statement = self.connection.prepare_cached(UNDER_WAY)?;
        let rows = statement.query_map([], |row| {
            Ok(UnderWay { message: MessageId(row.get(0)?), line: row.get(1)?, begun: row.get(2)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Messages that WhatsApp has not accepted, as far as is known here: they wait, or somebody was POSTing them.
    pub fn not_accepted(&self) -> Result<Vec<MessageId>> {
        let sql =
            "SELECT id FROM messages WHERE status = 'queued' OR status = 'sending' AND wamid IS NULL ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_map([], |row| row.get(0).map(MessageId))?.collect::<rusqlite::Result<_>>()?)
    }

    /// WhatsApp's id of the citizen's last message in a case, and the number it came to: for marking it as read.
    pub fn last_inbound(&self, case: CaseId) -> Result<Option<(LineId, String)>> {
        use rusqlite::OptionalExtension;
        let sql = "SELECT c.line, m.wamid FROM messages m JOIN conversations c ON c.id = m.conversation
                   WHERE m.case_id = ?1 AND m.inbound = 1 ORDER BY m.seq DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([case.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }
}
