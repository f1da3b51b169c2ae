//! What deserves a notification, each once ever on this workstation.
//!
//! - a new inquiry for my team that nobody has taken,
//! - the citizen's next message on my case,
//! - a case that a colleague gave me,
//! - the end of WhatsApp's 24 hours within the hour, on my case, while the citizen waits.
//!
//! History deserves none: sync hands over only what came after the desk once stood at the gateway's head. What is before
//! the person's eyes, or was their own act, deserves none either. Several at once become one, and when they come thick
//! and fast they are gathered into one quiet notification: a surge must not bury the desk.
//!
//! In quiet hours only what is urgent appears, and without a sound: what a colleague gave me by name, and what can soon
//! not be answered any more. The rest is in the list and in the tray's count, and is not told later: whoever comes back
//! looks at the list first.

mod quiet;
mod said;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    entry::{Entry, Fact},
    ids::{CaseId, Millis, StaffId},
    permission::{Act, may},
    words::CaseState,
};
use records::{
    Records,
    list::{Order, Which},
};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior},
};

pub use said::Notification;
use said::{Deserving, Why};
pub(crate) use said::{missed, trial};

use crate::{
    api::{Settings, Sound},
    contact,
    database::Contents,
    precious,
    seat::Seat,
    texts::Texts,
};

/// What comes within so long of the first is told together with it.
const TOGETHER: Duration = Duration::from_millis(250);
/// At most so many single ones within `WHILE`.
const SINGLE: usize = 3;
const WHILE: Duration = Duration::from_secs(8);
/// So many entries are looked at together; a catch-up after a weekend has more, and says no more for it.
const LOOKED_AT: usize = 2_000;
/// How often it is looked whether an end of WhatsApp's 24 hours comes near, and how near is near.
const LOOK: Duration = Duration::from_secs(60);
const NEAR: Millis = 60 * 60 * 1000;
/// So many of my own conversations are looked at for that.
const MINE: u32 = 500;

/// The way to the task that notifies.
pub(crate) struct Notifier {
    news: mpsc::Sender<Vec<Entry>>,
    /// Whether something was dropped because the task could not keep up.
    missed: AtomicBool,
}

/// A notifier, and what its task listens to.
pub(crate) fn notifier() -> (Notifier, mpsc::Receiver<Vec<Entry>>) {
    let (news, receiver) = mpsc::channel(64);
    (Notifier { news, missed: AtomicBool::new(false) }, receiver)
}

impl Notifier {
    /// Hands over what was committed. When the task cannot keep up, it tells that there was more.
    pub(crate) fn consider(&self, news: Vec<Entry>) {
        if !news.is_empty()
            && let Err(error) = self.news.try_send(news)
        {
            tracing::info!(%error, "News too many to be notified one by one");
            self.missed.store(true, Ordering::Release);
        }
    }
}

/// Runs until the seat is left.
pub(crate) async fn run(seat: Arc<Seat>, mut news: mpsc::Receiver<Vec<Entry>>) {
    let mut given: VecDeque<Instant> = VecDeque::new();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let found = tokio::select! {
            entries = news.recv() => {
                let Some(mut entries) = entries else { return };
                gather(&mut entries, &mut news, &mut given).await;
                deserving(&seat, entries).await
            }
            _ = look.tick() => closing(&seat).await,
        };
        let missed = seat.notifier.missed.swap(false, Ordering::AcqRel);
        match found {
            Ok(found) => tell(&seat, found, missed, &mut given),
            Err(error) => tracing::error!(error = format!("{error:#}"), "Nobody could be notified"),
        }
    }
}

/// Waits a little for what comes together; longer, when they come thick and fast.
async fn gather(entries: &mut Vec<Entry>, news: &mut mpsc::Receiver<Vec<Entry>>, given: &mut VecDeque<Instant>) {
    let now = Instant::now();
    given.retain(|at| now.duration_since(*at) < WHILE);
    let thick = given.len() >= SINGLE;
    let until = given.front().filter(|_| thick).map_or(now + TOGETHER, |first| *first + WHILE);
    while let Ok(Some(more)) = tokio::time::timeout_at(until, news.recv()).await {
        if entries.len() < LOOKED_AT {
            entries.extend(more);
        }
    }
}

fn tell(seat: &Seat, mut found: Vec<Deserving>, missed: bool, given: &mut VecDeque<Instant>) {
    // Nobody is at a locked screen, or somebody else is.
    let settings = seat.hub.settings();
    let settings =
        Settings { private_notifications: settings.private_notifications || seat.hub.is_locked(), ..settings };
    let texts = Texts::of(settings.language);
    let now = Instant::now();
    let is_quiet = quiet::now(&settings.quiet, seat.hub.clock.now());
    if is_quiet {
        found.retain(|one| one.why.is_urgent());
    } else if missed {
        given.push_back(now);
        seat.hub.notify(said::missed(&settings));
        return;
    }
    let recent = given.iter().filter(|at| now.duration_since(**at) < WHILE).count();
    if found.len() > 1 && found.len() + recent > SINGLE {
        given.push_back(now);
        let count = found.len();
        let key = found.into_iter().map(|one| one.key).next().unwrap_or_default();
        seat.hub.notify(said::many(key, count, &texts));
        return;
    }
    for one in found {
        given.push_back(now);
        let told = one.notification(&texts, &settings);
        seat.hub.notify(if is_quiet { Notification { sound: Sound::Off, ..told } } else { told });
    }
}

/// What of these entries deserves a notification now, one for each conversation, and for the first time.
async fn deserving(seat: &Seat, entries: Vec<Entry>) -> anyhow::Result<Vec<Deserving>> {
    let me = seat.me;
    let found = seat
        .records
        .read(move |records| {
            let mut found = BTreeMap::new();
            let mut keys = Vec::new();
            for entry in entries {
                if let Some(one) = consider(records, me, &entry)? {
                    keys.push(one.key.clone());
                    // The last one says most; a new inquiry stays one however much is written into it at once.
                    let one = match found.remove(&one.conversation) {
                        Some(Deserving { why, key, .. }) if why != Why::Wrote => Deserving { why, key, ..one },
                        _ => one,
                    };
                    found.insert(one.conversation, one);
                }
            }
            let mut found: Vec<Deserving> = found.into_values().collect();
            found.sort_by_key(|one| keys.iter().position(|key| *key == one.key));
            Ok((found, keys))
        })
        .await?;
    let (found, keys) = found;
    for_the_first_time(seat, found, keys).await
}

/// Of my cases those whose citizen waits and can soon not be answered any more.
async fn closing(seat: &Seat) -> anyhow::Result<Vec<Deserving>> {
    let (me, now) = (seat.me, seat.now());
    let found = seat
        .records
        .read(move |records| {
            let mut found = Vec::new();
            for row in records.list(Which::Mine(me), Order::Latest, 0, MINE)? {
                let Some(ends) = row.window_ends.filter(|ends| row.waiting && (now..now + NEAR).contains(ends)) else {
                    continue;
                };
                let key = format!("closing {} {ends}", row.conversation);
                found.extend(about(records, row.case, Why::Closing, key, None)?);
            }
            Ok(found)
        })
        .await?;
    let keys = found.iter().map(|one| one.key.clone()).collect();
    for_the_first_time(seat, found, keys).await
}

/// Remembers that all of `keys` are told, and leaves what was not told before and is not before the person's eyes.
async fn for_the_first_time(seat: &Seat, found: Vec<Deserving>, keys: Vec<String>) -> anyhow::Result<Vec<Deserving>> {
    if keys.is_empty() {
        return Ok(vec![]);
    }
    let now = seat.now();
    let first = seat
        .precious
        .write(move |precious| {
            let mut first = Vec::new();
            for key in keys {
                if precious::first_time(precious.connection(), &key, now)? {
                    first.push(key);
                }
            }
            Ok(first)
        })
        .await?;
    let for_me = |one: &Deserving| first.contains(&one.key) && !seat.hub.is_before_eyes(one.conversation);
    Ok(found.into_iter().filter(for_me).collect())
}

fn consider(records: &mut Records, me: StaffId, entry: &Entry) -> anyhow::Result<Option<Deserving>> {
    let Some(viewer) = records.staff(me)?.map(|staff| staff.viewer) else { return Ok(None) };
    let (case, why, key) = match &entry.fact {
        Fact::CaseOpened(body) => (body.case, Why::New, format!("new {}", body.case)),
        Fact::MessageReceived(body) => (body.case, Why::Wrote, format!("wrote {}", body.message)),
        Fact::CaseAssigned(body) if body.staff == Some(me) => (body.case, Why::Given, format!("given {}", entry.id)),
        _ => return Ok(None),
    };
    let Some(known) = records.case(case)? else { return Ok(None) };
    let mine = known.owner == Some(me);
    let open = known.state == CaseState::Open;
    let deserves = match why {
        Why::New => {
            open && known.owner.is_none() && viewer.teams.contains(&known.team) && may(&viewer.roles, Act::Answer)
        }
        Why::Wrote | Why::Closing => mine,
        Why::Given => mine && open,
    };
    if !deserves {
        return Ok(None);
    }
    let said = match &entry.fact {
        Fact::MessageReceived(body) => Some((body.r#type.clone(), body.text.clone())),
        _ => None,
    };
    about(records, case, why, key, said)
}

/// What is told about a case: what was said, else the last message.
fn about(
    records: &mut Records,
    case: CaseId,
    why: Why,
    key: String,
    said: Option<(String, Option<String>)>,
) -> anyhow::Result<Option<Deserving>> {
    let Some(case) = records.case(case)? else { return Ok(None) };
    let Some(row) = records.row(case.conversation)? else { return Ok(None) };
    let (r#type, text) =
        said.or_else(|| row.last.map(|last| (last.r#type, last.text))).unwrap_or_else(|| ("text".to_owned(), None));
    Ok(Some(Deserving {
        key,
        why,
        conversation: case.conversation,
        contact: contact::of(records, row.contact)?,
        number: case.number,
        kind: crate::names::kind(records, &case.kind)?,
        r#type,
        text,
    }))
}
