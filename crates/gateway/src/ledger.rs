//! The ledger of erasures: outside of what `restore` replaces and of its backups' reach, so that a backup from before an
//! erasure does not bring the person back. It has ids and hashes and no personal data. `restore` reads it.
//!
//! Beside SQLite it is a file, one JSON object a line, on the disk before the erasure is committed. On PostgreSQL it is a
//! table in a schema of its own, where all processes see it, written in the erasure's own transaction. A backup takes it
//! along as such a file, so that it is not left behind where an installation moves.

use std::{
    fs::File,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use domain::ids::{ContactId, Millis};
use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    home::{Home, Place, values},
    journal::{Batch, Traces},
};

/// The table, by its versions.
const SCHEMA: &[&str] = &["CREATE TABLE ledger (n INTEGER PRIMARY KEY AUTOINCREMENT, erased TEXT NOT NULL) STRICT"];
/// From wherever the connection's own tables are.
const INSERT: &str = "INSERT INTO erasures.ledger (erased) VALUES ($1)";

/// Somebody who was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Where.
    pub agency: String,
    /// The contact with its aliases.
    pub contacts: Vec<ContactId>,
    /// Why: a reference.
    pub reason: String,
    /// When.
    pub at: Millis,
    /// By what their traces elsewhere are known.
    pub traces: Traces,
}

/// Where it is kept.
#[derive(Debug, Clone)]
pub enum Ledger {
    /// In a file, be it there already or not.
    File(PathBuf),
    /// In a table.
    Table(Place),
}

impl Ledger {
    /// That of an installation; its table is made if it is absent.
    pub fn open(config: &Config) -> Result<Self> {
        let Some(place) = config.storage.ledger() else { return Ok(Self::File(config.erasure_ledger.clone())) };
        Home::make(&place, SCHEMA).context("Making the ledger of erasures")?;
        Ok(Self::Table(place))
    }

    /// Notes an erasure that is about to be committed with a batch.
    pub fn note(&self, batch: &Batch<'_>, erased: &Erased) -> Result<()> {
        match self {
            Self::File(path) => append(path, erased),
            Self::Table(_) => insert(batch.home()?, erased),
        }
    }

    /// Adds those that it has not, to what it has; returns all.
    pub fn with(&self, more: Vec<Erased>) -> Result<Vec<Erased>> {
        let mut all = self.read()?;
        let home = match self {
            Self::File(_) => None,
            Self::Table(place) => Some(Home::writer(place, SCHEMA)?),
        };
        for erased in more {
            if !all.contains(&erased) {
                match (self, &home) {
                    (Self::File(path), _) => append(path, &erased)?,
                    (Self::Table(_), home) => home.iter().try_for_each(|home| insert(home, &erased))?,
                }
                all.push(erased);
            }
        }
        Ok(all)
    }

    /// Everybody in it, in order. What a crash has torn in a file was not committed, and is passed over.
    pub fn read(&self) -> Result<Vec<Erased>> {
        let path = match self {
            Self::File(path) => path,
            Self::Table(place) => {
                let rows = Home::reader(place)?.query("SELECT erased FROM ledger ORDER BY n", &[]);
                let rows = rows.context("Reading the ledger of erasures")?.into_iter();
                return rows.map(|mut row| Ok(serde_json::from_str(&row.text()?)?)).collect();
            }
        };
        let doing = || format!("Reading the ledger of erasures {}", path.display());
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(error).with_context(doing),
        };
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

fn insert(home: &Home, erased: &Erased) -> Result<()> {
    let doing = "Writing into the ledger of erasures";
    home.execute(INSERT, values![serde_json::to_string(erased).context(doing)?]).context(doing).map(drop)
}

/// Adds a line; returns once it is on the disk.
fn append(path: &Path, erased: &Erased) -> Result<()> {
    let doing = || format!("Writing into the ledger of erasures {}", path.display());
    // A line of its own, whatever a crash has left of the one before.
    let line = format!("\n{}\n", serde_json::to_string(erased).with_context(doing)?);
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(doing)?;
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).with_context(doing)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => crate::backup::sync_folder(folder),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erasures.jsonl");
        let ledger = Ledger::File(path.clone());
        assert_eq!(ledger.read().unwrap(), []);
        let erased = |n: u128| Erased {
            agency: "mew".into(),
            contacts: vec![ContactId(uuid::Uuid::from_u128(n))],
            reason: "1".into(),
            at: 5,
            traces: Traces { wamids: vec![[7; 32]], ..Traces::default() },
        };
        append(&path, &erased(1)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], &whole[..whole.len() / 2]].concat()).unwrap();
        assert_eq!(ledger.read().unwrap(), [erased(1)]);
        assert_eq!(ledger.with(vec![erased(1), erased(2)]).unwrap(), [erased(1), erased(2)]);
        assert_eq!(ledger.read().unwrap(), [erased(1), erased(2)]);
    }
}
