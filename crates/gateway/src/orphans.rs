//! Statuses of messages that are not known yet: one overtook the answer to our own POST, or is about a message that
//! another program sent. They are kept beside the entries, in the same transactions, until the wamid becomes known.
//!
//! A wamid contains the citizen's number, so a keyed hash of it stands here.

use anyhow::{Context, Result};
use domain::{chain::Hash, command::Report, ids::Millis};

use crate::{home::values, journal::Batch};

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
    let home = batch.home()?;
    let sql = "INSERT INTO orphans (wamid, at, status, error) VALUES ($1, $2, $3, $4)";
    home.execute("DELETE FROM orphans WHERE at < $1", values![now - KEEP])
        .and_then(|_| home.execute(sql, values![wamid, now, status, error]))
        .context("Keeping an early status")
        .map(drop)
}

/// Takes the statuses of a message that has become known, in the order in which they came.
pub fn take(batch: &Batch<'_>, hash: &Hash, wamid: &str) -> Result<Vec<Report>> {
    let sql = "DELETE FROM orphans WHERE wamid = $1 RETURNING n, status, error";
    let rows = batch.home()?.query(sql, values![hash]).context("Taking early statuses")?;
    let mut reports = rows
        .into_iter()
        .map(|mut row| {
            let (n, status, error) = (row.integer()?, row.text()?, row.text()?);
            let status = serde_json::from_str(&status).context("Reading an early status")?;
            let error = serde_json::from_str(&error).context("Reading an early status")?;
            Ok((n, Report { message: None, wamid: wamid.to_owned(), status, error }))
        })
        .collect::<Result<Vec<_>>>()?;
    reports.sort_unstable_by_key(|(n, _)| *n);
    Ok(reports.into_iter().map(|(_, report)| report).collect())
}
