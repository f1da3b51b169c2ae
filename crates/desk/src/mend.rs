//! Damaged files: noticed, set aside, and put in order.
//!
//! SQLCipher keeps an HMAC with each page, so a bit that flips on the disk is an error of whoever reads that page, before a
//! row of it is served; and one in what a program that was killed has left to be folded in is put right ([`crate::wal`]).
//! Such a file is kept under another name, with the date. The records are received anew. Of the
//! precious file every row that can still be read goes into a new one, from both ends of each table: what stands on a
//! damaged page alone is lost. What happened is kept with the rescued rows until the person has read it.
//!
//! A disk that goes on rotting must not keep the desk opening and closing files for ever: after some repairs in one run
//! the account stays closed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use domain::ids::Millis;
use records::Records;
use rusqlite::{Connection, OpenFlags};

use crate::{
    api::{Kept, Mended},
    database::{Contents, Database, is_beyond_repair, is_damaged, still_whole, unlock},
    key::FileKey,
    precious::{self, Precious},
    wal,
};

/// Under this name the precious file keeps what was put in order.
const MENDED: &str = "mended";
/// Of the damaged files of one kind so many are kept: the records are large.
const ASIDE: usize = 3;
/// The tables of the precious file, and the columns by which each is read from both ends.
const TABLES: &[(&str, &str)] = &[
    ("outbox", "ordinal"),
    ("drafts", "conversation, mode"),
    ("kept", "name"),
    ("positions", "case_id"),
    ("witnesses", "journal, seq, chain"),
    ("notified", "key"),
];

/// What was put in order and not read yet.
pub(crate) fn told(c: &Connection) -> anyhow::Result<Vec<Mended>> {
    Ok(precious::kept(c, MENDED)?.unwrap_or_default())
}

/// The person has read it.
pub(crate) fn read(c: &Connection) -> anyhow::Result<()> {
    precious::let_go(c, MENDED)
}

/// Opens an account's files, and puts in order what is damaged.
pub(crate) async fn open_files(
    folder: PathBuf,
    key: FileKey,
    now: Millis,
) -> anyhow::Result<(Database<Precious>, Database<Records>)> {
    tokio::task::spawn_blocking(move || open(&folder, &key, now)).await.context("Opening the files")?
}

fn open(folder: &Path, key: &FileKey, now: Millis) -> anyhow::Result<(Database<Precious>, Database<Records>)> {
    fs::create_dir_all(folder).with_context(|| format!("Making the folder {}", folder.display()))?;
    let mut mended = Vec::new();
    // It is small, so all of it is looked at each time: damage is found while most can still be saved.
    let path = folder.join("precious.db");
    let log_is_whole = wal::put_right(&path, key)?;
    let whole = log_is_whole && (!path.exists() || is_whole(&path, key)?);
    let opened = if whole { Some(Database::open(&path, key)) } else { None };
    let precious = match opened {
        Some(Ok(database)) => database,
        Some(Err(error)) if !is_damaged(&error) => return Err(error),
        _ => {
            let aside = set_aside(&path, now)?;
            let (rescued, database) = rescue(&aside, &path, key, now)?;
            mended.push(Mended { whole: rescued.whole && log_is_whole, ..rescued });
            database
        }
    };
    let path = folder.join("records.db");
    let suspect = folder.join(SUSPECT);
    let whole = wal::put_right(&path, key)? && (!suspect.exists() || is_whole(&path, key)?);
    let opened = if whole { Some(Database::open(&path, key)) } else { None };
    let records = match opened {
        Some(Ok(database)) => database,
        Some(Err(error)) if !is_beyond_repair(&error) => return Err(error),
        _ => {
            let aside = set_aside(&path, now)?;
            mended.push(told_of(Kept::Records, &aside, now));
            Database::open(&path, key)?
        }
    };
    if !mended.is_empty() {
        precious.write_now(move |precious| {
            let c = precious.connection();
            let told: Vec<_> = told(c)?.into_iter().chain(mended).collect();
            precious::keep(c, MENDED, &told)
        })?;
    }
    match fs::remove_file(&suspect) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("Clearing a suspicion")?,
        _ => {}
    }
    Ok((precious, records))
}

/// A file of this name says that the records are to be looked at whole before they are opened: a page was damaged.
const SUSPECT: &str = "suspect";

/// At the next opening the records are looked at whole.
pub(crate) fn suspect(folder: &Path) -> anyhow::Result<()> {
    fs::write(folder.join(SUSPECT), []).context("Noting a suspicion")
}

/// Whether each page is what was written.
fn is_whole(path: &Path, key: &FileKey) -> anyhow::Result<bool> {
    let look = || -> anyhow::Result<bool> {
        let connection = Connection::open(path).with_context(|| format!("Opening {}", path.display()))?;
        unlock(&connection, key)?;
        let mut check = connection.prepare("PRAGMA cipher_integrity_check").context("Checking a file")?;
        let bad = check.query([]).context("Checking a file")?.next().context("Checking a file")?.is_some();
        Ok(!bad)
    };
    match look() {
        Err(error) if is_damaged(&error) => Ok(false),
        other => other,
    }
}

/// Renames a file and its log, and drops the oldest of those that were set aside before.
fn set_aside(path: &Path, now: Millis) -> anyhow::Result<PathBuf> {
    let at = jiff::Timestamp::from_millisecond(now).context("The time")?.strftime("%Y-%m-%d-%H%M%S%3f").to_string();
    let aside = path.with_extension(format!("damaged-{at}.db"));
    tracing::error!(aside = %aside.display(), "A file is damaged: it is set aside");
    for (end, keep) in [("", true), ("-wal", true), ("-shm", false)] {
        let of = |path: &Path| {
            let mut name = path.to_owned().into_os_string();
            name.push(end);
            PathBuf::from(name)
        };
        let done = if keep { fs::rename(of(path), of(&aside)) } else { fs::remove_file(of(path)) };
        match done {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("Setting {} aside", path.display()));
            }
            _ => {}
        }
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut before = damaged(path.parent().unwrap_or(Path::new(".")), &stem)?;
    before.sort();
    for old in before.iter().rev().skip(ASIDE) {
        fs::remove_file(old).with_context(|| format!("Removing {}", old.display()))?;
    }
    Ok(aside)
}

/// The files of one kind that were set aside, without their logs.
fn damaged(folder: &Path, stem: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).context("Looking for damaged files")? {
        let path = entry.context("Looking for damaged files")?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(&format!("{stem}.damaged-")) && name.ends_with(".db") {
            found.push(path);
        }
    }
    Ok(found)
}

fn told_of(file: Kept, aside: &Path, at: Millis) -> Mended {
    let aside = aside.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Mended { at, file, aside, drafts: 0, unsent: 0, whole: true }
}

/// Copies into a new file what can be read of the damaged one.
fn rescue(damaged: &Path, path: &Path, key: &FileKey, now: Millis) -> anyhow::Result<(Mended, Database<Precious>)> {
    let database = Database::<Precious>::open(path, key)?;
    let (from, key) = (damaged.to_owned(), key.clone());
    let counted = database.write_now(move |precious| {
        let c = precious.connection();
        let mut whole = true;
        for (table, order) in TABLES {
            for end in ["ASC", "DESC"] {
                let order: Vec<_> = order.split(", ").map(|column| format!("{column} {end}")).collect();
                // A connection that has met a damaged page reads nothing more.
                whole &= match readable(&from, &key) {
                    Ok(old) => copied(&old, c, table, &order.join(", "))?,
                    Err(error) if is_damaged(&error) => false,
                    Err(error) => return Err(error),
                };
            }
        }
        let count = |sql: &str| c.query_row(sql, [], |row| row.get::<_, u32>(0)).context("Counting what was saved");
        Ok((count("SELECT count(*) FROM drafts")?, count("SELECT count(*) FROM outbox WHERE state <> 'done'")?, whole))
    });
    let (drafts, unsent, whole) = counted?;
    let mended = Mended { drafts, unsent, whole, ..told_of(Kept::Precious, damaged, now) };
    Ok((mended, database))
}

fn readable(path: &Path, key: &FileKey) -> anyhow::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).context("Opening the damaged file")?;
    unlock(&connection, key)?;
    Ok(connection)
}

/// Copies rows in this order until one cannot be read. Tells whether all could.
fn copied(old: &Connection, new: &Connection, table: &str, order: &str) -> anyhow::Result<bool> {
    let damage = |error: &rusqlite::Error| !matches!(error, rusqlite::Error::SqliteFailure(_, _));
    let mut select = match old.prepare(&format!("SELECT * FROM {table} ORDER BY {order}")) {
        Ok(select) => select,
        Err(error) if damage(&error) => return Err(error).context("Reading the damaged file"),
        Err(_) => return Ok(false),
    };
    let columns: Vec<String> = select.column_names().map(Into::into).collect();
    let places = vec!["?"; columns.len()].join(", ");
    let mut insert = new
        .prepare(&format!("INSERT OR IGNORE INTO {table} ({}) VALUES ({places})", columns.join(", ")))
        .context("Saving what can be read")?;
    let mut rows = select.query([]).context("Reading the damaged file")?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(true),
            Err(_) => return Ok(false),
        };
        let values = (0..columns.len()).map(|column| row.get::<_, rusqlite::types::Value>(column));
        let values = values.collect::<Result<Vec<_>, _>>().context("Reading the damaged file")?;
        if still_whole(old).is_err() {
            return Ok(false);
        }
        insert.execute(rusqlite::params_from_iter(values)).context("Saving what can be read")?;
    }
}

/// How many bytes lie in the files of an account: records, precious, set aside.
pub(crate) fn bytes(folder: &Path) -> anyhow::Result<[u64; 3]> {
    let [mut records, mut precious, mut aside] = [0; 3];
    for entry in fs::read_dir(folder).context("Looking at the files")? {
        let entry = entry.context("Looking at the files")?;
        let (name, length) = (entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len());
        let counted = match name.as_str() {
            name if name.contains(".damaged-") => &mut aside,
            name if name.starts_with("records.db") => &mut records,
            name if name.starts_with("precious.db") => &mut precious,
            _ => continue,
        };
        *counted += length;
    }
    Ok([records, precious, aside])
}

/// Removes the records: they are received anew.
pub(crate) fn remove_records(folder: &Path) -> anyhow::Result<()> {
    for name in ["records.db", "records.db-wal", "records.db-shm"] {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).context("Removing the records");
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::ids::ConversationId;
    use uuid::Uuid;

    use super::*;
    use crate::api::Mode;

    const DRAFTS: u128 = 120;
    const PAGE: usize = 4096;

    fn conversation(n: u128) -> ConversationId {
        ConversationId(Uuid::from_u128(n))
    }

    /// A precious file of many pages, closed.
    fn written(path: &Path, key: &FileKey) {
        let database = Database::<Precious>::open(path, key).unwrap();
        let write = |precious: &mut Precious| {
            let keep =
                |n| precious::save_draft(precious.connection(), conversation(n), Mode::Reply, &"مسودة ".repeat(60));
            (0..DRAFTS).try_for_each(keep)
        };
        database.write_now(write).unwrap();
        database.close_now();
    }

    #[test]
    fn what_stands_on_both_sides_of_a_damaged_page_is_saved() {
        let (folder, key) = (tempfile::tempdir().unwrap(), FileKey::random().unwrap());
        let path = folder.path().join("precious.db");
        written(&path, &key);
        let whole = fs::read(&path).unwrap();
        let mut between = 0;
        for page in 1..whole.len() / PAGE {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("precious.db");
            let mut bytes = whole.clone();
            bytes[page * PAGE + 1_000] ^= 1;
            fs::write(&path, bytes).unwrap();
            let (precious, records) = open(folder.path(), &key, 1_700_000_000_000).unwrap();
            let read = |precious: &mut Precious| {
                let c = precious.connection();
                Ok((precious::all_drafts(c)?, told(c)?))
            };
            let (drafts, mended) = precious.write_now(read).unwrap();
            let saved = |n| drafts.iter().any(|(whose, _, _)| *whose == conversation(n));
            let lost = (0..DRAFTS).filter(|n| !saved(*n)).count();
            assert_eq!((mended.len(), usize::try_from(mended[0].drafts).unwrap()), (1, drafts.len()), "page {page}");
            assert!(lost == 0 || !mended[0].whole, "page {page}: {lost} are lost and nobody is told");
            between += u32::from(lost > 0 && saved(0) && saved(DRAFTS - 1));
            precious.close_now();
            records.close_now();
        }
        assert!(between > 10, "{between} pages were lost alone");
    }

    #[test]
    fn of_what_was_set_aside_the_latest_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.db");
        let aside: Vec<PathBuf> = (0..5)
            .map(|day| {
                fs::write(&path, [day]).unwrap();
                set_aside(&path, 1_700_000_000_000 + i64::from(day) * 86_400_000).unwrap()
            })
            .collect();
        assert!(!path.exists());
        let mut kept = damaged(folder.path(), "records").unwrap();
        kept.sort();
        assert_eq!(kept, aside[2..]);
        assert_eq!(fs::read(&kept[2]).unwrap(), [4], "as it was");
    }
}
