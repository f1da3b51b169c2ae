//! The real gateway, as a program of its own in a temporary folder.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection as Sqlite, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    load::{LINE, SECRET},
    postgres,
};

/// A storage, with its configuration.
pub(crate) struct House {
    folder: TempDir,
    program: PathBuf,
    /// The address of the database that the journal and the deliveries are in, if they are in one.
    database: Option<String>,
    /// The one-time code of the account `admin`.
    pub(crate) code: String,
}

/// Where nobody listens.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A program that serves. It ends when this value goes.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl House {
    /// Makes a storage whose replies go nowhere.
    pub(crate) fn new(program: &Path, pack: &Path) -> Result<Self> {
        Self::sending_to(program, pack, NOWHERE)
    }

    /// Makes a storage whose replies go to this Graph API.
    pub(crate) fn sending_to(program: &Path, pack: &Path, graph: &str) -> Result<Self> {
        Self::make(program, pack, graph, None)
    }

    /// Makes a storage whose journal and deliveries are in an empty database of PostgreSQL.
    pub(crate) fn on_postgres(program: &Path, pack: &Path, database: String) -> Result<Self> {
        Self::make(program, pack, NOWHERE, Some(database))
    }

    fn make(program: &Path, pack: &Path, graph: &str, database: Option<String>) -> Result<Self> {
        let folder = tempfile::tempdir().context("Making a folder")?;
        let pack = pack.canonicalize().with_context(|| format!("Finding {}", pack.display()))?;
        let journal = database.as_deref().unwrap_or("sqlite:data");
        // One machine plays every desk and Meta, so its one address needs the place of all of them.
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n\
             [limits]\nconnections_per_address = 4000\n\
             [storage]\njournal = {journal:?}\nkey_file = \"server-key\"\nrecords = \"data\"\n\
             [whatsapp]\ngraph_url = {graph:?}\napp_secret_file = \"app-secret\"\n\
             [[agency]]\nid = \"mew\"\npack = {pack:?}\n\
             [[agency.line]]\nphone_number_id = {LINE:?}\ndisplay_number = \"96522200000\"\ntoken_file = \"token\"\n"
        );
        for (name, text) in [("gateway.toml", config.as_str()), ("app-secret", SECRET), ("token", "no token")] {
            fs::write(folder.path().join(name), text).with_context(|| format!("Writing {name}"))?;
        }
        let made = Command::new(program)
            .args(["init", "--json", "--config"])
            .arg(folder.path().join("gateway.toml"))
            .stderr(Stdio::inherit())
            .output()
            .context("Running the gateway's init")?;
        ensure!(made.status.success(), "The gateway's init failed");
        let made: Value = serde_json::from_slice(&made.stdout).context("Reading what init says")?;
        let code = made.pointer("/admins/0/code").and_then(Value::as_str).context("Reading the one-time code")?;
        Ok(Self { code: code.to_owned(), program: program.to_owned(), database, folder })
    }

    /// Starts the gateway on it.
    pub(crate) fn serve(&self) -> Result<Server> {
        let mut command = Command::new(&self.program);
        command.args(["serve", "--json", "--config"]).arg(self.folder.path().join("gateway.toml"));
        Server::start(command.env("RUST_LOG", "warn"))
    }

    fn open(&self, file: &str) -> Result<Sqlite> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Sqlite::open_with_flags(self.folder.path().join("data").join(file), flags)
            .with_context(|| format!("Opening {file}"))?;
        conn.busy_timeout(Duration::from_secs(10)).context("Opening a file")?;
        conn.pragma_update(None, "query_only", true).context("Opening a file")?;
        Ok(conn)
    }

    /// How many messages of citizens are in the journal.
    pub(crate) async fn journalled(&self) -> Result<usize> {
        Ok(self.counted("message_received").await?.0)
    }

    /// How many entries of a kind are in the journal, and how many different wamids they bear.
    pub(crate) async fn counted(&self, kind: &str) -> Result<(usize, usize)> {
        let (count, distinct): (i64, i64) = match &self.database {
            None => {
                let sql = "SELECT count(*), count(DISTINCT body ->> 'wamid') FROM entries WHERE kind = ?1";
                let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
                self.open("mew/journal.db")?.query_row(sql, [kind], read).context("Counting entries")?
            }
            Some(database) => {
                let sql =
                    "SELECT count(*), count(DISTINCT body::json ->> 'wamid') FROM agency_mew.entries WHERE kind = $1";
                let row = postgres::connect(database).await?.query_one(sql, &[&kind]).await;
                let row = row.context("Counting entries")?;
                (row.try_get(0)?, row.try_get(1)?)
            }
        };
        Ok((usize::try_from(count)?, usize::try_from(distinct)?))
    }

    /// Waits until no delivery is unfinished: then all of them are in the journal.
    pub(crate) async fn settled(&self) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(300);
        let deliveries = match &self.database {
            None => Deliveries::Sqlite(self.open("deliveries.db")?),
            Some(database) => Deliveries::Postgres(postgres::connect(database).await?),
        };
        let mut first = 0;
        while Instant::now() < until {
            match deliveries.unfinished(first).await.context("Asking for unfinished deliveries")? {
                Some(n) => first = n,
                // What came before the first may have been taken over, and read once more.
                None if first > 0 => first = 0,
                None => return Ok(()),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("Deliveries are unfinished after five minutes")
    }
}

/// Where the deliveries are looked at.
enum Deliveries {
    Sqlite(Sqlite),
    Postgres(tokio_postgres::Client),
}

impl Deliveries {
    /// The first that is unfinished from a place on. From where it was the last time: PostgreSQL steps over every finished
    /// one before it each time, which costs more than what is measured.
    async fn unfinished(&self, from: i64) -> Result<Option<i64>> {
        match self {
            Self::Sqlite(conn) => {
                let sql = "SELECT min(n) FROM deliveries WHERE state = 'waiting' AND n >= ?1";
                Ok(conn.query_row(sql, [from], |row| row.get(0))?)
            }
            Self::Postgres(client) => {
                let sql = "SELECT min(n) FROM deliveries.deliveries WHERE state = 'waiting' AND n >= $1";
                Ok(client.query_one(sql, &[&from]).await?.try_get(0)?)
            }
        }
    }
}

impl Server {
    /// Starts a program that prints its address as JSON.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("Starting a server")?;
        let output = child.stdout.take();
        // From here on the program ends with this value, also if what it says makes no sense.
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut line = String::new();
        BufReader::new(output.context("Reading where a server listens")?).read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line).context("Reading where a server listens")?;
        let address = said.get("address").and_then(Value::as_str).context("Reading where a server listens")?;
        server.address = address.trim_start_matches("http://").parse().context("Reading where a server listens")?;
        Ok(server)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it in order.
    pub(crate) fn stop(mut self) -> Result<()> {
        let told = Command::new("kill").arg(self.pid().to_string()).status().context("Ending a server")?;
        ensure!(told.success() && self.child.wait()?.success(), "A server did not end in order");
        Ok(())
    }

    fn status(&self, name: &str) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .context("Reading a process's memory, which this program can on Linux alone")?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("Reading a process's memory")?;
        let kib: f64 = line.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }

    /// Its resident memory, in MiB.
    pub(crate) fn memory(&self) -> Result<f64> {
        self.status("VmRSS")
    }

    /// Of that, what is not a file's: the heap and the stacks.
    pub(crate) fn anonymous_memory(&self) -> Result<f64> {
        self.status("RssAnon")
    }

    /// The most that it ever was.
    pub(crate) fn most_memory(&self) -> Result<f64> {
        self.status("VmHWM")
    }

    /// The processor time of its threads by name, in clock ticks (1/100 s).
    pub(crate) fn threads(&self) -> Result<BTreeMap<String, u64>> {
        let mut by_name = BTreeMap::new();
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id())).context("Listing threads")? {
            // A thread may end while it is looked at.
            let Ok(stat) = fs::read_to_string(thread?.path().join("stat")) else { continue };
            let Some((head, rest)) = stat.rsplit_once(')') else { continue };
            let name = head.split_once('(').map_or("", |(_, name)| name);
            let ticks: u64 = rest.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
            *by_name.entry(name.to_owned()).or_default() += ticks;
        }
        Ok(by_name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
