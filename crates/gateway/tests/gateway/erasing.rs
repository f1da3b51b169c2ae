//! A person is erased: nothing of them is in any file, and everything else is as it was.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use data_encoding::{BASE64, BASE64_NOPAD};
use domain::ids::{Clock, Ids, System};
use gateway::{
    config,
    home::{Home, Place, Value as Column},
    rebuild,
    verify::{self, Flaw},
};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    graph::Graph,
    house::{
        House, LINE, Person, Served, deliver, entries, eventually, message, sign_in, status, text, token, uuid, wamid,
        writes,
    },
    postgres::{self, apart, on_both_homes},
    restoring::elsewhere,
    tampering::{run, said},
};

on_both_homes! {
    nothing_of_a_person_is_left_and_all_of_the_others,
    an_erasure_that_was_broken_off_is_gone_on_with,
    a_backup_from_before_does_not_bring_anybody_back,
    a_body_that_is_blank_without_an_erasure_is_found,
}

const NUMBER: &str = "96566047731";
const BSUID: &str = "KW.canary7731x4471";
const NAME: &str = "كناري الاسم";
const TEXT: &str = "كناري الرسالة الواردة";
const REPLY: &str = "كناري الرد عليها";
const NOTE: &str = "كناري الملاحظة عنها";

/// A wamid as WhatsApp makes them: with the number in base64.
fn wamid_of(number: &str, n: u32) -> String {
    format!("wamid.{}", BASE64.encode(format!("\x1d\x18\x0b{number}\x15\x02\x00\x12{n:08}").as_bytes()))
}

/// Everything that is to be found nowhere.
fn canaries() -> Vec<String> {
    let texts = [NUMBER, BSUID, NAME, TEXT, REPLY, NOTE].map(str::to_owned);
    texts.into_iter().chain((0..4).map(|n| wamid_of(NUMBER, n))).collect()
}

/// The forms in which a text may lie in a file.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let utf16: Vec<u16> = text.encode_utf16().collect();
    let escaped: String =
        utf16.iter().map(|c| if *c < 128 { char::from(*c as u8).to_string() } else { format!("\\u{c:04x}") }).collect();
    let mut forms = vec![
        text.as_bytes().to_vec(),
        utf16.iter().flat_map(|c| c.to_le_bytes()).collect(),
        utf16.iter().flat_map(|c| c.to_be_bytes()).collect(),
        escaped.clone().into_bytes(),
        escaped.to_uppercase().replace("\\U", "\\u").into_bytes(),
    ];
    // In base64, wherever it begins: without the characters that depend on what stands around it.
    for before in 0..3 {
        let encoded = BASE64_NOPAD.encode(&[&vec![0; before][..], text.as_bytes()].concat());
        forms.push(encoded.as_bytes()[(before * 4).div_ceil(3)..encoded.len() - 2].to_vec());
    }
    forms
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// What of these texts is in a folder's files, in whatever form, be it live or a trace.
fn found(folder: &Path, texts: &[String]) -> Vec<String> {
    found_in(files(folder), texts)
}

fn found_in(files: Vec<PathBuf>, texts: &[String]) -> Vec<String> {
    let mut found = vec![];
    for path in files {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            // A log goes with the last connection to its file.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        look_for(&bytes, texts, &path.display().to_string(), &mut found);
    }
    found
}

fn look_for(bytes: &[u8], texts: &[String], place: &str, found: &mut Vec<String>) {
    for text in texts {
        for (n, form) in forms(text).iter().enumerate() {
            let count = memchr::memmem::find_iter(bytes, form).count();
            if count > 0 {
                found.push(format!("{text:?} in form {n}, {count} times in {place}"));
            }
        }
    }
}

/// What of these texts is in a database: in its files, as they are once the server has written everything out, and in its
/// rows, since long ones are packed in the files. The server's log of writes is not looked into: it keeps them for a while.
fn found_in_database(house: &House, texts: &[String]) -> Vec<String> {
    let storage = house.storage();
    let Place::Postgres(server, _) = storage.journal("mew") else { return vec![] };
    let mut found = found_in(apart(|| postgres::files(&server.to_string())), texts);
    let ledger = storage.ledger().unwrap();
    for place in [storage.journal("mew"), storage.deliveries(), ledger] {
        let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()";
        for mut table in house.ask(&place, tables) {
            let table = table.text().unwrap();
            for row in house.ask(&place, &format!("SELECT * FROM {table}")) {
                for column in row.into_values() {
                    match column {
                        Column::Text(text) => look_for(text.as_bytes(), texts, &table, &mut found),
                        Column::Blob(bytes) => look_for(&bytes, texts, &table, &mut found),
                        Column::Integer(_) | Column::Null => {}
                    }
                }
            }
        }
    }
    found
}

/// The same in all that a gateway has.
fn found_anywhere(house: &House, folder: &Path, texts: &[String]) -> Vec<String> {
    [found(folder, texts), found_in_database(house, texts)].concat()
}

/// Has the server draw its samples of every table, as it does by itself now and then: none of what people wrote, nor of what
/// a guess could be checked by. They are packed, so that no search of the files would find them.
fn sampled(house: &House) {
    if let Place::Postgres(server, _) = house.storage().journal("mew") {
        apart(|| {
            let mut client = postgres::client(&server.to_string());
            client.batch_execute("ANALYZE").unwrap();
            let sql = "SELECT schemaname || '.' || tablename || '.' || attname FROM pg_stats
                       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
            let all: Vec<String> = client.query(sql, &[]).unwrap().iter().map(|row| row.get(0)).collect();
            assert!(all.iter().any(|column| column == "agency_mew.entries.kind"), "{all:?}");
            let ends = [".body", ".salt", ".digest", ".hash", ".answer", ".error", ".traces"];
            let kept: Vec<_> = all.iter().filter(|column| ends.iter().any(|end| column.ends_with(end))).collect();
            assert!(kept.is_empty(), "{kept:?}");
        });
    }
}

/// The person's messages, named by number and BSUID.
fn from_both(body: &str, n: u32) -> Value {
    let mut delivery = message(LINE, NUMBER, &wamid_of(NUMBER, n), System.now(), "text", &json!({"body": body}));
    let value = &mut delivery["entry"][0]["changes"][0]["value"];
    value["messages"][0]["from_user_id"] = BSUID.into();
    value["contacts"][0]["user_id"] = BSUID.into();
    value["contacts"][0]["profile"]["name"] = NAME.into();
    delivery
}

/// Nothing is left to be done.
async fn ended(house: &House) {
    eventually("the erasure's end", async || {
        let left = house.number("SELECT count(*) FROM erasing");
        let records = Connection::open(house.folder.path().join("data/mew/records.db")).unwrap();
        let sql = "SELECT count(*) FROM meta WHERE key = 'traces_of_erased'";
        let traces: i64 = records.query_row(sql, [], |row| row.get(0)).unwrap();
        (left == 0 && traces == 0).then_some(())
    })
    .await;
}

/// A person with whom there was everything that there can be, among others; and their contact's id.
async fn a_person(house: &House, served: &Served, admin: &Person) -> String {
    served.deliver(&from_both(TEXT, 0)).await;
    for n in 0..40 {
        served.deliver(&text(&format!("965500{n:05}"), &wamid(), &format!("رسالة من غيره {n}"))).await;
    }
    served.deliver(&from_both(TEXT, 1)).await;
    // The same once more, as WhatsApp repeats; and beside somebody else's, and escaped.
    served.deliver(&from_both(TEXT, 0)).await;
    let mut both = from_both(TEXT, 2);
    let other = text("96550000001", "wamid.beside", "بجانبه");
    let list = both["entry"][0]["changes"][0]["value"]["messages"].as_array_mut().unwrap();
    list.push(other["entry"][0]["changes"][0]["value"]["messages"][0].clone());
    let names = both["entry"][0]["changes"][0]["value"]["contacts"].as_array_mut().unwrap();
    names.push(other["entry"][0]["changes"][0]["value"]["contacts"][0].clone());
    served.deliver(&both).await;
    house.all_taken_in().await;
    let lines = admin.sync("0").await;
    let received = entries(&lines, "message_received").into_iter().find(|entry| entry["body"]["text"] == TEXT).unwrap();
    let (conversation, case) = (&received["body"]["conversation"], &received["body"]["case"]);
    admin.must(json!({"kind": "add_note", "case": case, "text": NOTE})).await;
    let id = uuid();
    admin
        .must(json!({"id": id, "kind": "reply", "conversation": conversation, "text": REPLY, "seen": 1_000_000}))
        .await;
    eventually("it accepted", async || {
        let lines = admin.sync("0").await;
        let changed = entries(&lines, "message_status_changed");
        changed.iter().any(|entry| entry["body"]["wamid"].is_string()).then_some(())
    })
    .await;
    let mut report = status("wamid.out.1", "delivered", Some(&id));
    report["entry"][0]["changes"][0]["value"]["statuses"][0]["recipient_id"] = NUMBER.into();
    served.deliver(&report).await;
    // One that overtook its message, and one of a kind that nobody acts on.
    let mut early = status(&wamid_of(NUMBER, 3), "read", None);
    early["entry"][0]["changes"][0]["value"]["statuses"][0]["recipient_id"] = NUMBER.into();
    served.deliver(&early).await;
    let preferences = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
        {"field": "user_preferences", "value": {"wa_id": NUMBER, "user_preferences": [{"wa_id": NUMBER}]}}]}]});
    served.deliver(&preferences).await;
    house.all_taken_in().await;
    let lines = admin.sync("0").await;
    let opened = entries(&lines, "case_opened").into_iter().find(|entry| entry["body"]["case"] == *case).unwrap();
    opened["body"]["contact"].as_str().unwrap().to_owned()
}

fn erase(contact: &str) -> Value {
    json!({"kind": "erase_contact", "contact": contact, "reason": "كتاب رقم 12"})
}

async fn nothing_of_a_person_is_left_and_all_of_the_others() {
    let graph = Graph::start().await;
    let house = House::new(&graph.address);
    let data = house.folder.path().join("data");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let lead = admin.add("lead", &["lead"], &["customer-service"]).await;
    let contact = a_person(&house, &served, &admin).await;
    let before = admin.sync("0").await;
    sampled(&house);
    let there = found_anywhere(&house, &data, &canaries());
    for canary in canaries() {
        let canary = format!("{canary:?} ");
        assert!(there.iter().any(|found| found.starts_with(&canary)), "{canary} is nowhere: its absence shows nothing");
    }
    if matches!(house.storage().journal("mew"), Place::Postgres(..)) {
        let in_files = |text: &&str| there.iter().any(|found| found.contains(*text) && found.contains("/base/"));
        assert!([TEXT, REPLY, NOTE, NUMBER].iter().all(in_files), "{there:?}");
    }
    let cursor = token(&before);
    let mut live = admin.live(&cursor).await;
    live.next().await.unwrap();

    assert_eq!(lead.ask(erase(&contact)).await["refused"]["code"], "forbidden");
    let mut command = erase(&contact);
    command["id"] = uuid().into();
    let answer = admin.must(command.clone()).await;
    let told = live.entry().await;
    assert_eq!(
        (&told["entry"]["kind"], told["entry"]["body"]["cases"].as_array().unwrap().len()),
        (&json!("contact_erased"), 1)
    );
    ended(&house).await;
    let left = found_anywhere(&house, house.folder.path(), &canaries());
    assert_eq!(left, Vec::<String>::new(), "while the gateway serves");
    assert_eq!(admin.must(command).await, answer, "the same id, the same answer");

    // Everybody else is as before, in one stream without gaps; who starts afresh never hears of the person.
    let after = admin.sync("0").await;
    let others = |lines: &[Value]| -> Vec<Value> {
        let all = lines.iter().filter(|line| line.get("entry").is_some()).map(|line| line["entry"].clone());
        let mut all: Vec<_> = all.filter(|entry| entry["kind"] != "contact_erased").collect();
        all.iter_mut().for_each(|entry| drop(entry.as_object_mut().unwrap().remove("prev")));
        all
    };
    let (were, are) = (others(&before), others(&after));
    assert!(are.iter().all(|entry| were.contains(entry)));
    assert!(are.iter().any(|entry| entry["body"]["text"] == "بجانبه"));
    let gone: Vec<_> = were.iter().filter(|entry| !are.contains(entry)).map(|entry| &entry["scope"]).collect();
    assert!(gone.len() > 7 && gone.iter().all(|scope| *scope == gone[0]), "one case and no other");
    let mut last = 0;
    for line in after.iter().filter(|line| line.get("entry").is_some()) {
        assert_eq!(line["entry"]["prev"], last);
        last = line["entry"]["seq"].as_i64().unwrap();
    }
    // A desk that was off line hears of the erasure, and of nothing else.
    let since = admin.sync(&cursor).await;
    let kinds: Vec<_> = since.iter().filter_map(|line| line["entry"]["kind"].as_str()).collect();
    assert_eq!(kinds, ["contact_erased"]);
    let path = format!("/api/v1/cases/{}/entries", gone[0].as_str().unwrap().trim_start_matches("case:"));
    assert_eq!(admin.get(&path).await.status(), 404);

    // What they write from then on is a new person's, with a number of its own.
    served.deliver(&from_both("من جديد", 9)).await;
    let numbers = eventually("the new case", async || {
        let lines = admin.sync("0").await;
        let opened = entries(&lines, "case_opened");
        let numbers: std::collections::BTreeSet<_> =
            opened.iter().map(|entry| entry["body"]["number"].clone().to_string()).collect();
        (opened.len() == 41).then_some(numbers)
    })
    .await;
    assert_eq!(numbers.len(), 41);
    assert!(numbers.iter().next_back().unwrap().contains("000042"), "none is given twice: {numbers:?}");
    served.stop().await;

    let whole = run(&house.config, &["verify"]);
    assert!(whole.status.success(), "{}", said(&whole));
    apart(|| {
        let (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>) = (Arc::new(System), Arc::new(System));
        rebuild::rebuild(&config::load(&house.config).unwrap(), None, &clock, &ids).unwrap();
    });
    let served = house.serve().await;
    ended(&house).await;
    let admin = Person::at(&admin, &served.address);
    assert_eq!(others(&admin.sync("0").await)[..are.len()], are);
    served.stop().await;
    assert_eq!(found_anywhere(&house, &data, &[TEXT, REPLY, NOTE].map(str::to_owned)), Vec::<String>::new());
}

async fn an_erasure_that_was_broken_off_is_gone_on_with() {
    let graph = Graph::start().await;
    let house = House::new(&graph.address);
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let contact = a_person(&house, &served, &admin).await;
    // Whoever reads holds what was deleted: nothing can be emptied, however often it is tried.
    let deliveries = house.storage().deliveries();
    let reader = apart(|| {
        let reader = Home::reader(&deliveries).unwrap();
        reader.begin_to_read().unwrap();
        // Nothing that is written anew: on PostgreSQL its lock alone would hold that up.
        reader.query("SELECT count(*) FROM installation", &[]).unwrap();
        reader
    });
    admin.must(erase(&contact)).await;
    served.stop().await;
    assert_eq!(house.number("SELECT count(*) FROM erasing"), 1, "it is not ended, and the journal says so");
    let blank = house.number("SELECT count(*) FROM entries WHERE body = ''");
    assert!(blank > 7, "what the journal had is gone with the entry");
    assert!(!found_anywhere(&house, &house.folder.path().join("data"), &canaries()).is_empty());
    apart(move || drop(reader));
    let served = house.serve().await;
    ended(&house).await;
    served.stop().await;
    assert_eq!(found_anywhere(&house, house.folder.path(), &canaries()), Vec::<String>::new());
}

async fn a_backup_from_before_does_not_bring_anybody_back() {
    let graph = Graph::start().await;
    let house = House::new(&graph.address);
    let ledger = house.folder.path().join("kept/erasures.jsonl");
    std::fs::create_dir_all(ledger.parent().unwrap()).unwrap();
    house.configure("records = \"data\"", &format!("records = \"data\"\nerasure_ledger = {ledger:?}"));
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let contact = a_person(&house, &served, &admin).await;
    // A delivery that the backup has, and its journal has not.
    let line = "100000000000077";
    let later = from_both(TEXT, 3).to_string().replace(LINE, line);
    assert_eq!(deliver(&served.address, &serde_json::from_str(&later).unwrap()).await.unwrap(), 200);
    let kept = tempfile::tempdir().unwrap();
    let to = kept.path().join("backup");
    let made = run(&house.config, &["backup", "--to", to.to_str().unwrap()]);
    assert!(made.status.success(), "{}", said(&made));
    assert!(!found(&to, &canaries()).is_empty());
    served.stop().await;
    // Its line is configured, so it is taken in, and then the person is erased.
    let text = std::fs::read_to_string(&house.config).unwrap();
    let more = format!(
        "[[agency.line]]\nphone_number_id = {line:?}\ndisplay_number = \"96522200001\"\ntoken_file = \"token\"\n"
    );
    std::fs::write(&house.config, text + &more).unwrap();
    let served = house.serve().await;
    house.all_taken_in().await;
    let admin = Person::at(&admin, &served.address);
    admin.must(erase(&contact)).await;
    ended(&house).await;
    let others = admin.sync("0").await;
    served.stop().await;
    assert_eq!(found(&house.folder.path().join("kept"), &canaries()), Vec::<String>::new(), "the ledger names nobody");

    // Where several processes serve, no one machine has the ledger.
    assert_eq!(ledger.exists(), house.storage().ledger().is_none());
    let (folder, config) = elsewhere(&house);
    let restored = run(&config, &["restore", "--from", to.to_str().unwrap()]);
    assert!(restored.status.success(), "{}", said(&restored));
    let house = House { folder, config, clock: house.clock, code: house.code };
    assert_eq!(found_anywhere(&house, house.folder.path(), &canaries()), Vec::<String>::new(), "before it serves");
    let whole = run(&house.config, &["verify"]);
    assert!(whole.status.success(), "{}", said(&whole));

    let served = house.serve().await;
    house.all_taken_in().await;
    ended(&house).await;
    let body = json!({"agency": "mew", "username": "admin", "password": crate::house::PASSWORD, "device": "again"});
    let admin = sign_in(&served.address, &body).await;
    let lines = admin.sync("0").await;
    let received = |lines: &[Value]| {
        entries(lines, "message_received").into_iter().map(|entry| entry["body"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(received(&lines), received(&others), "everybody else is there");
    served.stop().await;
    assert_eq!(found_anywhere(&house, house.folder.path(), &canaries()), Vec::<String>::new(), "and after it served");
}

async fn a_body_that_is_blank_without_an_erasure_is_found() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    writes(&served, &admin, "96550000001", "كلام").await;
    let (_, case) = writes(&served, &admin, NUMBER, "كلام").await;
    let lines = admin.sync("0").await;
    let opened = entries(&lines, "case_opened").into_iter().find(|entry| entry["body"]["case"] == case).unwrap();
    admin.must(erase(opened["body"]["contact"].as_str().unwrap())).await;
    ended(&house).await;
    writes(&served, &admin, NUMBER, "من جديد").await;
    served.stop().await;
    let journal = house.storage().journal("mew");
    let found = || apart(|| verify::journal(journal.clone(), &[]).unwrap());
    assert!(found().is_ok(), "{:?}", found());
    // Another person's, the agency's, the erasure's own, and one that the person wrote after it.
    let sql =
        "SELECT seq FROM entries WHERE body <> '' AND kind IN ('message_received', 'staff_changed', 'contact_erased')";
    let seqs: Vec<i64> = house.ask(&journal, sql).into_iter().map(|mut row| row.integer().unwrap()).collect();
    assert!(seqs.len() >= 4, "{seqs:?}");
    for seq in seqs {
        let change = |statement: &str| house.change(&[statement]);
        change("CREATE TABLE kept AS SELECT * FROM entries");
        change(&format!(
            "UPDATE entries SET body = '', salt = (SELECT salt FROM kept WHERE body = '' LIMIT 1) WHERE seq = {seq}"
        ));
        // Without the erasure itself, the first body that it covered is the first that nothing covers.
        let first = match found() {
            Err(Flaw::Body(first)) => first,
            other => panic!("{seq}: {other:?}"),
        };
        assert!(first <= seq);
        let back = |column: &str| format!("{column} = (SELECT {column} FROM kept WHERE kept.seq = entries.seq)");
        change(&format!("UPDATE entries SET {}, {} WHERE seq = {seq}", back("body"), back("salt")));
        change("DROP TABLE kept");
        assert!(found().is_ok());
    }
}
