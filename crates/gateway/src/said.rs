//! What a desk says up its socket: read, held to a rate, and passed to those whom it concerns. Nothing of it is stored or
//! logged.

use std::sync::Arc;

use axum::extract::ws::Message;
use domain::{
    entry::Scope,
    ids::{CaseId, Ids, Millis, StaffId},
    visibility::{Viewer, visible},
    wire::{Line, Presence, Up},
};

use crate::{
    agency::Agency,
    pace::{Pace, Rate},
    presence::{Sight, Source, TYPING, VIEWING},
    requests::Signed,
    signs,
};

/// The longest frame in which there can be sense.
const LONGEST: usize = 128;
/// Frames in a minute, whatever they say. A desk says what its person looks at every 8 seconds, that they write every 3,
/// and each change of either; it answers a ping every 10.
const A_MINUTE: u32 = 120;
/// Frames at once: a person clicks through a list.
const AT_ONCE: u32 = 60;

/// More frames came than anybody has reason to send.
#[derive(Debug)]
pub struct Flood;

/// One connection's say.
pub struct Said {
    agency: Arc<Agency>,
    staff: StaffId,
    source: Source,
    pace: Pace<()>,
    viewing: Option<CaseId>,
    typing: Option<CaseId>,
    /// Until when what was said of `typing` holds.
    typing_until: Millis,
}

impl Said {
    /// Nothing yet.
    pub fn new(signed: &Signed, ids: &dyn Ids, now: Millis) -> Self {
        Self {
            agency: Arc::clone(&signed.agency),
            staff: signed.staff,
            source: ids.next(now).as_u128(),
            pace: Pace::default(),
            viewing: None,
            typing: None,
            typing_until: 0,
        }
    }

    /// Takes a frame. What makes no sense is counted and passed over, and so is a case that this person does not see.
    pub async fn take(&mut self, message: &Message, now: Millis) -> Result<(), Flood> {
        self.pace.try_take((), Rate::new(A_MINUTE, 60_000, AT_ONCE), now).map_err(|_| Flood)?;
        let up = match message {
            Message::Text(text) if text.len() <= LONGEST => serde_json::from_str::<Up>(text).ok(),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Text(_) | Message::Binary(_) | Message::Close(_) => None,
        };
        let Some(up) = up else {
            signs::frame_without_sense();
            return Ok(());
        };
        match up {
            Up::Viewing(case) => {
                let before = std::mem::replace(&mut self.viewing, case);
                self.over(before, case, now);
            }
            Up::Typing(case) => {
                let before = std::mem::replace(&mut self.typing, case);
                self.typing_until = now + TYPING;
                self.over(before, case, now);
            }
        }
        if let Up::Viewing(Some(case)) | Up::Typing(Some(case)) = up {
            self.say(case, now).await;
        }
        Ok(())
    }

    /// Says what is so of a case, if this person may see it.
    async fn say(&mut self, case: CaseId, now: Millis) {
        if let Some(sight) = sight(&self.agency, self.staff, case).await {
            let presence = self.presence(case, now);
            self.agency.live.presence().relay(self.source, &presence, &sight, now);
            self.agency.others.present(&self.agency.id, self.source, &presence);
        }
    }

    /// Something is over in the case of before, unless it is the same.
    fn over(&self, before: Option<CaseId>, case: Option<CaseId>, now: Millis) {
        let Some(before) = before.filter(|before| Some(*before) != case) else { return };
        let left = self.presence(before, now);
        self.correct(&left, now);
    }

    fn correct(&self, left: &Presence, now: Millis) {
        self.agency.live.presence().correct(self.source, left, now);
        self.agency.others.present(&self.agency.id, self.source, left);
    }

    fn presence(&self, case: CaseId, now: Millis) -> Presence {
        let viewing = if self.viewing == Some(case) { VIEWING } else { 0 };
        let typing = if self.typing == Some(case) { (self.typing_until - now).max(0) } else { 0 };
        Presence { staff: self.staff, case, viewing, typing }
    }

    /// Lines about others that are new since a version, and up to which version that is.
    pub fn others(&self, viewer: &Viewer, since: u64, most: usize, now: Millis) -> (Vec<String>, u64) {
        let (news, reached) = self.agency.live.presence().since(since, viewer, most, now);
        let lines = news.into_iter().filter_map(|news| serde_json::to_string(&Line::Presence(news)).ok());
        (lines.collect(), reached)
    }

    /// The connection ends, and with it what it said.
    pub fn leave(mut self, now: Millis) {
        for case in [self.viewing.take(), self.typing.take()].into_iter().flatten() {
            self.correct(&self.presence(case, now), now);
        }
    }
}

/// Who may see a case, if this person does.
pub(crate) async fn sight(agency: &Arc<Agency>, staff: StaffId, case: CaseId) -> Option<Sight> {
    let sight = agency.read(move |reader| {
        let as_of = reader.records.stand()?.seq;
        let viewer = reader.records.viewer_at(staff, as_of)?;
        let audience = reader.records.audience_at(case, as_of)?;
        let sees = visible(&viewer, &Scope::Case(case), audience.as_ref());
        Ok(audience.filter(|_| sees).map(|audience| Sight { audience, as_of }))
    });
    // A reading that failed is logged where it failed; the desk says it again.
    sight.await.ok().flatten()
}
