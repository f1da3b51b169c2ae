//! From raw deliveries to each agency's queue: every message and status in them, in order, each once.
//!
//! Deliveries are read in order and handed in without waiting for the one before, so the batches of the agencies grow
//! with the load; each agency's queue keeps the order. A delivery is done once all its items are committed. If that
//! fails, everything unfinished is read again from the beginning, and `seen` swallows what was done. A delivery that
//! cannot be understood, or is for a line nobody configured, is set aside with its reason and read again at the next
//! start (an upgrade, or the line's configuration, is a start); it keeps nobody waiting. What was taken in without being
//! understood is read again by `understanding`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use domain::{
    command::{Inbound, Report, SystemAsk},
    entry::{Identifier, IdentifierKind},
    ids::{LineId, MediaId, Millis},
    words::Status,
};
use tokio::{
    sync::oneshot,
    task::{JoinError, JoinSet},
    time::Instant,
};
use whatsapp::webhook::{self, Change, Content, Message, Progress};

use crate::{
    decider::Item,
    deliveries::{Delivery, Fate, Unfinished},
    gateway::{Gateway, stopped},
};

/// Deliveries read at once, and handed in before the first of them is done.
const PAGE: u32 = 128;
const UNDER_WAY: usize = 512;
/// After a failure so many are handed in one by one: what cannot be stored then takes no other along, each time anew.
const ALONE: usize = UNDER_WAY;
const AGAIN_AFTER: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// So often deliveries are looked for whose process is gone.
const TAKE_OVER_EVERY: Duration = Duration::from_secs(2);
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// Meta repeats for seven days.
const KEEP: Millis = 8 * 24 * 3_600_000;

/// Reads deliveries.
pub struct Intake {
    gateway: Arc<Gateway>,
    /// Which agency a line belongs to.
    lines: HashMap<LineId, String>,
    unfinished: Arc<Mutex<Unfinished>>,
    reader: u32,
}

/// What became of the items handed in for one delivery.
type Waiting = Vec<oneshot::Receiver<Result<(), &'static str>>>;

impl Intake {
    /// Intake for these lines.
    pub fn new(gateway: Arc<Gateway>, lines: HashMap<LineId, String>, unfinished: Unfinished) -> Self {
        let reader = gateway.reader;
        Self { gateway, lines, unfinished: Arc::new(Mutex::new(unfinished)), reader }
    }

    /// Runs until the gateway stops.
    pub async fn run(self) {
        let mut stopping = self.gateway.stopping.subscribe();
        let stored = Arc::clone(&self.gateway.deliveries.stored);
        match self.read(Unfinished::aside).await {
            Ok(0) => {}
            Ok(deliveries) => tracing::info!(deliveries, "Reading again what was set aside"),
            Err(error) => tracing::error!(error = format!("{error:#}"), "Looking at what was set aside failed"),
        }
        let (mut from, mut pause, mut again) = (0, AGAIN_AFTER, None);
        let mut take_over = Some(Instant::now());
        let mut sweep = Instant::now();
        loop {
            let now = Instant::now();
            if now >= sweep {
                let before = self.gateway.clock.now() - KEEP;
                self.gateway.deliveries.delete_done(before).await;
                sweep = now + SWEEP_EVERY;
            }
            let mut alone = 0;
            if again.is_some_and(|at| now >= at) {
                (from, again, alone) = (0, None, ALONE);
            }
            let began = from;
            let failed = tokio::select! {
                () = stopped(&mut stopping) => return,
                failed = async {
                    // What failed is tried again after its pause, not at each delivery that comes.
                    if take_over.is_some_and(|at| now >= at) && again.is_none() {
                        match self.gateway.deliveries.take_over().await {
                            Ok(0) => {}
                            Ok(deliveries) => {
                                tracing::info!(deliveries, "Deliveries that others have left were taken over");
                                from = 0;
                            }
                            Err(error) => return Some(anyhow!(error).context("Taking over what is unfinished")),
                        }
                        // Alone, nobody else leaves anything.
                        take_over = self.gateway.leases.are_shared().then(|| now + TAKE_OVER_EVERY);
                    }
                    self.round(&mut from, alone).await
                } => failed,
            };
            match failed {
                // What failed is read again after a pause; what comes meanwhile is not kept waiting by it.
                Some(error) => {
                    tracing::error!(error = format!("{error:#}"), "Taking deliveries in failed and is tried again");
                    if again.is_none() {
                        again = Some(Instant::now() + pause);
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
                None if from > began => continue,
                None if again.is_none() => pause = AGAIN_AFTER,
                None => {}
            }
            tokio::select! {
                () = stopped(&mut stopping) => return,
                () = stored.notified() => {}
                () = tokio::time::sleep_until(again.or(take_over).unwrap_or(sweep).min(sweep)) => {}
            }
        }
    }

    /// Takes in what is unfinished after a place, to its end, and moves the place; the first so many each alone. Returns
    /// what went wrong.
    async fn round(&self, from: &mut i64, mut alone: usize) -> Option<anyhow::Error> {
        let mut settling: JoinSet<Result<()>> = JoinSet::new();
        let mut failed = None;
        loop {
            let after = *from;
            let page = match self.read(move |unfinished| unfinished.after(after, PAGE)).await {
                Ok(page) if page.is_empty() => break,
                Ok(page) => page,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            };
            for delivery in page {
                let at_once = if alone > 0 { 1 } else { UNDER_WAY };
                alone = alone.saturating_sub(1);
                while settling.len() >= at_once {
                    failed = failed.or(settled(settling.join_next().await));
                }
                let (waiting, aside) = self.hand_in(&delivery).await;
                *from = delivery.n;
                let deliveries = self.gateway.deliveries.clone();
                settling.spawn(async move {
                    let fate = fate(waiting, aside).await?;
                    if let Fate::Aside(reason) = &fate {
                        tracing::warn!(delivery = %delivery.id, reason, "A delivery was set aside");
                    }
                    deliveries.settle(delivery.n, fate).await;
                    Ok(())
                });
            }
        }
        while let Some(done) = settling.join_next().await {
            failed = failed.or(settled(Some(done)));
        }
        failed
    }

    /// Reads, on a thread where that may take its time.
    async fn read<T: Send + 'static>(&self, work: impl FnOnce(&Unfinished) -> Result<T> + Send + 'static) -> Result<T> {
        let unfinished = Arc::clone(&self.unfinished);
        let read =
            tokio::task::spawn_blocking(move || work(&unfinished.lock().unwrap_or_else(PoisonError::into_inner)));
        read.await.context("Reading deliveries")?
    }

    /// Hands a delivery's items to their agencies.
    async fn hand_in(&self, delivery: &Delivery) -> (Waiting, Option<&'static str>) {
        let Ok(body) = webhook::parse(&delivery.body) else { return (vec![], Some("not JSON")) };
        let Some(endpoint) = self.gateway.endpoints.get(&delivery.endpoint) else {
            return (vec![], Some("the endpoint is no longer configured"));
        };
        let mut aside = None;
        let mut by_agency: BTreeMap<&str, Vec<Item>> = BTreeMap::new();
        for (change, item) in body.items() {
            let ask = match meaning(change, item, delivery.received_at, self.reader) {
                Meaning::Nothing => continue,
                Meaning::Unclear(reason) => {
                    aside = Some(reason);
                    continue;
                }
                Meaning::Ask(ask) => ask,
            };
            let Some(line) = change.phone_number_id.as_deref() else {
                aside = Some("a message names no line");
                continue;
            };
            let Some(agency) = self.lines.get(line) else {
                aside = Some("the line is not configured");
                continue;
            };
            if !endpoint.lines().contains(line) {
                aside = Some("the endpoint may not speak for the line");
                continue;
            }
            let key = self.gateway.key.seen(agency, &item.key);
            by_agency.entry(agency).or_default().push(Item { key, ask });
        }
        let mut waiting = vec![];
        for (agency, items) in by_agency {
            if let Some(agency) = self.gateway.agencies.get(agency) {
                waiting.extend(agency.inbound(delivery.id, items).await);
            }
        }
        (waiting, aside)
    }
}

/// What went wrong with one delivery, if anything.
fn settled(done: Option<Result<Result<()>, JoinError>>) -> Option<anyhow::Error> {
    match done? {
        Ok(done) => done.err(),
        Err(error) => Some(anyhow::Error::new(error).context("Waiting for a delivery")),
    }
}

/// What became of a delivery, once its agencies have answered. An error: one of them could not commit.
async fn fate(waiting: Waiting, mut aside: Option<&'static str>) -> Result<Fate> {
    for answer in waiting {
        if let Err(reason) = answer.await.context("An agency could not commit a delivery")? {
            aside = Some(reason);
        }
    }
    Ok(aside.map_or(Fate::Done, Fate::Aside))
}

enum Meaning {
    Ask(SystemAsk),
    /// Nothing that this version acts on; the delivery keeps it for eight days.
    Nothing,
    Unclear(&'static str),
}

fn meaning(change: &Change, item: &webhook::Item, received_at: Millis, reader: u32) -> Meaning {
    match &item.content {
        Content::Message(message) => inbound(change, message, item, received_at, reader),
        Content::Status(status) => {
            let progress = match status.progress {
                Progress::Sent => Status::Sent,
                Progress::Delivered => Status::Delivered,
                Progress::Read => Status::Read,
                Progress::Played => Status::Played,
                Progress::Failed => Status::Failed,
                Progress::Unknown(_) => return Meaning::Nothing,
            };
            Meaning::Ask(SystemAsk::Report(Report {
                message: status.callback_data.as_deref().and_then(|id| id.parse().ok()),
                wamid: status.id.clone(),
                status: progress,
                error: status.errors.first().cloned().map(Into::into),
            }))
        }
        Content::Error(error) => {
            tracing::warn!(code = error.code, "Meta reports an error that belongs to no message");
            Meaning::Nothing
        }
        // Messages in a shape of their own, under a name that came after this version: what they are is seen later.
        Content::Other if change.field.as_deref() == Some("messages") => {
            Meaning::Unclear("there is something beside messages that is not known yet")
        }
        Content::Other => Meaning::Nothing,
        Content::Unreadable(reason) => Meaning::Unclear(reason),
    }
}

fn inbound(change: &Change, message: &Message, item: &webhook::Item, received_at: Millis, reader: u32) -> Meaning {
    let Some(line) = change.phone_number_id.clone() else { return Meaning::Unclear("a message names no line") };
    let Some(sender) = &message.sender else { return Meaning::Unclear("a message names no sender") };
    let held = |kind, value: &str| Identifier { kind, value: value.to_owned(), from: received_at, to: None };
    let bsuid = sender.bsuid().map(|bsuid| held(IdentifierKind::Bsuid, bsuid));
    let phone = sender.phone().map(|phone| held(IdentifierKind::Phone, phone));
    let text = message.says(reader).map(str::to_owned);
    Meaning::Ask(SystemAsk::Receive(Box::new(Inbound {
        line,
        wamid: message.id.clone(),
        identifiers: bsuid.into_iter().chain(phone).collect(),
        name: message.contact.as_ref().and_then(|contact| contact.name.clone()),
        r#type: message.kind.clone(),
        context: message.quotes.clone(),
        media: message.sha256.into_iter().map(MediaId).collect(),
        sent_at: message.timestamp.unwrap_or(received_at),
        received_at,
        raw: text.is_none().then(|| item.raw.clone()),
        reader,
        text,
    })))
}
