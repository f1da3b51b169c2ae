//! What somebody should be woken for: judged once a minute from what is seen, said once when it begins and once when it
//! ends, and on the board in between (`/metrics`, and `/readyz` for whoever may read that).
//!
//! An alarm is a state and not an event, so it is judged from states alone: a restart forgets nothing and says again what
//! still holds. What could not be seen this time keeps its place on the board. Rejected: raising alarms where things go
//! wrong, which says the same again and again, and never that it is over.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::ids::Millis;
use serde::Deserialize;
use tokio::time::{Instant, MissedTickBehavior};

use crate::{
    gateway::{Gateway, stopped},
    look::{self, Seen},
};

const EVERY: Duration = Duration::from_secs(60);
/// What was set aside is read again at the start, and waits for a moment.
const FIRST_AFTER: Duration = Duration::from_secs(5);
const MINUTE: Millis = 60_000;
const DAY: Millis = 24 * 60 * MINUTE;

/// `[alarms]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// The oldest unfinished delivery has waited for longer.
    pub delivery_minutes: u32,
    /// Nothing has come for a stretch in which so many messages usually come; 0: this alarm is never raised.
    pub quiet_messages: u32,
    /// A stretch shorter than this is never too quiet.
    pub quiet_minutes: u32,
    /// For longer nobody has known whether a message went out.
    pub uncertain_minutes: u32,
    /// Less of a storage folder's disk is free.
    pub disk_free_percent: u8,
    /// The certificate expires sooner.
    pub certificate_days: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            delivery_minutes: 5,
            quiet_messages: 20,
            quiet_minutes: 30,
            uncertain_minutes: 10,
            disk_free_percent: 10,
            certificate_days: 14,
        }
    }
}

impl Thresholds {
    /// What is wrong with them, in words.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, minutes) in [
            ("delivery_minutes", self.delivery_minutes),
            ("quiet_minutes", self.quiet_minutes),
            ("uncertain_minutes", self.uncertain_minutes),
        ] {
            if minutes == 0 {
                problems.push(format!("[alarms] {name} = 0 would be an alarm that never ends; give at least 1"));
            }
        }
        if !(1..=90).contains(&self.disk_free_percent) {
            problems.push(format!("[alarms] disk_free_percent = {} is not between 1 and 90", self.disk_free_percent));
        }
        problems
    }
}

macro_rules! alarms {
    ($($(#[$doc:meta])* $name:ident = $text:literal $words:literal),* $(,)?) => {
        /// What an alarm says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Alarm { $($(#[$doc])* $name),* }

        impl Alarm {
            /// Every name, as it stands in logs and metrics.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// The same in words.
            pub fn words(self) -> &'static str {
                match self { $(Self::$name => $words),* }
            }
        }
    };
}

alarms! {
    /// For so many minutes the oldest unfinished delivery has waited.
    DeliveryWaits = "delivery_waits" "Deliveries wait to be taken in",
    /// So many deliveries cannot be read, or are for a line that nobody configured.
    DeliveryAside = "delivery_aside" "Deliveries are set aside",
    /// For so many minutes nothing has come.
    NoInbound = "no_inbound" "No message has come for far longer than usual",
    /// So many lines are refused by WhatsApp.
    LineStopped = "line_stopped" "The line may not send: sending pauses",
    /// Of so many messages nobody knows whether they went out.
    MessageUncertain = "message_uncertain" "Nobody knows whether a message went out",
    /// For so many minutes sending has been held.
    SendingHeld = "sending_held" "Sending is held until release-sending",
    /// It decides nothing.
    NotReady = "not_ready" "The agency is not ready",
    /// So much per cent of the disk is free.
    DiskNearlyFull = "disk_nearly_full" "The disk of a storage folder is nearly full",
    /// In so many days the certificate expires.
    CertificateExpires = "certificate_expires" "The TLS certificate is about to expire",
}

/// An alarm began or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub alarm: Alarm,
    /// Of which agency; empty where it is about the whole gateway.
    pub agency: String,
    /// Whether it began.
    pub raised: bool,
    /// Since when it has held, or had.
    pub since: Millis,
    /// How bad it is, in the alarm's own unit.
    pub figure: i64,
}

/// The alarms that hold.
#[derive(Debug, Default)]
pub struct Board {
    raised: BTreeMap<(Alarm, String), Millis>,
}

impl Board {
    /// The alarms that hold: name, agency, since when.
    pub fn raised(&self) -> impl Iterator<Item = (Alarm, &str, Millis)> {
        self.raised.iter().map(|((alarm, agency), since)| (*alarm, agency.as_str(), *since))
    }

    /// Judges what was seen, and tells what began and what ended.
    pub fn judge(&mut self, seen: &Seen, thresholds: &Thresholds) -> Vec<Change> {
        judgements(seen, thresholds)
            .into_iter()
            .filter_map(|(alarm, agency, figure)| {
                let key = (alarm, agency.to_owned());
                let change =
                    |raised, since, figure| Some(Change { alarm, agency: agency.to_owned(), raised, since, figure });
                match (figure, self.raised.get(&key).copied()) {
                    (Some(figure), None) => {
                        self.raised.insert(key, seen.at);
                        change(true, seen.at, figure)
                    }
                    (None, Some(since)) => {
                        self.raised.remove(&key);
                        change(false, since, 0)
                    }
                    (Some(_), Some(_)) | (None, None) => None,
                }
            })
            .collect()
    }
}

/// For each alarm that can be judged from what was seen: its figure if it holds.
fn judgements<'a>(seen: &'a Seen, thresholds: &Thresholds) -> Vec<(Alarm, &'a str, Option<i64>)> {
    let now = seen.at;
    let longer = |since: Option<Millis>, minutes: u32| {
        since.map(|since| (now - since) / MINUTE).filter(|passed| *passed >= i64::from(minutes))
    };
    let counted = |count: i64| (count > 0).then_some(count);
    let mut judged = Vec::new();
    if let Some(deliveries) = &seen.deliveries {
        judged.push((Alarm::DeliveryWaits, "", longer(deliveries.oldest, thresholds.delivery_minutes)));
        judged.push((Alarm::DeliveryAside, "", counted(deliveries.aside.values().sum())));
    }
    if let Some(free) = seen.disks.iter().map(look::Disk::free_percent).min() {
        let holds = free < i64::from(thresholds.disk_free_percent);
        judged.push((Alarm::DiskNearlyFull, "", holds.then_some(free)));
    }
    if let Some(until) = seen.certificate_until {
        let days = (until - now).div_euclid(DAY);
        judged.push((Alarm::CertificateExpires, "", (days < i64::from(thresholds.certificate_days)).then_some(days)));
    }
    for (agency, seen) in &seen.agencies {
        judged.push((Alarm::NotReady, agency, (!seen.ready).then_some(1)));
        judged.push((Alarm::LineStopped, agency, counted(i64::try_from(seen.stopped_lines).unwrap_or(i64::MAX))));
        // What stands in files could not be read just now: nothing is known, and nothing is judged.
        let Some(stands) = &seen.stands else { continue };
        judged.push((Alarm::SendingHeld, agency, stands.held_since.map(|since| (now - since) / MINUTE)));
        let uncertain = stands.uncertain_since.map(|since| (now - since) / MINUTE);
        let uncertain = uncertain.filter(|passed| *passed >= i64::from(thresholds.uncertain_minutes));
        judged.push((Alarm::MessageUncertain, agency, uncertain.and(counted(stands.uncertain))));
        let quiet = stands
            .usual
            .filter(|usual| thresholds.quiet_messages > 0 && *usual >= i64::from(thresholds.quiet_messages));
        let quiet = quiet.and(longer(stands.last_inbound, thresholds.quiet_minutes));
        judged.push((Alarm::NoInbound, agency, quiet));
    }
    judged
}

/// Looks, judges, and says what changed.
pub async fn round(gateway: &Arc<Gateway>) -> Vec<Change> {
    let seen = gateway.signs.look(gateway).await;
    let changes = gateway.signs.judge(&seen);
    for Change { alarm, agency, raised, since, figure } in &changes {
        let (name, words) = (alarm.name(), alarm.words());
        if *raised {
            tracing::error!(alarm = name, agency, since, figure, "{words}");
        } else {
            tracing::info!(alarm = name, agency, since, over = true, "Over: {words}");
        }
    }
    changes
}

/// Goes round once a minute, until the gateway stops.
pub async fn run(gateway: Arc<Gateway>) {
    let mut stopping = gateway.stopping.subscribe();
    let mut ticks = tokio::time::interval_at(Instant::now() + FIRST_AFTER, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => return,
            _ = ticks.tick() => {
                round(&gateway).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::look::{AgencySeen, DeliveriesSeen, Disk, Stands};

    const NOW: Millis = 1_795_000_000_000;

    fn well() -> Seen {
        let stands = Stands { last_inbound: Some(NOW), usual: Some(0), ..Stands::default() };
        let agency = AgencySeen { ready: true, stopped_lines: 0, desks: 1, stands: Some(stands) };
        Seen {
            at: NOW,
            deliveries: Some(DeliveriesSeen::default()),
            agencies: [("mew".to_owned(), agency)].into(),
            disks: vec![Disk { folder: "journal", free: 50, size: 100 }],
            certificate_until: Some(NOW + 90 * DAY),
        }
    }

    type Change = fn(&mut Seen);

    fn stands(seen: &mut Seen) -> &mut Stands {
        seen.agencies.get_mut("mew").unwrap().stands.as_mut().unwrap()
    }

    /// Each alarm: just not, and just.
    const CASES: &[(Alarm, &str, Change, Change, i64)] = &[
        (
            Alarm::DeliveryWaits,
            "",
            |seen| seen.deliveries.as_mut().unwrap().oldest = Some(NOW - 5 * MINUTE + 1),
            |seen| seen.deliveries.as_mut().unwrap().oldest = Some(NOW - 5 * MINUTE),
            5,
        ),
        (
            Alarm::DeliveryAside,
            "",
            |seen| seen.deliveries.as_mut().unwrap().waiting = 9,
            |seen| seen.deliveries.as_mut().unwrap().aside = [("not JSON".to_owned(), 2)].into(),
            2,
        ),
        (
            Alarm::NoInbound,
            "mew",
            |seen| *stands(seen) = Stands { last_inbound: Some(NOW - 40 * MINUTE), usual: Some(19), ..*stands(seen) },
            |seen| *stands(seen) = Stands { last_inbound: Some(NOW - 40 * MINUTE), usual: Some(20), ..*stands(seen) },
            40,
        ),
        (
            Alarm::NoInbound,
            "mew",
            |seen| *stands(seen) = Stands { last_inbound: Some(NOW - 29 * MINUTE), usual: Some(900), ..*stands(seen) },
            |seen| *stands(seen) = Stands { last_inbound: Some(NOW - 30 * MINUTE), usual: Some(900), ..*stands(seen) },
            30,
        ),
        (
            Alarm::NoInbound,
            "mew",
            // Too little is known to say what is usual.
            |seen| *stands(seen) = Stands { last_inbound: Some(NOW - 9 * DAY), usual: None, ..*stands(seen) },
            |seen| *stands(seen) = Stands { last_inbound: Some(NOW - 9 * DAY), usual: Some(700), ..*stands(seen) },
            9 * 24 * 60,
        ),
        (Alarm::LineStopped, "mew", |_| {}, |seen| seen.agencies.get_mut("mew").unwrap().stopped_lines = 1, 1),
        (
            Alarm::MessageUncertain,
            "mew",
            |seen| *stands(seen) = Stands { uncertain: 3, uncertain_since: Some(NOW - 9 * MINUTE), ..*stands(seen) },
            |seen| *stands(seen) = Stands { uncertain: 3, uncertain_since: Some(NOW - 10 * MINUTE), ..*stands(seen) },
            3,
        ),
        (Alarm::SendingHeld, "mew", |_| {}, |seen| stands(seen).held_since = Some(NOW - MINUTE), 1),
        (Alarm::NotReady, "mew", |_| {}, |seen| seen.agencies.get_mut("mew").unwrap().ready = false, 1),
        (
            Alarm::DiskNearlyFull,
            "",
            |seen| seen.disks.push(Disk { folder: "records", free: 10, size: 100 }),
            |seen| seen.disks.push(Disk { folder: "records", free: 9, size: 100 }),
            9,
        ),
        (
            Alarm::CertificateExpires,
            "",
            |seen| seen.certificate_until = Some(NOW + 14 * DAY),
            |seen| seen.certificate_until = Some(NOW + 14 * DAY - 1),
            13,
        ),
        (
            Alarm::CertificateExpires,
            "",
            |seen| seen.certificate_until = None,
            |seen| seen.certificate_until = Some(NOW - 1),
            -1,
        ),
    ];

    #[test]
    fn each_is_raised_once_and_cleared_once() {
        let thresholds = Thresholds::default();
        for (alarm, agency, not_yet, now, figure) in CASES {
            let mut board = Board::default();
            assert_eq!(board.judge(&well(), &thresholds), []);
            let (mut before, mut bad, mut unseen) = (well(), well(), well());
            not_yet(&mut before);
            assert_eq!(board.judge(&before, &thresholds), [], "{alarm:?} too early");
            now(&mut bad);
            let change = |raised, figure| super::Change {
                alarm: *alarm,
                agency: (*agency).to_owned(),
                raised,
                since: NOW,
                figure,
            };
            assert_eq!(board.judge(&bad, &thresholds), [change(true, *figure)]);
            assert_eq!(board.judge(&bad, &thresholds), [], "{alarm:?} is said again");
            assert_eq!(board.raised().collect::<Vec<_>>(), [(*alarm, *agency, NOW)]);
            // What cannot be seen is neither good nor bad.
            (unseen.deliveries, unseen.certificate_until) = (None, None);
            unseen.agencies.clear();
            unseen.disks.clear();
            unseen.at += MINUTE;
            assert_eq!(board.judge(&unseen, &thresholds), []);
            assert_eq!(board.judge(&well(), &thresholds), [change(false, 0)]);
            assert_eq!(board.raised().count(), 0);
        }
        let tried: std::collections::BTreeSet<_> = CASES.iter().map(|(alarm, ..)| alarm.name()).collect();
        assert_eq!(tried.len(), Alarm::NAMES.len(), "an alarm is not tried");
    }

    #[test]
    fn quiet_lines_can_be_left_alone() {
        let mut seen = well();
        *stands(&mut seen) = Stands { last_inbound: Some(0), usual: Some(5), ..Stands::default() };
        let never = Thresholds { quiet_messages: 0, ..Thresholds::default() };
        assert_eq!(Board::default().judge(&seen, &never), []);
    }

    #[test]
    fn thresholds_that_make_no_sense_are_named() {
        assert_eq!(Thresholds::default().problems(), Vec::<String>::new());
        let silly =
            Thresholds { delivery_minutes: 0, uncertain_minutes: 0, disk_free_percent: 95, ..Thresholds::default() };
        assert_eq!(silly.problems().len(), 3);
    }
}
