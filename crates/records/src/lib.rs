//! The read model in SQLite: entries become rows ([`Records::apply`]), and rows answer every question. The same code at
//! the gateway and on the desk.
//!
//! Who calls decides about transactions: each function works on the connection as it is.

pub mod apply;
pub mod erasure;
pub mod facts;
pub mod list;
pub mod media;
pub mod migration;
pub mod outgoing;
pub mod people;
#[cfg(test)]
mod plans;
pub mod search;
pub mod sight;
pub mod standing;
pub mod thread;

use std::sync::Arc;

use domain::{chain, ids::Seq, pack::Pack};
use rusqlite::{Connection, OptionalExtension};

/// The schema's versions, each by what makes it of the one before.
pub const STEPS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
];

/// What can go wrong with the read model.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite.
    #[error("The records cannot be read or written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A row holds what it should not.
    #[error("The records hold a value that cannot be read: {0}")]
    Value(#[from] serde_json::Error),
    /// The file was written by a newer program.
    #[error("The file has schema {found}, and this program knows up to {newest}: a newer program wrote it")]
    Version {
        /// What the file has.
        found: i64,
        /// What this program knows.
        newest: usize,
    },
    /// The pack in force cannot be read.
    #[error("The pack in force cannot be read: {0}")]
    Pack(#[from] domain::pack::BadPack),
}

/// What the functions here return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One agency's read model.
pub struct Records {
    connection: Connection,
    pack: Option<(String, Arc<Pack>)>,
    /// Whether the search index is kept: on a desk.
    searchable: bool,
}

/// Where the read model stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// The journal's id; empty before the first entry.
    pub journal: String,
    /// The last entry applied.
    pub seq: Seq,
    /// The chain after it; zeros on a desk, which does not know it.
    pub chain: chain::Hash,
}

impl Records {
    /// Takes a connection, sets it up, and brings its schema to this version. On a desk its key has been given.
    pub fn open(mut connection: Connection) -> Result<Self> {
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;
             PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON; PRAGMA busy_timeout = 10000;",
        )?;
        connection.set_prepared_statement_cache_capacity(128);
        migration::migrate(&mut connection, STEPS)?;
        Ok(Self { connection, pack: None, searchable: false })
    }

    /// Takes a connection that only reads, to a file that another connection has opened with [`Records::open`].
    pub fn read_only(connection: Connection) -> Result<Self> {
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA busy_timeout = 10000;")?;
        connection.set_prepared_statement_cache_capacity(128);
        Ok(Self { connection, pack: None, searchable: false })
    }

    /// The connection, for transactions and for what the caller keeps beside the read model.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Where the read model stands.
    pub fn stand(&self) -> Result<Stand> {
        let chain = self.meta("chain")?.and_then(|hex| data_encoding::HEXLOWER.decode(hex.as_bytes()).ok());
        Ok(Stand {
            journal: self.meta("journal")?.unwrap_or_default(),
            seq: self.meta("seq")?.and_then(|seq| seq.parse().ok()).unwrap_or(0),
            chain: chain.and_then(|chain| chain.try_into().ok()).unwrap_or(chain::START),
        })
    }

    /// Writes where the read model stands, in the transaction that brought it there.
    pub fn set_stand(&self, stand: &Stand) -> Result<()> {
        self.set_meta("journal", &stand.journal)?;
        self.set_meta("seq", &stand.seq.to_string())?;
        self.set_meta("chain", &data_encoding::HEXLOWER.encode(&stand.chain))
    }

    /// A value that stands beside the rows.
    pub fn meta(&self, key: &str) -> Result<Option<String>> {
        let mut statement = self.connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    }

    /// Keeps a value beside the rows.
    pub fn set_meta(&self, key: &str, value: &str) -> Result<()> {
        let sql =
            "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.connection.prepare_cached(sql)?.execute([key, value])?;
        Ok(())
    }

    /// The pack in force, read once for each version of it.
    pub fn pack(&mut self) -> Result<Option<Arc<Pack>>> {
        let sha: Option<String> =
            self.connection.prepare_cached("SELECT sha FROM pack")?.query_row([], |row| row.get(0)).optional()?;
        let Some(sha) = sha else { return Ok(None) };
        if let Some((known, pack)) = &self.pack
            && *known == sha
        {
            return Ok(Some(pack.clone()));
        }
        let content: String = self.connection.query_row("SELECT content FROM pack", [], |row| row.get(0))?;
        let pack = Arc::new(Pack::read(&content)?);
        self.pack = Some((sha, pack.clone()));
        Ok(Some(pack))
    }

    /// The SHA-256 of the pack in force, in hex.
    pub fn pack_sha(&self) -> Result<Option<String>> {
        let mut statement = self.connection.prepare_cached("SELECT sha FROM pack")?;
        Ok(statement.query_row([], |row| row.get(0)).optional()?)
    }

    /// The numbers of the agency's lines, as digits.
    pub fn display_numbers(&self) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached("SELECT display_number FROM lines ORDER BY id")?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }

    /// Empties the read model, to fill it anew. What a person has seen stays.
    pub fn wipe(&self) -> Result<()> {
        self.connection.execute_batch(
            "DELETE FROM meta; DELETE FROM pack; DELETE FROM lines; DELETE FROM staff; DELETE FROM memberships;
             DELETE FROM audiences; DELETE FROM contacts; DELETE FROM particulars; DELETE FROM identifiers; DELETE FROM conversations;
             DELETE FROM cases; DELETE FROM messages; DELETE FROM notes; DELETE FROM media; DELETE FROM events;
             DELETE FROM unknown_entries;",
        )?;
        self.empty_index()
    }
}
