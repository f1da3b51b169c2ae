//! Statuses of messages that are not known yet: one overtook the answer to our own POST, or is about a message that
//! another program sent. They are kept beside the entries, in the same transactions, until the wamid becomes known.
//!
//! A wamid contains the citizen's number, so a keyed hash of it stands here.

use anyhow::{Context, Result};
use domain::{chain::Hash, command::Report, ids::Millis};
use rusqlite::params;

use crate::journal::Batch;

/// Meta repeats for seven days; a message not known by then is not ours.
const KEEP: Millis = 8 * 24 * 3_600_000;

/// The table.
pub const SCHEMA: &str = r"
CREATE TABLE orphans (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    wamid BLOB NOT NULL,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    error TEXT NOT NULL
) STRICT;
CREATE INDEX orphans_by_wamid ON orphans (wamid);
CREATE INDEX orphans_by_time ON orphans (at);
";

/// Keeps a status, and forgets those that nobody claimed.
pub fn keep(batch: &Batch<'_>, wamid: &Hash, report: &Report, now: Millis) -> Result<()> {
    let status = serde_json::to_string(&report.status).context("Writing an early status")?;
    let error = serde_json::to_string(&report.error).context("Writing an early status")?;
    batch
        .connection()
        .execute("DELETE FROM orphans WHERE at < ?1", params![now - KEEP])
        .and_then(|_| {
            batch.connection().execute(
                "INSERT INTO orphans (wamid, at, status, error) VALUES (?1, ?2, ?3, ?4)",
                params![wamid, now, status, error],
            )
        })
        .context("Keeping an early status")?;
    Ok(())
}

/// Takes the statuses of a message that has become known, in the order in which they came.
pub fn take(batch: &Batch<'_>, hash: &Hash, wamid: &str) -> Result<Vec<Report>> {
    let rows = batch
        .connection()
        .prepare_cached("DELETE FROM orphans WHERE wamid = ?1 RETURNING n, status, error")
        .and_then(|mut delete| {
            let rows = delete.query_map(params![hash], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
    let mut rows = rows.context("Taking early statuses")?;
    rows.sort_unstable_by_key(|(n, ..)| *n);
    rows.into_iter()
        .map(|(_, status, error)| {
            let status = serde_json::from_str(&status).context("Reading an early status")?;
            let error = serde_json::from_str(&error).context("Reading an early status")?;
            Ok(Report { message: None, wamid: wamid.to_owned(), status, error })
        })
        .collect()
}
