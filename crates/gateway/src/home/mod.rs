//! Where a set of tables is kept. Whatever differs between the homes stands in this folder; the SQL of the journal and
//! of the deliveries is written once, with `$1, $2 …` in ascending order of their first occurrence (so that SQLite, which
//! takes them for names, numbers them alike).
//!
//! A column is an integer, text, a blob, or null: no more is needed, and both homes mean the same by it. `execute` and
//! `query` are for single statements, `insert` and `which_of` for many rows at once: a round trip for each row would cost
//! more than everything else where the home is another machine.

mod calls;
mod place;
mod postgres;
mod schema;
mod server;
mod sqlite;
mod transfer;
mod value;

use anyhow::{Context, Result};

pub(crate) use self::value::values;
pub use self::{
    calls::Calls,
    place::{Place, Storage},
    postgres::Postgres,
    server::Server,
    sqlite::Sqlite,
    transfer::{copy_in, copy_out, is_there},
    value::{Row, Value},
};

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
    /// A schema of a database.
    Postgres(Box<Postgres>),
}

impl Home {
    /// Makes the tables where they are absent, or brings them to the last of `steps`.
    pub fn make(place: &Place, steps: &[&str]) -> Result<Self> {
        Self::open(place, true, steps)
    }

    /// Opens tables that are there, and brings them to the last of `steps`.
    pub fn writer(place: &Place, steps: &[&str]) -> Result<Self> {
        Self::open(place, false, steps)
    }

    fn open(place: &Place, create: bool, steps: &[&str]) -> Result<Self> {
        let opened = match place {
            Place::Sqlite(file) => Sqlite::writer(file, create, steps).map(Self::Sqlite),
            Place::Postgres(server, schema) => {
                Postgres::writer(server, schema, create, steps).map(|home| Self::Postgres(Box::new(home)))
            }
        };
        opened.with_context(|| format!("Opening {place}"))
    }

    /// Opens tables for reading alone.
    pub fn reader(place: &Place) -> Result<Self> {
        Ok(match place {
            Place::Sqlite(file) => Self::Sqlite(Sqlite::reader(file)?),
            Place::Postgres(server, schema) => Self::Postgres(Box::new(Postgres::reader(server, schema))),
        })
    }

    /// Runs a statement; how many rows it touched.
    pub fn execute(&self, sql: &str, values: &[Value]) -> Result<u64> {
        match self {
            Self::Sqlite(home) => home.execute(sql, values),
            Self::Postgres(home) => home.execute(sql, values),
        }
    }

    /// Runs a query, or a statement that returns rows.
    pub fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(home) => home.query(sql, values),
            Self::Postgres(home) => home.query(sql, values),
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
            Self::Postgres(home) => home.insert(into.table, into.columns, rows),
        }
    }

    /// Runs a statement for each of these values, which it compares with by `= $1`, its one parameter; what it returns.
    pub fn for_each_of(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(home) => home.for_each_of(sql, values),
            Self::Postgres(home) => home.for_each_of(sql, values),
        }
    }

    /// Takes the traces of what was deleted from these tables (a file loses those of all it has). Whether they are gone:
    /// somebody who reads may hold them, and then it has to be tried again.
    pub fn scrub(&self, tables: &[&str]) -> Result<bool> {
        match self {
            Self::Sqlite(home) => home.scrub(),
            Self::Postgres(home) => home.scrub(tables),
        }
    }

    /// Begins a transaction that writes. In SQLite nobody else does until it ends.
    pub fn begin(&self) -> Result<()> {
        match self {
            Self::Sqlite(home) => home.run("BEGIN IMMEDIATE"),
            Self::Postgres(home) => home.begin("READ COMMITTED"),
        }
    }

    /// What a query ends with whose row is to be this transaction's alone until it ends.
    pub fn for_update(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "",
            Self::Postgres(_) => " FOR UPDATE",
        }
    }

    /// The home's own clock in milliseconds, as an expression.
    pub fn now(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            Self::Postgres(_) => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
        }
    }

    /// Begins to read as of one moment.
    pub fn begin_to_read(&self) -> Result<()> {
        match self {
            Self::Sqlite(home) => home.run("BEGIN"),
            Self::Postgres(home) => home.begin("REPEATABLE READ READ ONLY"),
        }
    }

    /// Commits. After an error it is unknown whether it holds.
    pub fn commit(&self) -> Result<()> {
        match self {
            Self::Sqlite(home) => home.run("COMMIT"),
            Self::Postgres(home) => home.commit(),
        }
    }

    /// Gives up what was begun.
    pub fn roll_back(&self) {
        match self {
            Self::Sqlite(home) => home.roll_back(),
            Self::Postgres(home) => home.roll_back(),
        }
    }

    /// Sets a savepoint.
    pub fn save(&self) -> Result<()> {
        self.run("SAVEPOINT item").context("Setting a savepoint")
    }

    /// Forgets the savepoint.
    pub fn release(&self) -> Result<()> {
        self.run("RELEASE SAVEPOINT item").context("Releasing a savepoint")
    }

    /// Undoes what was done since the savepoint.
    pub fn undo(&self) -> Result<()> {
        self.run("ROLLBACK TO SAVEPOINT item").context("Rolling back to a savepoint")?;
        self.release()
    }

    fn run(&self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(home) => home.run(sql),
            Self::Postgres(home) => home.run(sql),
        }
    }
}
