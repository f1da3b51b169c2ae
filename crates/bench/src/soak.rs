//! Hours of ordinary work: does the gateway's memory grow, and is each webhook in the journal exactly once?

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use axum::{Json, Router, extract::State};
use domain::ids::{Clock as _, Ids as _, System};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    accounts, desks,
    gateway::{House, Server},
    http::Connection,
    load,
};

const A_SECOND: usize = 320;
const CITIZENS: usize = 10_000;
const DESKS: usize = 50;
const ACCOUNTS: usize = 10;
const BETWEEN_SAMPLES: Duration = Duration::from_secs(10);
const BETWEEN_REPLIES: Duration = Duration::from_millis(500);
/// What one hour may add, in MiB.
const MOST_AN_HOUR: f64 = 1.0;

/// What the desks have in common.
#[derive(Default)]
struct Work {
    /// Where a citizen wrote last.
    conversation: Mutex<Option<Value>>,
    entries: AtomicUsize,
    /// How often a desk's socket ended, and it came back.
    returns: AtomicUsize,
}

/// The gateway's memory at a moment, in MiB.
struct Sample {
    hours: f64,
    resident: f64,
    /// Of that, what is not a file's: the heap and the stacks.
    anonymous: f64,
}

/// Works for so many minutes, prints what came of it, and fails if memory grew or a webhook is not in the journal once.
pub(crate) async fn run(program: &Path, pack: &Path, minutes: usize) -> Result<()> {
    ensure!(minutes > 0, "A soak takes a minute at least");
    let (graph, posted) = graph().await?;
    let house = House::sending_to(program, pack, &format!("http://{graph}"))?;
    let server = house.serve()?;
    accounts::make(server.address, &house.code, ACCOUNTS).await?;
    let devices = accounts::sign_in_by_turns(server.address, DESKS, ACCOUNTS).await?;
    // A new process, whose memory has seen no sign-ins.
    drop(server);
    let server = house.serve()?;
    let work = Arc::new(Work::default());
    let mut working = JoinSet::new();
    for device in &devices {
        working.spawn(listen(server.address, device.token.clone(), Arc::clone(&work)));
    }
    let replier = devices.first().context("Finding a desk")?.token.clone();
    working.spawn(reply(server.address, replier, Arc::clone(&work)));

    let mut sent = 0;
    let mut samples = Vec::new();
    let outcome = tokio::select! {
        outcome = write(server.address, minutes, &mut sent) => outcome,
        failed = sample(&server, &mut samples) => failed,
        Some(ended) = working.join_next() => ended?,
    };
    outcome?;
    working.shutdown().await;
    house.settled().await?;
    let replies = house.counted("message_queued").await?.0;
    let until = Instant::now() + Duration::from_secs(30);
    while posted.load(Ordering::Relaxed) < replies && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    judge(&house, &samples, sent, &work, (replies, posted.load(Ordering::Relaxed))).await
}

/// Says what came of it.
async fn judge(
    house: &House,
    samples: &[Sample],
    sent: usize,
    work: &Work,
    (replies, posted): (usize, usize),
) -> Result<()> {
    let later = samples.get(samples.len() / 3..).unwrap_or_default();
    let resident = slope(later.iter().map(|sample| (sample.hours, sample.resident)));
    let anonymous = slope(later.iter().map(|sample| (sample.hours, sample.anonymous)));
    let (messages, distinct) = house.counted("message_received").await?;
    let tenths = |value: f64| (value * 10.0).round() / 10.0;
    let memory = |sample: Option<&Sample>| sample.map(|sample| tenths(sample.resident));
    let counted = json!({
        "webhooks": sent, "in the journal": messages, "of them distinct": distinct, "desks": DESKS,
        "entries shown": work.entries.load(Ordering::Relaxed), "desks that came back": work.returns.load(Ordering::Relaxed),
        "replies": replies, "replies posted": posted, "samples": samples.len(), "MiB first": memory(samples.first()),
        "MiB after a third": memory(later.first()), "MiB last": memory(later.last()), "MiB an hour": tenths(resident),
        "of it not files": tenths(anonymous),
    });
    crate::say(&format!("COUNTED {counted}"))?;
    ensure!(messages == sent && distinct == sent, "Not every webhook is in the journal exactly once");
    ensure!(posted == replies, "Not every reply went out exactly once");
    ensure!(resident <= MOST_AN_HOUR, "Memory grows by {resident:.1} MiB an hour");
    Ok(())
}

/// Citizens write at fixed times; the next minute's webhooks are signed while this minute's are sent.
async fn write(address: SocketAddr, minutes: usize, sent: &mut usize) -> Result<()> {
    let sign = || tokio::task::spawn_blocking(|| load::texts(A_SECOND * 60, CITIZENS));
    let mut next = sign();
    for minute in 1..=minutes {
        let webhooks: Arc<[_]> = next.await?.into();
        next = sign();
        let spread = load::open(address, &webhooks, A_SECOND).await?;
        *sent += webhooks.len();
        let (median, slowest) = (spread.percentile(50), spread.percentile(99));
        crate::say(&format!(
            "minute {minute}: {sent} webhooks; time to the 200: p50 {median:.1} ms, p99 {slowest:.1} ms"
        ))?;
    }
    next.abort();
    Ok(())
}

/// Measures until it is dropped.
async fn sample(server: &Server, samples: &mut Vec<Sample>) -> Result<()> {
    let began = Instant::now();
    let mut ticks = tokio::time::interval(BETWEEN_SAMPLES);
    loop {
        ticks.tick().await;
        let hours = began.elapsed().as_secs_f64() / 3600.0;
        let sample = Sample { hours, resident: server.memory()?, anonymous: server.anonymous_memory()? };
        let line = format!("memory {:.0} s {:.1} MiB {:.1} MiB", hours * 3600.0, sample.resident, sample.anonymous);
        crate::say(&line)?;
        samples.push(sample);
    }
}

/// A desk: it catches up, listens, and comes back when its socket ends.
async fn listen(address: SocketAddr, token: String, work: Arc<Work>) -> Result<()> {
    let mut cursor = "0".to_owned();
    loop {
        (cursor, _) = desks::sync(address, &token, &cursor).await?;
        let mut socket = desks::live(address, &format!("/api/v1/live?after={cursor}"), &token).await?;
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(frame) = message else { continue };
            if frame.starts_with("{\"cursor\"") {
                let said: Value = serde_json::from_str(&frame).context("Reading a cursor")?;
                cursor = accounts::text(&said, "/cursor/token")?;
            } else if frame.starts_with("{\"entry\"")
                && work.entries.fetch_add(1, Ordering::Relaxed).is_multiple_of(1000)
            {
                let said: Value = serde_json::from_str(&frame).context("Reading an entry")?;
                if let Some(conversation) = said.pointer("/entry/body/conversation") {
                    *work.conversation.lock().unwrap_or_else(PoisonError::into_inner) = Some(conversation.clone());
                }
            }
        }
        work.returns.fetch_add(1, Ordering::Relaxed);
    }
}

/// Somebody answers whoever wrote last.
async fn reply(address: SocketAddr, token: String, work: Arc<Work>) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    let mut ticks = tokio::time::interval(BETWEEN_REPLIES);
    loop {
        ticks.tick().await;
        let taken = work.conversation.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(conversation) = taken else { continue };
        let command = json!([{
            "id": System.next(System.now()), "kind": "reply", "conversation": conversation,
            "text": "وعليكم السلام، نراجع الفاتورة ونعود إليكم", "seen": i64::from(i32::MAX),
        }]);
        let answer = connection.post("/api/v1/commands", Some(&token), &command).await?.json(200)?;
        ensure!(answer.pointer("/0/accepted").is_some(), "A reply was not accepted: {answer}");
    }
}

/// A Graph API that takes every message; and how many it took.
async fn graph() -> Result<(SocketAddr, Arc<AtomicUsize>)> {
    let posted = Arc::new(AtomicUsize::new(0));
    let take = async |State(posted): State<Arc<AtomicUsize>>| {
        let number = posted.fetch_add(1, Ordering::Relaxed);
        Json(json!({"messaging_product": "whatsapp", "messages": [{"id": format!("wamid.soak-{number}")}]}))
    };
    let service = Router::new().fallback(take).with_state(Arc::clone(&posted));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("Listening as the Graph API")?;
    let address = listener.local_addr().context("Listening as the Graph API")?;
    tokio::spawn(axum::serve(listener, service).into_future());
    Ok((address, posted))
}

/// How steeply the line rises that has the least squares from these points.
fn slope(points: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let count = points.clone().count() as f64;
    let (x, y) = points.clone().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let (over, under) = points
        .fold((0.0, 0.0), |(over, under), point| (over + (point.0 - x) * (point.1 - y), under + (point.0 - x).powi(2)));
    over / under
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_the_least_squares() {
        let of = |points: &[(f64, f64)]| slope(points.iter().copied());
        assert_eq!(of(&[(0.0, 5.0), (1.0, 7.0), (2.0, 9.0)]), 2.0);
        assert_eq!(of(&[(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)]), 0.5);
        assert_eq!(of(&[(0.0, 4.0), (1.0, 4.0)]), 0.0);
        assert!(of(&[(0.0, 4.0)]).is_nan(), "one sample is no slope");
    }
}
