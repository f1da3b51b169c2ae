//! Webhooks on their way to the gateway.
//!
//! Each telephone has a queue of its own, so that what one citizen writes arrives in order while another's waits; what
//! is not answered 200 is repeated with growing pauses for as long as the simulator runs. One queue for all was
//! rejected: a single body that a gateway refuses would have silenced the whole town, which Meta never does.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use whatsapp::signature;

use crate::{
    Simulator,
    escape::escaped,
    events::STATE,
    world::{Failure, Tick},
};

/// How many webhooks one telephone can have waiting before new ones are refused.
const QUEUE: usize = 10_000;

/// One webhook.
pub(crate) struct Letter {
    pub(crate) telephone: String,
    /// The inbound message in it, whose tick turns when the gateway has taken it.
    pub(crate) message: Option<String>,
    /// The value of its change.
    pub(crate) value: Value,
}

/// The queues.
pub(crate) struct Post {
    http: reqwest::Client,
    queues: Mutex<HashMap<String, mpsc::Sender<Letter>>>,
}

/// The queue of this telephone is full.
#[derive(Debug, thiserror::Error)]
#[error("{QUEUE} webhooks of this telephone are waiting already")]
pub(crate) struct Full;

impl Post {
    pub(crate) fn new() -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()?;
        Ok(Self { http, queues: Mutex::new(HashMap::new()) })
    }
}

/// Hands a webhook to its telephone's queue.
pub(crate) fn send(simulator: &Arc<Simulator>, letter: Letter) -> Result<(), Full> {
    let queue = {
        let mut queues = simulator.post.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.entry(letter.telephone.clone()).or_insert_with(|| start_queue(simulator)).clone()
    };
    // Counted before it can have been delivered.
    simulator.world().tally.waiting += 1;
    if queue.try_send(letter).is_err() {
        simulator.world().tally.waiting -= 1;
        return Err(Full);
    }
    simulator.events.tell(STATE);
    Ok(())
}

fn start_queue(simulator: &Arc<Simulator>) -> mpsc::Sender<Letter> {
    let (queue, mut letters) = mpsc::channel::<Letter>(QUEUE);
    let simulator = simulator.clone();
    tokio::spawn(async move {
        for count in 0_u32.. {
            let letter = tokio::select! {
                letter = letters.recv() => letter,
                () = simulator.stopped() => None,
            };
            let Some(letter) = letter else { return };
            if simulator.world().faults.shuffle_webhooks {
                // Overtaking: of three in a row the first waits longest. They leave the queue at once, each on its own.
                let simulator = simulator.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(u64::from(2 - count % 3) * 400)).await;
                    deliver(&simulator, letter).await;
                });
            } else {
                deliver(&simulator, letter).await;
            }
        }
    });
    queue
}

/// Posts until the gateway has taken it.
async fn deliver(simulator: &Arc<Simulator>, letter: Letter) {
    let body = escaped(&json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": simulator.config.waba_id, "changes": [{"value": letter.value, "field": "messages"}]}],
    }));
    let duplicate = simulator.world().faults.duplicate_webhooks;
    let mut pause = simulator.config.retry;
    for attempt in 1_u32.. {
        let outcome = tokio::select! {
            outcome = post(simulator, &body) => outcome,
            () = simulator.stopped() => return,
        };
        let Err(reason) = outcome else { break };
        tracing::warn!(telephone = letter.telephone, attempt, reason, "The webhook was not taken");
        let at = simulator.now();
        let again_at = at + i64::try_from(pause.as_millis()).unwrap_or(0);
        let failure = Failure { at, telephone: letter.telephone.clone(), reason, attempt, again_at };
        {
            let tally = &mut simulator.world().tally;
            tally.failures.push_front(failure.clone());
            tally.failures.truncate(50);
            tally.failing.insert(letter.telephone.clone(), failure);
        }
        simulator.events.tell(STATE);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = simulator.stopped() => return,
        }
        pause = (pause * 2).min(simulator.config.retry_most);
    }
    {
        let mut world = simulator.world();
        world.tally.waiting = world.tally.waiting.saturating_sub(1);
        world.tally.delivered += 1;
        world.tally.failing.remove(&letter.telephone);
        let telephone = world.telephone_mut(&letter.telephone).ok();
        let bubble = letter.message.as_deref().and_then(|wamid| telephone?.bubble_mut(wamid));
        if let Some(bubble) = bubble.filter(|bubble| bubble.tick == Tick::Waiting) {
            bubble.tick = Tick::Delivered;
        }
    }
    simulator.events.tell(&letter.telephone);
    simulator.events.tell(STATE);
    if duplicate && let Err(reason) = post(simulator, &body).await {
        tracing::info!(telephone = letter.telephone, reason, "The second copy of a webhook was not taken");
    }
}

async fn post(simulator: &Simulator, body: &str) -> Result<(), String> {
    let webhook = simulator.world().webhook.clone();
    let answer = simulator
        .post
        .http
        .post(webhook)
        .header("content-type", "application/json")
        .header("user-agent", "facebookexternalua")
        .header(signature::HEADER, signature::sign(simulator.config.app_secret.as_bytes(), body.as_bytes()))
        .body(body.to_owned())
        .send()
        .await;
    match answer {
        Ok(answer) if answer.status() == 200 => Ok(()),
        Ok(answer) => Err(format!("HTTP {}", answer.status().as_u16())),
        Err(error) if error.is_connect() => Err("no connection".to_owned()),
        Err(error) if error.is_timeout() => Err("no answer in time".to_owned()),
        Err(_) => Err("the connection broke".to_owned()),
    }
}
