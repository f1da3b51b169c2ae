//! The index, on the desk alone: two FTS5 tables beside the rows, written in the same transactions.
//!
//! A document's rowid is the seq of its entry. Seqs are given in the order in which things happened, so *newest first* is
//! rowid descending, which FTS5 walks without sorting; a time is a bound on the rowid; and no table has to say which
//! document is which row.
//!
//! `texts` has messages and notes, `names` contacts and cases. Both are contentless, since the texts stand in the rows,
//! and without positions (`detail=none`): that halves the index, and a phrase is looked for in the texts that were found.
//! Beside its words a document has marks, which nobody can type: its conversation, who of us wrote it, what it is. So a
//! search within one conversation costs what is found in it, not what is found everywhere.
//!
//! FTS5's own `secure-delete` stays off: it is known for what crafted files make of it. What was deleted is unfindable at
//! once, and leaves the pages when [`Records::tidy`] has merged the index.

use domain::ids::{ContactId, Seq};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::fold::{VERSION, tokens};
use crate::{Records, Result};

/// Beside the rows: the version of the index, once it is whole.
const WHOLE: &str = "search";
/// Beside the rows: what is below this seq is not in the index yet.
const BELOW: &str = "search_below";
/// Beside the rows: that the index still has words of what was deleted.
const LEFT: &str = "search_left";
/// And that it is being merged without them.
const BEGUN: &str = "merging";

/// Words are told apart at spaces (`ascii` takes every other letter as part of a word). Beginnings of these lengths are words
/// of their own, which FTS5 walks from the newest on; for a longer one it gathers all that begins so before the first hit,
/// and that is little then.
const TABLES: &str = "
    CREATE VIRTUAL TABLE texts USING fts5 (words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii', prefix = '2 3 4 5 6');
    CREATE VIRTUAL TABLE names USING fts5 (words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii', prefix = '2 3 4');
    CREATE UNIQUE INDEX messages_by_seq ON messages (seq);
    CREATE UNIQUE INDEX notes_by_seq ON notes (seq);
    CREATE INDEX contacts_by_seq ON contacts (seq);";
const NO_TABLES: &str = "
    DROP TABLE IF EXISTS texts; DROP TABLE IF EXISTS names; DROP INDEX IF EXISTS messages_by_seq;
    DROP INDEX IF EXISTS notes_by_seq; DROP INDEX IF EXISTS contacts_by_seq;";

/// What a mark says of a document.
pub(super) enum Mark {
    /// It belongs to this conversation.
    Conversation(Uuid),
    /// This member of staff wrote it.
    Author(Uuid),
    /// It is a contact.
    Contact,
    /// It is a case.
    Case,
}

impl Mark {
    /// Two conversations may share a mark, though hardly ever: who asks looks at the row, too.
    pub(super) fn word(&self) -> String {
        let short = |id: &Uuid| format!("{:x}", id.as_u64_pair().1 & 0xffff_ffff_ffff);
        match self {
            Self::Conversation(id) => format!("\u{e000}{}", short(id)),
            Self::Author(id) => format!("\u{e001}{}", short(id)),
            Self::Contact => "\u{e002}".into(),
            Self::Case => "\u{e003}".into(),
        }
    }
}

/// How far the index of an existing file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is below this seq is not in it yet.
    pub below: Seq,
    /// The last seq there is.
    pub last: Seq,
}

impl Records {
    /// Like [`Records::open`], with the index. That of a file which has none yet, or an older one, is begun:
    /// [`Records::index_more`] goes on with it.
    pub fn open_searchable(connection: Connection) -> Result<Self> {
        let mut records = Self::open(connection)?;
        records.searchable = true;
        let version = VERSION.to_string();
        let found = records.meta(WHOLE)?;
        if found.as_ref() != Some(&version) {
            let transaction = records.connection.unchecked_transaction()?;
            transaction.execute_batch(NO_TABLES)?;
            transaction.execute_batch(TABLES)?;
            records.set_meta(WHOLE, &version)?;
            let last = records.last_indexable()?;
            if last > 0 {
                records.set_meta(BELOW, &(last + 1).to_string())?;
            }
            transaction.commit()?;
        }
        Ok(records)
    }

    fn last_indexable(&self) -> Result<Seq> {
        let sql = "SELECT max(coalesce((SELECT max(seq) FROM messages), 0), coalesce((SELECT max(seq) FROM notes), 0),
                     coalesce((SELECT max(opened_seq) FROM cases), 0), coalesce((SELECT max(seq) FROM contacts), 0))";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// How far the index has come, while it is not whole.
    pub fn index_progress(&self) -> Result<Option<Progress>> {
        let Some(below) = self.meta(BELOW)?.and_then(|below| below.parse().ok()) else { return Ok(None) };
        Ok(Some(Progress { below, last: self.last_indexable()? }))
    }

    /// Takes the next `many` messages into the index, newest first, with all else of their time. Whether there is more.
    /// In the caller's transaction.
    pub fn index_more(&self, many: u32) -> Result<bool> {
        let Some(Progress { below, .. }) = self.index_progress()? else { return Ok(false) };
        let sql = "SELECT seq FROM messages WHERE seq < ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2";
        let from: Option<Seq> = self.connection.query_row(sql, params![below, many], |row| row.get(0)).optional()?;
        let from = from.unwrap_or(0);
        let sql = "SELECT seq, conversation, author, text FROM messages WHERE seq >= ?1 AND seq < ?2 UNION ALL
                   SELECT seq, conversation, author, text FROM notes WHERE seq >= ?1 AND seq < ?2 ORDER BY 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([from, below])?;
        while let Some(row) = rows.next()? {
            self.index_text(row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, Option<String>>(3)?.as_deref())?;
        }
        let sql = "SELECT opened_seq, number FROM cases WHERE opened_seq >= ?1 AND opened_seq < ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([from, below])?;
        while let Some(row) = rows.next()? {
            self.index_case(row.get(0)?, &row.get::<_, String>(1)?)?;
        }
        let sql = "SELECT id FROM contacts WHERE seq >= ?1 AND seq < ?2 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([from, below])?;
        while let Some(row) = rows.next()? {
            self.index_contact(row.get(0)?)?;
        }
        if from > 0 {
            self.set_meta(BELOW, &from.to_string())?;
        } else {
            self.run("DELETE FROM meta WHERE key = ?1", [BELOW])?;
        }
        Ok(from > 0)
    }

    /// A message or a note is found by its text from now on.
    pub(crate) fn index_text(
        &self,
        seq: Seq,
        conversation: Uuid,
        author: Option<Uuid>,
        text: Option<&str>,
    ) -> Result<()> {
        if !self.searchable {
            return Ok(());
        }
        let mut words = Mark::Conversation(conversation).word();
        if let Some(mark) = author.map(Mark::Author) {
            words.push(' ');
            words.push_str(&mark.word());
        }
        push(&mut words, text.unwrap_or_default());
        self.run("INSERT OR REPLACE INTO texts (rowid, words) VALUES (?1, ?2)", params![seq, words])?;
        Ok(())
    }

    /// A case is found by its number from now on, also written as one word.
    pub(crate) fn index_case(&self, seq: Seq, number: &str) -> Result<()> {
        if !self.searchable {
            return Ok(());
        }
        let mut words = Mark::Case.word();
        push(&mut words, number);
        let whole: String = number.chars().filter(|letter| letter.is_alphanumeric()).collect();
        push(&mut words, &whole);
        self.run("INSERT OR REPLACE INTO names (rowid, words) VALUES (?1, ?2)", params![seq, words])?;
        Ok(())
    }

    /// A contact is found from now on by the name, by any end of each number, and by the code that is said aloud.
    pub(crate) fn index_contact(&self, contact: Uuid) -> Result<()> {
        if !self.searchable {
            return Ok(());
        }
        let Some((seq, called)) = self.called(contact)? else { return Ok(()) };
        let mut words = Mark::Contact.word();
        push(&mut words, &called);
        self.run("INSERT OR REPLACE INTO names (rowid, words) VALUES (?1, ?2)", params![seq, words])?;
        Ok(())
    }

    /// All that a contact is called, with the seq of that.
    pub(super) fn called(&self, contact: Uuid) -> Result<Option<(Seq, String)>> {
        let sql = "SELECT seq, name FROM contacts WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found: Option<(Seq, Option<String>)> =
            statement.query_row([contact], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((seq, name)) = found else { return Ok(None) };
        let mut called = format!("{}\n{}", name.unwrap_or_default(), ContactId(contact).short_code());
        let sql = "SELECT value FROM identifiers WHERE contact = ?1 AND kind = 'phone'";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([contact])?;
        while let Some(row) = rows.next()? {
            let number: String = row.get(0)?;
            // From each digit on, down to the last four: somebody remembers the end, or the middle.
            for end in number.char_indices().filter_map(|(at, _)| number.get(at..)) {
                if end.len() >= 4 || end.len() == number.len() {
                    called.push('\n');
                    called.push_str(end);
                }
            }
        }
        Ok(Some((seq, called)))
    }

    /// A contact's row is about to change or to go.
    pub(crate) fn unindex_contact(&self, contact: Uuid) -> Result<()> {
        self.unindex("DELETE FROM names WHERE rowid IN (SELECT seq FROM contacts WHERE id = ?1)", contact)
    }

    /// A case's rows are about to go.
    pub(crate) fn unindex_case(&self, case: Uuid) -> Result<()> {
        self.unindex("DELETE FROM texts WHERE rowid IN (SELECT seq FROM messages WHERE case_id = ?1)", case)?;
        self.unindex("DELETE FROM texts WHERE rowid IN (SELECT seq FROM notes WHERE case_id = ?1)", case)?;
        self.unindex("DELETE FROM names WHERE rowid IN (SELECT opened_seq FROM cases WHERE id = ?1)", case)
    }

    fn unindex(&self, sql: &str, id: Uuid) -> Result<()> {
        if self.searchable && self.run(sql, [id])? > 0 {
            self.set_meta(LEFT, "1")?;
        }
        Ok(())
    }

    /// Empties the index with the rows.
    pub(crate) fn empty_index(&self) -> Result<()> {
        if self.searchable {
            self.connection.execute_batch(
                "INSERT INTO texts (texts) VALUES ('delete-all'); INSERT INTO names (names) VALUES ('delete-all');",
            )?;
            self.set_meta(WHOLE, &VERSION.to_string())?;
        }
        Ok(())
    }

    /// Whether the index still has words of what was deleted.
    pub fn is_untidy(&self) -> Result<bool> {
        Ok(self.meta(LEFT)?.is_some())
    }

    /// Rewrites about `pages` pages of the index without what was deleted. Whether there is more to do; a little at a time
    /// keeps others from waiting.
    pub fn tidy(&self, pages: u32) -> Result<bool> {
        let Some(left) = self.meta(LEFT)?.filter(|_| self.searchable) else { return Ok(false) };
        let begun = left == BEGUN;
        let before = self.connection.total_changes();
        for table in ["texts", "names"] {
            // FTS5: a negative number begins to merge everything into one, a positive one goes on with it; fewer than two
            // changes mean that nothing was left to do.
            let sql = format!("INSERT INTO {table} ({table}, rank) VALUES ('merge', ?1)");
            self.run(&sql, [if begun { i64::from(pages) } else { -i64::from(pages) }])?;
        }
        let more = self.connection.total_changes() - before > 3;
        if !more {
            self.run("DELETE FROM meta WHERE key = ?1", [LEFT])?;
        } else if !begun {
            self.set_meta(LEFT, BEGUN)?;
        }
        Ok(more)
    }

    /// The same at once, for what was erased.
    pub(crate) fn tidy_whole(&self) -> Result<()> {
        if self.searchable {
            self.connection.execute_batch(
                "INSERT INTO texts (texts) VALUES ('optimize'); INSERT INTO names (names) VALUES ('optimize');",
            )?;
            self.run("DELETE FROM meta WHERE key = ?1", [LEFT])?;
        }
        Ok(())
    }
}

/// Adds the words of a text, each in all its forms.
fn push(words: &mut String, text: &str) {
    for form in tokens(text).into_iter().flat_map(|token| token.forms) {
        words.push(' ');
        words.push_str(&form);
    }
}
