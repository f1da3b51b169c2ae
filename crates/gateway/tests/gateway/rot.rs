//! One bit of a file flips, and the disk says nothing: no desk is given what nobody wrote.

use std::path::Path;

use gateway::{journal::Reader, serve, verify};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::{
    disk_faults::Image,
    extent::{chance, counted, times},
    house::{House, LINE, Person, deliver, entries, http, message, wamid, writes},
};

/// Some cases with what belongs to them, and nothing left in a WAL.
async fn storage(house: &House) -> Person {
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    for n in 0..60 {
        let (_, case) = writes(&served, &admin, &format!("965500000{n:02}"), "الكهرباء مقطوعة").await;
        admin.must(json!({"kind": "add_note", "case": case, "text": format!("ملاحظة {n}")})).await;
    }
    let strange = message(LINE, "96550000001", &wamid(), 1_795_358_400_000, "hologram", &json!({"depth": 3}));
    assert_eq!(deliver(&served.address, &strange).await.unwrap(), 200);
    house.all_taken_in().await;
    served.stop().await;
    for file in ["mew/journal.db", "mew/records.db", "deliveries.db"] {
        let conn = Connection::open(house.folder.path().join("data").join(file)).unwrap();
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }
    admin
}

/// Everything that a desk is given until it is told no more; `None` if the gateway does not even start.
async fn given(house: &House, admin: &Person) -> Option<Vec<Value>> {
    let (listening, address) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let config = gateway::config::load(&house.config).unwrap();
    let clock = house.clock.clone();
    let serving = tokio::spawn(async move {
        let stop = async {
            let _ = stopped.await;
        };
        serve::serve(config, clock, std::sync::Arc::new(domain::ids::System), listening, stop).await
    });
    let mut lines = None;
    if let Ok(address) = address.await {
        let asked = http().get(format!("{address}/api/v1/sync?after=0")).bearer_auth(&admin.token).send().await;
        let mut bytes = vec![];
        if let Ok(mut answer) = asked
            && answer.status() == 200
        {
            while let Ok(Some(chunk)) = answer.chunk().await {
                bytes.extend(chunk);
            }
        }
        let whole = String::from_utf8(bytes).unwrap();
        let read = whole.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        lines = Some(read.map(|line| serde_json::from_str(line).unwrap()).collect());
    }
    let _ = stop.send(());
    let _ = serving.await.unwrap();
    all_closed(house).await;
    lines
}

/// Waits until this process has no file of the house open: of a gateway that did not start, threads may end a moment later.
async fn all_closed(house: &House) {
    let folder = house.folder.path().canonicalize().unwrap();
    let open = || {
        let links = std::fs::read_dir("/proc/self/fd").unwrap();
        links.flatten().any(|link| std::fs::read_link(link.path()).is_ok_and(|file| file.starts_with(&folder)))
    };
    while open() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Every entry as it is stored, as far as it can be read.
fn stored(file: &Path) -> Vec<gateway::journal::Stored> {
    let mut all = vec![];
    let _ = Reader::open(file).and_then(|reader| {
        reader.stored(|stored| {
            all.push(stored);
            Ok(true)
        })
    });
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_served_that_nobody_wrote_and_verify_finds_it() {
    let house = House::new("http://127.0.0.1:9");
    let admin = storage(&house).await;
    let file = house.folder.path().join("data/mew/journal.db");
    let before = Image::take(&house);
    let written = stored(&file);
    // Without `prev`: where a case is out of sight, since the rot is in its row of the records, the entry after it names
    // the one before it.
    let only_entries = |lines: Vec<Value>| -> Vec<Value> {
        let mut entries: Vec<Value> =
            lines.into_iter().filter_map(|mut line| Some(line.get_mut("entry")?.take())).collect();
        for entry in &mut entries {
            entry.as_object_mut().unwrap().remove("prev").unwrap();
        }
        entries
    };
    let expected = only_entries(given(&house, &admin).await.unwrap());
    assert!(expected.len() > 50, "{}", expected.len());
    let mut chance = chance();
    let flips = times(25, 1000, 10_000);
    let (mut harmless, mut found, mut stopped) = (0, 0, 0);
    for n in 0..flips {
        let name = ["mew/journal.db", "mew/journal.db", "mew/records.db", "deliveries.db"][n % 4];
        before.put(&house);
        let path = house.folder.path().join("data").join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        let (at, bit) = (chance.usize(0..bytes.len()), chance.u8(0..8));
        bytes[at] ^= 1 << bit;
        std::fs::write(&path, bytes).unwrap();
        let what = format!("bit {bit} of byte {at} of {name}");

        let flaw = !matches!(verify::journal(&file, &[]), Ok(Ok(_)));
        if !flaw {
            assert_eq!(stored(&file), written, "{what} changed an entry, and `verify` says nothing");
        }
        match given(&house, &admin).await.map(only_entries) {
            None => stopped += 1,
            Some(lines) => {
                for line in &lines {
                    assert!(expected.contains(line), "{what}: served {line}");
                }
                stopped += usize::from(lines.len() < expected.len());
                harmless += usize::from(!flaw && lines.len() == expected.len());
            }
        }
        found += usize::from(flaw);
    }
    counted(json!({"flips": flips, "found_by_verify": found, "not_all_served": stopped, "without_effect": harmless}));
    assert!(found > flips / 40, "verify found {found} of {flips}: this showed nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_gateway_serves_no_entry_that_rotted_and_whoever_has_it_goes_on() {
    let house = House::new("http://127.0.0.1:9");
    let admin = storage(&house).await;
    let served = house.serve().await;
    let admin = Person::at(&admin, &served.address);
    let whole = admin.sync("0").await;
    let rotten = entries(&whole, "note_added")[20].clone();
    let behind = admin.cursor().await;
    let sql = "UPDATE entries SET body = replace(body, 'م', 'ن') WHERE seq = ?1";
    assert_eq!(house.journal().execute(sql, [rotten["seq"].as_i64()]).unwrap(), 1);

    for path in [
        "/api/v1/sync?after=0".to_owned(),
        format!("/api/v1/cases/{}/entries", rotten["body"]["case"].as_str().unwrap()),
    ] {
        let asked = http().get(format!("{}{path}", served.address)).bearer_auth(&admin.token).send().await;
        let text = match asked {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        };
        let seq = format!("\"seq\":{},", rotten["seq"]);
        assert!(!text.contains(&seq) && !text.contains("cursor"), "{path}: {text}");
    }
    // A desk that had it before, and colleagues who write, are not disturbed.
    let case = &rotten["body"]["case"];
    admin.must(json!({"kind": "add_note", "case": case, "text": "بعدها"})).await;
    assert_eq!(entries(&admin.sync(&behind).await, "note_added").len(), 1);
    served.stop().await;
    let flaw = verify::journal(house.folder.path().join("data/mew/journal.db"), &[]).unwrap().unwrap_err();
    assert_eq!(Some(flaw.seq()), rotten["seq"].as_i64());
}
