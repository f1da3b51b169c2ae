//! `[storage]`: which home, and how it is reached.

use std::{path::PathBuf, sync::Arc};

use serde::Deserialize;

use super::{Check, Secret, media::S3File};
use crate::{
    home::{Server, Storage},
    keys,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StorageFile {
    journal: String,
    key_file: Option<PathBuf>,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    ca_file: Option<PathBuf>,
    pub(super) media: Option<String>,
    pub(super) s3: Option<S3File>,
    pub(super) records: PathBuf,
    pub(super) erasure_ledger: Option<PathBuf>,
}

impl Check {
    /// Where the journals and the server's key are; `None` if that is a problem.
    pub(super) fn storage(&mut self, file: StorageFile) -> Option<(Storage, PathBuf)> {
        let key_file = file.key_file.map(|path| self.folder.join(path));
        match file.journal.split_once(':') {
            Some(("sqlite", folder)) if !folder.is_empty() => {
                let folder = self.folder.join(folder);
                let key_file = key_file.unwrap_or_else(|| folder.join(keys::FILE));
                if file.password_file.is_some() || file.password_env.is_some() || file.ca_file.is_some() {
                    self.wrong("[storage] password_file, password_env and ca_file are for PostgreSQL, not for SQLite");
                }
                Some((Storage::Sqlite(folder), key_file))
            }
            Some(("postgres" | "postgresql", _)) => {
                let password = self.secret("[storage] password", file.password_file, file.password_env);
                let ca = file.ca_file.map(|path| self.folder.join(path));
                let server = Server::new(&file.journal, password.as_ref().map(Secret::expose), ca.as_deref());
                if key_file.is_none() {
                    self.wrong(
                        "[storage] key_file: with PostgreSQL it has to be given, since every process has the same key",
                    );
                }
                match server {
                    Ok(server) => Some((Storage::Postgres(Arc::new(server)), key_file?)),
                    Err(error) => {
                        self.wrong(format!("[storage] journal = {:?}: {error:#}", redacted(&file.journal)));
                        None
                    }
                }
            }
            _ => {
                self.wrong(format!(
                    "[storage] journal = {:?} is neither of the form \"sqlite:FOLDER\" nor \"postgres://USER@HOST/DATABASE\"",
                    redacted(&file.journal)
                ));
                None
            }
        }
    }
}

/// An address that may bear a password, without what follows its scheme.
fn redacted(address: &str) -> String {
    address.split_once("://").map_or_else(|| address.to_owned(), |(scheme, _)| format!("{scheme}://…"))
}
