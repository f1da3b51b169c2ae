//! A person is shut out while their computer is away: at its next contact with the real gateway it removes what it kept for
//! them, and nothing of anybody else's.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use desk::{
    Config, Desk,
    api::{
        Filter, Handler as _, ListConversations, Lock, Mode, Nothing, Order, Phase, SaveDraft, SendReply, SignIn,
        Start, Unlock,
    },
    keychain::FileKeychain,
};
use domain::ids::System;
use serde_json::json;

use crate::gateway::{Gateway, PASSWORD};

async fn open(folder: &Path) -> Desk {
    let config = Config {
        data: folder.join("desk"),
        keychain: Arc::new(FileKeychain::new(folder.join("keychain.json"))),
        clock: Arc::new(System),
        ids: Arc::new(System),
        version: "0.0.0".into(),
    };
    Desk::open(config).await.unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(90), async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "Waited in vain for {what}");
}

async fn sign_in(desk: &Desk, gateway: &Gateway, username: &str, code: &str) {
    let (address, code) = (gateway.address.clone(), Some(code.to_owned()));
    let (agency, username) = ("mew".to_owned(), username.to_owned());
    desk.sign_in(SignIn { gateway: address, agency, username, password: PASSWORD.into(), code }).await.unwrap();
}

async fn listed(desk: &Desk) -> usize {
    let all = ListConversations { filter: Filter::Open, order: Order::Latest, skip: 0, limit: 100 };
    desk.conversations(all).await.map_or(0, |list| list.rows.len())
}

async fn start(desk: &Desk) -> Start {
    desk.start(Nothing {}).await.unwrap()
}

/// What is kept on the workstation: the accounts' folders, and the names under which there are keys.
fn kept(folder: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let folders = std::fs::read_dir(folder.join("desk/accounts")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let keys: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("keychain.json")).unwrap()).unwrap();
    (folders.collect(), keys.as_object().unwrap().keys().cloned().collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_shut_out_loses_what_this_computer_kept_at_its_next_contact_and_nobody_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(folder.path());
    let desk = open(folder.path()).await;
    sign_in(&desk, &gateway, "admin", &gateway.code).await;
    gateway.receive(1, "السلام عليكم").await;
    until("the conversation", async || listed(&desk).await == 1).await;

    // A colleague of the same desk, on the same workstation.
    let admin = gateway.sign_in("admin").await;
    let add = json!({"kind": "add_staff", "username": "agent", "name": "خالد", "roles": ["agent"], "teams": ["customer-service"]});
    let added = gateway.must(&admin, add).await;
    sign_in(&desk, &gateway, "agent", added["code"].as_str().unwrap()).await;
    until("the conversation", async || listed(&desk).await == 1).await;
    let all = ListConversations { filter: Filter::Open, order: Order::Latest, skip: 0, limit: 1 };
    let row = desk.conversations(all).await.unwrap().rows.remove(0);
    let draft = SaveDraft { conversation: row.conversation, mode: Mode::Note, text: "لم أنته".into() };
    desk.save_draft(draft).await.unwrap();
    let accounts = start(&desk).await.accounts;
    let account = |username: &str| accounts.iter().find(|one| one.username == username).unwrap().id.clone();
    let (agent, lead) = (account("agent"), account("admin"));
    assert_eq!(kept(folder.path()).0, BTreeSet::from([agent.clone(), lead.clone()]));
    desk.lock(Lock {}).await.unwrap();
    desk.close().await;

    let me = added["id"].clone();
    gateway.must(&admin, json!({"kind": "change_staff", "staff": me, "active": false})).await;
    let desk = open(folder.path()).await;
    let unlocked = desk.unlock(Unlock { account: agent.clone(), password: PASSWORD.into() }).await;
    assert!(unlocked.is_ok(), "off line it would open: {unlocked:?}");
    // It may be gone already.
    let reply = SendReply { conversation: row.conversation, case: row.case, text: "لن تصل".into(), seen: 1 };
    drop(desk.send_reply(reply).await);
    until("it gone", async || start(&desk).await.accounts.iter().all(|one| one.id != agent)).await;
    let after = start(&desk).await;
    assert_eq!((after.phase, after.accounts.len()), (Phase::Locked, 1));
    assert!(after.wiped.is_some_and(|wiped| wiped.drafts == 1), "what was lost is told");
    let only = BTreeSet::from([lead.clone()]);
    assert_eq!(kept(folder.path()), (only.clone(), only), "files and key of one, and of nobody else");

    desk.unlock(Unlock { account: lead, password: PASSWORD.into() }).await.unwrap();
    assert_eq!(listed(&desk).await, 1, "the other's files are what they were");
    assert!(gateway.texts("message_queued").is_empty(), "nothing of theirs came");
    desk.close().await;
}
