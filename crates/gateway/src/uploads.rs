//! Files that staff sent: who, what, when. They stand beside the entries, in the same transactions.
//!
//! A person may see and name what they have uploaded for thirty days, whether or not it belongs to a case yet. After that
//! the row has told what it had to, and goes; the file goes with it, unless it belongs to a case by then.

use anyhow::{Context, Result};
use domain::ids::{MediaId, Millis, StaffId};

use crate::{
    home::{Home, values},
    journal::{Batch, Reader},
};

/// For so long a person's upload is theirs to see and to name.
pub const LIFE: Millis = 30 * 24 * 3_600_000;

/// A file that somebody sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upload {
    /// What is in it.
    pub media: MediaId,
    /// Who sent it.
    pub staff: StaffId,
    /// How long it is.
    pub size: u64,
    /// What it is, by its content.
    pub kind: &'static str,
}

/// How many bytes a person has uploaded since some time.
pub fn taken(batch: &Batch<'_>, staff: StaffId, since: Millis) -> Result<u64> {
    let sql = "SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM uploads WHERE staff = $1 AND at > $2";
    let row = batch.home()?.first(sql, values![staff.to_string(), since]).context("Counting uploads")?;
    let bytes = row.context("Counting uploads")?.integer().context("Counting uploads")?;
    Ok(u64::try_from(bytes).unwrap_or(0))
}

/// Notes an upload before it goes into the store, so that whatever gets there is known here.
pub fn begin(batch: &Batch<'_>, upload: &Upload, now: Millis) -> Result<()> {
    let Upload { media, staff, size, kind } = upload;
    let sql = "INSERT INTO uploads (sha256, staff, size, type, at, kept) VALUES ($1, $2, $3, $4, $5, 0)
               ON CONFLICT (sha256, staff) DO UPDATE SET at = excluded.at WHERE uploads.at < excluded.at";
    let size = i64::try_from(*size).context("Noting an upload")?;
    let values = values![&media.0, staff.to_string(), size, *kind, now];
    batch.home()?.execute(sql, values).context("Noting an upload").map(drop)
}

/// Notes that the file is in the store.
pub fn kept(batch: &Batch<'_>, media: MediaId, staff: StaffId) -> Result<()> {
    let sql = "UPDATE uploads SET kept = 1 WHERE sha256 = $1 AND staff = $2";
    batch.home()?.execute(sql, values![&media.0, staff.to_string()]).context("Noting a kept upload").map(drop)
}

/// Whether a person uploaded this, and it is theirs still.
pub fn is_own(batch: &Batch<'_>, media: MediaId, staff: StaffId, now: Millis) -> Result<bool> {
    own(batch.home()?, media, staff, now)
}

/// The same, beside the deciding thread.
pub fn is_own_to_read(reader: &Reader, media: MediaId, staff: StaffId, now: Millis) -> Result<bool> {
    own(reader.home(), media, staff, now)
}

fn own(home: &Home, media: MediaId, staff: StaffId, now: Millis) -> Result<bool> {
    let sql = "SELECT at FROM uploads WHERE sha256 = $1 AND staff = $2 AND at > $3 AND kept = 1";
    let row = home.first(sql, values![&media.0, staff.to_string(), now - LIFE]);
    Ok(row.context("Looking for an upload")?.is_some())
}

/// Files of which an upload is over, at most so many.
pub fn over(reader: &Reader, now: Millis, limit: u32) -> Result<Vec<MediaId>> {
    let sql = "SELECT DISTINCT sha256 FROM uploads WHERE at <= $1 LIMIT $2";
    let rows = reader.home().query(sql, values![now - LIFE, limit]).context("Looking for old uploads")?;
    rows.into_iter().map(|mut row| Ok(MediaId(row.bytes().context("Reading an old upload")?))).collect()
}

/// Forgets the uploads of a file up to some time; whether another holds still.
pub fn forget(batch: &Batch<'_>, media: MediaId, until: Millis) -> Result<bool> {
    let home = batch.home()?;
    let sql = "DELETE FROM uploads WHERE sha256 = $1 AND at <= $2";
    home.execute(sql, values![&media.0, until]).context("Forgetting an upload")?;
    let left = home.first("SELECT at FROM uploads WHERE sha256 = $1", values![&media.0]);
    Ok(left.context("Looking for other uploads")?.is_some())
}
