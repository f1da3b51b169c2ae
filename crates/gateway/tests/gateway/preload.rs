//! A library that stands between a real program and its disk: `disk_faults.c`, compiled by whoever needs it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// The library, and where it is told what to do and tells what was done.
pub(crate) struct Preload {
    folder: TempDir,
    library: PathBuf,
}

impl Preload {
    /// `None` where there is no C compiler, or no such way to stand between.
    pub(crate) fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        // Also where another crate's tests take this file in.
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/tests/gateway/disk_faults.c");
        let library = folder.path().join("disk_faults.so");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(&library)
            .arg(source)
            .args(["-ldl", "-lpthread"]);
        let made = cfg!(target_os = "linux") && cc.status().is_ok_and(|status| status.success());
        if !made {
            println!("Skipped: there is no C compiler to make a faulty disk with");
        }
        made.then_some(Self { folder, library })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the library has noted of what was done to the files.
    pub(crate) fn log(&self) -> PathBuf {
        self.at("log")
    }

    /// With this in its environment a program has the library between itself and the files below `data`, a path without
    /// links. What was told and noted before is forgotten.
    pub(crate) fn environment(&self, data: &Path) -> Vec<(&'static str, PathBuf)> {
        for name in ["log", "kill", "sync"] {
            let _ = std::fs::remove_file(self.at(name));
        }
        vec![
            ("LD_PRELOAD", self.library.clone()),
            ("FAULT_FOLDER", data.to_owned()),
            ("FAULT_LOG", self.log()),
            ("FAULT_KILL", self.at("kill")),
            ("FAULT_SYNC", self.at("sync")),
        ]
    }

    /// From now on fsync fails.
    pub(crate) fn fail_syncs(&self) {
        std::fs::write(self.at("sync"), "").unwrap();
    }

    /// The program dies instead of doing the n-th thing to its files from now on.
    pub(crate) fn kill_at(&self, n: usize) {
        std::fs::write(self.at("kill.part"), n.to_string()).unwrap();
        std::fs::rename(self.at("kill.part"), self.at("kill")).unwrap();
    }
}
