//! A schema of PostgreSQL as a home.
//!
//! A connection that is lost is opened again when a transaction begins, or before a single statement; within a
//! transaction its loss is an error like any other, and what was begun is given up. The client blocks the thread that
//! uses it, so it is used, and closed, on no thread that runs the program's tasks.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    error::Error,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::BytesMut;
use postgres::{
    Client, Statement,
    error::Severity,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

use super::{Kind, Row, Server, Value, schema, values};

/// Ten seconds, as long as SQLite waits for somebody who reads.
const SCRUB_TRIES: usize = 50;
/// Whatever keeps rows alive that were deleted before a transaction: others at work, a standby that says what it reads
/// (with a slot or without), transactions that were prepared.
const HELD_BACK: &str = "
    SELECT 1::bigint FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL)
            AND greatest(age(backend_xid), age(backend_xmin)) > age($1::text::xid)
    UNION ALL SELECT 1 FROM pg_replication_slots WHERE age(xmin) > age($1::text::xid)
    UNION ALL SELECT 1 FROM pg_prepared_xacts WHERE age(transaction) > age($1::text::xid)";

/// A connection to a schema.
pub struct Postgres {
    server: Arc<Server>,
    schema: String,
    read_only: bool,
    open: RefCell<Option<Open>>,
    begun: Cell<bool>,
}

struct Open {
    client: Client,
    prepared: HashMap<String, Statement>,
}

impl Open {
    fn statement(&mut self, sql: &str) -> Result<Statement, postgres::Error> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql)?;
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn query(&mut self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, postgres::Error> {
        let statement = self.statement(sql)?;
        rows(&self.client.query(&statement, values)?)
    }
}

fn rows(found: &[postgres::Row]) -> Result<Vec<Row>, postgres::Error> {
    let columns = |row: &postgres::Row| (0..row.len()).map(|n| row.try_get(n)).collect::<Result<Vec<Value>, _>>();
    found.iter().map(|row| columns(row).map(Row::from)).collect()
}

impl Postgres {
    pub(super) fn writer(server: &Arc<Server>, schema: &str, create: bool, steps: &[&str]) -> Result<Self> {
        let mut client = server.connect(schema, false).map_err(plain)?;
        server.must_be_sound(&mut client)?;
        schema::bring_up(&mut client, schema, create, steps)?;
        Ok(Self::new(server, schema, false, Some(client)))
    }

    /// A connection for making schemas.
    pub(super) fn without_schema(server: &Arc<Server>) -> Result<Self> {
        let mut client = server.connect("public", false).map_err(plain)?;
        server.must_be_sound(&mut client)?;
        Ok(Self::new(server, "public", false, Some(client)))
    }

    /// A connection for reading alone, opened when it is used.
    pub(crate) fn reader(server: &Arc<Server>, schema: &str) -> Self {
        Self::new(server, schema, true, None)
    }

    fn new(server: &Arc<Server>, schema: &str, read_only: bool, client: Option<Client>) -> Self {
        Self {
            server: Arc::clone(server),
            schema: schema.to_owned(),
            read_only,
            open: RefCell::new(client.map(|client| Open { client, prepared: HashMap::new() })),
            begun: Cell::new(false),
        }
    }

    /// Works with the connection. Outside a transaction it is opened where there is none; what only reads, or only
    /// begins, is done once more if it turns out to be lost.
    fn with<T>(&self, repeatable: bool, mut work: impl FnMut(&mut Open) -> Result<T, postgres::Error>) -> Result<T> {
        let mut place = self.open.borrow_mut();
        let mut again = repeatable && !self.begun.get() && place.is_some();
        loop {
            let open = match place.as_mut() {
                Some(open) => open,
                None if self.begun.get() => bail!("The connection to PostgreSQL was lost"),
                None => {
                    let client = self.server.connect(&self.schema, self.read_only).map_err(plain)?;
                    place.insert(Open { client, prepared: HashMap::new() })
                }
            };
            let error = match work(open) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if is_lost(&error) {
                *place = None;
                if std::mem::take(&mut again) {
                    continue;
                }
            }
            return Err(plain(error));
        }
    }

    /// Takes the lock of this installation, alone or beside others; whether it could. It is held as long as the connection
    /// is.
    pub(crate) fn takes_part(&self, alone: bool) -> Result<bool> {
        let how = if alone { "" } else { "_shared" };
        let lock = format!("pg_try_advisory_lock{how}(hashtextextended('shubbak is serving', 0))");
        Ok(!self.query(&format!("SELECT 1::bigint WHERE {lock}"), &[])?.is_empty())
    }

    pub(super) fn run(&self, sql: &str) -> Result<()> {
        self.with(false, |open| open.client.batch_execute(sql))
    }

    /// Writes tables anew without what was deleted from them. A plain `VACUUM` leaves its bytes in the pages until
    /// something else is written over them; and even this one takes along what somebody may still see, so whoever began
    /// before has to be done first.
    pub(super) fn scrub(&self, tables: &[&str]) -> Result<bool> {
        let next = self.query("SELECT pg_snapshot_xmax(pg_current_snapshot())::xid::text", &[])?.pop();
        let next = next.context("The server names no transaction")?.text()?;
        let mut tries = 0..SCRUB_TRIES;
        while !self.query(HELD_BACK, values![next.as_str()])?.is_empty() {
            if tries.next().is_none() {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        self.run("SET statement_timeout TO 0")?;
        self.run(&format!("VACUUM (FULL) {}", tables.join(", ")))?;
        Ok(true)
    }

    pub(super) fn begin(&self, how: &str) -> Result<()> {
        self.with(true, |open| open.client.batch_execute(&format!("BEGIN ISOLATION LEVEL {how}")))?;
        self.begun.set(true);
        Ok(())
    }

    pub(super) fn commit(&self) -> Result<()> {
        // To `COMMIT` alone a transaction in which something failed answers as if all were well, and is rolled back. And
        // a commit that runs out of time while it waits for a standby is acknowledged without it.
        self.run("SET LOCAL statement_timeout TO 0; COMMIT")?;
        self.begun.set(false);
        Ok(())
    }

    pub(super) fn roll_back(&self) {
        if self.begun.get() && self.run("ROLLBACK").is_err() {
            *self.open.borrow_mut() = None;
        }
        self.begun.set(false);
    }

    pub(super) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64> {
        self.with(false, |open| {
            let statement = open.statement(sql)?;
            open.client.execute(&statement, &parameters(values))
        })
    }

    pub(super) fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        self.with(self.read_only, |open| open.query(sql, &parameters(values)))
    }

    pub(super) fn for_each_of(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let column = Column(values.iter().collect());
        self.with(self.read_only, |open| open.query(&sql.replace("= $1", "= ANY($1)"), &[&column]))
    }

    /// The same for a statement that is not worth preparing.
    pub(super) fn query_once(&self, sql: &str) -> Result<Vec<Row>> {
        self.with(false, |open| rows(&open.client.query(sql, &[])?))
    }

    pub(super) fn insert(&self, table: &str, columns: &[(&str, Kind)], rows: &[Vec<Value>]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let arrays: Vec<_> = columns.iter().zip(1..).map(|((_, kind), n)| format!("${n}::{}[]", name(*kind))).collect();
        let (names, arrays) = (names.join(", "), arrays.join(", "));
        let sql = format!("INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})");
        let column = |n: usize| Column(rows.iter().filter_map(|row| row.get(n)).collect());
        let columns: Vec<_> = (0..columns.len()).map(column).collect();
        let columns: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|column| column as _).collect();
        self.with(false, |open| {
            let statement = open.statement(&sql)?;
            open.client.execute(&statement, &columns)
        })
        .map(drop)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Closing says goodbye and waits, which a thread that runs tasks may not.
        if let Some(open) = self.open.take()
            && tokio::runtime::Handle::try_current().is_ok()
        {
            let _ = std::thread::Builder::new().name("closing".to_owned()).spawn(move || drop(open));
        }
    }
}

/// Whether a connection is good for nothing any more.
fn is_lost(error: &postgres::Error) -> bool {
    error.as_db_error().is_none_or(|error| {
        matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) || error.parsed_severity().is_none()
    })
}

/// What went wrong, without the details, in which values may stand.
pub(super) fn plain(error: postgres::Error) -> anyhow::Error {
    match error.as_db_error() {
        Some(said) => anyhow!("PostgreSQL says {}: {} ({})", said.severity(), said.message(), said.code().code()),
        None => match error.source() {
            Some(cause) => anyhow!("{error}: {cause}"),
            None => anyhow!("{error}"),
        },
    }
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as _).collect()
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer => "bigint",
        Kind::Text => "text",
        Kind::Blob => "bytea",
    }
}

type Failed = Box<dyn Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, r#type: &Type, out: &mut BytesMut) -> Result<IsNull, Failed> {
        match (self, r#type) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Integer(integer), &Type::INT8) => integer.to_sql(r#type, out),
            (Self::Integer(integer), &Type::INT4) => i32::try_from(*integer)?.to_sql(r#type, out),
            (Self::Text(text), &Type::TEXT) => text.to_sql(r#type, out),
            (Self::Blob(bytes), &Type::BYTEA) => bytes.to_sql(r#type, out),
            (_, other) => Err(format!("A parameter of the type {other} is given something else").into()),
        }
    }

    fn accepts(r#type: &Type) -> bool {
        matches!(*r#type, Type::INT8 | Type::INT4 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(r#type: &Type, raw: &'a [u8]) -> Result<Self, Failed> {
        match *r#type {
            Type::INT8 => Ok(Self::Integer(i64::from_sql(r#type, raw)?)),
            Type::INT4 => Ok(Self::Integer(i32::from_sql(r#type, raw)?.into())),
            Type::BYTEA => Ok(Self::Blob(raw.to_vec())),
            _ => Ok(Self::Text(String::from_sql(r#type, raw)?)),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failed> {
        Ok(Self::Null)
    }

    fn accepts(r#type: &Type) -> bool {
        <Self as ToSql>::accepts(r#type)
    }
}

/// A column of many rows, as an array.
#[derive(Debug)]
struct Column<'a>(Vec<&'a Value>);

impl ToSql for Column<'_> {
    fn to_sql(&self, r#type: &Type, out: &mut BytesMut) -> Result<IsNull, Failed> {
        self.0.to_sql(r#type, out)
    }

    fn accepts(r#type: &Type) -> bool {
        matches!(*r#type, Type::INT8_ARRAY | Type::TEXT_ARRAY | Type::BYTEA_ARRAY)
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_only_where_its_kind_belongs() {
        let mut out = BytesMut::new();
        assert!(Value::from("x").to_sql(&Type::BYTEA, &mut out).is_err());
        assert!(Value::from(i64::MAX).to_sql(&Type::INT4, &mut out).is_err());
        assert!(Value::from(&b"x"[..]).to_sql(&Type::TEXT, &mut out).is_err());
        assert!(Value::from(7_i64).to_sql(&Type::INT8, &mut out).is_ok());
    }
}
