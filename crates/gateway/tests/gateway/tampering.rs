//! A journal that was tampered with: found each time, and the first bad entry named.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use data_encoding::HEXLOWER;
use domain::{
    chain,
    wire::{Cursor, Witness},
};
use gateway::{
    heads::SigningKey,
    journal::Reader,
    verify::{self, Flaw},
};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::{
    house::{House, Person, Served, eventually, writes},
    program::Program,
};

const DAY: i64 = 24 * 3_600_000;

/// Runs a command of the program to its end.
pub(crate) fn run(config: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shubbak-gateway"))
        .args(arguments)
        .arg("--config")
        .arg(config)
        .env("RUST_LOG", "error")
        .output()
        .unwrap()
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Has heads signed from now on.
fn sign_heads(house: &House) {
    let text = std::fs::read_to_string(&house.config).unwrap();
    std::fs::write(&house.config, text.replacen("[server]", "[server]\nsigning_key_file = \"signing.key\"", 1))
        .unwrap();
    let made = run(&house.config, &["init"]);
    assert!(made.status.success(), "{}", said(&made));
}

/// Some cases, notes and contacts.
async fn busy(served: &Served, reader: &Person) {
    for n in 0..4 {
        let (_, case) = writes(served, reader, &format!("9655000000{n}"), "الكهرباء مقطوعة").await;
        reader.must(json!({"kind": "add_note", "case": case, "text": format!("ملاحظة {n}")})).await;
    }
}

/// A journal of a few dozen entries, at rest.
async fn journal(house: &House) -> PathBuf {
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    busy(&served, &admin).await;
    served.stop().await;
    house.folder.path().join("data/mew/journal.db")
}

/// What is found in a copy of the journal after something was done to it.
fn after(file: &Path, witnesses: &[Witness], tamper: impl FnOnce(&Connection)) -> Option<Flaw> {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    let original = Connection::open(file).unwrap();
    original.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    tamper(&Connection::open(&copy).unwrap());
    verify::journal(&copy, witnesses).unwrap().err()
}

/// Computes every digest and the chain anew, and the head, as somebody would who knows how.
fn recompute(conn: &Connection, file: &Path) {
    let (mut chain, mut last, mut rows) = (chain::START, (0, 0_i64), vec![]);
    Reader::open(file)
        .unwrap()
        .stored(|stored| {
            rows.push(stored);
            Ok(true)
        })
        .unwrap();
    for stored in rows {
        let digest = chain::digest(&stored.salt.try_into().unwrap(), &stored.body);
        chain = chain::link(&chain, &digest, &stored.header);
        last = (stored.seq, stored.header[2].parse().unwrap());
        let sql = "UPDATE entries SET digest = ?2, chain = ?3 WHERE seq = ?1";
        conn.execute(sql, params![stored.seq, digest, chain]).unwrap();
    }
    conn.execute("UPDATE head SET seq = ?1, at = ?2, chain = ?3", params![last.0, last.1, chain]).unwrap();
}

/// Swaps two entries, with these columns of them or with all.
fn swap(conn: &Connection, columns: &[&str]) {
    if columns.is_empty() {
        let sql = "UPDATE entries SET seq = -6 WHERE seq = 6; UPDATE entries SET seq = 6 WHERE seq = 7;
                   UPDATE entries SET seq = 7 WHERE seq = -6";
        return conn.execute_batch(sql).unwrap();
    }
    // `id` is unique: a copy, not the table itself, is what both are read from.
    conn.execute_batch(
        "CREATE TEMP TABLE old AS SELECT * FROM entries; UPDATE entries SET id = 'x' || seq WHERE seq IN (6, 7)",
    )
    .unwrap();
    let set: Vec<_> =
        columns.iter().map(|c| format!("{c} = (SELECT {c} FROM old WHERE seq = 13 - entries.seq)")).collect();
    conn.execute(&format!("UPDATE entries SET {} WHERE seq IN (6, 7)", set.join(", ")), []).unwrap();
    if !columns.contains(&"id") {
        conn.execute("UPDATE entries SET id = (SELECT id FROM old WHERE seq = entries.seq) WHERE seq IN (6, 7)", [])
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_changed_in_a_journal_is_found_and_named() {
    let house = House::new("http://127.0.0.1:9");
    let file = journal(&house).await;
    let last: i64 = house.journal().query_row("SELECT seq FROM head", [], |row| row.get(0)).unwrap();
    assert!(last > 20, "{last}");
    assert_eq!(after(&file, &[], |_| ()), None, "untouched");

    let sql = |sql: &'static str| move |conn: &Connection| assert!(conn.execute(sql, []).unwrap() > 0, "{sql}");
    // One column of one entry, each in turn.
    for column in ["body", "salt"] {
        let edit = format!("UPDATE entries SET {column} = (SELECT {column} FROM entries WHERE seq = 9) WHERE seq = 8");
        let found = after(&file, &[], |conn| assert_eq!(conn.execute(&edit, []).unwrap(), 1));
        assert_eq!(found, Some(Flaw::Body(8)), "{column}");
    }
    for (column, value) in [
        ("id", "id || '0'"),
        ("at", "at + 1"),
        ("actor", "'system:0'"),
        ("scope", "'staff:0'"),
        ("subject", "subject || 'x'"),
        ("cause", "'x'"),
        ("kind", "kind || 'x'"),
        ("version", "version + 1"),
        ("chain", "zeroblob(32)"),
        ("chain", "zeroblob(3)"),
    ] {
        let edit = format!("UPDATE entries SET {column} = {value} WHERE seq = 8");
        let found = after(&file, &[], |conn| assert_eq!(conn.execute(&edit, []).unwrap(), 1));
        assert_eq!(found, Some(Flaw::Header(8)), "{column} = {value}");
    }
    for value in ["zeroblob(32)", "zeroblob(3)"] {
        let edit = format!("UPDATE entries SET digest = {value} WHERE seq = 8");
        let found = after(&file, &[], |conn| assert_eq!(conn.execute(&edit, []).unwrap(), 1));
        assert_eq!(found, Some(Flaw::Body(8)), "digest = {value}");
    }
    // The digest made to fit: the chain does not.
    let found = after(&file, &[], |conn| {
        let digest = chain::digest(&[0; 16], b"{}");
        let edit = "UPDATE entries SET body = '{}', salt = zeroblob(16), digest = ?1 WHERE seq = 8";
        assert_eq!(conn.execute(edit, [digest]).unwrap(), 1);
    });
    assert_eq!(found, Some(Flaw::Header(8)));

    // Deleted: the first, one in between, and one whose place was closed.
    assert_eq!(after(&file, &[], sql("DELETE FROM entries WHERE seq = 1")), Some(Flaw::Missing(1)));
    assert_eq!(after(&file, &[], sql("DELETE FROM entries WHERE seq = 8")), Some(Flaw::Missing(8)));
    let closed = after(&file, &[], |conn| {
        conn.execute_batch(
            "DELETE FROM entries WHERE seq = 8; UPDATE entries SET seq = -seq WHERE seq > 8;
             UPDATE entries SET seq = -seq - 1 WHERE seq < 0; UPDATE head SET seq = seq - 1",
        )
        .unwrap();
    });
    assert_eq!(closed, Some(Flaw::Header(8)));

    // Changed places: whole, without their chain, and with their bodies alone.
    let moved = Some(Flaw::Moved { place: 6, found: 7 });
    assert_eq!(after(&file, &[], |conn| swap(conn, &[])), moved);
    let but_chain = ["id", "at", "actor", "scope", "subject", "cause", "kind", "version", "body", "salt", "digest"];
    assert_eq!(after(&file, &[], |conn| swap(conn, &but_chain)), moved);
    assert_eq!(after(&file, &[], |conn| swap(conn, &["body", "salt"])), Some(Flaw::Body(6)));
    assert_eq!(after(&file, &[], |conn| swap(conn, &["body", "salt", "digest"])), Some(Flaw::Header(6)));

    // Cut off, and a head that says something else.
    let cut = sql("DELETE FROM entries WHERE seq > 15");
    assert_eq!(after(&file, &[], cut), Some(Flaw::CutOff { from: 16, head: last }));
    assert_eq!(after(&file, &[], sql("DELETE FROM entries")), Some(Flaw::CutOff { from: 1, head: last }));
    assert_eq!(after(&file, &[], sql("UPDATE head SET seq = seq - 1")), Some(Flaw::Head { last, head: last - 1 }));
    assert_eq!(after(&file, &[], sql("UPDATE head SET chain = zeroblob(32)")), Some(Flaw::Head { last, head: last }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_rewritten_whole_is_shown_by_a_head_that_was_signed_before() {
    let house = House::new("http://127.0.0.1:9");
    sign_heads(&house);
    let file = journal(&house).await;
    let key = SigningKey::read(&house.folder.path().join("signing.key")).unwrap();
    let head = Reader::open(&file).unwrap().head().unwrap();
    let witness = key.sign("mew", &head, 5);
    let signed = head.seq;
    assert_eq!(after(&file, std::slice::from_ref(&witness), |_| ()), None, "untouched");

    // Each of these is sound in itself: nothing but the signed head tells.
    let rewrites: [(&str, Flaw); 3] = [
        ("UPDATE entries SET body = '{}' WHERE seq = 8", Flaw::Rewritten(signed)),
        ("DELETE FROM entries WHERE seq > 15", Flaw::Shortened { from: 16, signed }),
        ("UPDATE entries SET at = at + 1 WHERE seq = 1", Flaw::Rewritten(signed)),
    ];
    for (sql, flaw) in rewrites {
        for (witnesses, found) in [(&[][..], None), (std::slice::from_ref(&witness), Some(flaw.clone()))] {
            let after = after(&file, witnesses, |conn| {
                assert!(conn.execute(sql, []).unwrap() > 0);
                recompute(conn, Path::new(conn.path().unwrap()));
            });
            assert_eq!(after, found, "{sql}");
        }
    }

    // The journal goes on: what was signed holds.
    let served = house.serve().await;
    let answer = json!({"agency": "mew", "username": "admin", "password": crate::house::PASSWORD, "device": "d"});
    let admin = crate::house::sign_in(&served.address, &answer).await;
    busy(&served, &admin).await;
    assert_eq!(verify::journal(&file, std::slice::from_ref(&witness)).unwrap().err(), None);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_reads_beside_a_gateway_and_takes_a_head_that_it_exported() {
    let house = House::new("http://127.0.0.1:9");
    let unsigned = run(&house.config, &["head", "export"]);
    assert!(!unsigned.status.success() && said(&unsigned).contains("No head of mew has been signed yet"));
    sign_heads(&house);
    let program = Program::start(&house.config, "error", Stdio::inherit());
    let admin = house.admin(&program.address).await;
    let exported = eventually("a signed head", async || {
        let output = run(&house.config, &["head", "export", "--agency", "mew"]);
        output.status.success().then_some(output.stdout)
    })
    .await;
    crate::house::writes_at(&program.address, &admin, "96550000001", "السلام عليكم").await;
    let kept = house.folder.path().join("kept.json");
    let kept_name = kept.to_str().unwrap();
    std::fs::write(&kept, &exported).unwrap();
    let whole = run(&house.config, &["verify", "--json", "--witness", kept_name]);
    let report: Value = serde_json::from_slice(&whole.stdout).unwrap();
    assert!(whole.status.success() && report["flaw"].is_null() && report["agency"] == "mew", "{}", said(&whole));

    // A head that somebody wrote themself, and one of another agency.
    let witness: Witness = serde_json::from_slice(&exported).unwrap();
    for (forged, words) in [
        (Witness { seq: witness.seq + 1, ..witness.clone() }, "a signature that does not fit"),
        (Witness { signature: String::new(), ..witness.clone() }, "a signature that does not fit"),
        (Witness { key: HEXLOWER.encode(&[1; 32]), ..witness.clone() }, "with another key"),
    ] {
        std::fs::write(&kept, serde_json::to_vec(&forged).unwrap()).unwrap();
        let output = run(&house.config, &["verify", "--witness", kept_name]);
        assert!(!output.status.success() && said(&output).contains(words), "{}", said(&output));
    }
    std::fs::write(&kept, "").unwrap();
    assert!(!run(&house.config, &["verify", "--witness", kept_name]).status.success(), "an empty file shows nothing");
    program.kill();

    house.journal().execute("UPDATE entries SET body = '{}' WHERE seq = 3", []).unwrap();
    let output = run(&house.config, &["verify", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!output.status.success() && report["seq"] == 3, "{}", said(&output));
    let output = run(&house.config, &["verify"]);
    assert!(!output.status.success() && said(&output).contains("Entry 3"), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_signed_each_day_and_goes_along_with_the_cursor() {
    let house = House::new("http://127.0.0.1:9");
    sign_heads(&house);
    let signed = || -> Vec<String> {
        let conn = house.journal();
        let mut select = conn.prepare("SELECT witness FROM signed_heads ORDER BY day").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let served = house.serve().await;
    eventually("the first day's head", async || (signed().len() == 1).then_some(())).await;
    let admin = house.admin(&served.address).await;
    let line = admin.sync("0").await.pop().unwrap();
    let cursor: Cursor = serde_json::from_value(line["cursor"].clone()).unwrap();
    let witness = cursor.witness.expect("the cursor has no witness");
    let key = SigningKey::read(&house.folder.path().join("signing.key")).unwrap();
    key.must_have_signed(&witness).unwrap();
    assert_eq!(serde_json::to_string(&witness).unwrap(), signed()[0]);
    writes(&served, &admin, "96550000001", "السلام عليكم").await;
    served.stop().await;

    house.serve().await.stop().await;
    assert_eq!(signed().len(), 1, "once a day");
    house.clock.forward(DAY);
    let served = house.serve().await;
    eventually("the next day's head", async || (signed().len() == 2).then_some(())).await;
    served.stop().await;
    let witnesses: Vec<Witness> = signed().iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert!(witnesses[0].seq < witnesses[1].seq && witnesses[0].at + DAY <= witnesses[1].at, "{witnesses:?}");
    assert_eq!(verify::journal(house.folder.path().join("data/mew/journal.db"), &witnesses).unwrap().err(), None);
}

#[test]
fn the_signing_key_lies_outside_the_storage_folder() {
    let house = House::new("http://127.0.0.1:9");
    let text = std::fs::read_to_string(&house.config).unwrap();
    let inside = text.replacen("[server]", "[server]\nsigning_key_file = \"data/signing.key\"", 1);
    std::fs::write(&house.config, inside).unwrap();
    let output = run(&house.config, &["check"]);
    assert!(!output.status.success() && said(&output).contains("lies in the storage folder"), "{}", said(&output));
}
