//! An agency's journal on SQLite: the entries and the plain tables beside them, in the same transactions.
//!
//! This is the one file that knows where a journal is kept. Another home (PostgreSQL) implements the same three
//! structs: [`Journal`] (the writer), [`Batch`] (one transaction under the head lock), [`Reader`].

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use domain::{
    chain::{self, Hash, Header},
    entry::{Entry, Fact, Subject},
    ids::{CaseId, CommandId, EntryId, Millis, Seq, StaffId},
    wire::{Outcome, Witness},
};
use records::migration;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use crate::{keys, sqlite};

const SCHEMA: &[&str] = &[include_str!("journal-1.sql"), include_str!("journal-2.sql"), crate::orphans::SCHEMA];

/// The last entry, and the journal's own id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The journal's id; `restore` gives it a new one.
    pub journal: String,
    /// The last entry's place.
    pub seq: Seq,
    /// The chain after it.
    pub chain: Hash,
    /// When it was written.
    pub at: Millis,
}

/// An entry as it is stored, be it sense or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place.
    pub seq: Seq,
    /// Its header, `seq` included.
    pub header: Header,
    /// Its body.
    pub body: Vec<u8>,
    /// The salt of its digest.
    pub salt: Vec<u8>,
    /// The digest over salt and body.
    pub digest: Vec<u8>,
    /// The chain after it.
    pub chain: Vec<u8>,
}

/// What an account is opened with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credential {
    /// The password's hash, as a PHC string.
    pub password: Option<String>,
    /// The command whose HMAC is the one-time code.
    pub code_command: Option<CommandId>,
    /// Until when that code holds.
    pub code_until: Millis,
}

/// Failed sign-ins with one username.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempts {
    /// How many in a row.
    pub failures: u32,
    /// When the last one was.
    pub at: Millis,
}

/// The writer. One thread owns it.
pub struct Journal {
    conn: Connection,
}

impl Journal {
    /// Makes a journal, empty and with an id of its own, or opens the one that is there.
    pub fn make(path: &Path, id: Uuid) -> Result<Self> {
        let mut conn = sqlite::writer(path, true)?;
        migration::migrate(&mut conn, SCHEMA).with_context(|| format!("Making the journal {}", path.display()))?;
        conn.execute(
            "INSERT INTO head (one, journal, seq, chain, at) VALUES (1, ?1, 0, ?2, 0) ON CONFLICT (one) DO NOTHING",
            params![id.to_string(), chain::START],
        )
        .context("Writing the head of a new journal")?;
        Ok(Self { conn })
    }

    /// Opens a journal that `init` has made.
    pub fn open(path: &Path) -> Result<Self> {
        let mut conn = sqlite::writer(path, false)?;
        migration::migrate(&mut conn, SCHEMA).with_context(|| format!("Opening the journal {}", path.display()))?;
        Ok(Self { conn })
    }

    /// Begins a transaction and locks the head.
    pub fn begin(&mut self) -> Result<Batch<'_>> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).context("Locking the head")?;
        let head = head(&tx)?;
        let last = head.clone();
        Ok(Batch { tx, head, last })
    }
}

/// One transaction under the head lock.
pub struct Batch<'a> {
    tx: Transaction<'a>,
    head: Head,
    last: Head,
}

impl Batch<'_> {
    /// The head as the entries appended so far leave it.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The transaction itself, for tables that have a file of their own.
    pub(crate) fn connection(&self) -> &Connection {
        &self.tx
    }

    /// Appends an entry, which must stand at the next place.
    pub fn append(&mut self, entry: &Entry) -> Result<()> {
        ensure!(entry.seq == self.head.seq + 1, "Entry {} does not follow {}", entry.seq, self.head.seq);
        ensure!(entry.at >= self.head.at, "Entry {} is older than the one before it", entry.seq);
        let body = entry.fact.body().and_then(|body| serde_json::to_string(&body)).context("Writing a body")?;
        let salt = keys::random::<16>()?;
        let digest = chain::digest(&salt, body.as_bytes());
        let chain = chain::next(&self.head.chain, &digest, entry);
        self.tx
            .prepare_cached(
                "INSERT INTO entries
                    (seq, id, at, actor, scope, subject, cause, kind, version, body, salt, digest, chain)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )
            .and_then(|mut insert| {
                insert.execute(params![
                    entry.seq,
                    entry.id.to_string(),
                    entry.at,
                    entry.actor.to_string(),
                    entry.scope.to_string(),
                    entry.subject.to_string(),
                    entry.cause.map(|cause| cause.to_string()),
                    entry.fact.kind(),
                    entry.version,
                    body,
                    salt,
                    digest,
                    chain,
                ])
            })
            .context("Inserting an entry")?;
        self.head.seq = entry.seq;
        self.head.at = entry.at;
        self.head.chain = chain;
        Ok(())
    }

    /// Notes an inbound item's key; `false` if it was known already.
    pub fn first_seen(&self, item: &Hash, now: Millis) -> Result<bool> {
        let inserted = self
            .tx
            .prepare_cached("INSERT INTO seen (item, at) VALUES (?1, ?2) ON CONFLICT (item) DO NOTHING")
            .and_then(|mut insert| insert.execute(params![item, now]))
            .context("Noting an inbound item")?;
        Ok(inserted > 0)
    }

    /// Forgets the key of an item that came to nothing, so that it can be tried again.
    pub fn unsee(&self, item: &Hash) -> Result<()> {
        self.tx.execute("DELETE FROM seen WHERE item = ?1", params![item]).context("Forgetting an inbound item")?;
        Ok(())
    }

    /// The hash of the body, and the answer, that a person's command of this id had.
    pub fn answered(&self, staff: StaffId, id: CommandId) -> Result<Option<(Hash, Outcome)>> {
        let found: Option<(Hash, String)> = self
            .tx
            .prepare_cached("SELECT hash, answer FROM commands WHERE staff = ?1 AND id = ?2")
            .and_then(|mut select| {
                select
                    .query_row(params![staff.to_string(), id.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .context("Looking for a command's answer")?;
        found
            .map(|(hash, answer)| Ok((hash, serde_json::from_str(&answer).context("Reading a command's answer")?)))
            .transpose()
    }

    /// Whether another person's command had this id: what it made bears the id, and nothing else may.
    pub fn is_anothers(&self, staff: StaffId, id: CommandId) -> Result<bool> {
        self.tx
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM commands WHERE id = ?1 AND staff <> ?2)")
            .and_then(|mut select| select.query_row(params![id.to_string(), staff.to_string()], |row| row.get(0)))
            .context("Looking for a command's id")
    }

    /// Keeps the answer to a command.
    pub fn answer(&self, staff: StaffId, id: CommandId, hash: &Hash, outcome: &Outcome, now: Millis) -> Result<()> {
        let answer = serde_json::to_string(outcome).context("Writing a command's answer")?;
        self.tx
            .prepare_cached("INSERT INTO commands (staff, id, hash, answer, at) VALUES (?1, ?2, ?3, ?4, ?5)")
            .and_then(|mut insert| insert.execute(params![staff.to_string(), id.to_string(), hash, answer, now]))
            .context("Keeping a command's answer")?;
        Ok(())
    }

    /// Moves up to where a person has seen a case; the greater wins.
    pub fn seen_up_to(&self, staff: StaffId, case: CaseId, seq: Seq) -> Result<()> {
        self.tx
            .prepare_cached(
                "INSERT INTO positions (staff, case_id, seq) VALUES (?1, ?2, ?3)
                 ON CONFLICT (staff, case_id) DO UPDATE SET seq = max(seq, excluded.seq)",
            )
            .and_then(|mut upsert| upsert.execute(params![staff.to_string(), case.to_string(), seq]))
            .context("Moving a position")?;
        Ok(())
    }

    /// What an account is opened with.
    pub fn credential(&self, staff: StaffId) -> Result<Credential> {
        credential(&self.tx, staff)
    }

    /// Lets an account be opened by the one-time code of a command.
    pub fn give_code(&self, staff: StaffId, command: CommandId, until: Millis) -> Result<()> {
        self.tx
            .execute(
                "INSERT INTO credentials (staff, code_command, code_until) VALUES (?1, ?2, ?3)
                 ON CONFLICT (staff) DO UPDATE SET code_command = excluded.code_command, code_until = excluded.code_until",
                params![staff.to_string(), command.to_string(), until],
            )
            .context("Keeping a one-time code's command")?;
        Ok(())
    }

    /// Sets a password; a one-time code is used up by it, and every device has to sign in again.
    /// The tokens that hold no longer are returned.
    pub fn set_password(&self, staff: StaffId, hash: &str) -> Result<Vec<Hash>> {
        self.tx
            .execute(
                "UPDATE credentials SET password = ?2, code_command = NULL, code_until = 0 WHERE staff = ?1",
                params![staff.to_string(), hash],
            )
            .context("Keeping a password's hash")?;
        self.remove_devices(staff)
    }

    /// Signs a device in. A token that it had before holds no longer, and is returned.
    pub fn add_device(&self, token: &Hash, staff: StaffId, device: &str, now: Millis) -> Result<Vec<Hash>> {
        let before = self.sign_out("staff = ?1 AND device = ?2", params![staff.to_string(), device])?;
        self.tx
            .execute(
                "INSERT INTO devices (token, staff, device, since) VALUES (?1, ?2, ?3, ?4)",
                params![token, staff.to_string(), device, now],
            )
            .context("Signing a device in")?;
        Ok(before)
    }

    /// Signs a device out.
    pub fn remove_device(&self, token: &Hash) -> Result<Vec<Hash>> {
        self.sign_out("token = ?1", params![token])
    }

    /// Signs every device of a person out.
    pub fn remove_devices(&self, staff: StaffId) -> Result<Vec<Hash>> {
        self.sign_out("staff = ?1", params![staff.to_string()])
    }

    fn sign_out(&self, which: &'static str, params: impl rusqlite::Params) -> Result<Vec<Hash>> {
        let run = || -> rusqlite::Result<Vec<Hash>> {
            let mut delete = self.tx.prepare(&format!("DELETE FROM devices WHERE {which} RETURNING token"))?;
            delete.query_map(params, |row| row.get(0))?.collect()
        };
        run().context("Signing devices out")
    }

    /// Counts a failed sign-in, and forgets those of others that are long past.
    pub fn count_failure(&self, username: &str, now: Millis, forget_before: Millis) -> Result<()> {
        self.tx
            .execute("DELETE FROM attempts WHERE at < ?1", params![forget_before])
            .and_then(|_| {
                self.tx.execute(
                    "INSERT INTO attempts (username, failures, at) VALUES (?1, 1, ?2)
                     ON CONFLICT (username) DO UPDATE SET failures = failures + 1, at = excluded.at",
                    params![username, now],
                )
            })
            .context("Counting a failed sign-in")?;
        Ok(())
    }

    /// Forgets failed sign-ins after one that went well.
    pub fn clear_failures(&self, username: &str) -> Result<()> {
        self.tx
            .execute("DELETE FROM attempts WHERE username = ?1", params![username])
            .context("Forgetting failed sign-ins")?;
        Ok(())
    }

    /// Entries after a place, for `records` to catch up.
    pub fn entries_after(&self, seq: Seq, limit: u32) -> Result<Vec<Entry>> {
        entries_after(&self.tx, seq, limit)
    }

    /// The chain after an entry.
    pub fn chain_at(&self, seq: Seq) -> Result<Option<Hash>> {
        chain_at(&self.tx, seq)
    }

    /// Gives the journal a new id, so that whoever knew the old one starts afresh.
    pub fn rename(&mut self, id: Uuid) -> Result<()> {
        self.tx
            .execute("UPDATE head SET journal = ?1", params![id.to_string()])
            .context("Giving a journal a new id")?;
        self.head.journal = id.to_string();
        self.last.journal = id.to_string();
        Ok(())
    }

    /// Holds sending until a person releases it.
    pub fn hold_sending(&self, now: Millis) -> Result<()> {
        self.tx
            .execute(
                "INSERT INTO holds (what, since) VALUES ('sending', ?1) ON CONFLICT (what) DO NOTHING",
                params![now],
            )
            .context("Holding sending")?;
        Ok(())
    }

    /// Lets sending go on; whether it was held.
    pub fn release_sending(&self) -> Result<bool> {
        let held = self.tx.execute("DELETE FROM holds WHERE what = 'sending'", []).context("Releasing sending")?;
        Ok(held > 0)
    }

    /// Since when sending is held, if it is.
    pub fn sending_held(&self) -> Result<Option<Millis>> {
        sending_held(&self.tx)
    }

    /// Keeps the head that was signed on a day.
    pub fn keep_signed_head(&self, day: &str, witness: &Witness) -> Result<()> {
        let witness = serde_json::to_string(witness).context("Writing a signed head")?;
        self.tx
            .execute("INSERT INTO signed_heads (day, witness) VALUES (?1, ?2)", params![day, witness])
            .context("Keeping a signed head")?;
        Ok(())
    }

    /// Marks a point to which a single item can be undone.
    pub fn savepoint(&mut self) -> Result<Mark> {
        self.tx.execute_batch("SAVEPOINT item").context("Setting a savepoint")?;
        Ok(Mark(self.head.clone()))
    }

    /// Keeps what was done since the mark.
    pub fn release(&self, _: Mark) -> Result<()> {
        self.tx.execute_batch("RELEASE item").context("Releasing a savepoint")
    }

    /// Undoes what was done since the mark.
    pub fn undo(&mut self, mark: Mark) -> Result<()> {
        self.tx.execute_batch("ROLLBACK TO item; RELEASE item").context("Rolling back to a savepoint")?;
        self.head = mark.0;
        Ok(())
    }

    /// Commits. After an error it is unknown whether it holds: roll `records` back and read the head again.
    pub fn commit(self) -> Result<()> {
        if self.head != self.last {
            self.tx
                .execute(
                    "UPDATE head SET seq = ?1, chain = ?2, at = ?3 WHERE one = 1",
                    params![self.head.seq, self.head.chain, self.head.at],
                )
                .context("Moving the head")?;
        }
        self.tx.commit().context("Committing the journal")
    }
}

/// Where a savepoint began.
pub struct Mark(Head);

/// Reads, beside the writer.
pub struct Reader {
    conn: Connection,
}

impl Reader {
    /// Opens a journal for reading.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { conn: sqlite::reader(path)? })
    }

    /// The head.
    pub fn head(&self) -> Result<Head> {
        head(&self.conn)
    }

    /// The chain after an entry.
    pub fn chain_at(&self, seq: Seq) -> Result<Option<Hash>> {
        chain_at(&self.conn, seq)
    }

    /// Entries after a place, at most so many, in order.
    pub fn entries_after(&self, seq: Seq, limit: u32) -> Result<Vec<Entry>> {
        entries_after(&self.conn, seq, limit)
    }

    /// Entries of a case after a place, at most so many, in order.
    pub fn case_after(&self, case: CaseId, seq: Seq, limit: u32) -> Result<Vec<Entry>> {
        collect(
            &self.conn,
            &format!("{SELECT} WHERE scope = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"),
            params![format!("case:{case}"), seq, limit],
        )
    }

    /// The last entries of a case before a place, at most so many, in order.
    pub fn case_before(&self, case: CaseId, seq: Seq, limit: u32) -> Result<Vec<Entry>> {
        let mut entries = collect(
            &self.conn,
            &format!("{SELECT} WHERE scope = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3"),
            params![format!("case:{case}"), seq, limit],
        )?;
        entries.reverse();
        Ok(entries)
    }

    /// Hands out every entry as it is stored, in order, until told `false`; then the head, all as of one moment.
    pub fn stored(&self, mut each: impl FnMut(Stored) -> Result<bool>) -> Result<Head> {
        let still = self.conn.unchecked_transaction().context("Beginning to read")?;
        let sql = "SELECT seq, id, at, actor, scope, subject, cause, kind, version, body, salt, digest, chain
                   FROM entries ORDER BY seq";
        let mut select = still.prepare(sql).context("Asking for entries")?;
        let mut rows = select.query([]).context("Asking for entries")?;
        while let Some(row) = rows.next().context("Reading an entry")? {
            let seq: Seq = row.get(0).context("Reading an entry's place")?;
            if !each(stored(row, seq).with_context(|| format!("Reading entry {seq}"))?)? {
                break;
            }
        }
        head(&still)
    }

    /// Since when sending is held, if it is.
    pub fn sending_held(&self) -> Result<Option<Millis>> {
        sending_held(&self.conn)
    }

    /// The head that was signed last, and on which day.
    pub fn signed_head(&self) -> Result<Option<(String, Witness)>> {
        let found: Option<(String, String)> = self
            .conn
            .prepare_cached("SELECT day, witness FROM signed_heads ORDER BY day DESC LIMIT 1")
            .and_then(|mut select| select.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .context("Looking for a signed head")?;
        found.map(|(day, text)| Ok((day, serde_json::from_str(&text).context("Reading a signed head")?))).transpose()
    }

    /// Whose device a token is.
    pub fn device(&self, token: &Hash) -> Result<Option<StaffId>> {
        let staff: Option<String> = self
            .conn
            .prepare_cached("SELECT staff FROM devices WHERE token = ?1")
            .and_then(|mut select| select.query_row(params![token], |row| row.get(0)).optional())
            .context("Looking for a device")?;
        staff.map(|staff| staff.parse().context("Reading whose device it is")).transpose()
    }

    /// What an account is opened with.
    pub fn credential(&self, staff: StaffId) -> Result<Credential> {
        credential(&self.conn, staff)
    }

    /// Failed sign-ins with a username.
    pub fn attempts(&self, username: &str) -> Result<Attempts> {
        let found = self
            .conn
            .query_row("SELECT failures, at FROM attempts WHERE username = ?1", params![username], |row| {
                Ok(Attempts { failures: row.get(0)?, at: row.get(1)? })
            })
            .optional()
            .context("Looking for failed sign-ins")?;
        Ok(found.unwrap_or_default())
    }
}

/// Where an agency's journal is.
pub fn path(folder: &Path, agency: &str) -> PathBuf {
    folder.join(agency).join("journal.db")
}

const SELECT: &str = "SELECT seq, id, at, scope, subject, actor, cause, version, kind, body FROM entries";

fn head(conn: &Connection) -> Result<Head> {
    conn.prepare_cached("SELECT journal, seq, chain, at FROM head WHERE one = 1")
        .and_then(|mut select| {
            select.query_row([], |row| {
                Ok(Head { journal: row.get(0)?, seq: row.get(1)?, chain: row.get(2)?, at: row.get(3)? })
            })
        })
        .context("Reading the head")
}

fn chain_at(conn: &Connection, seq: Seq) -> Result<Option<Hash>> {
    if seq == 0 {
        return Ok(Some(chain::START));
    }
    conn.prepare_cached("SELECT chain FROM entries WHERE seq = ?1")
        .and_then(|mut select| select.query_row(params![seq], |row| row.get(0)).optional())
        .context("Reading the chain")
}

fn sending_held(conn: &Connection) -> Result<Option<Millis>> {
    conn.prepare_cached("SELECT since FROM holds WHERE what = 'sending'")
        .and_then(|mut select| select.query_row([], |row| row.get(0)).optional())
        .context("Asking whether sending is held")
}

fn credential(conn: &Connection, staff: StaffId) -> Result<Credential> {
    let found: Option<(Option<String>, Option<String>, Millis)> = conn
        .query_row(
            "SELECT password, code_command, code_until FROM credentials WHERE staff = ?1",
            params![staff.to_string()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()
        .context("Looking for a credential")?;
    let Some((password, code, code_until)) = found else { return Ok(Credential::default()) };
    let code_command = code.map(|id| id.parse()).transpose().context("Reading a one-time code's command")?;
    Ok(Credential { password, code_command, code_until })
}

fn entries_after(conn: &Connection, seq: Seq, limit: u32) -> Result<Vec<Entry>> {
    collect(conn, &format!("{SELECT} WHERE seq > ?1 ORDER BY seq LIMIT ?2"), params![seq, limit])
}

fn collect(conn: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Entry>> {
    let mut select = conn.prepare_cached(sql).context("Asking for entries")?;
    let mut rows = select.query(params).context("Asking for entries")?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next().context("Reading an entry")? {
        entries.push(entry(row)?);
    }
    Ok(entries)
}

fn stored(row: &Row<'_>, seq: Seq) -> rusqlite::Result<Stored> {
    let text = |column: usize| row.get::<_, String>(column);
    let number = |column: usize| row.get::<_, i64>(column).map(|number| number.to_string());
    let cause = row.get::<_, Option<String>>(6)?.unwrap_or_default();
    let header = [seq.to_string(), text(1)?, number(2)?, text(3)?, text(4)?, text(5)?, cause, text(7)?, number(8)?];
    let body = row.get_ref(9)?.as_bytes()?.to_vec();
    Ok(Stored { seq, header, body, salt: row.get(10)?, digest: row.get(11)?, chain: row.get(12)? })
}

fn entry(row: &Row<'_>) -> Result<Entry> {
    let seq: Seq = row.get(0)?;
    let text = |column: usize| row.get::<_, String>(column);
    let read = || -> Result<Entry> {
        let subject = text(4)?;
        Ok(Entry {
            seq,
            id: text(1)?.parse::<EntryId>()?,
            at: row.get(2)?,
            scope: text(3)?.parse()?,
            subject: subject.parse().unwrap_or(Subject::Unknown(subject)),
            actor: text(5)?.parse()?,
            cause: row.get::<_, Option<String>>(6)?.map(|cause| cause.parse()).transpose()?,
            version: row.get(7)?,
            fact: serde_json::from_str(&text(9)?)
                .and_then(|body| Fact::read(&text(8).unwrap_or_default(), body))
                // What serde says may quote the body, and this is logged.
                .map_err(|error| anyhow!("{:?} error in its body", error.classify()))?,
        })
    };
    read().with_context(|| format!("Reading entry {seq}"))
}
