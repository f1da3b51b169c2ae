//! The ledger of erasures: a file outside the storage and its backups, so that a backup from before an erasure does not
//! bring the person back. One JSON object a line, on the disk before the erasure is committed; it has ids and hashes and
//! no personal data. `restore` reads it.

use std::{
    fs::File,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use domain::ids::{ContactId, Millis};
use serde::{Deserialize, Serialize};

use crate::journal::Traces;

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

/// The file.
#[derive(Debug, Clone)]
pub struct Ledger(PathBuf);

impl Ledger {
    /// The ledger at a path, be it there already or not.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Adds a line; returns once it is on the disk.
    pub fn append(&self, erased: &Erased) -> Result<()> {
        let doing = || format!("Writing into the ledger of erasures {}", self.0.display());
        // A line of its own, whatever a crash has left of the one before.
        let line = format!("\n{}\n", serde_json::to_string(erased).with_context(doing)?);
        let mut options = File::options();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.0).with_context(doing)?;
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).with_context(doing)?;
        match self.0.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => crate::backup::sync_folder(folder),
            _ => Ok(()),
        }
    }

    /// Every line. What a crash has torn was not committed, and is passed over.
    pub fn read(&self) -> Result<Vec<Erased>> {
        let doing = || format!("Reading the ledger of erasures {}", self.0.display());
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(error).with_context(doing),
        };
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erasures.jsonl");
        let ledger = Ledger::at(&path);
        assert_eq!(ledger.read().unwrap(), []);
        let erased = |n: u128| Erased {
            agency: "mew".into(),
            contacts: vec![ContactId(uuid::Uuid::from_u128(n))],
            reason: "1".into(),
            at: 5,
            traces: Traces { wamids: vec![[7; 32]], ..Traces::default() },
        };
        ledger.append(&erased(1)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], &whole[..whole.len() / 2]].concat()).unwrap();
        assert_eq!(ledger.read().unwrap(), [erased(1)]);
        ledger.append(&erased(2)).unwrap();
        assert_eq!(ledger.read().unwrap(), [erased(1), erased(2)]);
    }
}
