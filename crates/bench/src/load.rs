//! Signed webhooks, and the two ways of sending them.
//!
//! Closed loop (each connection sends when it has its answer) says how much gets through. Open loop says how long it
//! takes: the times are fixed in advance and latency counts from them, so a server that stalls is charged for everything
//! that should have been sent meanwhile.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use domain::ids::{Clock as _, Ids as _, System};
use http_body_util::Full;
use hyper::{Request, body::Bytes, header};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{http::Connection, spread::Spread};

/// The app secret of every server that is measured.
pub(crate) const SECRET: &str = "the secret of the benchmark";
/// The line that every message comes to.
pub(crate) const LINE: &str = "106540352242922";
/// The path that webhooks come to.
pub(crate) const PATH: &str = "/webhooks/whatsapp";

/// A webhook with its signature.
#[derive(Clone)]
pub(crate) struct Webhook {
    body: Bytes,
    signature: String,
}

/// Texts, each with a wamid of its own, from so many citizens in turn.
pub(crate) fn texts(count: usize, citizens: usize) -> Vec<Webhook> {
    texts_by(count, |n| (n % citizens, SENTENCE.to_owned()))
}

/// Texts, each with a wamid of its own; who writes each, and what.
pub(crate) fn texts_by(count: usize, written: impl Fn(usize) -> (usize, String)) -> Vec<Webhook> {
    let now = System.now();
    (0..count)
        .map(|n| {
            let (citizen, text) = written(n);
            let from = format!("9655{citizen:07}");
            let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{
                "field": "messages",
                "value": {
                    "messaging_product": "whatsapp",
                    "metadata": {"display_phone_number": "96522200000", "phone_number_id": LINE},
                    "contacts": [{"profile": {"name": format!("مراجع {from}")}, "wa_id": from}],
                    "messages": [{
                        "from": from, "id": format!("wamid.{}", System.next(now)),
                        "timestamp": (now / 1000).to_string(), "type": "text",
                        "text": {"body": format!("{MARK}{n:08} {text}")},
                    }],
                },
            }]}]})
            .to_string();
            let signature = whatsapp::signature::sign(SECRET.as_bytes(), body.as_bytes());
            Webhook { body: Bytes::from(body), signature }
        })
        .collect()
}

/// What a citizen writes.
pub(crate) const SENTENCE: &str = "السلام عليكم، أود الاستفسار عن فاتورة الكهرباء لهذا الشهر";

/// Stands before a text's number.
const MARK: &str = "bench-";

/// The number of the text in what a desk was sent.
pub(crate) fn number_in(frame: &str) -> Option<usize> {
    let (_, rest) = frame.split_once(MARK)?;
    rest.get(..8)?.parse().ok()
}

/// Posts one webhook, which must be answered with 200.
pub(crate) async fn post(connection: &mut Connection, webhook: &Webhook) -> Result<()> {
    let request = Request::post(PATH)
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-hub-signature-256", &webhook.signature)
        .body(Full::new(webhook.body.clone()))
        .context("Making a request")?;
    let answer = connection.ask(request).await?;
    ensure!(answer.status == 200, "A webhook was answered {}", answer.status);
    Ok(())
}

/// Sends all of them over so many connections, each when it has its answer. How long it took.
pub(crate) async fn closed(address: SocketAddr, webhooks: &Arc<[Webhook]>, connections: usize) -> Result<Duration> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let mut senders = JoinSet::new();
    let began = Instant::now();
    for mut connection in open {
        let (next, webhooks) = (Arc::clone(&next), Arc::clone(webhooks));
        senders.spawn(async move {
            while let Some(webhook) = webhooks.get(next.fetch_add(1, Ordering::Relaxed)) {
                post(&mut connection, webhook).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = senders.join_next().await {
        done??;
    }
    Ok(began.elapsed())
}

/// When the one with this number is to be sent.
pub(crate) fn planned(began: Instant, per_second: usize, number: usize) -> Instant {
    let (seconds, rest) = (number / per_second, number % per_second);
    began + Duration::from_secs(seconds as u64) + Duration::from_secs(1) * rest as u32 / per_second as u32
}

/// Sends each at its time. How long each took from then to its 200.
pub(crate) async fn open(address: SocketAddr, webhooks: &Arc<[Webhook]>, per_second: usize) -> Result<Spread> {
    const CONNECTIONS: usize = 256;
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        open.push(Connection::open(address).await?);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let mut senders = JoinSet::new();
    let began = Instant::now() + Duration::from_millis(100);
    for mut connection in open {
        let (next, webhooks) = (Arc::clone(&next), Arc::clone(webhooks));
        senders.spawn(async move {
            let mut took = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(webhook) = webhooks.get(number) else { return anyhow::Ok(took) };
                let planned = planned(began, per_second, number);
                tokio::time::sleep_until(planned.into()).await;
                post(&mut connection, webhook).await?;
                took.push(planned.elapsed());
            }
        });
    }
    let mut all = Vec::new();
    while let Some(took) = senders.join_next().await {
        all.extend(took??);
    }
    ensure!(all.len() == webhooks.len(), "Not every webhook was sent");
    Ok(Spread::new(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_fixed_in_advance_and_do_not_drift() {
        let began = Instant::now();
        let at = |number| planned(began, 3300, number) - began;
        assert_eq!(at(0), Duration::ZERO);
        assert_eq!(at(3300 * 60), Duration::from_secs(60));
        assert_eq!(at(1650), Duration::from_millis(500));
        assert!((1..10_000).all(|number| at(number) > at(number - 1)));
    }

    #[test]
    fn each_text_is_another_and_bears_its_number_and_signature() {
        let texts = texts(20, 10);
        for (number, text) in texts.iter().enumerate() {
            let body = std::str::from_utf8(&text.body).unwrap();
            assert_eq!(number_in(body), Some(number));
            assert!(whatsapp::signature::verify(&text.signature, &text.body, &[SECRET]));
        }
        let wamid = |text: &Webhook| {
            let body: serde_json::Value = serde_json::from_slice(&text.body).unwrap();
            body["entry"][0]["changes"][0]["value"]["messages"][0]["id"].to_string()
        };
        assert_eq!(texts.iter().map(wamid).collect::<std::collections::BTreeSet<_>>().len(), 20);
        assert_eq!(number_in("nothing of ours"), None);
    }
}
