//! Load, and a list of everything that the gateway has promised to keep meanwhile.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::house::{House, Person, deliver, http, text, uuid, wamid, writes_at};

/// What was answered for: webhooks by their wamids, notes by their ids.
#[derive(Default)]
pub(crate) struct Promises {
    webhooks: Mutex<HashSet<String>>,
    notes: Mutex<HashSet<String>>,
}

/// Eight citizens who write and one desk that takes notes, until told to stop.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

const SENDERS: usize = 8;

impl Load {
    pub(crate) fn start(address: &str, desk: &Desk, promises: &Arc<Promises>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = vec![];
        for sender in 0..SENDERS {
            let (address, promises, stop) = (address.to_owned(), Arc::clone(promises), Arc::clone(&stop));
            tasks.push(tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let id = wamid();
                    let body = text(&format!("9655000{sender:04}"), &id, "الكهرباء مقطوعة");
                    // Each twice, as Meta does.
                    for _ in 0..2 {
                        if deliver(&address, &body).await.is_ok_and(|status| status == 200) {
                            promises.webhooks.lock().unwrap().insert(id.clone());
                        }
                    }
                }
            }));
        }
        let (desk, address) = (desk.clone(), address.to_owned());
        let (promises, stopped) = (Arc::clone(promises), Arc::clone(&stop));
        tasks.push(tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                if let Some(id) = desk.note(&address).await {
                    promises.notes.lock().unwrap().insert(id);
                }
            }
        }));
        Self { stop, tasks }
    }

    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

/// A signed-in person with a case to write notes on.
#[derive(Clone)]
pub(crate) struct Desk {
    token: String,
    case: String,
}

impl Desk {
    pub(crate) async fn sit_down(address: &str, person: &Person) -> Self {
        let (_, case) = writes_at(address, person, "96550009999", "السلام عليكم").await;
        Self { token: person.token.clone(), case }
    }

    /// A note; its id, if it was accepted.
    async fn note(&self, address: &str) -> Option<String> {
        let id = uuid();
        let note = json!([{"id": id, "kind": "add_note", "case": self.case, "text": "اتصلت به"}]);
        let asked = http().post(format!("{address}/api/v1/commands")).bearer_auth(&self.token).json(&note);
        let answers: Value = asked.send().await.ok()?.json().await.ok()?;
        answers[0]["accepted"].is_array().then_some(id)
    }
}

impl Promises {
    /// How many webhooks and notes were promised.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.webhooks.lock().unwrap().len(), self.notes.lock().unwrap().len())
    }

    /// Whether fewer were promised so far than a test needs to show anything: a slow machine is given longer.
    pub(crate) fn fewer_than(&self, webhooks: usize, notes: usize) -> bool {
        let promised = self.count();
        promised.0 < webhooks || promised.1 < notes
    }

    /// How many of them the journal has not. What is there twice fails the test.
    pub(crate) fn lost(&self, house: &House) -> usize {
        let missing = |kind: &str, field: &str, promised: &Mutex<HashSet<String>>| {
            let all: Vec<String> =
                house.bodies(kind).iter().map(|body| body[field].as_str().unwrap().to_owned()).collect();
            let once: HashSet<String> = all.iter().cloned().collect();
            assert_eq!(once.len(), all.len(), "a {kind} is in the journal twice");
            promised.lock().unwrap().difference(&once).count()
        };
        missing("message_received", "wamid", &self.webhooks) + missing("note_added", "note", &self.notes)
    }
}
