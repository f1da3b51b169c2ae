//! PostgreSQL from Debian's package, for tests: started by the first that needs it, and ended once none does any more.

use std::{
    fs::File,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use tempfile::TempDir;

use crate::house::uuid;

tokio::task_local! {
    /// Within this, houses are set up on PostgreSQL.
    pub(crate) static HERE: ();
}

/// The same tests on both homes.
macro_rules! on_both_homes {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name().await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::postgres::HERE.scope((), super::$name()).await;
            })*
        }
    };
}
pub(crate) use on_both_homes;

/// On a thread of its own: whoever waits for PostgreSQL may not be running tasks.
pub(crate) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

/// Programs of the newest version that is installed.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("Debian's package postgresql is missing");
    let mut found: Vec<_> = versions.map(|entry| entry.unwrap().path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().expect("Debian's package postgresql is missing")
}

/// Who runs it: not root, which it refuses.
fn user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    ["postgres", "nobody"].iter().find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)))
}

fn run(name: &str, arguments: &[&str]) {
    let mut command = Command::new(program(name));
    command.args(arguments).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some((user, group)) = user() {
        command.uid(user).gid(group);
    }
    assert!(command.status().unwrap().success(), "{name} {arguments:?}");
}

/// Makes a server in a folder, unless there is one, and starts it. It listens on a socket in the folder alone.
pub(crate) fn start(folder: &Path) {
    start_with(folder, "-c listen_addresses=''");
}

fn start_with(folder: &Path, more: &str) {
    if let Some((user, group)) = user() {
        chown(folder, Some(user), Some(group)).unwrap();
    }
    let (data, log) = (folder.join("data"), folder.join("log"));
    let (data, log, socket) = (data.to_str().unwrap(), log.to_str().unwrap(), folder.to_str().unwrap());
    let fresh = !Path::new(data).join("PG_VERSION").exists();
    if fresh {
        run("initdb", &["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
    }
    let options = format!("-k {socket} -c max_connections=200 -c shared_buffers=64MB -c max_wal_size=256MB {more}");
    run("pg_ctl", &["-D", data, "-w", "-s", "-l", log, "-o", &options, "start"]);
    if fresh {
        apart(|| admin(folder).batch_execute("CREATE ROLE shubbak LOGIN").unwrap());
    }
}

/// The server's first process.
pub(crate) fn pid(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    text.lines().next().unwrap().to_owned()
}

fn admin(folder: &Path) -> postgres::Client {
    let socket = folder.to_str().unwrap();
    postgres::Client::connect(&format!("host={socket} user=postgres dbname=postgres"), postgres::NoTls).unwrap()
}

/// A connection to the database of that name (as the last word of what a server is called) on the shared server.
pub(crate) fn client(called: &str) -> postgres::Client {
    let name = called.split_whitespace().nth(2).unwrap();
    let socket = shared().to_str().unwrap();
    postgres::Client::connect(&format!("host={socket} user=postgres dbname={name}"), postgres::NoTls).unwrap()
}

/// That database's files, with everything in them that the server has in memory: its own tables are left out, but for the
/// one with samples of what is in others.
pub(crate) fn files(called: &str) -> Vec<PathBuf> {
    let mut client = client(called);
    client.batch_execute("CHECKPOINT").unwrap();
    let sql = "SELECT oid::text FROM pg_database WHERE datname = current_database()";
    let oid: String = client.query_one(sql, &[]).unwrap().get(0);
    let sql = "SELECT pg_relation_filepath(oid) FROM pg_class WHERE oid < 16384
               AND relname NOT IN ('pg_statistic', 'pg_toast_2619') AND pg_relation_filepath(oid) IS NOT NULL";
    let own: Vec<PathBuf> =
        client.query(sql, &[]).unwrap().iter().map(|row| shared().join("data").join(row.get::<_, &str>(0))).collect();
    let all = std::fs::read_dir(shared().join("data/base").join(oid)).unwrap();
    let all = all.map(|entry| entry.unwrap().path());
    // Beside a table's file lie others, as `NAME_fsm`.
    let table =
        |path: &PathBuf| path.with_file_name(path.file_name().unwrap().to_str().unwrap().split('_').next().unwrap());
    all.filter(|path| !own.contains(&table(path))).collect()
}

/// A new database on a server; its address.
pub(crate) fn database(folder: &Path) -> String {
    let name = format!("t{}", uuid().replace('-', ""));
    apart(|| admin(folder).batch_execute(&format!("CREATE DATABASE {name} OWNER shubbak")).unwrap());
    format!("postgres://shubbak@{}/{name}", folder.to_str().unwrap().replace('/', "%2F"))
}

/// The folder of the server that every test of this run shares.
pub(crate) fn shared() -> &'static Path {
    static SHARED: OnceLock<(PathBuf, File)> = OnceLock::new();
    let (folder, _) = SHARED.get_or_init(|| {
        // One for each checkout; a socket's path may have 107 bytes.
        let checkout =
            env!("CARGO_MANIFEST_DIR").bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
        let folder = std::env::temp_dir().join(format!("shubbak-postgres-{checkout:x}"));
        std::fs::create_dir_all(&folder).unwrap();
        // Held by this process until it ends, in whatever way.
        let using = File::create(folder.join("using")).unwrap();
        using.lock_shared().unwrap();
        let starting = File::create(folder.join("starting")).unwrap();
        starting.lock().unwrap();
        if postgres::Client::connect(
            &format!("host={} user=shubbak dbname=postgres", folder.to_str().unwrap()),
            postgres::NoTls,
        )
        .is_err()
        {
            let _ = std::fs::remove_dir_all(folder.join("data"));
            start(&folder);
            end_when_unused(&folder);
        }
        (folder, using)
    });
    folder
}

/// Leaves somebody behind who ends the server once nobody uses it, also after a test that failed or was killed.
fn end_when_unused(folder: &Path) {
    let script = "while sleep 5; do flock -n \"$0/using\" sh -c 'kill -QUIT $1; sleep 1; rm -rf \"$0/data\"' \"$0\" \"$1\" \
                  && exit; kill -0 $1 || exit; done";
    let mut left = Command::new("setsid");
    left.args(["--fork", "sh", "-c", script]).arg(folder).arg(pid(folder));
    left.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(left.status().unwrap().success());
}

/// A server of a test's own, which may be killed.
pub(crate) struct Own {
    folder: TempDir,
}

impl Own {
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap();
        start(folder.path());
        Self { folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `kill -9`, of all its processes.
    pub(crate) fn kill(&self) {
        let pid = pid(self.folder());
        let children = Command::new("pgrep").args(["-P", &pid]).output().unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        let all = [pid.as_str()].into_iter().chain(children.split_whitespace());
        assert!(Command::new("kill").arg("-9").args(all.clone()).status().is_ok());
        // It has to be gone before another one starts.
        for pid in all {
            while Path::new("/proc").join(pid).exists() {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// Starts again with TLS, and listens for nothing else on a port of this machine, which is returned.
    pub(crate) fn speak_tls(&self, cert: &str, key: &str) -> u16 {
        self.kill();
        let data = self.folder().join("data");
        for (name, text) in [
            ("server.crt", cert),
            ("server.key", key),
            ("pg_hba.conf", "local all all trust\nhostssl all all samehost trust\n"),
        ] {
            let path = data.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            if let Some((user, group)) = user() {
                chown(&path, Some(user), Some(group)).unwrap();
            }
        }
        let _ = std::fs::remove_file(data.join("postmaster.pid"));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        start_with(self.folder(), &format!("-c listen_addresses=127.0.0.1 -c port={port} -c ssl=on"));
        port
    }

    pub(crate) fn start_again(&self) {
        let _ = std::fs::remove_file(self.folder().join("data/postmaster.pid"));
        start(self.folder());
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let text = std::fs::read_to_string(self.folder().join("data/postmaster.pid")).unwrap_or_default();
        if let Some(pid) = text.lines().next() {
            let _ = Command::new("kill").args(["-QUIT", pid]).status();
            for _ in 0..200 {
                if !Path::new("/proc").join(pid).exists() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}
