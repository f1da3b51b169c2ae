//! The gateway on a disk with faults, and what lies on it when the power goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::{house::House, preload::Preload, program::Program};

/// A disk with faults.
pub(crate) struct DiskFaults {
    preload: Preload,
    forget: Option<&'static str>,
}

impl DiskFaults {
    /// `None` where there is no way to stand between.
    pub(crate) fn new() -> Option<Self> {
        Some(Self { preload: Preload::new()?, forget: None })
    }

    /// What is synced to files that end like this one counts as never synced.
    pub(crate) fn forget(&mut self, end: &'static str) {
        self.forget = Some(end);
    }

    /// The gateway, with the library in between. What was told and noted before is forgotten.
    pub(crate) fn start(&self, house: &House, stderr: Stdio) -> Program {
        self.try_start(house, None, stderr).unwrap()
    }

    /// The same, and it dies instead of doing the n-th thing to its files; `None` if it did so before it served.
    pub(crate) fn start_to_die(&self, house: &House, n: usize) -> Option<Program> {
        self.try_start(house, Some(n), Stdio::inherit())
    }

    fn try_start(&self, house: &House, dies_at: Option<usize>, stderr: Stdio) -> Option<Program> {
        let environment = self.preload.environment(&house.folder.path().canonicalize().unwrap().join("data"));
        if let Some(n) = dies_at {
            self.kill_at(n);
        }
        let mut more: Vec<(&str, &Path)> = environment.iter().map(|(name, value)| (*name, value.as_path())).collect();
        more.extend(self.forget.map(|end| ("FAULT_FORGET", Path::new(end))));
        Program::try_start(&house.config, "error", stderr, &more)
    }

    /// From now on fsync fails.
    pub(crate) fn fail_syncs(&self) {
        self.preload.fail_syncs();
    }

    /// The program dies instead of doing the n-th thing to its files from now on.
    pub(crate) fn kill_at(&self, n: usize) {
        self.preload.kill_at(n);
    }

    /// What was done to the files since the program's start.
    fn log(&self) -> Vec<Deed> {
        let bytes = std::fs::read(self.preload.log()).unwrap_or_default();
        let mut rest = bytes.as_slice();
        std::iter::from_fn(|| Deed::read(&mut rest)).collect()
    }
}

/// One thing that was done to a file.
struct Deed {
    what: char,
    path: PathBuf,
    at: usize,
    data: Vec<u8>,
}

impl Deed {
    /// The next; a last one that is not whole was never done.
    fn read(rest: &mut &[u8]) -> Option<Self> {
        let (head, after) = rest.split_at_checked(32)?;
        let number = |n: usize| usize::try_from(u64::from_ne_bytes(head[n * 8..][..8].try_into().unwrap())).unwrap();
        let (path, after) = after.split_at_checked(number(1))?;
        let (data, after) = after.split_at_checked(number(3))?;
        *rest = after;
        let what = char::from(u8::try_from(number(0)).unwrap());
        let path = PathBuf::from(String::from_utf8(path.to_vec()).unwrap());
        Some(Self { what, path, at: number(2), data: data.to_vec() })
    }
}

/// The files of a storage, as they lie on the disk.
#[derive(Clone)]
pub(crate) struct Image(BTreeMap<PathBuf, Vec<u8>>);

/// What becomes of what was written and not synced, when the power goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Unsynced {
    Lost,
    Kept,
    /// Some sectors, in any order.
    Torn,
}

const SECTOR: usize = 512;

impl Image {
    /// What lies in a house's storage, while no gateway runs.
    pub(crate) fn take(house: &House) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![house.folder.path().canonicalize().unwrap().join("data")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.to_string_lossy().ends_with("-shm") {
                    files.insert(path.clone(), std::fs::read(path).unwrap());
                }
            }
        }
        Self(files)
    }

    /// Puts it back.
    pub(crate) fn put(&self, house: &House) {
        let mut there = Self::take(house).0;
        there.retain(|path, _| !self.0.contains_key(path));
        for path in there.keys() {
            std::fs::remove_file(path).unwrap();
        }
        for (path, content) in &self.0 {
            std::fs::write(path, content).unwrap();
            let _ = std::fs::remove_file(format!("{}-shm", path.to_string_lossy().trim_end_matches("-wal")));
        }
    }

    /// What lies on the disk when the power goes after all that the library has noted: what was synced, and of the rest
    /// what `fate` says. A new file, or the end of one, lasts once its folder was synced.
    pub(crate) fn after_power_cut(mut self, faults: &DiskFaults, fate: Unsynced, chance: &mut fastrand::Rng) -> Self {
        let mut pending: Vec<Deed> = vec![];
        let mut named: BTreeSet<PathBuf> = self.0.keys().cloned().collect();
        for deed in faults.log() {
            if deed.what != 's' {
                pending.push(deed);
                continue;
            }
            let mut rest = vec![];
            for done in pending {
                if done.what == 'u' && done.path.parent() == Some(&deed.path) {
                    named.remove(&done.path);
                    self.0.remove(&done.path);
                } else if done.what != 'u' && done.path == deed.path {
                    self.apply(&done, |_| true);
                } else {
                    rest.push(done);
                }
            }
            pending = rest;
            named.extend(self.0.keys().filter(|path| path.parent() == Some(&deed.path)).cloned());
        }
        for deed in pending {
            match fate {
                Unsynced::Lost => {}
                Unsynced::Kept => self.apply(&deed, |_| true),
                Unsynced::Torn => self.apply(&deed, |_| chance.bool()),
            }
        }
        if fate != Unsynced::Kept {
            self.0.retain(|path, _| named.contains(path) || fate == Unsynced::Torn && chance.bool());
        }
        self
    }

    fn apply(&mut self, deed: &Deed, mut reaches: impl FnMut(usize) -> bool) {
        match deed.what {
            'u' => {
                if reaches(0) {
                    self.0.remove(&deed.path);
                }
            }
            't' => {
                if reaches(0) {
                    self.0.entry(deed.path.clone()).or_default().resize(deed.at, 0);
                }
            }
            'w' => {
                let file = self.0.entry(deed.path.clone()).or_default();
                for (sector, data) in deed.data.chunks(SECTOR).enumerate().filter(|(sector, _)| reaches(*sector)) {
                    let at = deed.at + sector * SECTOR;
                    if file.len() < at + data.len() {
                        file.resize(at + data.len(), 0);
                    }
                    file[at..at + data.len()].copy_from_slice(data);
                }
            }
            other => panic!("{other:?} is nothing that the library notes"),
        }
    }
}
