//! Staff and contacts.

use domain::{
    entry::{Identifier, IdentifierKind},
    facts::{ContactFacts, StaffFacts},
    ids::{CaseId, ContactId, Seq, StaffId, Team},
    visibility::Viewer,
};
use rusqlite::{OptionalExtension, Row, params};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{Records, Result, apply::word};

impl Records {
    /// A member of staff as they are now.
    pub fn staff(&self, staff: StaffId) -> Result<Option<StaffFacts>> {
        self.one_of_staff("SELECT id, roles, teams, active, username, name FROM staff WHERE id = ?1", [staff.0])
    }

    /// A member of staff by what they sign in with.
    pub fn staff_by_username(&self, username: &str) -> Result<Option<StaffFacts>> {
        self.one_of_staff("SELECT id, roles, teams, active, username, name FROM staff WHERE username = ?1", [username])
    }

    /// Everybody, by name.
    pub fn everybody(&self) -> Result<Vec<StaffFacts>> {
        let sql = "SELECT id, roles, teams, active, username, name FROM staff ORDER BY name";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok(staff_row(row)))?;
        rows.map(|row| row?).collect()
    }

    fn one_of_staff(&self, sql: &str, values: impl rusqlite::Params) -> Result<Option<StaffFacts>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row(values, |row| Ok(staff_row(row))).optional()?.transpose()
    }

    /// Open cases that a person owns, and their teams.
    pub(crate) fn owned_by(&self, staff: StaffId) -> Result<Vec<(CaseId, Team)>> {
        let sql = "SELECT id, team FROM cases WHERE owner = ?1 AND state = 'open' ORDER BY opened_seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([staff.0], |row| Ok((CaseId(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whom an id means now: aliases resolved, as far as the contacts are here.
    pub fn resolve(&self, contact: ContactId) -> Result<ContactId> {
        // A chain of aliases is short; a circle, which no decision makes, must not hang a reader all the same.
        let mut now = contact.0;
        for _ in 0..8 {
            let sql = "SELECT b.id FROM contacts a JOIN contacts b ON b.id = a.merged_into WHERE a.id = ?1";
            let next: Option<Uuid> =
                self.connection.prepare_cached(sql)?.query_row([now], |row| row.get(0)).optional()?;
            match next {
                Some(next) => now = next,
                None => break,
            }
        }
        Ok(ContactId(now))
    }

    /// A contact, aliases resolved.
    pub fn contact(&self, contact: ContactId) -> Result<Option<ContactFacts>> {
        let id = self.resolve(contact)?;
        let sql = "SELECT name FROM contacts WHERE id = ?1";
        let name: Option<Option<String>> =
            self.connection.prepare_cached(sql)?.query_row([id.0], |row| row.get(0)).optional()?;
        let Some(name) = name else { return Ok(None) };
        let sql = "SELECT kind, value, from_at, to_at FROM identifiers WHERE contact = ?1 ORDER BY from_at, kind";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows =
            statement.query_map([id.0], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let mut identifiers = vec![];
        for row in rows {
            let (kind, value, from, to) = row?;
            identifiers.push(Identifier { kind: read_word(&kind)?, value, from, to });
        }
        let sql = "SELECT k.id, k.state = 'open', k.last_seq FROM conversations c JOIN cases k ON k.conversation = c.id
                   WHERE c.contact = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut cases: Vec<(bool, Seq, CaseId)> = vec![];
        for one in self.with_aliases(id)? {
            for row in statement.query_map([one.0], |row| Ok((row.get(1)?, row.get(2)?, CaseId(row.get(0)?))))? {
                cases.push(row?);
            }
        }
        cases.sort_unstable_by(|a, b| b.cmp(a));
        let any_open = cases.first().is_some_and(|(open, ..)| *open);
        let told = if any_open { cases.iter().filter(|(open, ..)| *open).count() } else { 1 };
        let cases = cases.into_iter().take(told).map(|(.., case)| case).collect();
        Ok(Some(ContactFacts { id, name, identifiers, cases }))
    }

    /// A contact, and all who were joined to it, directly or by way of another; itself first.
    pub(crate) fn with_aliases(&self, contact: ContactId) -> Result<Vec<ContactId>> {
        // One statement for each contact: nearly all have no alias, and a recursive one costs more than the rest.
        let mut statement = self.connection.prepare_cached("SELECT id FROM contacts WHERE merged_into = ?1")?;
        let (mut all, mut next) = (vec![contact], 0);
        while let Some(one) = all.get(next).copied() {
            for alias in statement.query_map([one.0], |row| row.get(0).map(ContactId))? {
                let alias = alias?;
                if !all.contains(&alias) {
                    all.push(alias);
                }
            }
            next += 1;
        }
        Ok(all)
    }

    /// Who holds an identifier now, aliases resolved.
    pub(crate) fn holder(&self, kind: IdentifierKind, value: &str) -> Result<Option<ContactId>> {
        let sql = "SELECT contact FROM identifiers WHERE kind = ?1 AND value = ?2 AND to_at IS NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found: Option<Uuid> = statement.query_row(params![word(&kind)?, value], |row| row.get(0)).optional()?;
        found.map_or(Ok(None), |found| self.resolve(ContactId(found)).map(Some))
    }
}

fn staff_row(row: &Row) -> Result<StaffFacts> {
    let viewer = Viewer {
        staff: StaffId(row.get(0)?),
        roles: serde_json::from_str(&row.get::<_, String>(1)?)?,
        teams: serde_json::from_str(&row.get::<_, String>(2)?)?,
        active: row.get(3)?,
    };
    Ok(StaffFacts { viewer, username: row.get(4)?, name: row.get(5)? })
}

/// A column's word as `domain` has it.
pub(crate) fn read_word<T: DeserializeOwned>(text: &str) -> Result<T> {
    Ok(serde_json::from_value(serde_json::Value::String(text.to_owned()))?)
}
