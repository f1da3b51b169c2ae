//! Where a set of tables is kept. Whatever differs between the homes stands in this folder; the SQL of the journal and
//! of the deliveries is written once, with `$1, $2 …` in ascending order of their first occurrence (so that SQLite, which
//! takes them for names, numbers them alike).
//!
//! A column is an integer, text, a blob, or null: no more is needed, and both homes mean the same by it. `execute` and
//! `query` are for single statements, `insert` and `which_of` for many rows at once: a round trip for each row would cost
//! more than everything else where the home is another machine.

mod sqlite;
mod value;

use std::path::Path;

use anyhow::Result;

pub use self::value::{Row, Value};
pub(crate) use self::{sqlite::Sqlite, value::values};

/// Rows that go into a table together.
#[derive(Debug, Clone, Copy)]
pub struct Insert {
    /// The table.
    pub table: &'static str,
    /// Its columns, with what they hold.
    pub columns: &'static [(&'static str, Kind)],
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Integers.
    Integer,
    /// Text.
    Text,
    /// Bytes.
    Blob,
}

/// A connection to where a set of tables is kept.
pub enum Home {
    /// A file.
    Sqlite(Sqlite),
}

impl Home {
    /// Makes a file, or opens it, and brings its tables to the last of `steps`.
    pub fn make(path: &Path, steps: &[&str]) -> Result<Self> {
        Ok(Self::Sqlite(Sqlite::writer(path, true, steps)?))
    }

    /// Opens a file that is there, and brings its tables to the last of `steps`.
    pub fn writer(path: &Path, steps: &[&str]) -> Result<Self> {
        Ok(Self::Sqlite(Sqlite::writer(path, false, steps)?))
    }

    /// Opens a file for reading alone.
    pub fn reader(path: &Path) -> Result<Self> {
        Ok(Self::Sqlite(Sqlite::reader(path)?))
    }

    /// Runs a statement; how many rows it touched.
    pub fn execute(&self, sql: &str, values: &[Value]) -> Result<u64> {
        match self {
            Self::Sqlite(home) => home.execute(sql, values),
        }
    }

    /// Runs a query, or a statement that returns rows.
    pub fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(home) => home.query(sql, values),
        }
    }

    /// The first row, if there is any.
    pub fn first(&self, sql: &str, values: &[Value]) -> Result<Option<Row>> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// Puts rows into a table.
    pub fn insert(&self, into: Insert, rows: &[Vec<Value>]) -> Result<()> {
        match self {
            Self::Sqlite(home) => home.insert(into, rows),
        }
    }

    /// Runs a query once for all of these values; it compares with the one parameter by `= $1`.
    pub fn which_of(&self, sql: &str, kind: Kind, values: &[Value]) -> Result<Vec<Row>> {
        let _ = kind;
        match self {
            Self::Sqlite(home) => home.which_of(sql, values),
        }
    }

    /// Takes the traces of what was deleted from where it was kept. Whether they are gone: somebody who reads may hold
    /// them, and then it has to be tried again.
    pub fn scrub(&self) -> Result<bool> {
        match self {
            Self::Sqlite(home) => home.scrub(),
        }
    }

    /// Begins a transaction; nobody else writes until it ends.
    pub fn begin(&self) -> Result<()> {
        match self {
            Self::Sqlite(home) => home.run("BEGIN IMMEDIATE"),
        }
    }

    /// What a query ends with whose row nobody else may read for changing it until this transaction ends.
    pub fn for_update(&self) -> &'static str {
        match self {
            // Whoever has begun to write is alone.
            Self::Sqlite(_) => "",
        }
    }

    /// Begins to read as of one moment.
    pub fn begin_to_read(&self) -> Result<()> {
        match self {
            Self::Sqlite(home) => home.run("BEGIN"),
        }
    }

    /// Commits. After an error it is unknown whether it holds.
    pub fn commit(&self) -> Result<()> {
        match self {
            Self::Sqlite(home) => home.run("COMMIT"),
        }
    }

    /// Gives up what was begun.
    pub fn roll_back(&self) {
        match self {
            Self::Sqlite(home) => home.roll_back(),
        }
    }

    /// `SAVEPOINT`, `RELEASE` or `ROLLBACK TO`.
    pub fn savepoint(&self, word: &str) -> Result<()> {
        match self {
            Self::Sqlite(home) => home.run(&format!("{word} item")),
        }
    }
}
