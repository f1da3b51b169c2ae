//! Backup under load, restore, and read models built anew.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gateway::{backup::Manifest, home::Storage, journal::Reader};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    graph::{Fate, Graph},
    homes::rows,
    house::{
        House, PASSWORD, Person, deliver, entries, eventually, http, sign_in, status, text, token, uuid, wamid, writes,
        writes_at,
    },
    postgres::{apart, on_both_homes},
    program::Program,
    tampering::{run, said},
};

on_both_homes! {
    a_backup_under_load_is_restored_and_sends_nothing_until_released,
    records_are_built_anew_from_the_journal_and_nothing_is_appended,
}

/// Another machine: the same configuration, and no storage. On PostgreSQL it is the same database, without what a restore
/// brings; the ledger of erasures stays.
pub(crate) fn elsewhere(house: &House) -> (tempfile::TempDir, PathBuf) {
    if matches!(house.storage(), Storage::Postgres(_)) {
        house.change(&["DROP SCHEMA agency_mew, deliveries CASCADE"]);
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["app-secret", "verify-token", "token", "gateway.toml"] {
        std::fs::copy(house.folder.path().join(name), folder.path().join(name)).unwrap();
    }
    let config = folder.path().join("gateway.toml");
    (folder, config)
}

pub(crate) fn backup(config: &Path, to: &Path) -> Manifest {
    let output = run(config, &["backup", "--json", "--to", to.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The last word about each message of ours.
async fn last_words(person: &Person) -> std::collections::HashMap<String, String> {
    let lines = person.sync("0").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut words = std::collections::HashMap::new();
    for entry in entries(&lines, "message_queued") {
        words.insert(text(&entry["body"]["message"]), "queued".to_owned());
    }
    for entry in entries(&lines, "message_status_changed") {
        words.insert(text(&entry["body"]["message"]), text(&entry["body"]["status"]));
    }
    words
}

async fn a_backup_under_load_is_restored_and_sends_nothing_until_released() {
    let graph = Graph::start().await;
    let house = House::new(&graph.address);
    let program = Program::start(&house.config, "error", Stdio::inherit());
    let admin = house.admin(&program.address).await;
    let reply = async |admin: &Person, conversation: &str, text: &str| -> String {
        let id = uuid();
        let reply = json!({"id": id, "kind": "reply", "conversation": conversation, "text": text, "seen": 1_000_000});
        admin.must(reply).await;
        id
    };
    let becomes = async |admin: &Person, message: &str, word: &str| {
        eventually(word, async || (last_words(admin).await.get(message)? == word).then_some(())).await;
    };
    let mut conversations = vec![];
    for n in 1..=4 {
        conversations.push(writes_at(&program.address, &admin, &format!("9655000000{n}"), "السلام عليكم").await.0);
    }
    // One of each: arrived, failed, accepted, under way, waiting behind it.
    let arrived = reply(&admin, &conversations[0], "وصلت").await;
    eventually("a POST", async || (graph.texts().len() == 1).then_some(())).await;
    deliver(&program.address, &status("wamid.out.1", "delivered", Some(&arrived))).await.unwrap();
    becomes(&admin, &arrived, "delivered").await;
    graph.next(&[Fate::Refuse(131_026)]);
    let failed = reply(&admin, &conversations[1], "فشلت").await;
    becomes(&admin, &failed, "failed").await;
    let accepted = reply(&admin, &conversations[2], "قبلت").await;
    eventually("it is accepted", async || {
        let lines = admin.sync("0").await;
        entries(&lines, "message_status_changed")
            .iter()
            .any(|entry| entry["body"]["message"] == accepted && entry["body"]["wamid"].is_string())
            .then_some(())
    })
    .await;
    graph.next(&[Fate::Slow(Duration::from_secs(120))]);
    let under_way = reply(&admin, &conversations[3], "في الطريق").await;
    becomes(&admin, &under_way, "sending").await;
    let waiting = reply(&admin, &conversations[3], "تنتظر").await;

    let early_cursor = admin.cursor().await;
    // Under load.
    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..4)
        .map(|sender| {
            let (address, stop) = (program.address.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    deliver(&address, &text(&format!("9655100{sender:04}"), &wamid(), "الكهرباء مقطوعة"))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let kept = tempfile::tempdir().unwrap();
    let to = kept.path().join("backup");
    let (config, folder) = (house.config.clone(), to.clone());
    let manifest = tokio::task::spawn_blocking(move || backup(&config, &folder)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    for load in load {
        load.await.unwrap();
    }
    let late_cursor = admin.cursor().await;
    program.kill();

    // The chain's head is the one that the journal had at that point, and it went on meanwhile.
    let head = &manifest.heads[0];
    let journal = house.storage().journal("mew");
    let (chain, last) = apart(|| {
        let original = Reader::open(journal).unwrap();
        (original.chain_at(head.seq).unwrap().unwrap(), original.head().unwrap().seq)
    });
    assert_eq!(data_encoding::HEXLOWER.encode(&chain), head.chain);
    assert!(last > head.seq, "nothing was written during the backup: this showed nothing");

    let (_folder, config) = elsewhere(&house);
    let output = run(&config, &["restore", "--json", "--from", to.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    let restored: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&restored["seq"], &restored["uncertain"]), (&json!(head.seq), &json!(2)));
    assert_ne!(restored["journal"], head.journal.as_str());
    let again = run(&config, &["restore", "--from", to.to_str().unwrap()]);
    assert!(!again.status.success() && said(&again).contains("is not empty"), "{}", said(&again));

    let sent = graph.texts();
    let log = kept.path().join("log");
    let program = Program::start(&config, "error", Stdio::from(std::fs::File::create(&log).unwrap()));
    let ready = http().get(format!("{}/readyz", program.address)).send().await.unwrap();
    assert_eq!(ready.status(), 200);
    assert!(ready.text().await.unwrap().contains("sending is held: mew"));
    eventually("the alarm", async || std::fs::read_to_string(&log).unwrap().contains("sending_held").then_some(()))
        .await;
    let admin = Person::at(&admin, &program.address);
    for cursor in [early_cursor, late_cursor] {
        let gone = admin.get(&format!("/api/v1/sync?after={cursor}")).await;
        assert_eq!(gone.status(), 410, "a desk of the old journal starts afresh, wherever it stood");
    }
    let words = last_words(&admin).await;
    for (message, word) in [
        (&arrived, "delivered"),
        (&failed, "failed"),
        (&accepted, "sending"),
        (&under_way, "uncertain"),
        (&waiting, "uncertain"),
    ] {
        assert_eq!(words[message], word);
    }

    // People work on, and nothing goes out: neither what is to be sent again nor anything new.
    admin.must(json!({"kind": "settle_uncertain", "message": under_way, "settle": "sent"})).await;
    admin.must(json!({"kind": "settle_uncertain", "message": waiting, "settle": "resend"})).await;
    reply(&admin, &conversations[0], "جديدة").await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(graph.texts(), sent, "it went out before anybody released it");

    let released = run(&config, &["release-sending"]);
    assert!(released.status.success(), "{}", said(&released));
    eventually("both", async || (graph.texts().len() >= sent.len() + 2).then_some(())).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut new: Vec<_> = graph.texts().split_off(sent.len());
    new.sort();
    assert_eq!(new, ["تنتظر", "جديدة"]);
    let ready = http().get(format!("{}/readyz", program.address)).send().await.unwrap();
    assert!(!ready.text().await.unwrap().contains("sending is held: "));
    assert!(!run(&config, &["release-sending"]).status.success(), "it is held no longer");
    program.kill();
    let whole = run(&config, &["verify"]);
    assert!(whole.status.success(), "{}", said(&whole));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_changed_or_is_unfinished_is_refused() {
    let house = House::new("http://127.0.0.1:9");
    let kept = tempfile::tempdir().unwrap();
    let good = kept.path().join("good");
    backup(&house.config, &good);
    let into_full = run(&house.config, &["backup", "--to", good.to_str().unwrap()]);
    assert!(!into_full.status.success() && said(&into_full).contains("is not empty"), "{}", said(&into_full));

    let journal = |folder: &Path, sql: &str| {
        let conn = Connection::open(folder.join("mew/journal.db")).unwrap();
        assert!(conn.execute(sql, []).unwrap() > 0);
    };
    let manifest = |folder: &Path, change: &dyn Fn(&mut Manifest)| {
        let path = folder.join("manifest.json");
        let mut manifest: Manifest = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut manifest);
        std::fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
    };
    let rehash = |folder: &Path| {
        let sha256 = gateway::backup::sha256(&folder.join("mew/journal.db")).unwrap();
        manifest(folder, &|manifest| {
            manifest.files.iter_mut().find(|kept| kept.name == "mew/journal.db").unwrap().sha256.clone_from(&sha256);
        });
    };
    type Change<'a> = Box<dyn Fn(&Path) + 'a>;
    let changes: Vec<(&str, Change<'_>)> = vec![
        ("unfinished", Box::new(|folder| std::fs::remove_file(folder.join("manifest.json")).unwrap())),
        ("is not the file", Box::new(|folder| journal(folder, "UPDATE entries SET body = '{}' WHERE seq = 2"))),
        (
            "Entry 2",
            Box::new(|folder| {
                journal(folder, "UPDATE entries SET body = '{}' WHERE seq = 2");
                rehash(folder);
            }),
        ),
        ("not the one in the manifest", Box::new(|folder| manifest(folder, &|manifest| manifest.heads[0].seq -= 1))),
        ("does not have", Box::new(|folder| manifest(folder, &|manifest| manifest.heads[0].agency = "../mew".into()))),
        ("form 2", Box::new(|folder| manifest(folder, &|manifest| manifest.form = 2))),
    ];
    let (folder, config) = elsewhere(&house);
    for (n, (words, change)) in changes.iter().enumerate() {
        let bad = kept.path().join(n.to_string());
        std::fs::create_dir_all(bad.join("mew")).unwrap();
        for name in ["manifest.json", "deliveries.db", "server.key", "mew/journal.db"] {
            std::fs::copy(good.join(name), bad.join(name)).unwrap();
        }
        change(&bad);
        let output = run(&config, &["restore", "--from", bad.to_str().unwrap()]);
        let words = if *words == "unfinished" { "no finished backup" } else { words };
        assert!(!output.status.success() && said(&output).contains(words), "{words}: {}", said(&output));
        assert!(!folder.path().join("data/server.key").exists(), "something was left");
    }

    // One that broke off while it moved things: nothing takes it for a storage.
    std::fs::create_dir_all(folder.path().join("data/.restoring")).unwrap();
    for arguments in [&["init"][..], &["serve"], &["restore", "--from", good.to_str().unwrap()]] {
        assert!(!run(&config, arguments).status.success(), "{arguments:?}");
    }
    std::fs::remove_dir_all(folder.path().join("data")).unwrap();
    let output = run(&config, &["restore", "--from", good.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
}

/// Every row of every table of a file.
fn dump(path: &Path) -> Vec<String> {
    let conn = Connection::open(path).unwrap();
    let mut tables = conn.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut rows = vec![];
    for table in tables {
        let mut select = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = select.column_count();
        let mut found = select.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let values: Vec<_> = (0..columns).map(|n| format!("{:?}", row.get_ref(n).unwrap())).collect();
            rows.push(format!("{table}: {}", values.join(" ")));
        }
    }
    rows.sort();
    rows
}

async fn records_are_built_anew_from_the_journal_and_nothing_is_appended() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let agent = admin.add("agent1", &["agent"], &["customer-service"]).await;
    let (_, case) = writes(&served, &agent, "96550000001", "السلام عليكم").await;
    agent.must(json!({"kind": "claim", "case": case})).await;
    agent.must(json!({"kind": "add_note", "case": case, "text": "ملاحظة"})).await;
    let refused = run(&house.config, &["rebuild"]);
    assert!(!refused.status.success() && said(&refused).contains("another gateway is serving"), "{}", said(&refused));
    let cursor = token(&agent.sync("0").await);
    served.stop().await;

    let records = house.folder.path().join("data/mew/records.db");
    let journal = house.storage().journal("mew");
    let in_journal = || {
        ["head", "entries", "seen", "commands", "positions", "credentials"].map(|table| rows(&house, &journal, table))
    };
    let (before, entries) = (dump(&records), in_journal());
    assert!(before.len() > 15 && before.iter().any(|row| row.starts_with("notes: ")), "{} rows", before.len());
    // Rows that nobody wrote, and then no database at all.
    Connection::open(&records).unwrap().execute("UPDATE notes SET text = 'x'", []).unwrap();
    for damage in [false, true] {
        if damage {
            std::fs::write(&records, "not a database, not even nearly one").unwrap();
        }
        let output = run(&house.config, &["rebuild", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let seq = house.number("SELECT seq FROM head");
        assert!(output.status.success() && report["seq"] == seq, "{}", said(&output));
        assert!(dump(&records) == before, "the records are others than before");
        assert!(in_journal() == entries, "something was appended");
    }
    let served = house.serve().await;
    let body = json!({"agency": "mew", "username": "agent1", "password": PASSWORD, "device": "desk-2"});
    let agent = sign_in(&served.address, &body).await;
    assert_eq!(agent.sync(&cursor).await.len(), 1, "a desk goes on where it stood");
    served.stop().await;
}
