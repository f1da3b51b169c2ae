//! `GET /metrics`: what can be counted of this gateway, as Prometheus text, for whoever runs it.
//!
//! What happens is counted where it happens, by one call into this file, so that every name and label stands here. What
//! stands (queues, ages, desks) is looked at when somebody asks, at most once a second, and never by a deciding thread.
//! Labels are agencies, lines and endpoints of the configuration, and words of this program: nothing that a citizen, a
//! member of staff or a stranger wrote, so there is nothing personal in them and they do not grow.
//!
//! The counters belong to the process, as the crate `metrics` has it; two gateways in one process share them.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use axum::{
    extract::{ConnectInfo, FromRequestParts, State},
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use domain::ids::{LineId, Millis};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use crate::{
    alarms::{Alarm, Board, Change, Thresholds},
    config::{Config, Media, Secret},
    deliveries::Unfinished,
    failure::Failure,
    gateway::Gateway,
    home::Storage,
    look::{self, Disk, Seen},
    tls,
};

/// However often somebody asks, the files are looked at no more often than this.
const FRESH: Duration = Duration::from_secs(1);
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
const ITEMS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// What is counted, and what is known beside that.
pub struct Signs {
    handle: PrometheusHandle,
    token: Option<Secret>,
    thresholds: Thresholds,
    deliveries: Arc<Mutex<Unfinished>>,
    folders: Vec<(&'static str, PathBuf)>,
    certificate_until: Option<Millis>,
    began: Instant,
    board: Mutex<Board>,
    seen: tokio::sync::Mutex<Option<(Instant, Arc<Seen>)>>,
}

impl Signs {
    /// Begins to count.
    pub fn start(config: &Config, deliveries: Unfinished) -> Result<Self> {
        let certificate_until = config.server.tls_cert.as_deref().map(tls::valid_until).transpose()?;
        // The disks of a database and of a bucket are looked after where those are.
        let journal = match &config.storage {
            Storage::Sqlite(folder) => Some(("journal", folder.clone())),
            Storage::Postgres(_) => None,
        };
        let media = match &config.media {
            Some(Media::Folder(folder)) => Some(("media", folder.clone())),
            Some(Media::S3(_)) | None => None,
        };
        let records = ("records", config.records.clone());
        Ok(Self {
            handle: recorder()?,
            token: config.server.metrics_token.clone(),
            thresholds: config.alarms,
            deliveries: Arc::new(Mutex::new(deliveries)),
            folders: journal.into_iter().chain([records]).chain(media).collect(),
            certificate_until,
            began: Instant::now(),
            board: Mutex::default(),
            seen: tokio::sync::Mutex::default(),
        })
    }

    /// How the gateway stands, now or a moment ago.
    pub async fn look(&self, gateway: &Arc<Gateway>) -> Arc<Seen> {
        let mut seen = self.seen.lock().await;
        if let Some((when, seen)) = &*seen
            && when.elapsed() < FRESH
        {
            return Arc::clone(seen);
        }
        let disks = self.folders.iter().filter_map(|(folder, path)| Disk::of(folder, path)).collect();
        let fresh = look::look(gateway, Arc::clone(&self.deliveries), disks, self.certificate_until).await;
        let (before, fresh) = (seen.take(), Arc::new(fresh));
        show(&fresh, before.as_ref().map(|(_, before)| &**before));
        self.handle.run_upkeep();
        *seen = Some((Instant::now(), Arc::clone(&fresh)));
        fresh
    }

    /// Judges what was seen; what changed is on the board, and in the gauges.
    pub fn judge(&self, seen: &Seen) -> Vec<Change> {
        let changes = self.board.lock().unwrap_or_else(PoisonError::into_inner).judge(seen, &self.thresholds);
        for Change { alarm, agency, raised, .. } in &changes {
            gauge!("shubbak_alarm", "name" => alarm.name(), "agency" => agency.clone()).set(if *raised {
                1.0
            } else {
                0.0
            });
        }
        changes
    }

    /// The alarms that hold: name, agency, since when.
    pub fn alarms(&self) -> Vec<(Alarm, String, Millis)> {
        let board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.raised().map(|(alarm, agency, since)| (alarm, agency.to_owned(), since)).collect()
    }
}

/// Lines that WhatsApp lets send nothing, as the sender finds them.
#[derive(Debug, Default)]
pub struct StoppedLines(Mutex<BTreeSet<LineId>>);

impl StoppedLines {
    /// Notes what became of a line's last attempt.
    pub fn note(&self, line: &str, stopped: bool) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if stopped {
            lines.insert(line.to_owned());
        } else {
            lines.remove(line);
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Whoever runs the gateway: bears the configured token; or, where none is configured, asks on this machine itself with
/// no proxy in between. To everybody else there is nothing here.
pub struct Operator;

impl FromRequestParts<Arc<Gateway>> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Failure> {
        if let Some(token) = &gateway.signs.token {
            let given = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let given = given.and_then(|given| given.strip_prefix("Bearer ")).unwrap_or_default();
            let fits = bool::from(given.as_bytes().ct_eq(token.expose().as_bytes()));
            return fits.then_some(Self).ok_or_else(|| Failure::signed_out("This path needs the configured token"));
        }
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let here = peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback());
        // A proxy that nobody told this program of would let the world in.
        let passed_on = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];
        let passed_on = gateway.behind_proxy || passed_on.iter().any(|name| parts.headers.contains_key(*name));
        (here && !passed_on).then_some(Self).ok_or_else(Failure::nothing_here)
    }
}

/// `GET /metrics`.
pub async fn metrics(_: Operator, State(gateway): State<Arc<Gateway>>) -> Response {
    gateway.signs.look(&gateway).await;
    let signs = &gateway.signs;
    gauge!("shubbak_sign_ins_waiting").set(number(gateway.passwords.waiting()));
    gauge!("shubbak_uptime_seconds").set(signs.began.elapsed().as_secs_f64());
    if let Some(bytes) = memory() {
        gauge!("shubbak_memory_bytes").set(bytes);
    }
    ([(header::CONTENT_TYPE, TEXT)], signs.handle.render()).into_response()
}

/// A webhook endpoint answered.
pub async fn webhook_answered(State(endpoint): State<Arc<str>>, response: Response) -> Response {
    let code = response.status().as_str().to_owned();
    counter!("shubbak_webhooks_total", "endpoint" => endpoint.to_string(), "code" => code).increment(1);
    response
}

/// A batch of an agency's journal was committed.
pub fn journal_committed(agency: &str, jobs: usize, took: Duration) {
    histogram!("shubbak_journal_commit_seconds", "agency" => agency.to_owned()).record(took);
    histogram!("shubbak_journal_batch_items", "agency" => agency.to_owned()).record(number(jobs));
}

/// A batch of deliveries was committed.
pub fn deliveries_committed(jobs: usize, took: Duration) {
    histogram!("shubbak_deliveries_commit_seconds").record(took);
    histogram!("shubbak_deliveries_batch_items").record(number(jobs));
}

/// A message was POSTed, or was to be.
pub fn sent(agency: &str, line: &str, outcome: &'static str) {
    let labels = [("agency", agency.to_owned()), ("line", line.to_owned()), ("outcome", outcome.to_owned())];
    counter!("shubbak_sends_total", &labels).increment(1);
}

/// WhatsApp reported on a reply of ours that the journal does not have.
pub fn lost_reply(agency: &str) {
    counter!("shubbak_lost_reply_reports_total", "agency" => agency.to_owned()).increment(1);
}

/// A desk was told to catch up.
pub fn sent_to_catch_up(agency: &str) {
    counter!("shubbak_catch_ups_total", "agency" => agency.to_owned()).increment(1);
}

/// A desk sent a frame in which there was no sense.
pub fn frame_without_sense() {
    counter!("shubbak_frames_without_sense_total").increment(1);
}

/// Somebody could not sign in.
pub fn sign_in_failed(why: &'static str) {
    counter!("shubbak_sign_in_failures_total", "why" => why).increment(1);
}

/// There was no place for a connection.
pub fn connection_refused(why: &'static str) {
    counter!("shubbak_connections_refused_total", "why" => why).increment(1);
}

/// Sets the gauges to what was seen.
fn show(seen: &Seen, before: Option<&Seen>) {
    let age = |since: Option<Millis>| since.map_or(0.0, |since| seconds(seen.at - since));
    if let Some(deliveries) = &seen.deliveries {
        gauge!("shubbak_deliveries_waiting").set(count(deliveries.waiting));
        gauge!("shubbak_delivery_oldest_seconds").set(age(deliveries.oldest));
        // A reason that no longer applies goes to zero, and not out of sight.
        for reason in before.and_then(|before| before.deliveries.as_ref()).iter().flat_map(|one| one.aside.keys()) {
            gauge!("shubbak_deliveries_aside", "reason" => reason.clone()).set(0.0);
        }
        for (reason, aside) in &deliveries.aside {
            gauge!("shubbak_deliveries_aside", "reason" => reason.clone()).set(count(*aside));
        }
    }
    for disk in &seen.disks {
        gauge!("shubbak_disk_free_bytes", "folder" => disk.folder).set(bytes(disk.free));
        gauge!("shubbak_disk_size_bytes", "folder" => disk.folder).set(bytes(disk.size));
    }
    if let Some(until) = seen.certificate_until {
        gauge!("shubbak_certificate_expires_seconds").set(seconds(until - seen.at));
    }
    for (agency, seen) in &seen.agencies {
        let set = |name: &'static str, value: f64| gauge!(name, "agency" => agency.clone()).set(value);
        set("shubbak_ready", if seen.ready { 1.0 } else { 0.0 });
        set("shubbak_desks", number(seen.desks));
        set("shubbak_lines_stopped", number(seen.stopped_lines));
        let Some(stands) = seen.stands else { continue };
        if stands.last_inbound.is_some() {
            set("shubbak_last_inbound_seconds", age(stands.last_inbound));
        }
        set("shubbak_sending_held", if stands.held_since.is_some() { 1.0 } else { 0.0 });
        set("shubbak_messages_waiting", count(stands.waiting));
        set("shubbak_message_oldest_seconds", age(stands.waiting_since));
        set("shubbak_messages_uncertain", count(stands.uncertain));
        set("shubbak_records_behind", count(stands.behind));
    }
}

/// The process's recorder, set up once.
fn recorder() -> Result<PrometheusHandle> {
    static HANDLE: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();
    let made = HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_commit_seconds".to_owned()), SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_items".to_owned()), ITEMS));
        let handle = builder.and_then(PrometheusBuilder::install_recorder).map_err(|error| error.to_string())?;
        describe();
        Ok(handle)
    });
    made.clone().map_err(anyhow::Error::msg).context("Setting up the metrics")
}

fn describe() {
    describe_counter!("shubbak_webhooks_total", "Webhook requests by endpoint and answer");
    describe_histogram!("shubbak_journal_commit_seconds", "How long a journal's commits take");
    describe_histogram!("shubbak_journal_batch_items", "What is decided in one transaction");
    describe_histogram!("shubbak_deliveries_commit_seconds", "How long commits of deliveries take");
    describe_histogram!("shubbak_deliveries_batch_items", "Deliveries, and words about them, in one transaction");
    describe_counter!("shubbak_sends_total", "Messages POSTed to WhatsApp, by line and outcome");
    describe_counter!("shubbak_lost_reply_reports_total", "Reports on replies that the journal does not have");
    describe_counter!("shubbak_catch_ups_total", "Desks that were told to catch up");
    describe_counter!("shubbak_frames_without_sense_total", "Frames of desks in which there was no sense");
    describe_counter!("shubbak_sign_in_failures_total", "Sign-ins that failed");
    describe_counter!("shubbak_connections_refused_total", "Connections for which there was no place");
    describe_gauge!("shubbak_deliveries_waiting", "Deliveries that are not taken in yet");
    describe_gauge!("shubbak_delivery_oldest_seconds", "Age of the oldest of them");
    describe_gauge!("shubbak_deliveries_aside", "Deliveries set aside, by reason");
    describe_gauge!("shubbak_disk_free_bytes", "Room on the disk of a storage folder");
    describe_gauge!("shubbak_disk_size_bytes", "Size of the disk of a storage folder");
    describe_gauge!("shubbak_certificate_expires_seconds", "Until the TLS certificate expires");
    describe_gauge!("shubbak_ready", "Whether the agency decides");
    describe_gauge!("shubbak_desks", "Desks that follow live");
    describe_gauge!("shubbak_lines_stopped", "Lines that WhatsApp lets send nothing");
    describe_gauge!("shubbak_last_inbound_seconds", "Since a citizen's message was taken in last");
    describe_gauge!("shubbak_sending_held", "Whether sending is held after a restore");
    describe_gauge!("shubbak_messages_waiting", "Messages that wait to be sent");
    describe_gauge!("shubbak_message_oldest_seconds", "Age of the oldest of them");
    describe_gauge!("shubbak_messages_uncertain", "Messages of which nobody knows whether they went out");
    describe_gauge!("shubbak_records_behind", "Entries of the journal that the records do not have yet");
    describe_gauge!("shubbak_sign_ins_waiting", "Passwords that wait to be hashed");
    describe_gauge!("shubbak_memory_bytes", "Memory of the process (resident)");
    describe_gauge!("shubbak_uptime_seconds", "Since the gateway started");
    describe_gauge!("shubbak_alarm", "Whether an alarm holds");
}

/// Bytes of this process in memory, where the system tells.
fn memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(f64::from(kib) * 1024.0)
}

fn seconds(millis: Millis) -> f64 {
    count(millis) / 1000.0
}

fn number(count: usize) -> f64 {
    bytes(u64::try_from(count).unwrap_or(u64::MAX))
}

fn count(count: i64) -> f64 {
    count as f64
}

fn bytes(bytes: u64) -> f64 {
    bytes as f64
}
