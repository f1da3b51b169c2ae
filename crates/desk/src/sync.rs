//! Keeps the records in step with the gateway.
//!
//! HTTP catch-up is the truth; the WebSocket only makes it quick. A turn is: catch up to the head, then listen. Whatever
//! is odd on the socket (a gap in `prev`, `catch_up`, silence, an end) leads to the next turn, never to a guess. A
//! heartbeat's cursor moves the place from which a later catch-up resumes, but does not count as having heard the entries
//! before it: so an entry that was lost on the way still shows as a gap, and is fetched from the last entry applied.

use std::{sync::Arc, time::Duration};

use domain::ids::Seq;
use futures_util::FutureExt;
use tokio::time::Instant;

use crate::{
    api::Signal,
    client::{Failure, Live, next_frame, say},
    database::{Contents, is_beyond_repair, is_damaged},
    erasure, outbox, precious,
    presence::Saying,
    progress::Progress,
    restored,
    seat::{SIGNED_OUT, Seat},
    steps::{self, Changes, Gained, Said, Standing, Step, Steps, Unreadable},
};

/// A transaction holds at most so many lines, except that a case is never torn.
const BATCH: usize = 500;
/// The gateway's heartbeat comes every 25 s: after so long without anything the line is dead.
const SILENCE: Duration = Duration::from_secs(60);
/// Up to so many changed conversations are named one by one.
const NAMED: usize = 50;

/// Why a turn ended.
enum End {
    /// Something is missing: the next catch-up begins after this seq, or after the last cursor.
    CatchUp(Option<Seq>),
    /// The socket was closed or fell silent.
    Closed,
}

/// What ends a turn badly.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Gateway(#[from] Failure),
    #[error(transparent)]
    Line(#[from] Unreadable),
    #[error("{0:#}")]
    Records(#[from] anyhow::Error),
}

/// Runs until the seat is left.
pub(crate) async fn run(seat: Arc<Seat>) {
    let mut pause = Pause::default();
    let mut after = None;
    let mut rebuilt = false;
    loop {
        match turn(&seat, after.take(), &mut pause).await {
            Ok(End::CatchUp(from)) => after = from,
            Ok(End::Closed) => seat.offline(),
            Err(Broken::Gateway(Failure::OtherJournal)) => {
                tracing::warn!("The gateway keeps another journal: the records start afresh");
                if let Err(error) = start_afresh(&seat, true).await {
                    tracing::error!(error = format!("{error:#}"), "The records could not be emptied");
                }
            }
            Err(Broken::Gateway(Failure::NotLetIn)) => {
                seat.stopped(SIGNED_OUT);
                return;
            }
            Err(Broken::Gateway(Failure::Revoked)) => {
                seat.revoked();
                return;
            }
            Err(Broken::Gateway(Failure::TooOld)) => {
                seat.stopped("too_old");
                tokio::time::sleep(Duration::from_secs(600)).await;
            }
            Err(Broken::Gateway(Failure::SlowDown(Some(wait)))) => {
                seat.offline();
                tokio::time::sleep(wait.min(Duration::from_secs(300))).await;
            }
            // They can be had again: a file that refuses what the journal says must not stop the desk for good.
            Err(Broken::Records(error)) if !rebuilt && is_beyond_repair(&error) && !is_damaged(&error) => {
                tracing::error!(error = format!("{error:#}"), "The records cannot be written: they start afresh, once");
                rebuilt = true;
                if let Err(error) = start_afresh(&seat, false).await {
                    tracing::error!(error = format!("{error:#}"), "The records could not be emptied");
                }
            }
            Err(broken) => {
                tracing::info!(error = %broken, "Out of step with the gateway");
                seat.offline();
            }
        }
        let woken = seat.try_now.notified();
        tokio::select! {
            () = tokio::time::sleep(pause.next(seat.jitter())) => {}
            () = woken => {}
        }
    }
}

async fn turn(seat: &Seat, after: Option<Seq>, pause: &mut Pause) -> Result<End, Broken> {
    seat.connecting();
    let heard = catch_up(seat, after).await?;
    let standing = seat.standing().await?;
    let mut live = seat.gateway.live(&seat.token, &standing.after).await?;
    seat.live();
    pause.reset();
    let end = listen(seat, &mut live, heard).await;
    // Whoever is not listened to any more may be anywhere.
    if seat.others().clear() {
        seat.hub.tell(Signal::Colleagues {});
    }
    end
}

/// Brings the records to the gateway's head. Returns the last seq that counts as heard.
async fn catch_up(seat: &Seat, after: Option<Seq>) -> Result<Seq, Broken> {
    let standing = seat.standing().await?;
    let after = after.map_or(standing.after.clone(), |seq| seq.to_string());
    let mut lines = seat.gateway.sync(&seat.token, &after).await?;
    seat.reached();
    let progress = Progress { from: standing.seq, through: lines.through, begun: Instant::now() };
    let mut stream = Stream { seat, gained: Gained::new(), standing, whole: Changes::default(), progress };
    let mut reader = Steps::default();
    let mut batch = Vec::new();
    let mut cursor = None;
    let ended = loop {
        let line = match lines.next().await {
            Ok(Some(line)) => line,
            Ok(None) => break Ok(()),
            Err(failure) => break Err(Broken::from(failure)),
        };
        match reader.take(&line) {
            Ok(Said::Step(step)) => {
                cursor = if let Step::Cursor(cursor) = &step { Some(cursor.clone()) } else { None };
                batch.push(step);
            }
            Ok(Said::More | Said::Unknown | Said::CatchUp | Said::Presence(_)) => {}
            Err(unreadable) => break Err(unreadable.into()),
        }
        if batch.len() >= BATCH
            && let Err(broken) = stream.apply(std::mem::take(&mut batch)).await
        {
            break Err(broken);
        }
    };
    // What came before a break is good, and need not come again.
    let applied = stream.apply(batch).await;
    stream.tell().await;
    ended?;
    applied?;
    let cursor = cursor.ok_or_else(|| Failure::Unreachable("sync broke off before its cursor".into()))?;
    if !stream.standing.whole {
        seat.records.write(|records| steps::first_sync_ended(records)).await?;
        seat.hub.tell(Signal::Changed { conversations: vec![], all: true });
    }
    // What an earlier run has left.
    erasure::scrub(seat).await;
    restored::look_for_lost(seat).await?;
    seat.at_head(&cursor);
    seat.keep_offset().await?;
    Ok(cursor.seq.max(stream.whole.seq))
}

/// Applies what the socket says until something is odd.
async fn listen(seat: &Seat, live: &mut Live, mut heard: Seq) -> Result<End, Broken> {
    let mut reader = Steps::default();
    let mut saying = Saying::new(seat.hub.eyes());
    let mut silent_at = Instant::now() + SILENCE;
    loop {
        let fades_at = seat.others().fades_at(Instant::now());
        let mut frame = tokio::select! {
            frame = next_frame(live) => frame?,
            () = tokio::time::sleep_until(silent_at) => {
                tracing::info!("Nothing was heard from the gateway for a minute");
                return Ok(End::Closed);
            }
            up = saying.next(seat) => {
                say(live, up).await?;
                continue;
            }
            () = tokio::time::sleep_until(fades_at.unwrap_or(silent_at)), if fades_at.is_some() => {
                seat.others().fade(Instant::now());
                seat.hub.tell(Signal::Colleagues {});
                continue;
            }
        };
        silent_at = Instant::now() + SILENCE;
        let mut moved = false;
        let mut batch = Vec::new();
        let mut end = None;
        // What has come meanwhile goes into the same transaction.
        loop {
            let Some(text) = frame.take() else {
                end = Some(End::Closed);
                break;
            };
            match reader.take(text.as_bytes())? {
                Said::Step(Step::Entry(linked)) => {
                    if linked.prev > heard {
                        tracing::info!(prev = linked.prev, heard, "A gap: catching up");
                        end = Some(End::CatchUp(Some(heard)));
                        break;
                    }
                    heard = heard.max(linked.entry.seq);
                    batch.push(Step::Entry(linked));
                }
                Said::Step(step) => batch.push(step),
                Said::CatchUp => {
                    end = Some(End::CatchUp(None));
                    break;
                }
                Said::Presence(presence) => moved |= seat.others().hear(&presence, Instant::now()),
                Said::More | Said::Unknown => {}
            }
            if batch.len() >= BATCH {
                break;
            }
            match next_frame(live).now_or_never() {
                Some(next) => frame = next?,
                None => break,
            }
        }
        if moved {
            seat.hub.tell(Signal::Colleagues {});
        }
        let cursor = batch
            .iter()
            .rev()
            .find_map(|step| if let Step::Cursor(cursor) = step { Some(cursor.clone()) } else { None });
        let standing = seat.standing().await?;
        let progress = Progress { from: standing.seq, through: None, begun: Instant::now() };
        let mut stream = Stream { seat, gained: Gained::new(), standing, whole: Changes::default(), progress };
        stream.apply(batch).await?;
        stream.tell().await;
        if let Some(cursor) = cursor {
            seat.at_head(&cursor);
        }
        if let Some(end) = end {
            return Ok(end);
        }
    }
}

/// One stream of lines being applied.
struct Stream<'a> {
    seat: &'a Seat,
    gained: Gained,
    /// Where the desk stood when the stream began.
    standing: Standing,
    /// What the stream changed so far.
    whole: Changes,
    progress: Progress,
}

impl Stream<'_> {
    /// One transaction on the records; then, in the other file, what it settles of the outbox.
    async fn apply(&mut self, batch: Vec<Step>) -> Result<(), Broken> {
        if batch.is_empty() {
            return Ok(());
        }
        let erased = erasure::among(&batch);
        if !erased.is_empty() {
            self.seat.precious.write(move |precious| erasure::erase(precious.connection(), &erased)).await?;
        }
        let me = self.seat.me;
        let mut gained = std::mem::take(&mut self.gained);
        let work = move |records: &mut records::Records| {
            let changes = steps::apply(records, &batch, &mut gained, me)?;
            Ok((changes, gained))
        };
        let (changes, gained) = self.seat.records.write(work).await?;
        self.gained = gained;
        self.whole.entries += changes.entries;
        if !self.standing.whole {
            let seq = self.whole.seq.max(changes.seq);
            self.seat.receiving(self.progress.at(self.whole.entries, seq, Instant::now()));
        }
        self.settle_outbox(&changes).await?;
        self.keep(&changes).await?;
        self.whole.conversations.extend(changes.conversations);
        self.whole.agency |= changes.agency;
        self.whole.forgot |= changes.forgot;
        self.whole.erased |= changes.erased;
        self.whole.seq = self.whole.seq.max(changes.seq);
        if self.standing.whole {
            let since = self.standing.seq;
            self.whole.news.extend(changes.news.into_iter().filter(|entry| entry.seq > since));
        }
        Ok(())
    }

    async fn settle_outbox(&self, changes: &Changes) -> anyhow::Result<()> {
        let precious = &self.seat.precious;
        let undone = precious.read(|precious| outbox::undone(precious.connection(), None)).await?;
        let (causes, seq, now) = (changes.causes.clone(), changes.seq, self.seat.now());
        let mine = undone.iter().any(|row| causes.contains(&row.id) || row.state == outbox::State::Accepted);
        if mine {
            let write = move |precious: &mut precious::Precious| {
                outbox::done(precious.connection(), causes, now)?;
                outbox::done_up_to(precious.connection(), seq, now)
            };
            precious.write(write).await?;
        }
        Ok(())
    }

    /// Keeps what must outlive the records: heads that were signed, and up to where this person has seen.
    async fn keep(&self, changes: &Changes) -> anyhow::Result<()> {
        if changes.witnesses.is_empty() && changes.positions.is_empty() {
            return Ok(());
        }
        let (witnesses, positions) = (changes.witnesses.clone(), changes.positions.clone());
        self.seat
            .precious
            .write(move |precious| {
                let c = precious.connection();
                witnesses.iter().try_for_each(|witness| precious::keep_witness(c, witness))?;
                positions.iter().try_for_each(|position| {
                    precious::move_position(c, position.case, position.seq)?;
                    precious::position_sent(c, position.case, position.seq)
                })
            })
            .await
    }

    /// Tells window, tray and notifications what has been committed.
    async fn tell(&mut self) {
        let changes = std::mem::take(&mut self.whole);
        self.whole.seq = changes.seq;
        if changes.forgot {
            // What went out of sight leaves the disk too.
            self.seat.records.fold().await;
            self.seat.tidy_now.notify_one();
        }
        if changes.erased {
            erasure::scrub(self.seat).await;
        }
        let conversations: Vec<_> = changes.conversations.into_iter().collect();
        if changes.agency || conversations.len() > NAMED {
            self.seat.hub.tell(Signal::Changed { conversations: vec![], all: true });
        } else if !conversations.is_empty() {
            self.seat.hub.tell(Signal::Changed { conversations, all: false });
        }
        self.seat.count_waiting().await;
        self.seat.notifier.consider(changes.news);
    }
}

async fn start_afresh(seat: &Seat, other_journal: bool) -> anyhow::Result<()> {
    let now = seat.now();
    if other_journal {
        restored::expect_losses(seat).await?;
    }
    seat.records.write(steps::start_afresh).await?;
    seat.records.fold().await;
    seat.precious.write(move |precious| outbox::forget_seqs(precious.connection(), now)).await?;
    seat.precious.write(|precious| precious::forget_positions(precious.connection())).await?;
    seat.hub.tell(Signal::Changed { conversations: vec![], all: true });
    Ok(())
}

/// How long to wait before the next try: doubling, with jitter, so that a thousand desks do not come back at once.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    tries: u32,
}

impl Pause {
    /// Between 0.2 s and half a minute. `jitter` is between 0 and 1.
    pub(crate) fn next(&mut self, jitter: f64) -> Duration {
        let longest = 0.4 * f64::from(2_u32.saturating_pow(self.tries.min(7)));
        self.tries += 1;
        Duration::from_secs_f64(longest.min(30.0) * (0.5 + jitter.clamp(0.0, 1.0) / 2.0))
    }

    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute_and_start_anew() {
        let mut pause = Pause::default();
        let pauses: Vec<_> = (0..12).map(|_| pause.next(1.0)).collect();
        assert!(pauses.is_sorted());
        assert_eq!((pauses[0], pauses[11]), (Duration::from_millis(400), Duration::from_secs(30)));
        pause.reset();
        assert_eq!(pause.next(0.0), Duration::from_millis(200));
    }
}
