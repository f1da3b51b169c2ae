//! How the gateway stands, as its operator wants to know it: read beside the deciding threads, from files that anybody
//! may read while they write, and from counters in memory. Nobody waits for it.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use domain::ids::Millis;
use records::Records;

use crate::{agency::Reader, deliveries::Unfinished, gateway::Gateway};

const WEEK: Millis = 7 * 24 * 3_600_000;
/// What is usual is judged by so many weeks at most, and by no fewer than these.
const WEEKS: i64 = 8;
const FEWEST_WEEKS: usize = 2;
/// Nobody asks for more precisely than this how many messages are usual.
const MANY: u32 = 1000;

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// When.
    pub at: Millis,
    /// The deliveries; `None`: they could not be read.
    pub deliveries: Option<DeliveriesSeen>,
    /// The agencies by their short names.
    pub agencies: BTreeMap<String, AgencySeen>,
    /// The disks of the storage folders.
    pub disks: Vec<Disk>,
    /// Until when the certificate holds, where this program ends TLS.
    pub certificate_until: Option<Millis>,
}

/// How the deliveries stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveriesSeen {
    /// How many are not finished.
    pub waiting: i64,
    /// When the oldest of them came.
    pub oldest: Option<Millis>,
    /// How many were set aside, by their reason.
    pub aside: BTreeMap<String, i64>,
}

/// How an agency stands.
#[derive(Debug, Clone, Default)]
pub struct AgencySeen {
    /// Whether it decides.
    pub ready: bool,
    /// Lines that WhatsApp lets send nothing.
    pub stopped_lines: usize,
    /// Desks that follow live.
    pub desks: usize,
    /// What its files say; `None`: they could not be read.
    pub stands: Option<Stands>,
}

/// What an agency's files say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stands {
    /// Since when sending is held.
    pub held_since: Option<Millis>,
    /// When a citizen's message was taken in last.
    pub last_inbound: Option<Millis>,
    /// How many messages usually come in a stretch like the one since then; `None`: too little is known.
    pub usual: Option<i64>,
    /// Messages that wait to be sent.
    pub waiting: i64,
    /// Since when the oldest of them waits.
    pub waiting_since: Option<Millis>,
    /// Messages of which nobody knows whether they went out.
    pub uncertain: i64,
    /// Since when, of the oldest.
    pub uncertain_since: Option<Millis>,
    /// Entries of the journal that the records do not have yet.
    pub behind: i64,
}

/// The disk of a storage folder.
#[derive(Debug, Clone, Copy)]
pub struct Disk {
    /// Which folder.
    pub folder: &'static str,
    /// Bytes that this program may still write.
    pub free: u64,
    /// Bytes in all.
    pub size: u64,
}

impl Disk {
    /// The disk of a folder, where the system tells.
    pub fn of(folder: &'static str, path: &Path) -> Option<Self> {
        #[cfg(unix)]
        {
            let found = rustix::fs::statvfs(path).ok()?;
            let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
            Some(Self { folder, free: bytes(found.f_bavail), size: bytes(found.f_blocks) })
        }
        #[cfg(not(unix))]
        {
            let _ = (folder, path);
            None
        }
    }

    /// How much of it is free.
    pub fn free_percent(&self) -> i64 {
        i64::try_from(self.free.saturating_mul(100) / self.size.max(1)).unwrap_or(100)
    }
}

/// Looks at everything.
pub async fn look(
    gateway: &Arc<Gateway>,
    deliveries: Arc<Mutex<Unfinished>>,
    disks: Vec<Disk>,
    until: Option<Millis>,
) -> Seen {
    let at = gateway.clock.now();
    let mut agencies = BTreeMap::new();
    for agency in gateway.agencies.values() {
        let seen = AgencySeen {
            ready: agency.is_ready(),
            stopped_lines: agency.stopped_lines.count(),
            desks: agency.live.listeners(),
            stands: agency.read(move |reader| stands(reader, at)).await.ok(),
        };
        agencies.insert(agency.id.clone(), seen);
    }
    let read = move || deliveries.lock().unwrap_or_else(PoisonError::into_inner).standing();
    let read = tokio::task::spawn_blocking(read).await;
    let deliveries = read.context("Looking at the deliveries").flatten();
    if let Err(error) = &deliveries {
        tracing::warn!(error = format!("{error:#}"), "The deliveries could not be looked at");
    }
    Seen { at, deliveries: deliveries.ok(), agencies, disks, certificate_until: until }
}

fn stands(reader: &mut Reader, now: Millis) -> Result<Stands> {
    let pending = reader.records.pending()?;
    let (first, last) = reader.records.received_between()?.unzip();
    Ok(Stands {
        held_since: reader.journal.sending_held()?,
        last_inbound: last,
        usual: first.zip(last).map(|(first, last)| usual(&reader.records, first, last, now)).transpose()?.flatten(),
        waiting: pending.waiting,
        waiting_since: pending.waiting_since,
        uncertain: pending.uncertain,
        uncertain_since: pending.uncertain_since,
        behind: (reader.journal.head()?.seq - reader.records.stand()?.seq).max(0),
    })
}

/// How many messages came in the same stretch of the weeks before: the median, so that one week with an outage or a
/// holiday does not decide. `None` until two whole weeks are known.
fn usual(records: &Records, first: Millis, last: Millis, now: Millis) -> Result<Option<i64>> {
    let silence = (now - last).max(0);
    // A silence of more than a week is compared with weeks before it.
    let nearest = silence / WEEK + 1;
    let mut counts = Vec::new();
    for week in nearest..nearest + WEEKS {
        let (from, to) = (last - week * WEEK, now - week * WEEK);
        if from < first {
            break;
        }
        // Not the message itself with which the stretch begins.
        counts.push(records.received(from + 1, to + 1, MANY)?);
    }
    counts.sort_unstable();
    let median = counts.get(counts.len().saturating_sub(1) / 2).copied();
    Ok(median.filter(|_| counts.len() >= FEWEST_WEEKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Millis = 3_600_000;
    const NOW: Millis = 1_795_000_000_000;

    /// Records in which messages came at these times.
    fn records(times: impl IntoIterator<Item = Millis>) -> Records {
        let records = Records::open(rusqlite::Connection::open_in_memory().unwrap()).unwrap();
        for (n, at) in (0_i64..).zip(times) {
            let sql = "INSERT INTO messages (id, conversation, case_id, seq, place, at, inbound, type, sent_at)
                       VALUES (?1, x'01', x'02', ?2, ?3, ?3, 1, 'text', ?3)";
            records.connection().execute(sql, (n.to_be_bytes(), n, at)).unwrap();
        }
        records
    }

    /// Every ten minutes for some weeks, up to so long ago; none in the week that is left out.
    fn steady(weeks: Millis, silence: Millis, but: Option<Millis>) -> Records {
        let left_out = |at: Millis| but.is_some_and(|week| (NOW - at) / WEEK == week);
        let ends = NOW - silence;
        let count = (weeks * WEEK - silence) / (HOUR / 6);
        records((0..=count).rev().map(|n| ends - n * (HOUR / 6)).filter(|at| !left_out(*at)))
    }

    fn asked(records: &Records) -> Option<i64> {
        let (first, last) = records.received_between().unwrap().unwrap();
        usual(records, first, last, NOW).unwrap()
    }

    #[test]
    fn what_is_usual_is_learnt_from_the_same_stretch_of_the_weeks_before() {
        assert_eq!(asked(&steady(4, 3 * HOUR, None)), Some(18));
        assert_eq!(asked(&steady(4, 3 * HOUR, Some(2))), Some(18), "one week does not decide");
        // Only by day: the same silence at night is nothing.
        let by_day = |silence: Millis| {
            let hour = |at: Millis| (at / HOUR) % 24;
            let all = (0..4 * 7 * 24 * 6).rev().map(|n| NOW - silence - n * (HOUR / 6));
            records(all.filter(move |at| hour(*at) == hour(NOW - HOUR)))
        };
        assert!(asked(&by_day(HOUR)).unwrap() >= 5);
        let night = by_day(0);
        let (first, last) = night.received_between().unwrap().unwrap();
        assert_eq!(usual(&night, first, last, last + 10 * HOUR).unwrap(), Some(0));
    }

    #[test]
    fn nothing_is_usual_before_two_weeks_are_known() {
        assert_eq!(asked(&steady(2, HOUR, None)), None);
        assert_eq!(asked(&steady(3, HOUR, None)), Some(6));
    }

    #[test]
    fn a_silence_of_weeks_is_compared_with_what_was_before_it() {
        assert_eq!(asked(&steady(12, 2 * WEEK + HOUR, None)), Some(i64::from(MANY)));
        assert_eq!(asked(&steady(3, 2 * WEEK, None)), None);
    }

    #[test]
    fn the_disk_of_a_folder_is_found() {
        let disk = Disk::of("journal", Path::new("/")).unwrap();
        assert!(disk.size > 0 && (0..=100).contains(&disk.free_percent()), "{disk:?}");
        assert!(Disk::of("journal", Path::new("/no such folder")).is_none());
    }
}
