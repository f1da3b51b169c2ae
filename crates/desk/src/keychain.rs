//! Where the wrapped file keys lie: the system's keychain.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use data_encoding::BASE64;

use crate::workstation::write_atomically;

/// Under this name the system's keychain shows our items.
const SERVICE: &str = "shubbak";

/// The keychain does not answer.
#[derive(Debug, thiserror::Error)]
#[error("The keychain does not answer: {0}")]
pub struct NoKeychain(String);

/// Keeps one small secret for each account. Calls may block.
pub trait Keychain: Send + Sync {
    /// The secret of an account, if there is one.
    fn get(&self, account: &str) -> Result<Option<Vec<u8>>, NoKeychain>;
    /// Keeps a secret in the place of the last one.
    fn set(&self, account: &str, secret: &[u8]) -> Result<(), NoKeychain>;
    /// Keeps it no longer. That there is none is no error.
    fn remove(&self, account: &str) -> Result<(), NoKeychain>;
}

/// The system's own: Windows Credential Manager, macOS Keychain, Secret Service.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemKeychain;

impl Keychain for SystemKeychain {
    fn get(&self, account: &str) -> Result<Option<Vec<u8>>, NoKeychain> {
        match keyring::v1::Entry::new(SERVICE, account).and_then(|entry| entry.get_secret()) {
            Ok(secret) => Ok(Some(secret)),
            Err(keyring::v1::Error::NoEntry) => Ok(None),
            Err(error) => Err(NoKeychain(error.to_string())),
        }
    }

    fn set(&self, account: &str, secret: &[u8]) -> Result<(), NoKeychain> {
        keyring::v1::Entry::new(SERVICE, account)
            .and_then(|entry| entry.set_secret(secret))
            .map_err(|error| NoKeychain(error.to_string()))
    }

    fn remove(&self, account: &str) -> Result<(), NoKeychain> {
        match keyring::v1::Entry::new(SERVICE, account).and_then(|entry| entry.delete_credential()) {
            Ok(()) | Err(keyring::v1::Error::NoEntry) => Ok(()),
            Err(error) => Err(NoKeychain(error.to_string())),
        }
    }
}

/// A file in the place of a keychain, for headless development and tests only: it keeps the wrapped keys beside
/// everything else, so whoever takes the disk may guess passwords at leisure.
#[derive(Debug)]
pub struct FileKeychain {
    path: PathBuf,
    turn: Mutex<()>,
}

impl FileKeychain {
    /// Keeps secrets in the file at `path`, made when the first one is kept.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), turn: Mutex::new(()) }
    }

    fn read(&self) -> Result<BTreeMap<String, String>, NoKeychain> {
        match std::fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| NoKeychain(error.to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(NoKeychain(error.to_string())),
        }
    }
}

impl Keychain for FileKeychain {
    fn get(&self, account: &str) -> Result<Option<Vec<u8>>, NoKeychain> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let items = self.read()?;
        let decode = |text: &String| BASE64.decode(text.as_bytes()).map_err(|error| NoKeychain(error.to_string()));
        items.get(account).map(decode).transpose()
    }

    fn set(&self, account: &str, secret: &[u8]) -> Result<(), NoKeychain> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut items = self.read()?;
        items.insert(account.to_owned(), BASE64.encode(secret));
        self.write(&items)
    }

    fn remove(&self, account: &str) -> Result<(), NoKeychain> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut items = self.read()?;
        if items.remove(account).is_some() {
            self.write(&items)?;
        }
        Ok(())
    }
}

impl FileKeychain {
    fn write(&self, items: &BTreeMap<String, String>) -> Result<(), NoKeychain> {
        let bytes = serde_json::to_vec_pretty(items).map_err(|error| NoKeychain(error.to_string()))?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| NoKeychain(error.to_string()))?;
        write_atomically(&self.path, &bytes).map_err(|error| NoKeychain(format!("{error:#}")))
    }
}
