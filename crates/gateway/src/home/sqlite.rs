//! A file of SQLite as a home.

use std::path::Path;

use anyhow::{Context, Result};
use records::migration;
use rusqlite::{
    Connection, Statement, ToSql, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

use super::{Insert, Row, Value};
use crate::sqlite;

/// A connection to a file.
pub struct Sqlite(Connection);

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(integer) => ValueRef::Integer(*integer),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Sqlite {
    pub(super) fn writer(path: &Path, create: bool, steps: &[&str]) -> Result<Self> {
        let mut conn = sqlite::writer(path, create)?;
        migration::migrate(&mut conn, steps).with_context(|| format!("Opening {}", path.display()))?;
        Ok(Self(conn))
    }

    pub(super) fn reader(path: &Path) -> Result<Self> {
        Ok(Self(sqlite::reader(path)?))
    }

    pub(super) fn scrub(&self) -> Result<bool> {
        Ok(records::erasure::scrub(&self.0)?)
    }

    pub(super) fn run(&self, sql: &str) -> Result<()> {
        Ok(self.0.prepare_cached(sql)?.execute([]).map(drop)?)
    }

    pub(super) fn roll_back(&self) {
        // Where nothing is begun, or an error has ended it already, this fails and means nothing.
        let _ = self.0.execute_batch("ROLLBACK");
    }

    pub(super) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64> {
        let touched = self.0.prepare_cached(sql)?.execute(params_from_iter(values))?;
        Ok(u64::try_from(touched)?)
    }

    pub(super) fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        let mut found = Vec::new();
        collect(&mut *self.0.prepare_cached(sql)?, values, &mut found)?;
        Ok(found)
    }

    pub(super) fn insert(&self, into: Insert, rows: &[Vec<Value>]) -> Result<()> {
        let columns: Vec<_> = into.columns.iter().map(|(name, _)| *name).collect();
        let places = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({places})", into.table, columns.join(", "));
        let mut insert = self.0.prepare_cached(&sql)?;
        for row in rows {
            insert.execute(params_from_iter(row))?;
        }
        Ok(())
    }

    pub(super) fn for_each_of(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        let (mut select, mut found) = (self.0.prepare_cached(sql)?, Vec::new());
        for value in values {
            collect(&mut select, std::slice::from_ref(value), &mut found)?;
        }
        Ok(found)
    }
}

fn collect(select: &mut Statement<'_>, values: &[Value], into: &mut Vec<Row>) -> Result<()> {
    let columns = select.column_count();
    let mut rows = select.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|column| value(row.get_ref(column)?)).collect::<Result<Vec<_>>>()?;
        into.push(values.into());
    }
    Ok(())
}

pub(super) fn value(found: ValueRef<'_>) -> Result<Value> {
    Ok(match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        // Text that was damaged is handed out all the same: whoever verifies it has to see it.
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => Value::Blob(text.to_vec()),
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        ValueRef::Real(_) => anyhow::bail!("A column holds a number with a fraction"),
    })
}
