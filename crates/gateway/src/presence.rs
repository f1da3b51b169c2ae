//! Who reads and who writes in which case: in memory alone, for seconds, and for those who may see the case.
//!
//! This is a board and not a stream: of each person and case it knows the last word only, and each connection asks from
//! time to time what is new on it. So a connection that is slow misses what is over by then, ten changes become one, and
//! nothing of this ever stands in the way of an entry. Rejected: events in the channel of the entries, where a thousand
//! people who click through their lists would push slow connections out of it.
//!
//! Everything fades: what is not said again is over, whether a desk, a connection or another process went silent.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{
    entry::Scope,
    ids::{CaseId, Millis, Seq, StaffId},
    visibility::{Audience, Viewer, visible},
    wire::Presence,
};
use tokio::sync::watch;

/// For so long somebody reads who said so. Desks say it again every 8 seconds.
pub const VIEWING: Millis = 20_000;
/// For so long somebody writes who said so. Desks say it again every 3 seconds while keys are struck.
pub const TYPING: Millis = 6000;
/// What is over stays on the board for so long, so that it is told.
const OVER: Millis = 10_000;
/// More than this is not kept: so many people do not exist, and whatever is missing comes with the next word.
const MOST: usize = 50_000;

/// Where word of somebody's presence came from: a connection, or another process.
pub type Source = u128;

/// Who may see a case, and as of which entry that is known.
#[derive(Debug, Clone)]
pub struct Sight {
    /// Who may see it.
    pub audience: Audience,
    /// Up to which entry what is known holds.
    pub as_of: Seq,
}

/// An agency's board.
pub struct Board {
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Inner {
    version: u64,
    rows: HashMap<(StaffId, CaseId), Row>,
    /// The rows by the version of their last change.
    by_version: BTreeMap<u64, (StaffId, CaseId)>,
    /// Cases whose audience changed lately: after which entry, and when.
    moved: HashMap<CaseId, (Seq, Millis)>,
    /// Of any case the same may be so up to this entry.
    moved_up_to: Seq,
    swept: Millis,
}

/// One person in one case.
struct Row {
    audience: Audience,
    said: HashMap<Source, Until>,
    /// As it was told.
    told: Until,
    at: Millis,
    version: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Until {
    viewing: Millis,
    typing: Millis,
}

impl Until {
    /// Whether it holds. What would hold for longer than anything may was written by a clock that has been set back.
    fn holds(until: Millis, lasts: Millis, now: Millis) -> bool {
        until > now && until <= now.saturating_add(lasts)
    }

    fn from(presence: &Presence, now: Millis) -> Self {
        let until = |left: Millis, lasts: Millis| now.saturating_add(left.clamp(0, lasts));
        Self { viewing: until(presence.viewing, VIEWING), typing: until(presence.typing, TYPING) }
    }

    fn over(self, now: Millis) -> bool {
        !Self::holds(self.viewing, VIEWING, now) && !Self::holds(self.typing, TYPING, now)
    }

    /// Whether it must be told in place of `told`: something began or ended, or would fade where it was told last.
    fn news_after(self, told: Self, now: Millis) -> bool {
        let news = |until: Millis, told: Millis, lasts: Millis| {
            let (holds, held) = (Self::holds(until, lasts, now), Self::holds(told, lasts, now));
            holds != held || (holds && told - now <= lasts / 2)
        };
        news(self.viewing, told.viewing, VIEWING) || news(self.typing, told.typing, TYPING)
    }
}

impl Default for Board {
    fn default() -> Self {
        Self { inner: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

impl Board {
    /// Takes word of somebody's presence in a case, wherever it comes from: `from` tells the places apart in which one
    /// person may be at once. Whoever calls has made sure that this person may see the case.
    pub fn relay(&self, from: Source, presence: &Presence, sight: &Sight, now: Millis) {
        let (key, until) = ((presence.staff, presence.case), Until::from(presence, now));
        let version = {
            let mut inner = self.lock();
            inner.sweep(now);
            // The case went to others since this was looked up.
            let moved = inner.moved.get(&presence.case).map_or(0, |(seq, _)| *seq).max(inner.moved_up_to);
            if moved > sight.as_of {
                return;
            }
            inner.take(key, from, until, &sight.audience, now)
        };
        if let Some(version) = version {
            self.changed.send_replace(version);
        }
    }

    /// What a source has said before holds only so far any more.
    pub fn correct(&self, from: Source, presence: &Presence, now: Millis) {
        let key = (presence.staff, presence.case);
        let until = Until::from(presence, now);
        let version = {
            let mut inner = self.lock();
            let Some(audience) = inner.rows.get(&key).map(|row| row.audience.clone()) else { return };
            inner.take(key, from, until, &audience, now)
        };
        if let Some(version) = version {
            self.changed.send_replace(version);
        }
    }

    /// A case's audience changed with this entry: what stands here of it was for others.
    pub fn moved(&self, case: CaseId, seq: Seq, now: Millis) {
        let mut inner = self.lock();
        inner.moved.insert(case, (seq, now));
        let Inner { rows, by_version, .. } = &mut *inner;
        rows.retain(|(_, of), row| {
            if *of == case {
                by_version.remove(&row.version);
            }
            *of != case
        });
    }

    /// Nobody knows which cases went to others up to this entry: what stands here is forgotten, and soon said again.
    pub fn forget(&self, through: Seq) {
        let mut inner = self.lock();
        inner.moved_up_to = through;
        inner.rows.clear();
        inner.by_version.clear();
    }

    /// What is new since a version for this person, at most so much, and up to which version that is. With version 0: what
    /// is so now.
    pub fn since(&self, version: u64, viewer: &Viewer, most: usize, now: Millis) -> (Vec<Presence>, u64) {
        let inner = self.lock();
        let (mut news, mut reached) = (Vec::new(), version);
        for (at, (staff, case)) in inner.by_version.range(version + 1..) {
            if news.len() >= most {
                return (news, reached);
            }
            reached = *at;
            let Some(row) = inner.rows.get(&(*staff, *case)) else { continue };
            let for_them = *staff != viewer.staff && visible(viewer, &Scope::Case(*case), Some(&row.audience));
            if for_them && !(version == 0 && row.told.over(now)) {
                let left = |until: Millis, lasts: Millis| (until - now).clamp(0, lasts);
                let (viewing, typing) = (left(row.told.viewing, VIEWING), left(row.told.typing, TYPING));
                news.push(Presence { staff: *staff, case: *case, viewing, typing });
            }
        }
        (news, inner.version.max(reached))
    }

    /// Resolves when there is something new.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Writes a word down; the new version, if it is news.
    fn take(
        &mut self,
        key: (StaffId, CaseId),
        from: Source,
        until: Until,
        audience: &Audience,
        now: Millis,
    ) -> Option<u64> {
        if !self.rows.contains_key(&key) && (self.rows.len() >= MOST || until.over(now)) {
            return None;
        }
        let row = self.rows.entry(key).or_insert_with(|| Row {
            audience: audience.clone(),
            said: HashMap::new(),
            told: Until::default(),
            at: now,
            version: 0,
        });
        row.audience.clone_from(audience);
        row.said.insert(from, until);
        row.said.retain(|_, until| !until.over(now));
        let whole = row.said.values().fold(Until::default(), |whole, one| Until {
            viewing: whole.viewing.max(one.viewing),
            typing: whole.typing.max(one.typing),
        });
        if !whole.news_after(row.told, now) {
            return None;
        }
        self.version += 1;
        self.by_version.remove(&row.version);
        (row.told, row.at, row.version) = (whole, now, self.version);
        self.by_version.insert(self.version, key);
        Some(self.version)
    }

    fn sweep(&mut self, now: Millis) {
        if (now - self.swept).abs() < OVER {
            return;
        }
        self.swept = now;
        let Self { rows, by_version, moved, .. } = self;
        rows.retain(|_, row| {
            let keep = !row.told.over(now) || now - row.at < OVER;
            if !keep {
                by_version.remove(&row.version);
            }
            keep
        });
        moved.retain(|_, (_, at)| now - *at < 6 * OVER);
    }
}

#[cfg(test)]
mod tests {
    use domain::words::Role;
    use uuid::Uuid;

    use super::*;

    fn viewer(id: u128, team: &str) -> Viewer {
        Viewer { staff: StaffId(Uuid::from_u128(id)), roles: vec![Role::Agent], teams: vec![team.into()], active: true }
    }

    fn case(id: u128) -> CaseId {
        CaseId(Uuid::from_u128(id))
    }

    fn sight(team: &str) -> Sight {
        Sight { audience: Audience { team: team.into() }, as_of: 10 }
    }

    fn says(staff: u128, of: u128, viewing: Millis, typing: Millis) -> Presence {
        Presence { staff: StaffId(Uuid::from_u128(staff)), case: case(of), viewing, typing }
    }

    #[test]
    fn those_who_see_the_case_are_told_and_nobody_else() {
        let board = Board::default();
        board.relay(1, &says(1, 9, VIEWING, 0), &sight("bills"), 1000);
        let (news, version) = board.since(0, &viewer(2, "bills"), 10, 3000);
        assert_eq!(news, [says(1, 9, VIEWING - 2000, 0)], "with the time that is left");
        assert!(board.since(0, &viewer(3, "faults"), 10, 3000).0.is_empty(), "another team");
        assert!(board.since(0, &viewer(1, "bills"), 10, 3000).0.is_empty(), "not the person themself");
        assert!(board.since(version, &viewer(2, "bills"), 10, 3000).0.is_empty(), "once");
    }

    #[test]
    fn ten_changes_are_one_word_and_a_repetition_is_none() {
        let board = Board::default();
        let mut version = 0;
        for second in 0..10 {
            board.relay(1, &says(1, 9, VIEWING, if second % 2 == 0 { TYPING } else { 0 }), &sight("a"), second);
        }
        let (news, at) = board.since(version, &viewer(2, "a"), 10, 10);
        assert_eq!(news.len(), 1);
        version = at;
        board.relay(1, &says(1, 9, VIEWING, 0), &sight("a"), 8000);
        assert!(board.since(version, &viewer(2, "a"), 10, 8000).0.is_empty(), "nobody is told what they know");
        board.relay(1, &says(1, 9, VIEWING, 0), &sight("a"), 16_000);
        assert_eq!(board.since(version, &viewer(2, "a"), 10, 16_000).0, [says(1, 9, VIEWING, 0)], "before it fades");
    }

    #[test]
    fn a_person_at_two_desks_leaves_when_both_have_left() {
        let board = Board::default();
        board.relay(1, &says(1, 9, VIEWING, 0), &sight("a"), 0);
        board.relay(2, &says(1, 9, VIEWING, 0), &sight("a"), 0);
        let (_, version) = board.since(0, &viewer(2, "a"), 10, 0);
        board.correct(1, &says(1, 9, 0, 0), 100);
        assert!(board.since(version, &viewer(2, "a"), 10, 100).0.is_empty());
        board.correct(2, &says(1, 9, 0, 0), 200);
        assert_eq!(board.since(version, &viewer(2, "a"), 10, 200).0, [says(1, 9, 0, 0)]);
        assert!(board.since(0, &viewer(3, "a"), 10, 200).0.is_empty(), "a newcomer is told only what is so");
    }

    #[test]
    fn what_is_not_said_again_fades_and_is_swept() {
        let board = Board::default();
        for of in 0..100 {
            board.relay(1, &says(1, of, VIEWING, 0), &sight("a"), 0);
        }
        assert!(board.since(0, &viewer(2, "a"), 1000, VIEWING).0.is_empty());
        board.relay(2, &says(3, 1, VIEWING, 0), &sight("a"), VIEWING + OVER);
        let inner = board.lock();
        assert_eq!((inner.rows.len(), inner.by_version.len()), (1, 1));
    }

    #[test]
    fn a_case_that_went_to_others_takes_nothing_along() {
        let board = Board::default();
        board.relay(1, &says(1, 9, VIEWING, 0), &sight("a"), 0);
        board.moved(case(9), 11, 0);
        assert!(board.since(0, &viewer(2, "a"), 10, 0).0.is_empty());
        board.relay(1, &says(1, 9, VIEWING, 0), &sight("a"), 0);
        assert!(board.since(0, &viewer(2, "a"), 10, 0).0.is_empty(), "looked up before it moved");
        board.relay(1, &says(1, 9, VIEWING, 0), &Sight { as_of: 11, ..sight("b") }, 0);
        assert_eq!(board.since(0, &viewer(2, "b"), 10, 0).0.len(), 1);
        assert!(board.since(0, &viewer(3, "a"), 10, 0).0.is_empty());
    }

    #[test]
    fn where_nobody_knows_what_went_to_others_nothing_is_left() {
        let board = Board::default();
        board.relay(1, &says(1, 9, VIEWING, 0), &sight("a"), 0);
        board.forget(11);
        board.relay(1, &says(1, 8, VIEWING, 0), &sight("a"), 0);
        assert!(board.since(0, &viewer(2, "a"), 10, 0).0.is_empty());
        board.relay(1, &says(1, 8, VIEWING, 0), &Sight { as_of: 11, ..sight("a") }, 0);
        assert_eq!(board.since(0, &viewer(2, "a"), 10, 0).0.len(), 1);
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_nobody_standing_there() {
        let board = Board::default();
        board.relay(1, &says(1, 9, VIEWING, 0), &sight("a"), 1_000_000_000);
        assert!(board.since(0, &viewer(2, "a"), 10, 1000).0.is_empty());
        board.relay(2, &says(1, 9, VIEWING, 0), &sight("a"), 1000);
        assert_eq!(board.since(0, &viewer(2, "a"), 10, 1000).0, [says(1, 9, VIEWING, 0)]);
        board.correct(2, &says(1, 9, 0, 0), 2000);
        assert!(board.since(0, &viewer(2, "a"), 10, 2000).0.is_empty());
    }

    #[test]
    fn no_more_than_asked_for_and_the_rest_later() {
        let board = Board::default();
        for of in 0..7 {
            board.relay(1, &says(1, of, VIEWING, 0), &sight("a"), 0);
        }
        let (first, version) = board.since(0, &viewer(2, "a"), 5, 0);
        let (rest, end) = board.since(version, &viewer(2, "a"), 5, 0);
        assert_eq!((first.len(), rest.len()), (5, 2));
        assert!(board.since(end, &viewer(2, "a"), 5, 0).0.is_empty());
    }
}
