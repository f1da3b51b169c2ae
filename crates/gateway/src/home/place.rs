//! Which home, and where in it.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::Server;

/// Where the journals and the deliveries of an installation are.
#[derive(Debug, Clone)]
pub enum Storage {
    /// Files in a folder.
    Sqlite(PathBuf),
    /// Schemas of a database.
    Postgres(Arc<Server>),
}

impl Storage {
    /// Where an agency's journal is: a file, or a schema, of its own.
    pub fn journal(&self, agency: &str) -> Place {
        match self {
            Self::Sqlite(folder) => Place::Sqlite(folder.join(agency).join("journal.db")),
            Self::Postgres(server) => Place::Postgres(Arc::clone(server), format!("agency_{agency}")),
        }
    }

    /// Where the ledger of erasures is, if all processes have it in the database: apart from what a restore replaces.
    pub fn ledger(&self) -> Option<Place> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(server) => Some(Place::Postgres(Arc::clone(server), "erasures".to_owned())),
        }
    }

    /// Where the deliveries are.
    pub fn deliveries(&self) -> Place {
        match self {
            Self::Sqlite(folder) => Place::Sqlite(folder.join("deliveries.db")),
            Self::Postgres(server) => Place::Postgres(Arc::clone(server), "deliveries".to_owned()),
        }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(folder) => folder.display().fmt(f),
            Self::Postgres(server) => server.fmt(f),
        }
    }
}

/// Where one set of tables is.
#[derive(Debug, Clone)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// A schema.
    Postgres(Arc<Server>, String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => file.display().fmt(f),
            Self::Postgres(server, schema) => write!(f, "the schema {schema} of {server}"),
        }
    }
}

impl<T: AsRef<Path>> From<T> for Place {
    fn from(file: T) -> Self {
        Self::Sqlite(file.as_ref().to_owned())
    }
}
