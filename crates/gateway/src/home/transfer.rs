//! Tables from one home to the other, whole: what a backup of PostgreSQL and a restore into it consist of.
//!
//! Which tables and columns there are is read from the file, which has the same schema.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use rusqlite::{Connection, params_from_iter};

use super::{Kind, Place, Postgres, Server, Sqlite, schema, sqlite::value, values};
use crate::sqlite;

/// Rows that are copied at once. A delivery may have four megabytes.
const PAGE: usize = 100;

/// A table with its columns.
struct Table {
    name: String,
    columns: Vec<(String, Kind)>,
}

impl Table {
    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Copies tables as they stand at one moment, while others write to them, into a file that is made.
pub fn copy_out(from: &Place, steps: &[&str], to: &Path) -> Result<()> {
    let (server, schema) = match from {
        Place::Sqlite(file) => return sqlite::copy(file, to),
        Place::Postgres(server, schema) => (server, schema),
    };
    let doing = || format!("Copying {from} to {}", to.display());
    let part = to.with_extension("part");
    drop(Sqlite::writer(&part, true, steps).with_context(doing)?);
    let mut file = sqlite::writer(&part, false)?;
    let home = Postgres::reader(server, schema);
    home.begin("REPEATABLE READ READ ONLY").with_context(doing)?;
    let into = file.transaction().with_context(doing)?;
    for table in tables(&into).with_context(doing)? {
        let doing = || format!("Copying the table {} of {from}", table.name);
        home.run(&format!("DECLARE page NO SCROLL CURSOR FOR SELECT {} FROM {}", table.names(), table.name))
            .with_context(doing)?;
        let places = vec!["?"; table.columns.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({places})", table.name, table.names());
        let mut insert = into.prepare(&sql).with_context(doing)?;
        loop {
            let rows = home.query_once(&format!("FETCH {PAGE} FROM page")).with_context(doing)?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                insert.execute(params_from_iter(row.into_values())).with_context(doing)?;
            }
        }
        home.run("CLOSE page").with_context(doing)?;
    }
    into.commit().with_context(doing)?;
    home.roll_back();
    drop(file);
    // Once more, as one file and down to the disk.
    sqlite::copy(&part, to)?;
    std::fs::remove_file(&part).with_context(|| format!("Removing {}", part.display()))
}

/// Whether any of these schemas is there.
pub fn is_there(places: &[Place]) -> Result<bool> {
    for place in places {
        let Place::Postgres(server, schema) = place else { bail!("{place} is no schema") };
        let sql = "SELECT nspname::text FROM pg_namespace WHERE nspname = $1::text";
        if !Postgres::reader(server, "public").query(sql, values![schema.as_str()])?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Copies files into schemas that are made, all of them or none.
pub fn copy_in(files: &[(PathBuf, Place, &[&str])], server: &Arc<Server>) -> Result<()> {
    let home = Postgres::without_schema(server)?;
    home.begin("READ COMMITTED")?;
    home.run("SET LOCAL statement_timeout TO 0; SET LOCAL idle_in_transaction_session_timeout TO 0")?;
    for (file, place, steps) in files {
        let Place::Postgres(_, schema) = place else { bail!("{place} is no schema") };
        let doing = || format!("Copying {} into {place}", file.display());
        home.run(&schema::made(schema, steps)).with_context(doing)?;
        let file = sqlite::reader(file)?;
        for table in tables(&file).with_context(doing)? {
            copy_table(&file, &home, &table).with_context(doing)?;
        }
    }
    home.commit().context("Committing what was copied")
}

fn copy_table(from: &Connection, home: &Postgres, table: &Table) -> Result<()> {
    let mut select = from.prepare(&format!("SELECT {} FROM {}", table.names(), table.name))?;
    let mut rows = select.query([])?;
    let columns: Vec<_> = table.columns.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    let mut page = Vec::new();
    while let Some(row) = rows.next()? {
        page.push((0..columns.len()).map(|n| value(row.get_ref(n)?)).collect::<Result<Vec<_>>>()?);
        if page.len() == PAGE {
            home.insert(&table.name, &columns, &page)?;
            page.clear();
        }
    }
    home.insert(&table.name, &columns, &page)?;
    // New rows are numbered after those that came.
    if table.columns.iter().any(|(name, _)| name == "n") {
        let name = &table.name;
        home.run(&format!(
            "SELECT setval(pg_get_serial_sequence('{name}', 'n'), (SELECT coalesce(max(n), 0) + 1 FROM {name}), false)"
        ))?;
    }
    Ok(())
}

/// The tables of a file.
fn tables(file: &Connection) -> Result<Vec<Table>> {
    let mut names = file.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")?;
    let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let table = |name: String| {
        let mut columns = file.prepare("SELECT name, type FROM pragma_table_info(?1)")?;
        let columns = columns.query_map([&name], |row| {
            let kind = match row.get::<_, String>(1)?.as_str() {
                "INTEGER" => Kind::Integer,
                "BLOB" => Kind::Blob,
                _ => Kind::Text,
            };
            Ok((row.get(0)?, kind))
        })?;
        Ok(Table { columns: columns.collect::<Result<_, rusqlite::Error>>()?, name })
    };
    names.into_iter().map(table).collect()
}
