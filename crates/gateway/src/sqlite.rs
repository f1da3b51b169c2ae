//! SQLite as this program uses it: how a file is opened, how a transaction begins, who moves the WAL into the file.
//!
//! `synchronous=FULL`: with `NORMAL` a power cut loses commits that were acknowledged. The WAL is moved by a thread of
//! its own, since an automatic checkpoint would stop whoever commits the page that fills it.
//!
//! The first `fsync` that fails ends the process. The kernel may have dropped the pages and marked them clean, so a second
//! `fsync` would succeed and say nothing; what is on disk is only known after reading it again. A full disk is another
//! matter: nothing was written, that much is known, and it goes on once there is room.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags, ffi};

/// How the process ends when it cannot know any more what is on disk (`EX_IOERR`).
pub const NOT_DURABLE: i32 = 74;

/// Frames after which SQLite itself moves the WAL, should the thread be late: about 40 MB.
const AUTOCHECKPOINT: i64 = 10_000;
/// Short, so that under load the thread has moved most of it before whoever commits has to.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(250);
/// Pages that a connection keeps, in KiB: what is written all the time is not read from the file again and again.
const CACHE_KIB: i64 = 16_384;

/// Opens a file for writing. It is made if `create` says so, and must exist otherwise.
pub fn writer(path: &Path, create: bool) -> Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let doing = || format!("Opening {}", path.display());
    let conn = Connection::open_with_flags(path, flags).with_context(doing)?;
    conn.busy_timeout(Duration::from_secs(10)).with_context(doing)?;
    conn.pragma_update(None, "journal_mode", "WAL").with_context(doing)?;
    conn.pragma_update(None, "synchronous", "FULL").with_context(doing)?;
    conn.pragma_update(None, "wal_autocheckpoint", AUTOCHECKPOINT).with_context(doing)?;
    conn.pragma_update(None, "cache_size", -CACHE_KIB).with_context(doing)?;
    conn.pragma_update(None, "trusted_schema", false).with_context(doing)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Opens a file for reading alone.
pub fn reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let doing = || format!("Opening {} for reading", path.display());
    let conn = Connection::open_with_flags(path, flags).with_context(doing)?;
    conn.busy_timeout(Duration::from_secs(10)).with_context(doing)?;
    conn.pragma_update(None, "query_only", true).with_context(doing)?;
    conn.pragma_update(None, "trusted_schema", false).with_context(doing)?;
    Ok(conn)
}

/// Ends the process if an error means that an `fsync` failed.
pub fn end_unless_durable(error: &anyhow::Error) {
    if is_failed_sync(error) {
        tracing::error!(
            alarm = "not_durable",
            error = format!("{error:#}"),
            "An fsync failed: what is on disk is not known, so the gateway stops"
        );
        std::process::exit(NOT_DURABLE);
    }
}

fn is_failed_sync(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<rusqlite::Error>()).any(|cause| {
        let code = cause.sqlite_error().map(|error| error.extended_code);
        matches!(code, Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
    })
}

/// Copies a file as it stands at one moment, while others write to it, down to the disk.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let doing = || format!("Copying {} to {}", from.display(), to.display());
    let name = to.to_str().context("The name is not UTF-8").with_context(doing)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(from, flags).with_context(doing)?;
    conn.busy_timeout(Duration::from_secs(10)).with_context(doing)?;
    conn.execute("VACUUM INTO ?1", [name]).with_context(doing)?;
    // SQLite leaves it to the system when this reaches the disk.
    std::fs::File::open(to).and_then(|file| file.sync_all()).with_context(doing)
}

/// A thread that moves the WAL of some files into them; it ends when this is dropped.
pub struct Checkpointer {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread.
    pub fn start(files: Vec<PathBuf>) -> Result<Self> {
        let conns = files.iter().map(|file| writer(file, false)).collect::<Result<Vec<_>>>()?;
        let (stop, stopped) = sync_channel::<()>(1);
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(CHECKPOINT_EVERY) == Err(RecvTimeoutError::Timeout) {
                    for conn in &conns {
                        // PASSIVE waits for nobody; what it leaves, the next round takes.
                        if let Err(error) = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
                            tracing::warn!(%error, "Moving the WAL into its file failed");
                            end_unless_durable(&error.into());
                        }
                    }
                }
            })
            .context("Starting the checkpoint thread")?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
