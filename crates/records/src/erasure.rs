//! All that there is of a person, and its end.

use domain::{
    entry::{ContactErased, Entry},
    facts::ErasureFacts,
    ids::{CaseId, ContactId, ConversationId, Seq},
};
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use crate::{Records, Result};

/// A contact and whoever turned out to be the same person, however many steps away.
pub(crate) const JOINED: &str = "WITH RECURSIVE joined (id) AS (
    VALUES (?1) UNION SELECT c.id FROM contacts c JOIN joined j ON c.merged_into = j.id)";

/// Under this name stands the case number that was given last when somebody was erased, and the seq of that.
const NUMBER: &str = "number_given";
/// Under this name stands that something was erased whose traces are still in the file.
const TRACES: &str = "traces_of_erased";

impl Records {
    /// What would go with a person; `None` if there is nobody of this id.
    pub fn erasure_facts(&self, contact: ContactId) -> Result<Option<ErasureFacts>> {
        let contact = self.resolve(contact)?;
        let sql = "SELECT 1 FROM contacts WHERE id = ?1";
        if self.connection.prepare_cached(sql)?.query_row([contact.0], |_| Ok(())).optional()?.is_none() {
            return Ok(None);
        }
        let list = |sql: &str| -> Result<Vec<Uuid>> {
            let mut statement = self.connection.prepare_cached(&format!("{JOINED} {sql}"))?;
            Ok(statement.query_map([contact.0], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
        };
        let contacts = list("SELECT id FROM joined ORDER BY id")?;
        let conversations = list("SELECT id FROM conversations WHERE contact IN joined ORDER BY id")?;
        let cases = list(
            "SELECT id FROM cases WHERE contact IN joined
             OR conversation IN (SELECT id FROM conversations WHERE contact IN joined) ORDER BY id",
        )?;
        Ok(Some(ErasureFacts {
            contact,
            contacts: contacts.into_iter().map(ContactId).collect(),
            conversations: conversations.into_iter().map(ConversationId).collect(),
            cases: cases.into_iter().map(CaseId).collect(),
        }))
    }

    /// WhatsApp's ids of every message in a case, in both directions.
    pub fn wamids(&self, case: CaseId) -> Result<Vec<String>> {
        let sql = "SELECT wamid FROM messages WHERE case_id = ?1 AND wamid IS NOT NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_map([case.0], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }

    /// How WhatsApp knows a contact now.
    pub fn identifiers_held(&self, contact: ContactId) -> Result<Vec<String>> {
        let sql = "SELECT value FROM identifiers WHERE contact = ?1 AND to_at IS NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_map([contact.0], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn contact_erased(&mut self, entry: &Entry, body: &ContactErased) -> Result<()> {
        for contact in &body.contacts {
            let sql = "SELECT id FROM cases WHERE contact = ?1
                       OR conversation IN (SELECT id FROM conversations WHERE contact = ?1)";
            let mut statement = self.connection.prepare_cached(sql)?;
            let cases: Vec<Uuid> =
                statement.query_map([contact.0], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            drop(statement);
            for case in cases {
                self.forget_case(CaseId(case))?;
                self.run("DELETE FROM seen WHERE case_id = ?1", [case])?;
            }
            self.unindex_contact(contact.0)?;
            for sql in [
                "DELETE FROM particulars WHERE contact = ?1",
                "DELETE FROM identifiers WHERE contact = ?1",
                "DELETE FROM contacts WHERE id = ?1",
                "DELETE FROM conversations WHERE contact = ?1",
            ] {
                self.run(sql, [contact.0])?;
            }
        }
        self.set_meta(TRACES, &entry.seq.to_string())?;
        if let Some(number) = &body.number {
            self.set_meta(NUMBER, &format!("{} {number}", entry.seq))?;
        }
        Ok(())
    }

    /// The case number given last, be its case here or erased.
    pub(crate) fn last_number(&self) -> Result<Option<String>> {
        let given = self.meta(NUMBER)?;
        let given = given.as_ref().and_then(|given| given.split_once(' '));
        let since: Seq = given.and_then(|(seq, _)| seq.parse().ok()).unwrap_or(0);
        let sql = "SELECT number FROM cases WHERE opened_seq > ?1 ORDER BY opened_seq DESC LIMIT 1";
        let later: Option<String> =
            self.connection.prepare_cached(sql)?.query_row(params![since], |row| row.get(0)).optional()?;
        Ok(later.or_else(|| given.map(|(_, number)| number.to_owned())))
    }

    /// Whether something was erased whose traces are still in the file. It says so until they are gone, also after a
    /// crash.
    pub fn has_traces(&self) -> Result<bool> {
        Ok(self.meta(TRACES)?.is_some())
    }

    /// Takes the traces of what was erased from the file, outside of any transaction. Whether they are gone: a reader may
    /// hold them, and then it has to be tried again.
    pub fn scrub(&self) -> Result<bool> {
        self.tidy_whole()?;
        let gone = scrub(&self.connection)?;
        if gone {
            self.run("DELETE FROM meta WHERE key = ?1", [TRACES])?;
        }
        Ok(gone)
    }
}

/// Writes a file anew without what was deleted from it, and empties its log: rows that SQLite moved from page to page leave
/// copies in the midst of a page, which `secure_delete` does not know of. Whether the log is empty now.
pub fn scrub(connection: &rusqlite::Connection) -> Result<bool> {
    connection.execute_batch("VACUUM")?;
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))? == 0)
}
