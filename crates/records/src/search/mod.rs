//! Search over what is on this desk: words in messages and notes, newest first; contacts and cases by name and number.
//!
//! The index ([`index`]) finds by words; what else is asked (who wrote, when, whose case, where it stands) is looked for
//! in the rows that it finds, one by one, until there are enough. What is rare is made part of the question to the index
//! instead. Ranking by bm25 was rejected: it has to look at everything that is found before it can show anything.

mod fold;
mod index;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;

use domain::{
    ids::{CaseId, ContactId, ConversationId, MessageId, Millis, NoteId, Seq, StaffId},
    words::CaseState,
};
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use self::index::Mark;
pub use self::{fold::folded, index::Progress, words::Words};
use crate::{Records, Result, people::read_word};

/// Up to so many conversations are named to the index; more of them are common enough to be met on the way.
const NAMED: usize = 100;
/// After so many rows that do not fit, what was found so far is answered, and where to go on.
const MOST_LOOKED_AT: usize = 20_000;
/// Of contacts and cases that fit, so many of the latest are looked at.
const NAMES: usize = 200;

/// What is looked for among messages and notes.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Words that stand in them.
    pub words: Words,
    /// In this conversation alone.
    pub conversation: Option<ConversationId>,
    /// Written by one of these people.
    pub from: Option<From>,
    /// At this time or later.
    pub since: Option<Millis>,
    /// Before this time.
    pub until: Option<Millis>,
    /// In a case that one of these owns, or nobody.
    pub owner: Option<Vec<Option<StaffId>>>,
    /// In a case that stands so.
    pub state: Option<State>,
    /// Older than this entry: the next of what was found.
    pub below: Option<Seq>,
}

/// Who wrote.
#[derive(Debug, Clone, Default)]
pub struct From {
    /// Citizens of this name or number.
    pub called: Option<Words>,
    /// Members of staff.
    pub staff: BTreeSet<StaffId>,
}

/// Where a case stands, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Open.
    Open,
    /// Closed.
    Closed,
    /// The citizen waits for a reply.
    Waiting,
}

/// What was found among messages and notes.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Newest first.
    pub hits: Vec<Hit>,
    /// There may be more below this seq.
    pub more: Option<Seq>,
}

/// A message or a note that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its seq.
    pub seq: Seq,
    /// Where it stands.
    pub place: Millis,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its case.
    pub case: CaseId,
    /// What it is.
    pub what: What,
    /// Who of us wrote it.
    pub author: Option<StaffId>,
    /// Its text.
    pub text: String,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A message.
    Message {
        /// Its id.
        message: MessageId,
        /// Whether the citizen wrote it.
        inbound: bool,
    },
    /// A note.
    Note(NoteId),
}

/// A case that was found by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Its id.
    pub case: CaseId,
    /// Its conversation.
    pub conversation: ConversationId,
}

impl Records {
    /// Messages and notes, newest first: at most `limit`.
    pub fn find(&self, search: &Search, limit: usize) -> Result<Found> {
        let (from, until) = self.bounds(search)?;
        let asked = self.asked(search)?;
        let sql = if asked.is_some() {
            "SELECT rowid FROM texts WHERE texts MATCH ?3 AND rowid >= ?1 AND rowid < ?2 ORDER BY rowid DESC"
        } else {
            "SELECT seq FROM messages WHERE seq >= ?1 AND seq < ?2 AND ?3 IS NULL UNION ALL
             SELECT seq FROM notes WHERE seq >= ?1 AND seq < ?2 ORDER BY 1 DESC"
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![from, until, asked])?;
        let (mut hits, mut looked_at) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let seq: Seq = row.get(0)?;
            if let Some(hit) = self.hit(seq)?
                && self.fits(search, &hit)?
            {
                // One more shows that there is more.
                if hits.len() == limit {
                    return Ok(Found { more: hits.last().map(|hit: &Hit| hit.seq), hits });
                }
                hits.push(hit);
            }
            looked_at += 1;
            if looked_at >= MOST_LOOKED_AT {
                return Ok(Found { hits, more: Some(seq) });
            }
        }
        Ok(Found { hits, more: None })
    }

    /// How the index is asked; `None` where it cannot help.
    fn asked(&self, search: &Search) -> Result<Option<String>> {
        let mut all = Vec::new();
        if !search.words.is_empty() {
            all.push(search.words.matching());
        }
        let mut any = |marks: Vec<Mark>| {
            let marks: Vec<_> = marks.iter().map(|mark| format!("\"{}\"", mark.word())).collect();
            // Nobody of this name, or no such case: nothing fits.
            all.push(if marks.is_empty() { "\"\u{e004}\"".to_owned() } else { format!("({})", marks.join(" OR ")) });
        };
        if let Some(conversation) = search.conversation {
            any(vec![Mark::Conversation(conversation.0)]);
        }
        if let Some(from) = &search.from
            && let Some(conversations) = self.rare_name(from)?
        {
            let staff = from.staff.iter().map(|staff| Mark::Author(staff.0));
            any(conversations.into_iter().map(Mark::Conversation).chain(staff).collect());
        }
        if let Some(conversations) = self.rare_cases(search)? {
            any(conversations.into_iter().map(Mark::Conversation).collect());
        }
        Ok((!all.is_empty()).then(|| all.join(" AND ")))
    }

    /// The conversations of those who are called so, if they are few.
    fn rare_name(&self, from: &From) -> Result<Option<BTreeSet<Uuid>>> {
        let Some(called) = &from.called else { return Ok(Some(BTreeSet::new())) };
        let found = self.find_contacts(called, NAMED + 1)?;
        Ok((found.len() <= NAMED).then(|| found.into_iter().map(|(_, conversation)| conversation.0).collect()))
    }

    /// The conversations of the cases asked for by owner or state, if they are few.
    fn rare_cases(&self, search: &Search) -> Result<Option<BTreeSet<Uuid>>> {
        let limit = i64::try_from(NAMED).unwrap_or(i64::MAX) + 1;
        let mut found = BTreeSet::new();
        if let Some(owners) = &search.owner {
            for owner in owners {
                let sql = "SELECT DISTINCT conversation FROM cases WHERE owner IS ?1 LIMIT ?2";
                let mut statement = self.connection.prepare_cached(sql)?;
                for one in statement.query_map(params![owner.map(|owner| owner.0), limit], |row| row.get(0))? {
                    found.insert(one?);
                }
            }
        } else if search.state == Some(State::Waiting) {
            let sql = "SELECT DISTINCT conversation FROM cases WHERE waiting AND (state = 'open' OR waiting) LIMIT ?1";
            let mut statement = self.connection.prepare_cached(sql)?;
            for one in statement.query_map([limit], |row| row.get(0))? {
                found.insert(one?);
            }
        } else {
            return Ok(None);
        }
        Ok((found.len() <= NAMED).then_some(found))
    }

    /// Between which seqs lies what is asked for. A message's place is at most two minutes before its entry.
    fn bounds(&self, search: &Search) -> Result<(Seq, Seq)> {
        const LATE: Millis = 120_000;
        let from = search.since.map_or(Ok(0), |since| self.first_at(since))?;
        let until = search.until.map_or(Ok(Seq::MAX), |until| self.first_at(until.saturating_add(LATE)))?;
        Ok((from, until.min(search.below.unwrap_or(Seq::MAX))))
    }

    /// The first message's seq at this time or after it: the gateway's clock never goes back from entry to entry. Notes
    /// lie between messages.
    fn first_at(&self, at: Millis) -> Result<Seq> {
        let mut statement =
            self.connection.prepare_cached("SELECT seq, at FROM messages WHERE seq >= ?1 ORDER BY seq LIMIT 1")?;
        let last: Option<Seq> = self.connection.query_row("SELECT max(seq) FROM messages", [], |row| row.get(0))?;
        let (mut low, mut high) = (0, last.unwrap_or(0) + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let found: Option<(Seq, Millis)> =
                statement.query_row([middle], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            match found {
                Some((seq, found_at)) if found_at < at => low = seq + 1,
                _ => high = middle,
            }
        }
        // Notes right before the first message may be of that time, too.
        let before = "SELECT coalesce(max(seq), 0) FROM messages WHERE seq < ?1";
        Ok(self.connection.prepare_cached(before)?.query_row([low], |row| row.get::<_, Seq>(0))? + 1)
    }

    fn hit(&self, seq: Seq) -> Result<Option<Hit>> {
        let sql = "SELECT id, place, conversation, case_id, author, text, inbound FROM messages WHERE seq = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let message = statement.query_row([seq], |row| {
            let what = What::Message { message: MessageId(row.get(0)?), inbound: row.get(6)? };
            hit(row, seq, what)
        });
        if let Some(message) = message.optional()? {
            return Ok(Some(message));
        }
        let sql = "SELECT id, at, conversation, case_id, author, text FROM notes WHERE seq = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([seq], |row| hit(row, seq, What::Note(NoteId(row.get(0)?)))).optional()?)
    }

    fn fits(&self, search: &Search, hit: &Hit) -> Result<bool> {
        let Search { words, conversation, from, since, until, owner, state, below: _ } = search;
        if conversation.is_some_and(|conversation| conversation != hit.conversation)
            || since.is_some_and(|since| hit.place < since)
            || until.is_some_and(|until| hit.place >= until)
            || (words.has_phrase() && !words.stand_in(&hit.text))
        {
            return Ok(false);
        }
        if let Some(from) = from {
            let wrote = match (hit.what, hit.author) {
                (What::Message { inbound: true, .. }, _) => match &from.called {
                    Some(called) => self.is_called(hit.conversation, called)?,
                    None => false,
                },
                (_, Some(author)) => from.staff.contains(&author),
                (_, None) => false,
            };
            if !wrote {
                return Ok(false);
            }
        }
        if owner.is_none() && state.is_none() {
            return Ok(true);
        }
        let sql = "SELECT owner, state, waiting FROM cases WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let case: Option<(Option<Uuid>, String, bool)> =
            statement.query_row([hit.case.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let Some((owned_by, stands, waiting)) = case else { return Ok(false) };
        let stands: CaseState = read_word(&stands)?;
        let state_fits = state.is_none_or(|state| match state {
            State::Open => stands == CaseState::Open,
            State::Closed => stands == CaseState::Closed,
            State::Waiting => waiting,
        });
        Ok(state_fits && owner.as_ref().is_none_or(|owners| owners.contains(&owned_by.map(StaffId))))
    }

    /// Whether the citizen of a conversation is called so.
    fn is_called(&self, conversation: ConversationId, words: &Words) -> Result<bool> {
        let Some(contact) = self.contact_of(conversation)? else { return Ok(false) };
        let contact = self.resolve(contact)?;
        for one in self.with_aliases(contact)? {
            if words.stand_in(&self.called(one.0)?.unwrap_or_default().1) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Contacts by name, number or spoken code, of whom there is a conversation: at most `limit`, who wrote last first.
    pub fn find_contacts(&self, words: &Words, limit: usize) -> Result<Vec<(ContactId, ConversationId)>> {
        let mut found: Vec<(Millis, ContactId, ConversationId)> = Vec::new();
        for seq in self.find_names(words, &Mark::Contact)?.into_iter().take(NAMES) {
            let sql = "SELECT id FROM contacts WHERE seq = ?1";
            let mut statement = self.connection.prepare_cached(sql)?;
            let contact: Option<Uuid> = statement.query_row([seq], |row| row.get(0)).optional()?;
            let Some(contact) = contact else { continue };
            let contact = self.resolve(ContactId(contact))?;
            for one in self.conversations_with(contact)? {
                found.push((one.0, contact, one.1));
            }
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        let mut known = BTreeSet::new();
        found.retain(|(_, _, conversation)| known.insert(*conversation));
        found.truncate(limit);
        Ok(found.into_iter().map(|(_, contact, conversation)| (contact, conversation)).collect())
    }

    /// The conversations with a contact, and with whoever was joined to it, and when something was said in each last.
    fn conversations_with(&self, contact: ContactId) -> Result<Vec<(Millis, ConversationId)>> {
        let sql = "SELECT last_place, id FROM conversations WHERE contact = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut all = Vec::new();
        for one in self.with_aliases(contact)? {
            for row in statement.query_map([one.0], |row| Ok((row.get(0)?, ConversationId(row.get(1)?))))? {
                all.push(row?);
            }
        }
        Ok(all)
    }

    /// Cases by number, the one opened last first: at most `limit`.
    pub fn find_cases(&self, words: &Words, limit: usize) -> Result<Vec<Numbered>> {
        let sql = "SELECT id, conversation FROM cases WHERE opened_seq = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = Vec::new();
        for seq in self.find_names(words, &Mark::Case)?.into_iter().take(limit) {
            let one = statement.query_row([seq], |row| {
                Ok(Numbered { case: CaseId(row.get(0)?), conversation: ConversationId(row.get(1)?) })
            });
            found.extend(one.optional()?);
        }
        Ok(found)
    }

    fn find_names(&self, words: &Words, mark: &Mark) -> Result<Vec<Seq>> {
        if words.is_empty() {
            return Ok(vec![]);
        }
        let asked = format!("{} AND \"{}\"", words.matching(), mark.word());
        let sql = "SELECT rowid FROM names WHERE names MATCH ?1 ORDER BY rowid DESC LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let limit = i64::try_from(NAMES).unwrap_or(i64::MAX);
        Ok(statement.query_map(params![asked, limit], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }
}

fn hit(row: &rusqlite::Row, seq: Seq, what: What) -> rusqlite::Result<Hit> {
    Ok(Hit {
        seq,
        place: row.get(1)?,
        conversation: ConversationId(row.get(2)?),
        case: CaseId(row.get(3)?),
        what,
        author: row.get::<_, Option<Uuid>>(4)?.map(StaffId),
        text: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
    })
}
