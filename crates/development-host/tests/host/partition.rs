//! A real desk and a real gateway, and between them a network that breaks: both come to the same, and each command is
//! carried out once.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use desk::{
    Config, Desk,
    api::{
        AddNote, ConversationRow, Filter, Handler as _, Item, Link, ListConversations, Nothing, OpenConversation,
        Order, Part, SendReply, SignIn,
    },
    keychain::FileKeychain,
};
use domain::ids::System;
use serde_json::json;

use crate::{
    cable::{Cable, Line},
    extent::{chance, counted, times},
    gateway::{Gateway, PASSWORD},
};

const TALKS: usize = 20;

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(90), async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "Waited in vain for {what}");
}

async fn rows(desk: &Desk) -> Vec<ConversationRow> {
    desk.conversations(ListConversations { filter: Filter::Open, order: Order::Latest, skip: 0, limit: 100 })
        .await
        .unwrap()
        .rows
}

/// Every text that the desk shows, and how often it does: what citizens wrote, replies, notes.
async fn shown(desk: &Desk) -> BTreeMap<String, usize> {
    let mut texts = BTreeMap::new();
    for row in rows(desk).await {
        let mut part = Part::Latest {};
        loop {
            let request = OpenConversation { conversation: row.conversation, part, limit: 500 };
            let page = serde_json::to_value(desk.conversation(request).await.unwrap()).unwrap();
            let items: Vec<Item> = serde_json::from_value(page["items"].clone()).unwrap();
            for item in &items {
                let text = match item {
                    Item::Message(message) => message.text.clone(),
                    Item::Note(note) => Some(note.text.clone()),
                    Item::Event(_) => None,
                };
                *texts.entry(text.unwrap_or_default()).or_default() += 1;
            }
            if page["more"] == false {
                break;
            }
            let first = &page["items"][0];
            part = Part::Before(serde_json::from_value(json!({"place": first["place"], "seq": first["seq"]})).unwrap());
        }
    }
    texts.remove("");
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_come_to_the_same_and_the_outbox_goes_once() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(folder.path());
    let cable = Cable::to(&gateway.address).await;
    let config = Config {
        data: folder.path().join("desk"),
        keychain: Arc::new(FileKeychain::new(folder.path().join("keychain.json"))),
        clock: Arc::new(System),
        ids: Arc::new(System),
        version: "0.0.0".into(),
    };
    let desk = Desk::open(config).await.unwrap();
    let sign_in = SignIn {
        gateway: cable.address.clone(),
        agency: "mew".into(),
        username: "admin".into(),
        password: PASSWORD.into(),
        code: Some(gateway.code.clone()),
    };
    desk.sign_in(sign_in).await.unwrap();
    for n in 0..TALKS {
        gateway.receive(n, &format!("بداية {n}")).await;
    }
    until("the conversations", async || rows(&desk).await.len() == TALKS).await;
    let talks = rows(&desk).await;

    let (mut dice, cuts) = (chance(), times(30, 1000, 10_000));
    let mut written = BTreeMap::new();
    for cut in 0..cuts {
        let breaking = async {
            tokio::time::sleep(Duration::from_millis(dice.u64(0..600))).await;
            let line = if dice.u8(0..4) == 0 { Line::Stalled } else { Line::Cut };
            cable.fault(line, Duration::from_millis(dice.u64(5..150))).await;
        };
        let working = async {
            for part in 0..2 {
                let talk = &talks[(cut + part) % TALKS];
                let (note, reply, wrote) =
                    (format!("ملاحظة {cut}.{part}"), format!("رد {cut}.{part}"), format!("رسالة {cut}.{part}"));
                gateway.receive((cut + part) % TALKS, &wrote).await;
                let add = AddNote { conversation: talk.conversation, case: talk.case, text: note.clone() };
                desk.add_note(add).await.unwrap();
                let send = SendReply {
                    conversation: talk.conversation,
                    case: talk.case,
                    text: reply.clone(),
                    seen: 1_000_000_000,
                };
                desk.send_reply(send).await.unwrap();
                written.extend([(note, "note_added"), (reply, "message_queued"), (wrote, "message_received")]);
            }
        };
        tokio::join!(breaking, working);
    }
    until("an empty outbox, live", async || {
        let status = desk.status(Nothing {}).await.unwrap();
        assert_eq!(status.stuck, 0);
        status.link == Link::Live && status.waiting == 0
    })
    .await;
    let journal: BTreeMap<&str, BTreeMap<String, usize>> =
        ["note_added", "message_queued", "message_received"].map(|kind| (kind, gateway.texts(kind))).into();
    for (text, kind) in &written {
        assert_eq!(journal[kind].get(text), Some(&1), "{text} stands in the journal so often");
    }
    let everything: BTreeMap<String, usize> = journal.into_values().flatten().collect();
    until("all that the journal has, on the desk", async || shown(&desk).await == everything).await;
    let broken = cable.broken.load(Ordering::Relaxed);
    counted(json!({"cuts": cuts, "connections_broken": broken, "commands": 4 * cuts, "messages": 2 * cuts}));
    assert!(broken > cuts / 2, "{broken} connections broke: this showed nothing");
    desk.close().await;
}
