//! Who reads and who writes where: what colleagues' desks say, and what this one says of its person.
//!
//! All of it is in memory, lives for seconds, and is gone with the connection. What this desk says follows from what the
//! window does anyway: it tells which conversation is before the person's eyes, and keeps drafts while they write.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    ids::{CaseId, ConversationId, Millis, StaffId},
    wire::{Presence, Up},
};
use tokio::{sync::watch, time::Instant};

use crate::{
    api::{Colleague, Colleagues, InCase},
    hub::BeforeEyes,
    names,
    seat::Seat,
};

/// What holds is said again so often; the gateway takes 20 seconds' silence for its end.
const AGAIN: Duration = Duration::from_secs(8);
/// While keys are struck, so often; the gateway takes 6 seconds' silence for the end of it.
const KEYS: Duration = Duration::from_secs(3);
/// Who clicks through the list reads nothing on the way.
const RESTS: Duration = Duration::from_millis(400);
/// Far away.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// What is known of others: until when they read and write.
#[derive(Debug, Default)]
pub(crate) struct Others(BTreeMap<(CaseId, StaffId), (Instant, Instant)>);

impl Others {
    /// Takes what the gateway says. Whether it changes anything that can be seen.
    pub(crate) fn hear(&mut self, presence: &Presence, now: Instant) -> bool {
        let until = |left: Millis| now + Duration::from_millis(u64::try_from(left).unwrap_or(0)).min(NEVER);
        let key = (presence.case, presence.staff);
        let before = self.seen(key, now);
        if presence.viewing <= 0 && presence.typing <= 0 {
            self.0.remove(&key);
        } else {
            self.0.insert(key, (until(presence.viewing), until(presence.typing)));
        }
        before != self.seen(key, now)
    }

    /// Reading or writing, as it shows.
    fn seen(&self, key: (CaseId, StaffId), now: Instant) -> (bool, bool) {
        self.0.get(&key).map_or((false, false), |(viewing, typing)| (*viewing > now, *typing > now))
    }

    /// When something fades next.
    pub(crate) fn fades_at(&self, now: Instant) -> Option<Instant> {
        self.0.values().flat_map(|(viewing, typing)| [*viewing, *typing]).filter(|until| *until > now).min()
    }

    /// Forgets what is over.
    pub(crate) fn fade(&mut self, now: Instant) {
        self.0.retain(|_, (viewing, typing)| *viewing > now || *typing > now);
    }

    /// Forgets everything; whether there was anything.
    pub(crate) fn clear(&mut self) -> bool {
        !std::mem::take(&mut self.0).is_empty()
    }

    fn now(&self, now: Instant) -> Vec<(CaseId, StaffId, bool)> {
        let there = self.0.iter().filter(|(_, (viewing, typing))| *viewing > now || *typing > now);
        there.map(|((case, staff), (_, typing))| (*case, *staff, *typing > now)).collect()
    }
}

/// The colleagues who read or write now, in the cases that are here.
pub(crate) async fn colleagues(seat: &Seat) -> anyhow::Result<Colleagues> {
    let now = seat.others().now(Instant::now());
    seat.records
        .read(move |records| {
            let mut cases = Vec::<InCase>::new();
            let mut absent = BTreeSet::new();
            for (case, staff, typing) in now {
                if absent.contains(&case) {
                    continue;
                }
                let colleague = Colleague { person: names::person(records, staff)?, typing };
                match cases.last_mut() {
                    Some(last) if last.case == case => last.colleagues.push(colleague),
                    _ if records.case(case)?.is_some() => cases.push(InCase { case, colleagues: vec![colleague] }),
                    _ => {
                        absent.insert(case);
                    }
                }
            }
            Ok(Colleagues { cases })
        })
        .await
}

/// What this desk says, on one connection.
pub(crate) struct Saying {
    eyes: watch::Receiver<BeforeEyes>,
    viewing: Option<CaseId>,
    /// What was looked at when that was said.
    looked_at: Option<ConversationId>,
    viewing_at: Option<Instant>,
    typing: Option<CaseId>,
    typing_at: Option<Instant>,
}

impl Saying {
    /// Nothing has been said yet.
    pub(crate) fn new(mut eyes: watch::Receiver<BeforeEyes>) -> Self {
        eyes.mark_changed();
        Self { eyes, viewing: None, looked_at: None, viewing_at: None, typing: None, typing_at: None }
    }

    /// The next thing to say, once there is one. Given up in between, nothing of it is taken for said.
    pub(crate) async fn next(&mut self, seat: &Seat) -> Up {
        loop {
            if let Some(up) = self.due(seat, Instant::now()).await {
                return up;
            }
            let at = self.due_at(Instant::now());
            tokio::select! {
                changed = self.eyes.changed() => if changed.is_err() {
                    std::future::pending::<()>().await;
                },
                () = tokio::time::sleep_until(at) => {}
            }
        }
    }

    async fn due(&mut self, seat: &Seat, now: Instant) -> Option<Up> {
        let eyes = *self.eyes.borrow_and_update();
        let looked_at = eyes.conversation.filter(|_| eyes.focused);
        let waits = self.viewing_at.map_or(Duration::ZERO, |at| now - at);
        let other = looked_at != self.looked_at && (waits >= RESTS || self.viewing_at.is_none());
        if other || (looked_at.is_some() && waits >= AGAIN) {
            let case = case_of(seat, looked_at).await;
            let silent = case.is_none() && self.viewing.is_none();
            (self.viewing, self.looked_at, self.viewing_at) = (case, looked_at, Some(now));
            if !silent {
                return Some(Up::Viewing(case));
            }
        }
        match eyes.wrote {
            Some((conversation, at)) if self.typing_at.is_none_or(|said| at > said && now - said >= KEYS) => {
                let case = case_of(seat, Some(conversation)).await;
                (self.typing, self.typing_at) = (case, Some(now));
                case.map(|case| Up::Typing(Some(case)))
            }
            None => {
                self.typing_at = None;
                self.typing.take().map(|_| Up::Typing(None))
            }
            Some(_) => None,
        }
    }

    /// When there may be something to say, if nothing happens before.
    fn due_at(&self, now: Instant) -> Instant {
        let eyes = *self.eyes.borrow();
        let looked_at = eyes.conversation.filter(|_| eyes.focused);
        let viewing = match self.viewing_at {
            Some(at) if looked_at != self.looked_at => Some(at + RESTS),
            Some(at) if looked_at.is_some() => Some(at + AGAIN),
            _ => None,
        };
        let typing = eyes.wrote.zip(self.typing_at).filter(|((_, at), said)| at > said).map(|(_, said)| said + KEYS);
        viewing.into_iter().chain(typing).min().unwrap_or(now + NEVER)
    }
}

/// The case that a conversation shows.
async fn case_of(seat: &Seat, conversation: Option<ConversationId>) -> Option<CaseId> {
    let conversation = conversation?;
    let row = seat.records.read(move |records| Ok(records.row(conversation)?)).await;
    row.ok().flatten().map(|row| row.case)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn says(viewing: Millis, typing: Millis) -> Presence {
        Presence { staff: StaffId(Uuid::from_u128(1)), case: CaseId(Uuid::from_u128(9)), viewing, typing }
    }

    #[test]
    fn what_is_heard_replaces_what_was_and_fades() {
        let (mut others, start) = (Others::default(), Instant::now());
        let after = |seconds: u64| start + Duration::from_secs(seconds);
        assert!(others.hear(&says(20_000, 6000), start));
        assert!(!others.hear(&says(20_000, 6000), after(1)), "nobody is told what they see");
        assert_eq!(others.now(after(2)).first().map(|found| found.2), Some(true), "writes");
        assert_eq!(others.fades_at(after(2)), Some(after(7)));
        assert_eq!(others.now(after(8)).first().map(|found| found.2), Some(false), "reads");
        others.fade(after(21));
        assert!(others.now(after(21)).is_empty() && !others.clear());
        assert!(others.hear(&says(20_000, 0), after(30)) && others.hear(&says(0, 0), after(31)));
        assert!(!others.hear(&says(0, 0), after(31)), "who was not there does not leave");
        assert!(!others.hear(&says(-5, i64::MIN), after(31)));
    }
}
