//! Who saw what at which seq. Whether that is sight, `domain::visibility` alone decides.

use std::collections::BTreeMap;

use domain::{
    entry::Scope,
    ids::{CaseId, Seq, StaffId},
    visibility::{Audience, Viewer, visible},
};
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use crate::{Records, Result};

/// How one person's sight of cases differs between two places in the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SightChange {
    /// Seen at some time from then on, not now.
    pub lost: Vec<CaseId>,
    /// Seen now, and not all the time from then on: the entries since do not tell the whole, or tell what a client
    /// passed over because later ones had come.
    pub gained: Vec<CaseId>,
}

impl Records {
    /// A person as they were after the entry at `seq`; nobody before their first.
    pub fn viewer_at(&self, staff: StaffId, seq: Seq) -> Result<Viewer> {
        let sql = "SELECT roles, teams, active FROM memberships
                   WHERE staff = ?1 AND from_seq <= ?2 AND (to_seq IS NULL OR to_seq > ?2)";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement
            .query_row(params![staff.0, seq], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?))
            })
            .optional()?;
        Ok(match found {
            Some((roles, teams, active)) => {
                Viewer { staff, roles: serde_json::from_str(&roles)?, teams: serde_json::from_str(&teams)?, active }
            }
            None => Viewer { staff, roles: vec![], teams: vec![], active: false },
        })
    }

    /// A case's audience after the entry at `seq`; none before it was opened.
    pub fn audience_at(&self, case: CaseId, seq: Seq) -> Result<Option<Audience>> {
        let sql =
            "SELECT team FROM audiences WHERE case_id = ?1 AND from_seq <= ?2 AND (to_seq IS NULL OR to_seq > ?2)";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![case.0, seq], |row| Ok(Audience { team: row.get(0)? })).optional()?)
    }

    /// Whether a person may see what belongs to `scope`, by the audience after the entry at `seq`.
    pub fn sees(&self, viewer: &Viewer, scope: &Scope, seq: Seq) -> Result<bool> {
        let audience = match scope {
            Scope::Case(case) => self.audience_at(*case, seq)?,
            Scope::Agency | Scope::Staff(_) => None,
        };
        Ok(visible(viewer, scope, audience.as_ref()))
    }

    /// What went out of a person's sight and what came into it after `from` and up to `to`. A client whose last cursor
    /// was at `from` may have been shown any of what was visible since, by the live stream; so each change counts, and
    /// not the two ends alone.
    pub fn sight_change(&self, staff: StaffId, from: Seq, to: Seq) -> Result<SightChange> {
        if from == 0 || from >= to {
            return Ok(SightChange::default());
        }
        let now = self.viewer_at(staff, to)?;
        let sql = "SELECT from_seq FROM memberships WHERE staff = ?1 AND from_seq > ?2 AND from_seq <= ?3";
        let mut viewers = BTreeMap::new();
        for seq in std::iter::once(from).chain(self.seqs(sql, staff.0, from, to)?) {
            viewers.insert(seq, self.viewer_at(staff, seq)?);
        }
        // Where the person stayed the same, only a case that changed hands can differ.
        let since = if viewers.values().all(|viewer| *viewer == now) { from } else { -1 };
        let sql = "SELECT DISTINCT case_id FROM audiences WHERE from_seq > ?1 AND from_seq <= ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let cases =
            statement.query_map([since, to], |row| row.get::<_, Uuid>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut change = SightChange::default();
        for case in cases.into_iter().map(CaseId) {
            let scope = Scope::Case(case);
            let sql = "SELECT from_seq FROM audiences WHERE case_id = ?1 AND from_seq > ?2 AND from_seq <= ?3";
            let (mut ever, mut always) = (false, true);
            for seq in self.seqs(sql, case.0, from, to)?.into_iter().chain(viewers.keys().copied()) {
                if let (Some(audience), Some((_, viewer))) =
                    (self.audience_at(case, seq)?, viewers.range(..=seq).next_back())
                {
                    let saw = visible(viewer, &scope, Some(&audience));
                    ever |= saw;
                    always &= saw;
                }
            }
            let sees = visible(&now, &scope, self.audience_at(case, to)?.as_ref());
            match (ever, always, sees) {
                (true, _, false) => change.lost.push(case),
                (_, false, true) => change.gained.push(case),
                _ => {}
            }
        }
        Ok(change)
    }

    fn seqs(&self, sql: &str, of: Uuid, from: Seq, to: Seq) -> Result<Vec<Seq>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_map(params![of, from, to], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }
}
