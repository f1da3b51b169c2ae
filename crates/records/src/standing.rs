//! What an operator asks: what waits to go out, what is not known, and when citizens wrote.

use domain::ids::Millis;
use rusqlite::params;

use crate::{Records, Result};

/// Messages that have not gone out, or may not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pending {
    /// How many wait.
    pub waiting: i64,
    /// Since when the oldest of them waits.
    pub waiting_since: Option<Millis>,
    /// Of how many nobody knows whether they went out.
    pub uncertain: i64,
    /// Since when, of the oldest.
    pub uncertain_since: Option<Millis>,
}

// SQLite takes a partial index only where its condition stands word for word.
pub(crate) const PENDING: &str = "SELECT count(*) FILTER (WHERE status = 'queued'),
      min(at) FILTER (WHERE status = 'queued'),
      count(*) FILTER (WHERE status = 'uncertain'),
      min(status_at) FILTER (WHERE status = 'uncertain')
    FROM messages WHERE status IN ('queued', 'sending', 'uncertain')";
pub(crate) const FIRST: &str = "SELECT min(at) FROM messages WHERE inbound = 1";
pub(crate) const LAST: &str = "SELECT max(at) FROM messages WHERE inbound = 1";
pub(crate) const RECEIVED: &str = "SELECT count(*) FROM
    (SELECT 1 FROM messages WHERE inbound = 1 AND at >= ?1 AND at < ?2 LIMIT ?3)";

impl Records {
    /// What has not gone out, or may not have.
    pub fn pending(&self) -> Result<Pending> {
        let mut statement = self.connection.prepare_cached(PENDING)?;
        Ok(statement.query_row([], |row| {
            Ok(Pending {
                waiting: row.get(0)?,
                waiting_since: row.get(1)?,
                uncertain: row.get(2)?,
                uncertain_since: row.get(3)?,
            })
        })?)
    }

    /// When the first and the last message of a citizen were taken in.
    pub fn received_between(&self) -> Result<Option<(Millis, Millis)>> {
        let one = |sql| self.connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, Option<Millis>>(0));
        Ok(one(FIRST)?.zip(one(LAST)?))
    }

    /// How many messages of citizens were taken in from a time on and before another; at most so many are counted.
    pub fn received(&self, from: Millis, to: Millis, most: u32) -> Result<i64> {
        let mut statement = self.connection.prepare_cached(RECEIVED)?;
        Ok(statement.query_row(params![from, to, most], |row| row.get(0))?)
    }
}
