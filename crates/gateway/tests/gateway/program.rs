//! The real program, to be killed.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// The real program.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
}

impl Program {
    pub(crate) fn start(config: &Path, log: &str, stderr: Stdio) -> Self {
        Self::start_with(config, log, stderr, &[])
    }

    /// Starts it with more in its environment.
    pub(crate) fn start_with(config: &Path, log: &str, stderr: Stdio, more: &[(&str, &Path)]) -> Self {
        Self::try_start(config, log, stderr, more).unwrap()
    }

    /// The same; `None` if it ended before it served.
    pub(crate) fn try_start(config: &Path, log: &str, stderr: Stdio, more: &[(&str, &Path)]) -> Option<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_shubbak-gateway"))
            .args(["serve", "--json", "--config"])
            .arg(config)
            .env("RUST_LOG", log)
            .envs(more.iter().copied())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            child.wait().unwrap();
            return None;
        }
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        Some(Self { child, address: said["address"].as_str().unwrap().to_owned() })
    }

    /// What it says instead of serving.
    pub(crate) fn refusing(config: &Path) -> String {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_shubbak-gateway"));
        let ended = serve.args(["serve", "--config"]).arg(config).output().unwrap();
        assert!(!ended.status.success(), "it served");
        String::from_utf8(ended.stderr).unwrap()
    }

    /// The most memory that it had, in KiB.
    pub(crate) fn most_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// The memory that it has, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap()
    }

    /// How it ended by itself, if it did.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.child.try_wait().unwrap().and_then(|status| status.code())
    }

    /// Whether it has ended, however it did.
    pub(crate) fn gone(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(kill.unwrap().success());
    }

    /// SIGKILL: no handler runs.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

/// A test that fails leaves no gateway behind either.
impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
