//! The way in: each item once, none dropped, none in another's way.

use domain::ids::{Clock, System};
use serde_json::json;

use crate::house::{House, LINE, entries, eventually, message, text, wamid, writes};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_yet_is_shown_and_kept_raw() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let now = System.now();
    let holograms = json!({"id": "777", "depth": 3, "caption": "صورة"});
    served.deliver(&message(LINE, "96550000001", "wamid.h", now, "hologram", &holograms)).await;
    served
        .deliver(&message(
            LINE,
            "96550000001",
            "wamid.i",
            now,
            "image",
            &json!({"id": "12", "mime_type": "image/jpeg"}),
        ))
        .await;
    served.deliver(&message(LINE, "96550000001", "wamid.t", now, "text", &json!({"body": "نص"}))).await;
    let lines = eventually("three messages", async || {
        let lines = admin.sync("0").await;
        (entries(&lines, "message_received").len() == 3).then_some(lines)
    })
    .await;
    let received = entries(&lines, "message_received");
    assert_eq!(received[0]["body"]["type"], "hologram");
    assert_eq!(received[0]["body"]["raw"]["hologram"], holograms);
    assert_eq!(received[1]["body"]["type"], "image");
    assert_eq!(received[1]["body"]["raw"]["image"]["id"], "12");
    assert_eq!((&received[2]["body"]["text"], received[2]["body"].get("raw")), (&json!("نص"), None));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_in_waits_and_blocks_nobody() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let new_line = "100000000000002";
    let later =
        message(new_line, "96550000001", "wamid.new", System.now(), "text", &json!({"body": "إلى الرقم الجديد"}));
    served.deliver(&later).await;
    served.deliver(&json!({"object": "whatsapp_business_account", "entry": "not a list"})).await;
    writes(&served, &admin, "96550000002", "بعدها").await;
    let aside = || -> Vec<String> {
        let conn = house.deliveries();
        let mut select = conn.prepare("SELECT reason FROM deliveries WHERE state = 'aside' ORDER BY n").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let reasons = eventually("two set aside", async || Some(aside()).filter(|reasons| reasons.len() == 2)).await;
    assert_eq!(reasons[0], "the line is not configured");
    assert_eq!(house.count("message_received"), 1);
    served.stop().await;

    // The line is configured: what was sent to it is read.
    let text = std::fs::read_to_string(&house.config).unwrap();
    let line = format!(
        "[[agency.line]]\nphone_number_id = {new_line:?}\ndisplay_number = \"96522200001\"\ntoken_file = \"token\"\n"
    );
    std::fs::write(&house.config, text + &line).unwrap();
    let served = house.serve().await;
    eventually("the message to the new line", async || (house.count("message_received") == 2).then_some(())).await;
    assert_eq!(house.count("line_changed"), 2);
    assert_eq!(aside().len(), 1);
    served.stop().await;
    house.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_rebuilt_from_the_journal() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    writes(&served, &admin, "96550000001", "السلام عليكم").await;
    let before = admin.sync("0").await;
    served.stop().await;
    for file in ["records.db", "records.db-wal", "records.db-shm"] {
        let _ = std::fs::remove_file(house.folder.path().join("data/mew").join(file));
    }
    let served = house.serve().await;
    let answer = crate::house::http().get(format!("{}/readyz", served.address)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let admin = crate::house::Person::at(&admin, &served.address);
    let after = admin.sync("0").await;
    assert_eq!(before[..before.len() - 1], after[..after.len() - 1]);
    // And they decide as before: the same person's next message goes to the same case.
    served.deliver(&text("96550000001", &wamid(), "أين أنتم؟")).await;
    eventually("the next message", async || (house.count("message_received") == 2).then_some(())).await;
    assert_eq!(house.count("case_opened"), 1);
    served.stop().await;
}

/// Whoever has stopped one may touch its files, or start another one in the same process.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_one_has_none_of_its_files_open() {
    let house = House::new("http://127.0.0.1:9");
    let open = || {
        let files = std::fs::read_dir("/proc/self/fd").unwrap();
        let files = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        files.filter(|file| file.starts_with(house.folder.path())).collect::<Vec<_>>()
    };
    for _ in 0..5 {
        let served = house.serve().await;
        served.deliver(&text("96550000001", &wamid(), "نعم")).await;
        assert!(!open().is_empty());
        served.stop().await;
        assert_eq!(open(), Vec::<std::path::PathBuf>::new());
    }
}

/// Records that do not fit the journal are built anew while others read them.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_they_were_signed_out_where_the_records_are_behind() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let records = rusqlite::Connection::open(house.folder.path().join("data/mew/records.db")).unwrap();
    records.execute_batch("CREATE TABLE kept AS SELECT * FROM staff; DELETE FROM staff").unwrap();
    assert_eq!(admin.get("/api/v1/sync?after=0").await.status(), 503);
    records.execute_batch("INSERT INTO staff SELECT * FROM kept; DROP TABLE kept").unwrap();
    assert_eq!(admin.get("/api/v1/sync?after=0").await.status(), 200);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_a_later_version_stops_the_agency_and_says_so() {
    let house = House::new("http://127.0.0.1:9");
    let conn = house.journal();
    conn.execute_batch(
        "INSERT INTO entries (seq, id, at, actor, scope, subject, kind, version, body, salt, digest, chain)
         SELECT seq + 1, 'later', at, actor, scope, subject, 'moon_rose', 1, '{}', salt, digest, zeroblob(32)
         FROM entries ORDER BY seq DESC LIMIT 1;
         UPDATE head SET seq = seq + 1, chain = zeroblob(32);",
    )
    .unwrap();
    // An id must be one, for the entry to be readable at all.
    conn.execute("UPDATE entries SET id = ?1 WHERE id = 'later'", [crate::house::uuid()]).unwrap();
    drop(conn);
    let served = house.serve().await;
    let get = async |path: &str| crate::house::http().get(format!("{}{path}", served.address)).send().await.unwrap();
    let answer = get("/readyz").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["code"], "not_ready");
    assert_eq!(get("/healthz").await.status(), 200);
    let session = json!({"agency": "mew", "username": "admin", "password": "four blue doors at noon", "device": "d", "code": house.code});
    let post = crate::house::http().post(format!("{}/api/v1/session", served.address)).json(&session);
    assert_eq!(post.send().await.unwrap().status(), 503);
    // What arrives is kept all the same.
    served.deliver(&text("96550000001", &wamid(), "مرحبا")).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(house.count("message_received"), 0, "nothing is decided without knowing what that entry says");
    let waiting: i64 = house
        .deliveries()
        .query_row("SELECT count(*) FROM deliveries WHERE state = 'waiting'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(waiting, 1);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agencies_do_not_mix() {
    let house = House::new("http://127.0.0.1:9");
    let line = "200000000000001";
    let code = house.add_agency("moci", line);
    let served = house.serve().await;
    let mew = house.admin(&served.address).await;
    let body = json!({"agency": "moci", "username": "admin", "password": "four blue doors at noon", "device": "d", "code": code});
    let moci = crate::house::sign_in(&served.address, &body).await;

    // One delivery for both, as Meta may batch them; the same person writes to both.
    let mut both = message(LINE, "96550000001", "wamid.mew", System.now(), "text", &json!({"body": "إلى الكهرباء"}));
    let other = message(line, "96550000001", "wamid.moci", System.now(), "text", &json!({"body": "إلى التجارة"}));
    both["entry"].as_array_mut().unwrap().push(other["entry"][0].clone());
    served.deliver(&both).await;
    for (who, theirs, others) in [(&mew, "إلى الكهرباء", "إلى التجارة"), (&moci, "إلى التجارة", "إلى الكهرباء")]
    {
        let lines = eventually("their message", async || {
            let lines = who.sync("0").await;
            (entries(&lines, "message_received").len() == 1).then_some(lines)
        })
        .await;
        let all = json!(lines).to_string();
        assert!(all.contains(theirs) && !all.contains(others), "{all}");
    }
    // A token is good in its own agency alone, and so are ids.
    let forged = moci.token.replace("moci.", "mew.");
    let answer =
        crate::house::http().get(format!("{}/api/v1/sync", served.address)).bearer_auth(forged).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let lines = mew.sync("0").await;
    let case = &entries(&lines, "case_opened")[0]["body"]["case"];
    let refused = moci.ask(json!({"kind": "claim", "case": case})).await;
    assert_eq!(refused["refused"]["code"], "not_found");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_that_cannot_decide_keeps_nobody_waiting() {
    let house = House::new("http://127.0.0.1:9");
    let line = "200000000000001";
    house.add_agency("moci", line);
    let served = house.serve().await;
    let mew = house.admin(&served.address).await;
    // The disk of one agency breaks, as far as its journal can tell: nothing can be inserted.
    let broken = rusqlite::Connection::open(house.folder.path().join("data/moci/journal.db")).unwrap();
    broken
        .execute_batch("CREATE TRIGGER broken BEFORE UPDATE ON head BEGIN SELECT raise(FAIL, 'no space'); END")
        .unwrap();
    for n in 0..5 {
        let lost =
            message(line, "96550000001", &format!("wamid.moci.{n}"), System.now(), "text", &json!({"body": "؟"}));
        served.deliver(&lost).await;
        writes(&served, &mew, "96550000001", "لا أنتظر أحدا").await;
    }
    let answer = crate::house::http().get(format!("{}/readyz", served.address)).send().await.unwrap();
    assert_eq!(answer.status(), 503, "and it says so");
    // Mended, it takes in what was kept, without a restart.
    broken.execute_batch("DROP TRIGGER broken").unwrap();
    let taken = || -> i64 {
        let sql = "SELECT count(*) FROM entries WHERE kind = 'message_received'";
        broken.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    eventually("what was kept", async || (taken() == 5).then_some(())).await;
    eventually("ready again", async || {
        let answer = crate::house::http().get(format!("{}/readyz", served.address)).send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
    served.stop().await;
}
