//! An agency's journal: the entries and the plain tables beside them, in the same transactions.
//!
//! [`Journal`] is the writer, [`Batch`] one transaction under the head lock, [`Reader`] reads beside them. Where it is
//! kept is `home`'s affair.

mod batch;
mod erasing;
mod reader;

use anyhow::{Context, Result, anyhow, bail};
use domain::{
    chain::{self, Hash, Header},
    entry::{Entry, Fact, Subject},
    ids::{CommandId, EntryId, Millis, Seq, StaffId},
};
use uuid::Uuid;

pub(crate) use self::erasing::TOUCHED;
pub use self::{
    batch::{Batch, Mark},
    erasing::{Erasing, Traces},
    reader::Reader,
};
use crate::home::{Home, Place, Row, Value, values};

/// The versions of the tables, each by what makes it of the one before.
pub const SCHEMA: &[&str] = &[
    include_str!("1.sql"),
    include_str!("2.sql"),
    crate::orphans::SCHEMA,
    include_str!("3.sql"),
    include_str!("4.sql"),
    include_str!("5.sql"),
    include_str!("6.sql"),
    include_str!("7.sql"),
];

/// The last entry, and the journal's own id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The journal's id; `restore` gives it a new one.
    pub journal: String,
    /// The last entry's place.
    pub seq: Seq,
    /// The chain after it.
    pub chain: Hash,
    /// When it was written.
    pub at: Millis,
}

/// An entry as it is stored, be it sense or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place.
    pub seq: Seq,
    /// Its header, `seq` included.
    pub header: Header,
    /// Its body.
    pub body: Vec<u8>,
    /// The salt of its digest.
    pub salt: Vec<u8>,
    /// The digest over salt and body.
    pub digest: Vec<u8>,
    /// The chain after it.
    pub chain: Vec<u8>,
}

/// What an account is opened with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credential {
    /// The password's hash, as a PHC string.
    pub password: Option<String>,
    /// The command whose HMAC is the one-time code.
    pub code_command: Option<CommandId>,
    /// Until when that code holds.
    pub code_until: Millis,
}

/// Failed sign-ins with one username.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempts {
    /// How many in a row.
    pub failures: u32,
    /// When the last one was.
    pub at: Millis,
}

/// The writer. One thread owns it.
pub struct Journal {
    home: Home,
}

impl Journal {
    /// Makes a journal, empty and with an id of its own, or opens the one that is there.
    pub fn make(place: &Place, id: Uuid) -> Result<Self> {
        let home = Home::make(place, SCHEMA).context("Making the journal")?;
        home.execute(
            "INSERT INTO head (one, journal, seq, chain, at) VALUES (1, $1, 0, $2, 0) ON CONFLICT (one) DO NOTHING",
            values![id.to_string(), &chain::START],
        )
        .context("Writing the head of a new journal")?;
        Ok(Self { home })
    }

    /// Opens a journal that `init` has made.
    pub fn open(place: &Place) -> Result<Self> {
        Ok(Self { home: home(place)? })
    }

    /// Begins a transaction and locks the head.
    pub fn begin(&mut self) -> Result<Batch<'_>> {
        Batch::begin(&self.home)
    }

    /// Begins to read as of one moment, without a lock: what it begins cannot be committed.
    pub fn look(&mut self) -> Result<Batch<'_>> {
        Batch::look(&self.home)
    }
}

/// A connection to a journal for what is no transaction of it.
pub(crate) fn home(place: &Place) -> Result<Home> {
    Home::writer(place, SCHEMA).context("Opening the journal")
}

/// What `records` is brought up from: a journal as it is committed, or the batch under way.
pub trait Trail {
    /// The head.
    fn last(&self) -> Result<Head>;
    /// The chain after an entry.
    fn chain_at(&self, seq: Seq) -> Result<Option<Hash>>;
    /// Entries after a place, at most so many, in order.
    fn entries_after(&self, seq: Seq, limit: u32) -> Result<Vec<Entry>>;
    /// The place of the last sign-out.
    fn last_signed_out(&self) -> Result<i64>;
}

impl Trail for Journal {
    fn last(&self) -> Result<Head> {
        head(&self.home, "")
    }

    fn chain_at(&self, seq: Seq) -> Result<Option<Hash>> {
        chain_at(&self.home, seq)
    }

    fn entries_after(&self, seq: Seq, limit: u32) -> Result<Vec<Entry>> {
        entries_after(&self.home, seq, limit)
    }

    fn last_signed_out(&self) -> Result<i64> {
        last_signed_out(&self.home)
    }
}

/// The columns of an entry, in the order in which they are written and read.
const ENTRY: &str = "seq, id, at, scope, subject, actor, cause, version, kind, body";

/// What else must be read of an entry to know that it is the one that was written: what follows from its salt, its body,
/// its header and the chain before it.
const PROOF: &str = "salt, digest, chain, (SELECT before.chain FROM entries before WHERE before.seq = entries.seq - 1)";

fn last_signed_out(home: &Home) -> Result<i64> {
    let row = home.first("SELECT coalesce(max(n), 0) FROM signed_out", &[]);
    row.and_then(|row| row.context("There is none")?.integer()).context("Looking for sign-outs")
}

fn head(home: &Home, lock: &str) -> Result<Head> {
    let read = || -> Result<Head> {
        let sql = format!("SELECT journal, seq, chain, at FROM head WHERE one = 1{lock}");
        let mut row = home.first(&sql, &[])?.context("There is none")?;
        Ok(Head { journal: row.text()?, seq: row.integer()?, chain: row.bytes()?, at: row.integer()? })
    };
    read().context("Reading the head")
}

fn chain_at(home: &Home, seq: Seq) -> Result<Option<Hash>> {
    if seq == 0 {
        return Ok(Some(chain::START));
    }
    let row = home.first("SELECT chain FROM entries WHERE seq = $1", values![seq]);
    row.and_then(|row| row.map(|mut row| row.bytes()).transpose()).context("Reading the chain")
}

fn sending_held(home: &Home) -> Result<Option<Millis>> {
    let row = home.first("SELECT since FROM holds WHERE what = 'sending'", &[]);
    row.and_then(|row| row.map(|mut row| row.integer()).transpose()).context("Asking whether sending is held")
}

fn credential(home: &Home, staff: StaffId) -> Result<Credential> {
    let read = || -> Result<Credential> {
        let sql = "SELECT password, code_command, code_until FROM credentials WHERE staff = $1";
        let Some(mut row) = home.first(sql, values![staff.to_string()])? else { return Ok(Credential::default()) };
        Ok(Credential {
            password: row.text_or_null()?,
            code_command: row.text_or_null()?.map(|id| id.parse()).transpose()?,
            code_until: row.integer()?,
        })
    };
    read().context("Looking for a credential")
}

fn entries_after(home: &Home, seq: Seq, limit: u32) -> Result<Vec<Entry>> {
    let sql = format!("SELECT {ENTRY}, {PROOF} FROM entries WHERE seq > $1 ORDER BY seq LIMIT $2");
    entries(home, &sql, values![seq, limit])
}

fn entries(home: &Home, sql: &str, values: &[Value]) -> Result<Vec<Entry>> {
    home.query(sql, values).context("Asking for entries")?.into_iter().map(entry).collect()
}

fn entry(mut row: Row) -> Result<Entry> {
    let seq = row.integer().context("Reading an entry's place")?;
    let mut read = || -> Result<(Entry, String)> {
        let (id, at) = (row.text()?.parse::<EntryId>()?, row.integer()?);
        let (scope, subject, actor) = (row.text()?.parse()?, row.text()?, row.text()?.parse()?);
        let cause = row.text_or_null()?.map(|cause| cause.parse()).transpose()?;
        let (version, kind, body) = (u32::try_from(row.integer()?)?, row.text()?, row.text()?);
        let subject = subject.parse().unwrap_or(Subject::Unknown(subject));
        if body.is_empty() {
            return Ok((
                Entry { seq, id, at, scope, subject, actor, cause, version, fact: Fact::Erased { kind } },
                body,
            ));
        }
        let fact = serde_json::from_str(&body)
            .and_then(|value| Fact::read(&kind, value))
            // What serde says may quote the body, and this is logged.
            .map_err(|error| anyhow!("{:?} error in its body", error.classify()))?;
        Ok((Entry { seq, id, at, scope, subject, actor, cause, version, fact }, body))
    };
    let read = read().and_then(|(entry, body)| as_written(entry, &body, row));
    read.with_context(|| format!("Reading entry {seq}"))
}

/// The entry, if it is the one that was written: a disk may give back what nobody wrote, and says nothing.
fn as_written(entry: Entry, body: &str, mut proof: Row) -> Result<Entry> {
    let (salt, digest, written) = (proof.blob()?, proof.bytes()?, proof.bytes::<32>()?);
    let before = match proof.value()? {
        Value::Null if entry.seq == 1 => chain::START,
        Value::Blob(before) => before.try_into().ok().context("The chain before it is none")?,
        _ => bail!("The entry before it is missing"),
    };
    let blank = body.is_empty() && salt.is_empty();
    let whole = blank || salt.try_into().is_ok_and(|salt| chain::digest(&salt, body.as_bytes()) == digest);
    if !whole || chain::next(&before, &digest, &entry) != written {
        let seq = entry.seq;
        tracing::error!(seq, alarm = "not_as_written", "An entry is not the one that was written: run `verify`");
        bail!("It is not the one that was written");
    }
    Ok(entry)
}
