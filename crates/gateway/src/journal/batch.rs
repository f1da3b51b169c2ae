//! One transaction under the head lock.
//!
//! New entries, the keys of inbound items and the answers to commands stay in memory until the commit writes each of them
//! in one statement: where the home is another machine, a round trip for each would cost more than deciding. So an item
//! that fails is undone by cutting off what it added here. Only the first statement of an item that goes to the home at
//! once sets a savepoint there. Everything that is read in here counts in what the batch holds.

use std::{
    cell::{Cell, OnceCell},
    collections::HashMap,
};

use anyhow::{Context, Result, ensure};
use domain::{
    chain::{self, Hash},
    entry::Entry,
    ids::{CaseId, CommandId, Millis, Seq, StaffId},
    wire::{Outcome, Witness},
};
use uuid::Uuid;

use super::{
    Credential, Erasing, Head, Trail, chain_at, credential, entries_after, entry, head, last_signed_out, sending_held,
};
use crate::{
    home::{Home, Insert, Kind, Value, values},
    keys,
};

const ENTRIES: Insert = Insert {
    table: "entries",
    columns: &[
        ("seq", Kind::Integer),
        ("id", Kind::Text),
        ("at", Kind::Integer),
        ("scope", Kind::Text),
        ("subject", Kind::Text),
        ("actor", Kind::Text),
        ("cause", Kind::Text),
        ("version", Kind::Integer),
        ("kind", Kind::Text),
        ("body", Kind::Text),
        ("salt", Kind::Blob),
        ("digest", Kind::Blob),
        ("chain", Kind::Blob),
    ],
};
/// Nobody is still connected who was signed out so long ago.
const DAY: Millis = 24 * 3_600_000;
const SEEN: Insert = Insert { table: "seen", columns: &[("item", Kind::Blob), ("at", Kind::Integer)] };
const COMMANDS: Insert = Insert {
    table: "commands",
    columns: &[
        ("staff", Kind::Text),
        ("id", Kind::Text),
        ("hash", Kind::Blob),
        ("answer", Kind::Text),
        ("at", Kind::Integer),
    ],
};

/// One transaction under the head lock.
pub struct Batch<'a> {
    home: &'a Home,
    head: Head,
    /// The head as the home has it.
    written: Head,
    entries: Vec<NewRow>,
    seen: Vec<(Hash, Millis)>,
    answers: Vec<Given>,
    /// Whether the keys that were asked for are known.
    known: HashMap<Hash, bool>,
    /// The answers of the commands that were asked for, as the home has them.
    answered: HashMap<CommandId, Vec<Given>>,
    erasures: Vec<Erasing>,
    held: OnceCell<Option<Millis>>,
    item: Cell<Item>,
    over: bool,
}

/// An entry as it goes into its table, and the chain before and after it.
struct NewRow {
    seq: Seq,
    before: Hash,
    chain: Hash,
    row: Vec<Value>,
}

/// An answer to a command.
struct Given {
    staff: StaffId,
    id: CommandId,
    hash: Hash,
    answer: String,
    at: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    None,
    /// One is under way, and nothing of it is in the home.
    Begun,
    /// A savepoint stands before what it did in the home.
    Saved,
}

/// To where an item can be undone.
pub struct Mark {
    head: Head,
    entries: usize,
    seen: usize,
    answers: usize,
    erasures: usize,
}

impl<'a> Batch<'a> {
    pub(super) fn begin(home: &'a Home) -> Result<Self> {
        home.begin().context("Locking the head")?;
        Self::at(home, home.for_update())
    }

    pub(super) fn look(home: &'a Home) -> Result<Self> {
        home.begin_to_read().context("Beginning to read")?;
        Self::at(home, "")
    }

    fn at(home: &'a Home, lock: &str) -> Result<Self> {
        let head = head(home, lock).inspect_err(|_| home.roll_back())?;
        Ok(Self {
            home,
            written: head.clone(),
            head,
            entries: Vec::new(),
            seen: Vec::new(),
            answers: Vec::new(),
            known: HashMap::new(),
            answered: HashMap::new(),
            erasures: Vec::new(),
            held: OnceCell::new(),
            item: Cell::new(Item::None),
            over: false,
        })
    }

    /// The head as the entries appended so far leave it.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The home, for a statement that is to be undone with the item that it belongs to.
    pub(crate) fn home(&self) -> Result<&Home> {
        if self.item.get() == Item::Begun {
            self.home.save()?;
            self.item.set(Item::Saved);
        }
        Ok(self.home)
    }

    /// Asks at once for what the items of this batch will ask for one by one.
    pub fn look_ahead(&mut self, items: &[Hash], commands: &[CommandId]) -> Result<()> {
        let keys: Vec<Value> = items.iter().map(Value::from).collect();
        let found = self.home.for_each_of("SELECT item FROM seen WHERE item = $1", &keys);
        self.known.extend(items.iter().map(|item| (*item, false)));
        for mut row in found.context("Looking for inbound items")? {
            self.known.insert(row.bytes()?, true);
        }
        let ids: Vec<Value> = commands.iter().map(|id| id.to_string().into()).collect();
        let sql = "SELECT staff, id, hash, answer, at FROM commands WHERE id = $1";
        let found = self.home.for_each_of(sql, &ids).context("Looking for the answers of commands")?;
        self.answered.extend(commands.iter().map(|id| (*id, Vec::new())));
        for mut row in found {
            let (staff, id) = (row.text()?.parse()?, row.text()?.parse()?);
            let given = Given { staff, id, hash: row.bytes()?, answer: row.text()?, at: row.integer()? };
            self.answered.entry(id).or_default().push(given);
        }
        Ok(())
    }

    /// Appends an entry, which must stand at the next place.
    pub fn append(&mut self, entry: &Entry) -> Result<()> {
        ensure!(entry.seq == self.head.seq + 1, "Entry {} does not follow {}", entry.seq, self.head.seq);
        ensure!(entry.at >= self.head.at, "Entry {} is older than the one before it", entry.seq);
        let body = entry.fact.body().and_then(|body| serde_json::to_string(&body)).context("Writing a body")?;
        let salt = keys::random::<16>()?;
        let digest = chain::digest(&salt, body.as_bytes());
        let chain = chain::next(&self.head.chain, &digest, entry);
        let row = values![
            entry.seq,
            entry.id.to_string(),
            entry.at,
            entry.scope.to_string(),
            entry.subject.to_string(),
            entry.actor.to_string(),
            entry.cause.map(|cause| cause.to_string()),
            entry.version,
            entry.fact.kind(),
            body,
            &salt,
            &digest,
            &chain,
        ];
        // Of what a home may refuse, this comes from outside; found now, it costs this item alone.
        ensure!(row.iter().all(Value::can_be_kept), "Entry {} has a NUL in a text of its header", entry.seq);
        self.entries.push(NewRow { seq: entry.seq, before: self.head.chain, chain, row: row.to_vec() });
        self.head.seq = entry.seq;
        self.head.at = entry.at;
        self.head.chain = chain;
        Ok(())
    }

    /// Blanks what an erasure covers, when the batch is committed.
    pub fn erase(&mut self, erasing: Erasing) {
        self.erasures.push(erasing);
    }

    /// Notes an inbound item's key; `false` if it was known already.
    pub fn first_seen(&mut self, item: &Hash, now: Millis) -> Result<bool> {
        if !self.known.contains_key(item) {
            self.look_ahead(&[*item], &[])?;
        }
        if self.known.insert(*item, true) == Some(true) {
            return Ok(false);
        }
        self.seen.push((*item, now));
        Ok(true)
    }

    /// Forgets a key noted in this batch, whose item came to nothing: it can be tried again.
    pub fn unsee(&mut self, item: &Hash) {
        self.seen.retain(|(seen, _)| seen != item);
        self.known.insert(*item, false);
    }

    fn given(&mut self, id: CommandId) -> Result<impl Iterator<Item = &Given>> {
        if !self.answered.contains_key(&id) {
            self.look_ahead(&[], &[id])?;
        }
        let new = self.answers.iter().filter(move |given| given.id == id);
        Ok(self.answered.get(&id).into_iter().flatten().chain(new))
    }

    /// The hash of the body, and the answer, that a person's command of this id had.
    pub fn answered(&mut self, staff: StaffId, id: CommandId) -> Result<Option<(Hash, Outcome)>> {
        let Some(given) = self.given(id)?.find(|given| given.staff == staff) else { return Ok(None) };
        Ok(Some((given.hash, serde_json::from_str(&given.answer).context("Reading a command's answer")?)))
    }

    /// Whether another person's command had this id: what it made bears the id, and nothing else may.
    pub fn is_anothers(&mut self, staff: StaffId, id: CommandId) -> Result<bool> {
        Ok(self.given(id)?.any(|given| given.staff != staff))
    }

    /// Keeps the answer to a command.
    pub fn answer(&mut self, staff: StaffId, id: CommandId, hash: &Hash, outcome: &Outcome, now: Millis) -> Result<()> {
        let answer = serde_json::to_string(outcome).context("Writing a command's answer")?;
        self.answers.push(Given { staff, id, hash: *hash, answer, at: now });
        Ok(())
    }

    /// Moves up to where a person has seen a case; the greater wins. Whether it moved.
    pub fn seen_up_to(&self, staff: StaffId, case: CaseId, seq: Seq) -> Result<bool> {
        let sql = "INSERT INTO positions (staff, case_id, seq, head) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (staff, case_id) DO UPDATE SET seq = excluded.seq, head = excluded.head
                   WHERE positions.seq < excluded.seq";
        let moved = self.home()?.execute(sql, values![staff.to_string(), case.to_string(), seq, self.head.seq]);
        Ok(moved.context("Moving a position")? > 0)
    }

    /// What an account is opened with.
    pub fn credential(&self, staff: StaffId) -> Result<Credential> {
        credential(self.home()?, staff)
    }

    /// Lets an account be opened by the one-time code of a command.
    pub fn give_code(&self, staff: StaffId, command: CommandId, until: Millis) -> Result<()> {
        let sql = "INSERT INTO credentials (staff, code_command, code_until) VALUES ($1, $2, $3)
                   ON CONFLICT (staff) DO UPDATE
                   SET code_command = excluded.code_command, code_until = excluded.code_until";
        self.home()?
            .execute(sql, values![staff.to_string(), command.to_string(), until])
            .context("Keeping a one-time code's command")
            .map(drop)
    }

    /// Sets a password; a one-time code is used up by it, and every device has to sign in again.
    /// The tokens that hold no longer are returned.
    pub fn set_password(&self, staff: StaffId, hash: &str) -> Result<Vec<Hash>> {
        let sql = "UPDATE credentials SET password = $1, code_command = NULL, code_until = 0 WHERE staff = $2";
        self.home()?.execute(sql, values![hash, staff.to_string()]).context("Keeping a password's hash")?;
        self.remove_devices(staff)
    }

    /// Signs a device in. A token that it had before holds no longer, and is returned.
    pub fn add_device(&self, token: &Hash, staff: StaffId, device: &str, now: Millis) -> Result<Vec<Hash>> {
        let before = self.sign_out("staff = $1 AND device = $2", values![staff.to_string(), device])?;
        let sql = "INSERT INTO devices (token, staff, device, since) VALUES ($1, $2, $3, $4)";
        self.home()?.execute(sql, values![token, staff.to_string(), device, now]).context("Signing a device in")?;
        Ok(before)
    }

    /// Signs a device out.
    pub fn remove_device(&self, token: &Hash) -> Result<Vec<Hash>> {
        self.sign_out("token = $1", values![token])
    }

    /// Shuts every device of a person out: each is told so when it next asks.
    pub fn revoke_devices(&self, staff: StaffId) -> Result<Vec<Hash>> {
        let tokens = self.remove_devices(staff)?;
        let home = self.home()?;
        let note = format!("INSERT INTO revoked (token, at) VALUES ($1, {})", home.now());
        for token in &tokens {
            home.execute(&note, values![token]).context("Noting that a device was shut out")?;
        }
        Ok(tokens)
    }

    /// Signs every device of a person out.
    fn remove_devices(&self, staff: StaffId) -> Result<Vec<Hash>> {
        self.sign_out("staff = $1", values![staff.to_string()])
    }

    fn sign_out(&self, which: &'static str, values: &[Value]) -> Result<Vec<Hash>> {
        let home = self.home()?;
        let gone = home.query(&format!("DELETE FROM devices WHERE {which} RETURNING token"), values);
        let gone = gone.context("Signing devices out")?.into_iter().map(|mut row| row.bytes());
        let gone = gone.collect::<Result<Vec<Hash>>>()?;
        // By the home's own clock: those of the processes may differ.
        let now = home.now();
        let note = format!("INSERT INTO signed_out (token, at) VALUES ($1, {now})");
        for token in &gone {
            home.execute(&note, values![token]).context("Noting that a device was signed out")?;
        }
        if !gone.is_empty() {
            let sql = format!("DELETE FROM signed_out WHERE at < {now} - $1");
            home.execute(&sql, values![DAY]).context("Forgetting who was signed out")?;
        }
        Ok(gone)
    }

    /// The place of the last sign-out.
    pub fn last_signed_out(&self) -> Result<i64> {
        let row = self.home.first("SELECT coalesce(max(n), 0) FROM signed_out", &[]);
        row.and_then(|row| row.context("There is none")?.integer()).context("Looking for sign-outs")
    }

    /// The tokens that were signed out after a place, and the place of the last.
    pub fn signed_out_after(&self, n: i64) -> Result<(Vec<Hash>, i64)> {
        let rows = self.home.query("SELECT n, token FROM signed_out WHERE n > $1 ORDER BY n", values![n]);
        let (mut tokens, mut last) = (Vec::new(), n);
        for mut row in rows.context("Looking for sign-outs")? {
            last = row.integer()?;
            tokens.push(row.bytes()?);
        }
        Ok((tokens, last))
    }

    /// Counts a failed sign-in, and forgets those of others that are long past.
    pub fn count_failure(&self, username: &str, now: Millis, forget_before: Millis) -> Result<()> {
        let home = self.home()?;
        let sql = "INSERT INTO attempts (username, failures, at) VALUES ($1, 1, $2)
                   ON CONFLICT (username) DO UPDATE SET failures = attempts.failures + 1, at = excluded.at";
        home.execute("DELETE FROM attempts WHERE at < $1", values![forget_before])
            .and_then(|_| home.execute(sql, values![username, now]))
            .context("Counting a failed sign-in")
            .map(drop)
    }

    /// Forgets failed sign-ins after one that went well.
    pub fn clear_failures(&self, username: &str) -> Result<()> {
        let sql = "DELETE FROM attempts WHERE username = $1";
        self.home()?.execute(sql, values![username]).context("Forgetting failed sign-ins").map(drop)
    }

    /// Notes that somebody has signed in from these places, and forgets those that were long ago.
    pub fn note_familiar(&self, places: &[Hash], now: Millis, forget_before: Millis) -> Result<()> {
        let home = self.home()?;
        let sql = "INSERT INTO familiar (place, at) VALUES ($1, $2) ON CONFLICT (place) DO UPDATE SET at = excluded.at";
        home.execute("DELETE FROM familiar WHERE at < $1", values![forget_before])
            .and_then(|_| places.iter().try_for_each(|place| home.execute(sql, values![place, now]).map(drop)))
            .context("Noting from where somebody signed in")
    }

    /// Gives the journal a new id, so that whoever knew the old one starts afresh.
    pub fn rename(&mut self, id: Uuid) {
        self.head.journal = id.to_string();
    }

    /// Holds sending until a person releases it.
    pub fn hold_sending(&mut self, now: Millis) -> Result<()> {
        self.held.take();
        let sql = "INSERT INTO holds (what, since) VALUES ('sending', $1) ON CONFLICT (what) DO NOTHING";
        self.home()?.execute(sql, values![now]).context("Holding sending").map(drop)
    }

    /// Lets sending go on; whether it was held.
    pub fn release_sending(&mut self) -> Result<bool> {
        self.held.take();
        let sql = "DELETE FROM holds WHERE what = 'sending'";
        Ok(self.home()?.execute(sql, &[]).context("Releasing sending")? > 0)
    }

    /// Since when sending is held, if it is.
    pub fn sending_held(&self) -> Result<Option<Millis>> {
        if let Some(held) = self.held.get() {
            return Ok(*held);
        }
        let held = sending_held(self.home()?)?;
        Ok(*self.held.get_or_init(|| held))
    }

    /// Keeps the head that was signed on a day.
    pub fn keep_signed_head(&self, day: &str, witness: &Witness) -> Result<()> {
        let witness = serde_json::to_string(witness).context("Writing a signed head")?;
        let sql = "INSERT INTO signed_heads (day, witness) VALUES ($1, $2)";
        self.home()?.execute(sql, values![day, witness]).context("Keeping a signed head").map(drop)
    }

    /// Marks a point to which a single item can be undone.
    pub fn mark(&mut self) -> Mark {
        self.item.set(Item::Begun);
        Mark {
            head: self.head.clone(),
            entries: self.entries.len(),
            seen: self.seen.len(),
            answers: self.answers.len(),
            erasures: self.erasures.len(),
        }
    }

    /// Keeps what was done since the mark.
    pub fn keep(&mut self, _: Mark) -> Result<()> {
        match self.item.replace(Item::None) {
            Item::Saved => self.home.release(),
            Item::None | Item::Begun => Ok(()),
        }
    }

    /// Undoes what was done since the mark.
    pub fn undo(&mut self, mark: Mark) -> Result<()> {
        for (item, _) in self.seen.drain(mark.seen..) {
            self.known.insert(item, false);
        }
        self.entries.truncate(mark.entries);
        self.answers.truncate(mark.answers);
        self.erasures.truncate(mark.erasures);
        self.head = mark.head;
        self.held.take();
        if self.item.replace(Item::None) == Item::Saved {
            self.home.undo()?;
        }
        Ok(())
    }

    /// Writes out what is held here, and commits. After an error it is unknown whether it holds: roll `records` back and
    /// read the head again.
    pub fn commit(mut self) -> Result<()> {
        let entries: Vec<_> = self.entries.drain(..).map(|new| new.row).collect();
        self.home.insert(ENTRIES, &entries).context("Inserting entries")?;
        // In order, so that a tree is gone through once.
        self.seen.sort_unstable();
        let seen: Vec<_> = self.seen.drain(..).map(|(item, at)| values![&item, at].to_vec()).collect();
        self.home.insert(SEEN, &seen).context("Noting inbound items")?;
        let answers = self.answers.drain(..).map(|given| {
            let Given { staff, id, hash, answer, at } = given;
            values![staff.to_string(), id.to_string(), &hash, answer, at].to_vec()
        });
        self.home.insert(COMMANDS, &answers.collect::<Vec<_>>()).context("Keeping the answers of commands")?;
        // Last, since it reaches what this very batch has written.
        self.erasures.iter().try_for_each(|erasing| erasing.write(self.home)).context("Erasing")?;
        if self.head != self.written {
            let Head { journal, seq, chain, at } = &self.head;
            let sql = "UPDATE head SET journal = $1, seq = $2, chain = $3, at = $4 WHERE one = 1";
            self.home.execute(sql, values![journal.as_str(), *seq, chain, *at]).context("Moving the head")?;
        }
        self.home.commit().context("Committing the journal")?;
        self.over = true;
        Ok(())
    }
}

/// With what the batch holds.
impl Trail for Batch<'_> {
    fn last(&self) -> Result<Head> {
        Ok(self.head.clone())
    }

    fn chain_at(&self, seq: Seq) -> Result<Option<Hash>> {
        match self.entries.iter().find(|new| new.seq == seq) {
            Some(new) => Ok(Some(new.chain)),
            None => chain_at(self.home, seq),
        }
    }

    fn entries_after(&self, seq: Seq, limit: u32) -> Result<Vec<Entry>> {
        let mut entries = entries_after(self.home, seq, limit)?;
        for new in self.entries.iter().filter(|new| new.seq > seq) {
            if entries.len() >= limit as usize {
                break;
            }
            let mut row = new.row.clone();
            row.push((&new.before).into());
            entries.push(entry(row.into())?);
        }
        Ok(entries)
    }

    fn last_signed_out(&self) -> Result<i64> {
        last_signed_out(self.home)
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.home.roll_back();
        }
    }
}
