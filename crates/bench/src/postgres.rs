//! A server of PostgreSQL of the benchmark's own, from Debian's package, with that package's settings: it listens on a
//! socket in a temporary folder alone, and ends with this value.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::processes;

/// A server that runs.
pub(crate) struct Postgres {
    folder: TempDir,
    user: Option<(u32, u32)>,
}

impl Postgres {
    /// Makes one and starts it.
    pub(crate) fn start() -> Result<Self> {
        // A socket's path may have 107 bytes.
        let folder = tempfile::Builder::new().prefix("pg").tempdir().context("Making a folder")?;
        let server = Self { folder, user: user()? };
        if let Some((user, group)) = server.user {
            chown(server.folder(), Some(user), Some(group)).context("Giving PostgreSQL its folder")?;
        }
        let (data, log) = (server.folder().join("data"), server.folder().join("log"));
        let made = ["-U", "shubbak", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"];
        server.run(Command::new(program("initdb")?).args(made).arg(&data))?;
        let options = format!("-k {} -c listen_addresses=''", server.folder().display());
        let mut start = Command::new(program("pg_ctl")?);
        start.args(["-w", "-s", "-o", &options, "-l"]).arg(log).arg("-D").arg(data).arg("start");
        server.run(&mut start)?;
        Ok(server)
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The processor time that its processes have had, in clock ticks (1/100 s).
    pub(crate) fn processor_time(&self) -> Result<u64> {
        let said = fs::read_to_string(self.folder().join("data/postmaster.pid")).context("Finding PostgreSQL")?;
        let first = said.lines().next().and_then(|pid| pid.parse().ok()).context("Finding PostgreSQL")?;
        Ok(processes::processor_time(&processes::tree(first)?))
    }

    fn run(&self, command: &mut Command) -> Result<()> {
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        let program = command.get_program().display().to_string();
        let status = command.status().with_context(|| format!("Running {program}"))?;
        ensure!(status.success(), "{program} failed ({status})");
        Ok(())
    }

    /// Makes a database.
    pub(crate) async fn database(&self, name: &str) -> Result<()> {
        let made = connect(&self.address("postgres")).await?.batch_execute(&format!("CREATE DATABASE {name}")).await;
        made.context("Making a database")
    }

    /// The address of a database, as a gateway is told it.
    pub(crate) fn address(&self, database: &str) -> String {
        format!("postgres://shubbak@{}/{database}", self.folder().display().to_string().replace('/', "%2F"))
    }
}

/// A connection to the database at an address.
pub(crate) async fn connect(address: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await.context("Connecting to PostgreSQL")?;
    tokio::spawn(connection);
    Ok(client)
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder().join("data");
        if let Ok(program) = program("pg_ctl") {
            let _ = self.run(Command::new(program).args(["-m", "immediate", "-w", "-s", "stop", "-D"]).arg(data));
        }
    }
}

/// A program of the newest version that is installed.
fn program(name: &str) -> Result<PathBuf> {
    let missing = "Finding PostgreSQL's programs, from Debian's package postgresql";
    let versions = fs::read_dir("/usr/lib/postgresql").context(missing)?;
    let mut found: Vec<_> = versions.filter_map(|version| Some(version.ok()?.path().join("bin").join(name))).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().context(missing)
}

/// Who runs it: not root, which it refuses.
fn user() -> Result<Option<(u32, u32)>> {
    let id = |arguments: &[&str]| -> Result<u32> {
        let said = Command::new("id").args(arguments).stderr(Stdio::null()).output().context("Asking for a user")?;
        String::from_utf8_lossy(&said.stdout).trim().parse().context("Asking for a user")
    };
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    Ok(Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?)))
}
