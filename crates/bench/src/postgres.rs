//! A server of PostgreSQL of the benchmark's own, from Debian's package, with that package's settings: it listens on a
//! socket in a temporary folder alone, and ends with this value.

use std::{
    fs,
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
    /// PostgreSQL refuses to run as root: then the package's own user runs it.
    as_its_user: bool,
}

impl Postgres {
    /// Makes one and starts it.
    pub(crate) fn start() -> Result<Self> {
        // A socket's path may have 107 bytes.
        let folder = tempfile::Builder::new().prefix("pg").tempdir().context("Making a folder")?;
        let server = Self { folder, as_its_user: is_root()? };
        if server.as_its_user {
            run(Command::new("chown").arg("postgres:postgres").arg(server.folder()))?;
        }
        let (data, log) = (server.folder().join("data"), server.folder().join("log"));
        let made = ["-U", "shubbak", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"];
        run(server.command("initdb")?.args(made).arg(&data))?;
        let options = format!("-k {} -c listen_addresses=''", server.folder().display());
        let mut start = server.command("pg_ctl")?;
        run(start.args(["-w", "-s", "-o", &options, "-l"]).arg(log).arg("-D").arg(data).arg("start"))?;
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

    /// One of its programs, run by whom it has to be.
    fn command(&self, name: &str) -> Result<Command> {
        let program = program(name)?;
        if !self.as_its_user {
            return Ok(Command::new(program));
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
        Ok(command)
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
        if let Ok(mut stop) = self.command("pg_ctl") {
            let _ = run(stop.args(["-m", "immediate", "-w", "-s", "stop", "-D"]).arg(data));
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

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let status = command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.with_context(|| format!("Running {program}"))?;
    ensure!(status.success(), "{program} failed ({status})");
    Ok(())
}

fn is_root() -> Result<bool> {
    let said = Command::new("id").arg("-u").output().context("Asking who runs this")?;
    Ok(said.stdout.trim_ascii() == b"0")
}
