//! Word between the processes that share a database.
//!
//! After a commit each of the others is woken, and takes up what was written (`Job::Look`). The word carries no entry: it
//! may be lost, come twice or late, and says only that there is something to look at. So it goes out after the commit, on
//! a connection of its own, and what gathers while one word is on its way becomes one more: `NOTIFY` takes a lock that all
//! committers of a database share, so a word for each commit would set the pace. Where a word was missed, looking once a
//! second finds the same.
//!
//! Who reads and writes in a case travels the same way and is stored nowhere; each process decides itself who may see it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use domain::{
    ids::{CaseId, StaffId},
    wire::{Position, Presence},
};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::{
    agency::Agency,
    gateway::{Gateway, stopped},
    home::{Calls, Server},
    live::Event,
    presence::Source,
    said,
};

/// What gathers for so long goes out together.
const GATHER: Duration = Duration::from_millis(10);
/// Looked at without a word.
const POLL: Duration = Duration::from_secs(1);
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// PostgreSQL takes no longer call than 8,000 bytes; a word has fewer than 400.
const CALL: usize = 7000;
/// So many words of presence wait at most; whatever is missing is said again by its desk.
const MOST: usize = 10_000;

/// One thing to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    /// Something was committed for this agency.
    Look(String),
    /// Somebody reads or writes in a case.
    Presence(Of<Presence>, String),
    /// Up to where somebody has seen a case.
    Seen(Of<Position>, StaffId),
}

/// Something of an agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Of<T> {
    agency: String,
    what: T,
}

#[derive(Serialize, Deserialize)]
struct Call {
    from: Uuid,
    words: Vec<Word>,
}

/// The way to the other processes; it leads nowhere where there are none.
#[derive(Clone, Default)]
pub struct Others(Option<Arc<Waiting>>);

#[derive(Default)]
struct Waiting {
    news: Mutex<News>,
    woken: Condvar,
}

#[derive(Default)]
struct News {
    agencies: BTreeSet<String>,
    presence: BTreeMap<(String, Source, CaseId), Presence>,
    seen: BTreeMap<(String, StaffId, CaseId), Position>,
    stop: bool,
}

impl News {
    fn words(&mut self) -> Vec<Word> {
        let looks = std::mem::take(&mut self.agencies).into_iter().map(Word::Look);
        let presence = std::mem::take(&mut self.presence).into_iter();
        let presence =
            presence.map(|((agency, source, _), what)| Word::Presence(Of { agency, what }, format!("{source:x}")));
        let seen = std::mem::take(&mut self.seen).into_iter();
        let seen = seen.map(|((agency, staff, _), what)| Word::Seen(Of { agency, what }, staff));
        looks.chain(presence).chain(seen).collect()
    }
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be told next; `None`: the gateway stops.
    fn next(&self) -> Option<Vec<Word>> {
        let nothing = |news: &mut News| {
            !news.stop && news.agencies.is_empty() && news.presence.is_empty() && news.seen.is_empty()
        };
        let mut news = self.woken.wait_while(self.lock(), nothing).unwrap_or_else(PoisonError::into_inner);
        let words = news.words();
        (!news.stop || !words.is_empty()).then_some(words)
    }
}

impl Others {
    /// Whether there may be any.
    pub fn are_there(&self) -> bool {
        self.0.is_some()
    }

    fn tell(&self, what: impl FnOnce(&mut News)) {
        if let Some(waiting) = &self.0 {
            what(&mut waiting.lock());
            waiting.woken.notify_one();
        }
    }

    /// Something was committed for an agency.
    pub fn committed(&self, agency: &str) {
        self.tell(|news| {
            if !news.agencies.contains(agency) {
                news.agencies.insert(agency.to_owned());
            }
        });
    }

    /// Somebody reads or writes in a case.
    pub fn present(&self, agency: &str, source: Source, presence: &Presence) {
        self.tell(|news| {
            if news.presence.len() < MOST {
                news.presence.insert((agency.to_owned(), source, presence.case), presence.clone());
            }
        });
    }

    /// Up to where somebody has seen a case.
    pub fn seen(&self, agency: &str, staff: StaffId, position: Position) {
        self.tell(|news| {
            if news.seen.len() < MOST {
                news.seen.insert((agency.to_owned(), staff, position.case), position);
            }
        });
    }

    /// Starts telling the other processes on a database. It ends with `stop`.
    pub fn start(server: Arc<Server>, process: Uuid) -> Result<Self> {
        let waiting = Arc::new(Waiting::default());
        let to_tell = Arc::clone(&waiting);
        std::thread::Builder::new()
            .name("calling".to_owned())
            .spawn(move || call(&server, process, &to_tell))
            .context("Starting the thread that calls")?;
        Ok(Self(Some(waiting)))
    }

    /// Tells what is left, and nothing more.
    pub fn stop(&self) {
        self.tell(|news| news.stop = true);
    }
}

fn call(server: &Server, process: Uuid, waiting: &Waiting) {
    let mut open: Option<Calls> = None;
    while let Some(words) = waiting.next() {
        for words in chunks(words) {
            let said = said_as(process, words).and_then(|text| {
                if open.is_none() {
                    open = Some(Calls::open(server)?);
                }
                open.as_mut().map_or(Ok(()), |calls| calls.call(&text))
            });
            if let Err(error) = said {
                // The others look by themselves every second.
                tracing::warn!(error = format!("{error:#}"), "Waking the other processes failed");
                open = None;
            }
        }
        std::thread::sleep(GATHER);
    }
}

fn said_as(from: Uuid, words: Vec<Word>) -> Result<String> {
    serde_json::to_string(&Call { from, words }).context("Writing a call")
}

/// Words in calls that are not too long.
fn chunks(words: Vec<Word>) -> Vec<Vec<Word>> {
    let (mut chunks, mut length) = (Vec::<Vec<Word>>::new(), CALL);
    for word in words {
        let more = serde_json::to_string(&word).map_or(0, |text| text.len() + 1);
        if length + more > CALL {
            chunks.push(Vec::new());
            length = 0;
        }
        length += more;
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(word);
        }
    }
    chunks
}

/// Starts hearing what the other processes tell, and looking without being told, until the gateway stops.
pub fn follow(gateway: Arc<Gateway>, server: Arc<Server>, process: Uuid) -> Result<()> {
    tokio::spawn(poll(Arc::clone(&gateway)));
    let handle = Handle::current();
    let hearing = std::thread::Builder::new().name("hearing".to_owned());
    hearing.spawn(move || hear(&gateway, &server, process, &handle)).context("Starting the thread that hears").map(drop)
}

async fn poll(gateway: Arc<Gateway>) {
    let mut stopping = gateway.stopping.subscribe();
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => return,
            () = tokio::time::sleep(POLL) => look(&gateway),
        }
    }
}

fn look(gateway: &Gateway) {
    for agency in gateway.agencies.values() {
        agency.look_soon();
    }
}

fn hear(gateway: &Arc<Gateway>, server: &Server, process: Uuid, handle: &Handle) {
    let mut open: Option<Calls> = None;
    while !*gateway.stopping.borrow() {
        let heard = match &mut open {
            Some(calls) => calls.next(POLL),
            None => Calls::listen(server).map(|calls| {
                open = Some(calls);
                // Whatever was called meanwhile was missed.
                look(gateway);
                None
            }),
        };
        match heard {
            Ok(None) => {}
            Ok(Some(text)) => match serde_json::from_str::<Call>(&text) {
                Ok(call) if call.from == process => {}
                Ok(call) => call.words.into_iter().for_each(|word| take(gateway, handle, word)),
                // A newer version says more; there is something, at any rate.
                Err(_) => look(gateway),
            },
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "Hearing the other processes failed");
                open = None;
                std::thread::sleep(AGAIN_AFTER);
            }
        }
    }
}

fn take(gateway: &Arc<Gateway>, handle: &Handle, word: Word) {
    let agency = |id: &str| gateway.agencies.get(id).map(Arc::clone);
    match word {
        Word::Look(id) => {
            if let Some(agency) = agency(&id) {
                agency.look_soon();
            }
        }
        Word::Presence(Of { agency: id, what }, source) => {
            if let (Some(agency), Ok(source)) = (agency(&id), Source::from_str_radix(&source, 16)) {
                let now = gateway.clock.now();
                handle.spawn(async move { relay(&agency, source, &what, now).await });
            }
        }
        Word::Seen(Of { agency: id, what }, staff) => {
            if let Some(agency) = agency(&id) {
                agency.live.publish(Event::Seen(staff, what));
            }
        }
    }
}

async fn relay(agency: &Arc<Agency>, source: Source, presence: &Presence, now: i64) {
    let board = agency.live.presence();
    if presence.viewing <= 0 && presence.typing <= 0 {
        return board.correct(source, presence, now);
    }
    // Whoever may not see the case as this process knows it is not shown in it.
    if let Some(sight) = said::sight(agency, presence.staff, presence.case).await {
        board.relay(source, presence, &sight, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gathers_is_told_once_and_in_calls_that_are_not_too_long() {
        let others = Others(Some(Arc::default()));
        let staff = StaffId(Uuid::from_u128(1));
        for n in 0..1000 {
            others.committed("mew");
            let case = CaseId(Uuid::from_u128(n % 200));
            others.present("mew", 7, &Presence { staff, case, viewing: 20_000, typing: 0 });
            others.seen("mew", staff, Position { case, seq: i64::MAX });
        }
        let words = others.0.as_ref().unwrap().next().unwrap();
        assert_eq!(words.len(), 1 + 200 + 200);
        let calls = chunks(words.clone());
        assert!(calls.len() > 1);
        for call in &calls {
            let text = said_as(Uuid::nil(), call.clone()).unwrap();
            assert!(text.len() < 8000, "{}", text.len());
            assert_eq!(serde_json::from_str::<Call>(&text).unwrap().words, *call);
        }
        assert_eq!(calls.concat(), words);
        others.stop();
        assert!(others.0.unwrap().next().is_none());
        Others::default().committed("mew");
    }
}
