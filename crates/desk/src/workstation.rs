//! What this workstation knows without a password: who signed in here, the settings of its window, and its own name.
//!
//! Nothing of a citizen stands here. Each file is written whole, to a new file that then takes the old one's place, so
//! a crash leaves the old or the new one.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use domain::ids::{Clock, Ids};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::api::{Settings, Wiped};

/// The longest label that the gateway takes for a device.
const LABEL: usize = 128;

/// An account that has signed in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Names its folder and its keychain item: random, so that two copies of a data folder on one computer do not
    /// take each other's keys.
    pub(crate) id: String,
    pub(crate) gateway: String,
    pub(crate) agency: String,
    pub(crate) username: String,
    /// Whether the person signed out: the file then opens only once the gateway has answered.
    #[serde(default)]
    pub(crate) signed_out: bool,
}

/// An account that is being removed, or was: kept until somebody signs in, so that a crash in between is made good.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Wiping {
    pub(crate) account: String,
    pub(crate) wiped: Wiped,
}

/// The folder of one installation.
#[derive(Debug)]
pub(crate) struct Workstation {
    folder: PathBuf,
}

impl Workstation {
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("Making the folder {}", folder.display()))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where an account's files lie.
    pub(crate) fn account_folder(&self, account: &Account) -> PathBuf {
        self.folder.join("accounts").join(&account.id)
    }

    /// Who signed in here, most recent first.
    pub(crate) fn accounts(&self) -> anyhow::Result<Vec<Account>> {
        Ok(self.read("accounts.json")?.unwrap_or_default())
    }

    /// Puts an account first in the list.
    pub(crate) fn remember(&self, account: &Account) -> anyhow::Result<()> {
        let mut accounts = self.accounts()?;
        accounts.retain(|other| other.id != account.id);
        accounts.insert(0, account.clone());
        self.write("accounts.json", &accounts)
    }

    /// Knows an account no more.
    pub(crate) fn forget(&self, account: &str) -> anyhow::Result<()> {
        let mut accounts = self.accounts()?;
        accounts.retain(|other| other.id != account);
        self.write("accounts.json", &accounts)
    }

    /// What had to be removed, and is still to be told or finished.
    pub(crate) fn wiping(&self) -> anyhow::Result<Option<Wiping>> {
        self.read("wiped.json")
    }

    pub(crate) fn set_wiping(&self, wiping: Option<&Wiping>) -> anyhow::Result<()> {
        match wiping {
            Some(wiping) => self.write("wiped.json", wiping),
            None => match fs::remove_file(self.folder.join("wiped.json")) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(error).context("Forgetting what was wiped")
                }
                _ => Ok(()),
            },
        }
    }

    /// Removes an account's files, those that were set aside as well.
    pub(crate) fn remove_files(&self, account: &str) -> anyhow::Result<()> {
        let folder = self.folder.join("accounts");
        let context = || format!("Removing from {}", folder.display());
        for entry in fs::read_dir(&folder).with_context(context)? {
            let entry = entry.with_context(context)?;
            if entry.file_name().to_string_lossy().starts_with(account) {
                fs::remove_dir_all(entry.path()).with_context(context)?;
            }
        }
        Ok(())
    }

    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        Ok(self.read("settings.json")?.unwrap_or_default())
    }

    pub(crate) fn set_settings(&self, settings: &Settings) -> anyhow::Result<()> {
        self.write("settings.json", settings)
    }

    /// What names this workstation at the gateway, made once: what people call the computer, and an id.
    pub(crate) fn device(&self, clock: &dyn Clock, ids: &dyn Ids) -> anyhow::Result<String> {
        if let Some(device) = self.read("device")? {
            return Ok(device);
        }
        let id = ids.next(clock.now()).to_string();
        let mut label = String::new();
        for c in gethostname::gethostname().to_string_lossy().chars().filter(|c| !c.is_control()) {
            if label.len() + c.len_utf8() + 1 + id.len() > LABEL {
                break;
            }
            label.push(c);
        }
        let device = format!("{label} {id}");
        self.write("device", &device)?;
        Ok(device)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> anyhow::Result<Option<T>> {
        let path = self.folder.join(name);
        match fs::read(&path) {
            Ok(bytes) => {
                Ok(Some(serde_json::from_slice(&bytes).with_context(|| format!("Reading {}", path.display()))?))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("Reading {}", path.display())),
        }
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> anyhow::Result<()> {
        write_atomically(&self.folder.join(name), &serde_json::to_vec_pretty(value)?)
    }
}

/// Writes a file whole or not at all, readable for its owner alone.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let context = || format!("Writing {}", path.display());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new).with_context(context)?;
    file.write_all(bytes).with_context(context)?;
    file.sync_all().with_context(context)?;
    drop(file);
    fs::rename(&new, path).with_context(context)?;
    // The new name itself has to reach the disk. Windows has no such call for folders, and needs none.
    #[cfg(unix)]
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::File::open(folder).and_then(|folder| folder.sync_all()).with_context(context)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::ids::System;

    use super::*;
    use crate::api::{Language, SendWith, TextSize, Theme};

    fn account(id: &str) -> Account {
        Account {
            id: id.into(),
            gateway: "https://gateway".into(),
            agency: "mew".into(),
            username: "lead".into(),
            signed_out: false,
        }
    }

    #[test]
    fn the_last_account_stands_first_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let workstation = Workstation::open(folder.path()).unwrap();
        for id in ["a", "b", "a"] {
            workstation.remember(&account(id)).unwrap();
        }
        assert_eq!(workstation.accounts().unwrap(), [account("a"), account("b")]);
    }

    #[test]
    fn settings_of_an_older_version_are_read_and_new_ones_kept() {
        let folder = tempfile::tempdir().unwrap();
        let workstation = Workstation::open(folder.path()).unwrap();
        assert_eq!(workstation.settings().unwrap(), Settings::default());
        fs::write(folder.path().join("settings.json"), r#"{"language": "en", "theme": "dark"}"#).unwrap();
        let before = workstation.settings().unwrap();
        assert_eq!((before.language, before.theme), (Language::En, Theme::Dark));
        assert_eq!((before.text_size, before.single_keys), (TextSize::Normal, true));
        let wanted = Settings { text_size: TextSize::Largest, send_with: SendWith::CtrlEnter, ..before };
        workstation.set_settings(&wanted).unwrap();
        assert_eq!(workstation.settings().unwrap(), wanted);
    }

    #[test]
    fn the_device_label_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = Workstation::open(folder.path()).unwrap().device(&System, &System).unwrap();
        assert!(first.len() <= LABEL && first.len() >= 36, "{first}");
        assert_eq!(Workstation::open(folder.path()).unwrap().device(&System, &System).unwrap(), first);
    }

    #[test]
    fn a_broken_list_is_an_error_and_not_an_empty_list() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("accounts.json"), "[{").unwrap();
        assert!(Workstation::open(folder.path()).unwrap().accounts().is_err());
    }
}
