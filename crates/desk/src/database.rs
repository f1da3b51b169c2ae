//! One encrypted SQLite file: one thread that writes, a few connections that only read.
//!
//! SQLite lets one connection write at a time; a thread of its own makes that a queue instead of a lock that is fought
//! for, and keeps blocking calls out of the async tasks. Readers see the last commit and never wait for the writer
//! (WAL). A pool that checks each connection before handing it out was rejected: it costs more than most queries.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, bail};
use records::Records;
use rusqlite::{Connection, OpenFlags, OptionalExtension, ffi};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::key::FileKey;

/// How many connections read at once.
const READERS: usize = 3;
/// How many writes may queue before the asker waits.
const QUEUE: usize = 64;

/// What lies in a file: plain tables, or records.
pub(crate) trait Contents: Send + Sized + 'static {
    /// Takes the connection that writes, and brings the tables up to date.
    fn writing(connection: Connection) -> anyhow::Result<Self>;
    /// Takes a connection that only reads.
    fn reading(connection: Connection) -> anyhow::Result<Self>;
    /// The connection.
    fn connection(&self) -> &Connection;
}

/// The records are rebuildable: what a power cut takes back, sync brings again.
impl Contents for Records {
    fn writing(connection: Connection) -> anyhow::Result<Self> {
        Ok(Self::open_searchable(connection)?)
    }

    fn reading(connection: Connection) -> anyhow::Result<Self> {
        Ok(Self::read_only(connection)?)
    }

    fn connection(&self) -> &Connection {
        self.connection()
    }
}

type Work<C> = Box<dyn FnOnce(&mut C) + Send>;

/// What the writer is handed.
enum Job<C> {
    /// Something to write.
    Work(Work<C>),
    /// The end. Waiting for the last sender to be dropped instead would wait for tasks that wait for this thread.
    Stop,
}

/// An open file.
pub(crate) struct Database<C> {
    jobs: Mutex<Option<mpsc::Sender<Job<C>>>>,
    readers: Arc<Readers<C>>,
    damage: watch::Sender<bool>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
}

struct Readers<C> {
    free: Mutex<Vec<C>>,
    permits: Semaphore,
}

impl<C: Contents> Database<C> {
    /// Opens or makes the file at `path`.
    pub(crate) fn open(path: &Path, key: &FileKey) -> anyhow::Result<Self> {
        let context = || format!("Opening {}", path.display());
        let writing = Connection::open(path).with_context(context)?;
        unlock(&writing, key).with_context(context)?;
        let mut writing = C::writing(writing).with_context(context)?;

        let mut free = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let reading = Connection::open_with_flags(path, flags).with_context(context)?;
            unlock(&reading, key).with_context(context)?;
            reading.execute_batch("PRAGMA query_only = ON").with_context(context)?;
            free.push(C::reading(reading).with_context(context)?);
        }

        let (jobs, mut queue) = mpsc::channel::<Job<C>>(QUEUE);
        let writer = std::thread::Builder::new()
            .name("desk-writer".into())
            .spawn(move || {
                while let Some(Job::Work(work)) = queue.blocking_recv() {
                    work(&mut writing);
                }
                if let Err(error) = writing.connection().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
                    tracing::warn!(%error, "The write-ahead log could not be folded in; the next start does it");
                }
            })
            .context("Starting the writer's thread")?;
        let readers = Arc::new(Readers { free: Mutex::new(free), permits: Semaphore::new(READERS) });
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            readers,
            damage: watch::Sender::new(false),
            writer: Mutex::new(Some(writer)),
        })
    }

    /// Runs `work` in a transaction that is committed when it returns `Ok`. Dropping the future does not take back a
    /// write that has begun.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut C) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        self.alone(|contents| transact(contents, "BEGIN IMMEDIATE", work)).await
    }

    /// The same for who cannot await.
    pub(crate) fn write_now<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut C) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (answer, answered) = oneshot::channel();
        let work: Work<C> = Box::new(move |contents| drop(answer.send(transact(contents, "BEGIN IMMEDIATE", work))));
        let jobs = lock(&self.jobs).clone().context("The file is closed")?;
        if jobs.blocking_send(Job::Work(work)).is_err() {
            bail!("The file is closed");
        }
        self.noticed(answered.blocking_recv().context("The writer's thread is gone")?)
    }

    /// Runs `work` on a reading connection, in one transaction: all that it reads is of one moment.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut C) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let readers = self.readers.clone();
        let _permit = readers.permits.acquire().await.context("The file is closed")?;
        let Some(mut contents) = lock(&self.readers.free).pop() else { bail!("The file is closed") };
        let home = self.readers.clone();
        let task = tokio::task::spawn_blocking(move || {
            let answer = transact(&mut contents, "BEGIN", work);
            if !home.permits.is_closed() {
                lock(&home.free).push(contents);
            }
            answer
        });
        self.noticed(task.await.context("Reading")?)
    }

    /// Runs `work` where nobody else writes, outside of any transaction.
    pub(crate) async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut C) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (answer, answered) = oneshot::channel();
        let work: Work<C> = Box::new(move |contents| drop(answer.send(work(contents))));
        let jobs = lock(&self.jobs).clone();
        let Some(jobs) = jobs else { bail!("The file is closed") };
        if jobs.send(Job::Work(work)).await.is_err() {
            bail!("The file is closed");
        }
        self.noticed(answered.await.context("The writer's thread is gone")?)
    }

    /// Each page bears an HMAC, so damage shows before a row is served: as an error of whoever reads it.
    fn noticed<T>(&self, answer: anyhow::Result<T>) -> anyhow::Result<T> {
        if answer.as_ref().is_err_and(is_damaged) {
            self.damage.send_replace(true);
        }
        answer
    }

    /// Whether the file is known to be damaged.
    pub(crate) fn is_damaged(&self) -> bool {
        *self.damage.borrow()
    }

    /// Waits until the file is known to be damaged.
    pub(crate) async fn damaged(&self) {
        let known = self.damage.subscribe().wait_for(|damaged| *damaged).await.is_ok();
        if !known {
            std::future::pending().await
        }
    }

    /// Folds the log into the file and empties it, so that what was deleted is not on the disk any more.
    pub(crate) async fn fold(&self) {
        let folded =
            self.alone(|contents| Ok(contents.connection().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?));
        if let Err(error) = folded.await {
            let error = format!("{error:#}");
            tracing::warn!(error, "The write-ahead log could not be folded in; the next time does it");
        }
    }

    /// Waits for what is being written, folds the log into the file and closes it. Whoever asks later is told so.
    pub(crate) async fn close(self: &Arc<Self>) {
        let this = Arc::clone(self);
        if tokio::task::spawn_blocking(move || this.close_now()).await.is_err() {
            tracing::warn!("A file could not be closed");
        }
    }

    /// The same for who cannot await.
    pub(crate) fn close_now(&self) {
        self.readers.permits.close();
        lock(&self.readers.free).clear();
        let jobs = lock(&self.jobs).take();
        while let Some(mpsc::error::TrySendError::Full(_)) =
            jobs.as_ref().and_then(|jobs| jobs.try_send(Job::Stop).err())
        {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let writer = lock(&self.writer).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::warn!("The writer's thread did not end well");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn transact<C: Contents, T>(
    contents: &mut C,
    begin: &str,
    work: impl FnOnce(&mut C) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    contents.connection().execute_batch(begin).context("Beginning a transaction")?;
    let worked = work(contents);
    let answer = still_whole(contents.connection()).and(worked).and_then(|answer| {
        contents.connection().execute_batch("COMMIT").context("Committing")?;
        Ok(answer)
    });
    if answer.is_err()
        && let Err(error) = contents.connection().execute_batch("ROLLBACK")
    {
        // Some errors (a full disk) have rolled back by themselves.
        tracing::debug!(%error, "Nothing to roll back");
    }
    answer
}

/// Whether what was read so far is what was written. Where a page's HMAC does not fit, SQLCipher hands out zeros in its
/// place and only refuses the page after it: the end of a long text, read last, would be served. So whoever has read asks
/// whether an error is pending, before the rows leave.
pub(crate) fn still_whole(connection: &Connection) -> anyhow::Result<()> {
    // Never from the cache of statements: the answer is part of the statement as it is prepared.
    match connection.query_row("PRAGMA cipher_status", [], |row| row.get::<_, String>(0)) {
        Ok(status) if status == "1" => Ok(()),
        _ => {
            let damaged = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), None);
            Err(damaged).context("Reading a page that is not what was written")
        }
    }
}

/// Whether a file is damaged, another program's, or holds what contradicts what it is told: for such records it is
/// best to start afresh. A full disk or a lack of memory is none of these, and passes.
pub(crate) fn is_beyond_repair(error: &anyhow::Error) -> bool {
    use rusqlite::ErrorCode::ConstraintViolation;
    let contradicts = |error: &rusqlite::Error| match error.sqlite_error_code() {
        Some(code) => code == ConstraintViolation,
        None => matches!(error, rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..)),
    };
    is_damaged(error)
        || error.chain().any(|cause| match cause.downcast_ref::<records::Error>() {
            Some(records::Error::Sqlite(error)) => contradicts(error),
            Some(_) => true,
            None => cause.downcast_ref().is_some_and(contradicts),
        })
}

/// Whether a page is not what was written: a bit has flipped, or a part is missing.
pub(crate) fn is_damaged(error: &anyhow::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let damaged = |error: &rusqlite::Error| matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase));
    error.chain().any(|cause| match cause.downcast_ref::<records::Error>() {
        Some(records::Error::Sqlite(error)) => damaged(error),
        Some(_) => false,
        None => cause.downcast_ref().is_some_and(damaged),
    })
}

/// Gives the key to a fresh connection and proves that the file is really encrypted, and with this key.
pub(crate) fn unlock(connection: &Connection, key: &FileKey) -> anyhow::Result<()> {
    connection.execute_batch(&key.pragma()).context("Giving the key")?;
    let cipher: Option<String> = connection
        .query_row("PRAGMA cipher_version", [], |row| row.get(0))
        .optional()
        .context("Asking for the cipher")?;
    if cipher.is_none_or(|version| version.is_empty()) {
        bail!("This SQLite cannot encrypt: it was built without SQLCipher");
    }
    connection
        .execute_batch(
            "PRAGMA cipher_memory_security = OFF; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; \
             PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; \
             PRAGMA cache_size = -8192;",
        )
        .context("Setting the connection up")?;
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        .context("Reading the file with this key")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precious::{MIGRATIONS, Precious};

    fn count(precious: &mut Precious) -> anyhow::Result<i64> {
        Ok(precious.connection().query_row("SELECT count(*) FROM notified", [], |row| row.get(0))?)
    }

    fn insert(precious: &mut Precious) -> anyhow::Result<()> {
        precious.connection().execute("INSERT INTO notified VALUES ('a', 1)", [])?;
        Ok(())
    }

    #[tokio::test]
    async fn what_was_written_is_read_with_the_same_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let key = FileKey::random().unwrap();
        let database = Arc::new(Database::<Precious>::open(&path, &key).unwrap());
        database.write(insert).await.unwrap();
        assert!(database.read(insert).await.is_err(), "a reader wrote");
        database.close().await;
        assert!(database.read(count).await.is_err(), "a closed file was read");
        assert!(database.write(insert).await.is_err(), "a closed file was written");

        assert!(Database::<Precious>::open(&path, &FileKey::random().unwrap()).is_err());
        assert_eq!(Database::<Precious>::open(&path, &key).unwrap().read(count).await.unwrap(), 1);
    }

    /// A file by the first steps of a schema, with a row.
    fn older(path: &Path, key: &FileKey, steps: &[&str], row: &str) {
        let connection = Connection::open(path).unwrap();
        unlock(&connection, key).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        let made = format!("{}; PRAGMA user_version = {}; {row}", steps.join(";"), steps.len());
        connection.execute_batch(&made).unwrap();
    }

    async fn upgrades<C: Contents>(steps: &'static [&'static str], row: &str, is_there: &'static str) {
        let folder = tempfile::tempdir().unwrap();
        let key = FileKey::random().unwrap();
        let found = |database: Arc<Database<C>>| async move {
            let asked = database.read(move |contents| {
                let c = contents.connection();
                let version: i64 = c.query_row("PRAGMA user_version", [], |row| row.get(0))?;
                let mut select = c.prepare("SELECT name || coalesce(sql, '') FROM sqlite_schema ORDER BY name")?;
                let tables = select.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
                Ok((version, tables, c.query_row(is_there, [], |row| row.get::<_, i64>(0))?))
            });
            let found = asked.await.unwrap();
            database.close().await;
            found
        };
        let fresh = found(Arc::new(Database::open(&folder.path().join("fresh.db"), &key).unwrap())).await;
        assert_eq!((usize::try_from(fresh.0).unwrap(), fresh.2), (steps.len(), 0));
        for version in 1..=steps.len() {
            let path = folder.path().join(format!("{version}.db"));
            older(&path, &key, &steps[..version], row);
            let brought_up = found(Arc::new(Database::open(&path, &key).unwrap())).await;
            assert_eq!(brought_up, (fresh.0, fresh.1.clone(), 1), "from version {version}");
        }
        let path = folder.path().join("newer.db");
        older(&path, &key, &[steps, &["SELECT 1"]].concat(), row);
        let before = std::fs::read(&path).unwrap();
        let refused = format!("{:#}", Database::<C>::open(&path, &key).err().unwrap());
        assert!(refused.contains("a newer program wrote it"), "{refused}");
        assert!(std::fs::read(&path).unwrap() == before, "it was changed");
    }

    #[tokio::test]
    async fn a_file_of_any_version_is_brought_up_with_its_rows_and_a_newer_one_is_refused() {
        let row = "INSERT INTO notified VALUES ('a', 1)";
        upgrades::<Precious>(MIGRATIONS, row, "SELECT count(*) FROM notified").await;
        let row = "INSERT INTO unknown_entries (seq, entry) VALUES (7, '{}')";
        upgrades::<Records>(records::STEPS, row, "SELECT count(*) FROM unknown_entries").await;
    }

    #[tokio::test]
    async fn a_write_that_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::<Precious>::open(&folder.path().join("a.db"), &FileKey::random().unwrap()).unwrap();
        let failed: anyhow::Result<()> = database
            .write(|precious| {
                insert(precious)?;
                bail!("No")
            })
            .await;
        assert!(failed.is_err());
        assert_eq!(database.read(count).await.unwrap(), 0);
        database.write(insert).await.unwrap();
    }

    #[test]
    fn a_full_disk_is_no_reason_to_start_afresh() {
        let error = |code: i32| {
            let sqlite = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            anyhow::Error::from(records::Error::Sqlite(sqlite)).context("Writing")
        };
        use rusqlite::ffi::{
            SQLITE_CONSTRAINT, SQLITE_CORRUPT, SQLITE_FULL, SQLITE_IOERR, SQLITE_NOMEM, SQLITE_NOTADB,
        };
        for code in [SQLITE_CONSTRAINT, SQLITE_CORRUPT, SQLITE_NOTADB] {
            assert!(is_beyond_repair(&error(code)), "{code}");
        }
        for code in [SQLITE_FULL, SQLITE_IOERR, SQLITE_NOMEM] {
            assert!(!is_beyond_repair(&error(code)), "{code}");
        }
        assert!(is_beyond_repair(&anyhow::Error::from(records::Error::Version { found: 9, newest: 1 })));
        assert!(!is_beyond_repair(&anyhow::anyhow!("The file is closed")));
    }

    #[tokio::test]
    async fn what_is_precious_is_on_the_disk_when_the_commit_returns() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::<Precious>::open(&folder.path().join("a.db"), &FileKey::random().unwrap()).unwrap();
        let level = database
            .write(|precious| {
                Ok(precious.connection().query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0))?)
            })
            .await;
        assert_eq!(level.unwrap(), 2, "not FULL");
    }
}
