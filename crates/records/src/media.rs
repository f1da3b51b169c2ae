//! Files: which cases they belong to, and so who may see them.

use domain::{
    entry::Scope,
    ids::{CaseId, ContactId, MediaId},
    visibility::{Audience, Viewer, visible},
};
use rusqlite::{Row, params};
use uuid::Uuid;

use crate::{Records, Result, erasure::JOINED};

impl Records {
    /// Whether a person sees a case to which a file belongs.
    pub fn sees_media(&self, viewer: &Viewer, media: MediaId) -> Result<bool> {
        let sql = "SELECT m.case_id, a.team FROM media m JOIN audiences a ON a.case_id = m.case_id AND a.to_seq IS NULL
                   WHERE m.sha256 = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([media.0])?;
        while let Some(row) = rows.next()? {
            if visible(viewer, &Scope::Case(CaseId(row.get(0)?)), Some(&Audience { team: row.get(1)? })) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a file belongs to any case.
    pub fn is_media_used(&self, media: MediaId) -> Result<bool> {
        let mut statement = self.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM media WHERE sha256 = ?1)")?;
        Ok(statement.query_row([media.0], |row| row.get(0))?)
    }

    /// Every file that belongs to a case.
    pub fn media_used(&self) -> Result<Vec<MediaId>> {
        let mut statement = self.connection.prepare_cached("SELECT DISTINCT sha256 FROM media ORDER BY sha256")?;
        Ok(statement.query_map([], media)?.collect::<rusqlite::Result<_>>()?)
    }

    /// The files that belong to a contact's cases, aliases included, and to nobody else's.
    pub fn media_of_alone(&self, contact: ContactId) -> Result<Vec<MediaId>> {
        let contact: Uuid = self.resolve(contact)?.0;
        let sql = format!(
            "{JOINED}, theirs AS (SELECT id FROM cases WHERE contact IN joined
               OR conversation IN (SELECT id FROM conversations WHERE contact IN joined))
             SELECT DISTINCT sha256 FROM media m WHERE case_id IN theirs
             AND NOT EXISTS (SELECT 1 FROM media o WHERE o.sha256 = m.sha256 AND o.case_id NOT IN theirs)
             ORDER BY sha256"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_map(params![contact], media)?.collect::<rusqlite::Result<_>>()?)
    }
}

fn media(row: &Row) -> rusqlite::Result<MediaId> {
    row.get(0).map(MediaId)
}
