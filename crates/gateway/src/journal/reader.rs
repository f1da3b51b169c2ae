//! Reads a journal beside its writer.

use anyhow::{Context, Result};
use domain::{
    chain::Hash,
    entry::Entry,
    ids::{CaseId, Millis, Seq, StaffId},
    wire::{Position, Witness},
};

use super::{
    Attempts, Credential, ENTRY, Head, PROOF, Stored, chain_at, credential, entries, entries_after, head, sending_held,
};
use crate::home::{Home, Place, Row, values};

/// Rows read at once while a journal is read whole.
const PAGE: u32 = 1000;

/// Reads, beside the writer.
pub struct Reader {
    pub(super) home: Home,
}

impl Reader {
    /// Opens a journal for reading.
    pub fn open(place: impl Into<Place>) -> Result<Self> {
        Ok(Self { home: Home::reader(&place.into())? })
    }

    /// The home, for tables that have a file of their own.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// The head.
    pub fn head(&self) -> Result<Head> {
        head(&self.home, "")
    }

    /// The chain after an entry.
    pub fn chain_at(&self, seq: Seq) -> Result<Option<Hash>> {
        chain_at(&self.home, seq)
    }

    /// Entries after a place, at most so many, in order.
    pub fn entries_after(&self, seq: Seq, limit: u32) -> Result<Vec<Entry>> {
        entries_after(&self.home, seq, limit)
    }

    /// Entries of a case after a place, at most so many, in order.
    pub fn case_after(&self, case: CaseId, seq: Seq, limit: u32) -> Result<Vec<Entry>> {
        let sql = format!("SELECT {ENTRY}, {PROOF} FROM entries WHERE scope = $1 AND seq > $2 ORDER BY seq LIMIT $3");
        entries(&self.home, &sql, values![format!("case:{case}"), seq, limit])
    }

    /// The last entries of a case before a place, at most so many, in order.
    pub fn case_before(&self, case: CaseId, seq: Seq, limit: u32) -> Result<Vec<Entry>> {
        let sql =
            format!("SELECT {ENTRY}, {PROOF} FROM entries WHERE scope = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3");
        let mut entries = entries(&self.home, &sql, values![format!("case:{case}"), seq, limit])?;
        entries.reverse();
        Ok(entries)
    }

    /// Hands out every entry as it is stored, in order, until told `false`; then the head, all as of one moment.
    pub fn stored(&self, each: impl FnMut(Stored) -> Result<bool>) -> Result<Head> {
        self.home.begin_to_read().context("Beginning to read")?;
        let head = self.each_stored(each).and_then(|()| self.head());
        self.home.roll_back();
        head
    }

    fn each_stored(&self, mut each: impl FnMut(Stored) -> Result<bool>) -> Result<()> {
        let sql = format!("SELECT {ENTRY}, salt, digest, chain FROM entries WHERE seq > $1 ORDER BY seq LIMIT $2");
        let mut last = Seq::MIN;
        loop {
            let page = self.home.query(&sql, values![last, PAGE]).context("Asking for entries")?;
            if page.is_empty() {
                return Ok(());
            }
            for mut row in page {
                last = row.integer().context("Reading an entry's place")?;
                if !each(stored(last, row).with_context(|| format!("Reading entry {last}"))?)? {
                    return Ok(());
                }
            }
        }
    }

    /// Since when sending is held, if it is.
    pub fn sending_held(&self) -> Result<Option<Millis>> {
        sending_held(&self.home)
    }

    /// The head that was signed last, and on which day.
    pub fn signed_head(&self) -> Result<Option<(String, Witness)>> {
        let sql = "SELECT day, witness FROM signed_heads ORDER BY day DESC LIMIT 1";
        let Some(mut row) = self.home.first(sql, &[]).context("Looking for a signed head")? else { return Ok(None) };
        let (day, witness) = (row.text()?, row.text()?);
        Ok(Some((day, serde_json::from_str(&witness).context("Reading a signed head")?)))
    }

    /// Whose device a token is.
    pub fn device(&self, token: &Hash) -> Result<Option<StaffId>> {
        let row = self.home.first("SELECT staff FROM devices WHERE token = $1", values![token]);
        let Some(mut row) = row.context("Looking for a device")? else { return Ok(None) };
        Ok(Some(row.text()?.parse().context("Reading whose device it is")?))
    }

    /// Whether the device of this token was shut out.
    pub fn is_revoked(&self, token: &Hash) -> Result<bool> {
        let row = self.home.first("SELECT 1 FROM revoked WHERE token = $1", values![token]);
        Ok(row.context("Looking for a device that was shut out")?.is_some())
    }

    /// What an account is opened with.
    pub fn credential(&self, staff: StaffId) -> Result<Credential> {
        credential(&self.home, staff)
    }

    /// Up to where a person has seen cases, of what moved at this head or after it: after a case, in order, at most so many.
    pub fn positions(&self, staff: StaffId, head: Seq, after: &str, limit: u32) -> Result<Vec<Position>> {
        let sql = "SELECT case_id, seq FROM positions WHERE staff = $1 AND head >= $2 AND case_id > $3
                   ORDER BY case_id LIMIT $4";
        let rows = self.home.query(sql, values![staff.to_string(), head, after, limit]);
        let position = |mut row: Row| {
            let case = row.text()?.parse().context("Reading a position's case")?;
            Ok(Position { case, seq: row.integer()? })
        };
        rows.context("Looking for positions")?.into_iter().map(position).collect()
    }

    /// Up to where a person has seen a case.
    pub fn position(&self, staff: StaffId, case: CaseId) -> Result<Option<Position>> {
        let sql = "SELECT seq FROM positions WHERE staff = $1 AND case_id = $2";
        let row =
            self.home.first(sql, values![staff.to_string(), case.to_string()]).context("Looking for a position")?;
        row.map(|mut row| Ok(Position { case, seq: row.integer()? })).transpose()
    }

    /// Whether somebody has signed in from one of these places.
    pub fn familiar(&self, places: &[Hash]) -> Result<bool> {
        for place in places {
            let found = self.home.first("SELECT at FROM familiar WHERE place = $1", values![place]);
            if found.context("Asking from where somebody signed in")?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Failed sign-ins with a username.
    pub fn attempts(&self, username: &str) -> Result<Attempts> {
        let row = self.home.first("SELECT failures, at FROM attempts WHERE username = $1", values![username]);
        let Some(mut row) = row.context("Looking for failed sign-ins")? else { return Ok(Attempts::default()) };
        Ok(Attempts { failures: u32::try_from(row.integer()?).unwrap_or(u32::MAX), at: row.integer()? })
    }
}

fn stored(seq: Seq, mut row: Row) -> Result<Stored> {
    let (id, at) = (row.text()?, row.integer()?.to_string());
    let (scope, subject, actor) = (row.text()?, row.text()?, row.text()?);
    let cause = row.text_or_null()?.unwrap_or_default();
    let (version, kind) = (row.integer()?.to_string(), row.text()?);
    let header = [seq.to_string(), id, at, actor, scope, subject, cause, kind, version];
    Ok(Stored { seq, header, body: row.raw()?, salt: row.blob()?, digest: row.blob()?, chain: row.blob()? })
}
