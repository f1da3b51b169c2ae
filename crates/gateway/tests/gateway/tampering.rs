//! A journal that was tampered with: found each time, and the first bad entry named.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use data_encoding::HEXLOWER;
use domain::{
    chain,
    wire::{Cursor, Witness},
};
use gateway::{
    heads::SigningKey,
    home::{Place, Storage},
    journal::Reader,
    verify::{self, Flaw},
};
use serde_json::{Value, json};

use crate::{
    homes::rows,
    house::{House, Person, Served, eventually, writes},
    postgres::{apart, on_both_homes},
    program::Program,
};

on_both_homes! {
    whatever_is_changed_in_a_journal_is_found_and_named,
    a_journal_rewritten_whole_is_shown_by_a_head_that_was_signed_before,
    verify_reads_beside_a_gateway_and_takes_a_head_that_it_exported,
    a_head_is_signed_each_day_and_goes_along_with_the_cursor,
}

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

/// A journal of a few dozen entries, at rest, and a copy of it beside it.
async fn journal(house: &House) -> Place {
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    busy(&served, &admin).await;
    served.stop().await;
    house.change(&["CREATE TABLE kept AS SELECT * FROM entries", "CREATE TABLE kept_head AS SELECT * FROM head"]);
    house.storage().journal("mew")
}

fn verified(journal: &Place, witnesses: &[Witness]) -> Option<Flaw> {
    apart(|| verify::journal(journal.clone(), witnesses).unwrap().err())
}

/// What is found in the journal after something was done to it, which is then undone.
fn after(house: &House, witnesses: &[Witness], tamper: impl FnOnce()) -> Option<Flaw> {
    let journal = house.storage().journal("mew");
    let was = rows(house, &journal, "entries");
    tamper();
    let found = verified(&journal, witnesses);
    let columns = "seq, id, at, actor, scope, subject, cause, kind, version, body, salt, digest, chain";
    house.change(&[
        "DELETE FROM entries",
        &format!("INSERT INTO entries ({columns}) SELECT {columns} FROM kept"),
        "DELETE FROM head",
        "INSERT INTO head (one, journal, seq, chain, at) SELECT one, journal, seq, chain, at FROM kept_head",
    ]);
    assert!(rows(house, &journal, "entries") == was, "the journal is not as it was before");
    found
}

/// Bytes, as they stand in a statement.
fn literal(house: &House, bytes: &[u8]) -> String {
    match house.storage() {
        Storage::Sqlite(_) => format!("X'{}'", HEXLOWER.encode(bytes)),
        Storage::Postgres(_) => format!("'\\x{}'::bytea", HEXLOWER.encode(bytes)),
    }
}

/// Computes every digest and the chain anew, and the head, as somebody would who knows how.
fn recompute(house: &House) {
    let journal = house.storage().journal("mew");
    let (mut chain, mut last, mut statements) = (chain::START, (0, 0_i64), vec![]);
    let mut stored = vec![];
    apart(|| {
        let keep = |entry| {
            stored.push(entry);
            Ok(true)
        };
        Reader::open(journal).unwrap().stored(keep).unwrap();
    });
    for stored in stored {
        let digest = chain::digest(&stored.salt.try_into().unwrap(), &stored.body);
        chain = chain::link(&chain, &digest, &stored.header);
        last = (stored.seq, stored.header[2].parse().unwrap());
        let (digest, chain) = (literal(house, &digest), literal(house, &chain));
        statements.push(format!("UPDATE entries SET digest = {digest}, chain = {chain} WHERE seq = {}", stored.seq));
    }
    let (seq, at) = last;
    statements.push(format!("UPDATE head SET seq = {seq}, at = {at}, chain = {}", literal(house, &chain)));
    house.change(&statements.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Swaps two entries, with these columns of them or with all.
fn swap(house: &House, columns: &[&str]) {
    if columns.is_empty() {
        return house.change(&[
            "UPDATE entries SET seq = -6 WHERE seq = 6",
            "UPDATE entries SET seq = 6 WHERE seq = 7",
            "UPDATE entries SET seq = 7 WHERE seq = -6",
        ]);
    }
    let of = |column: &&str, seq: &str| format!("{column} = (SELECT {column} FROM kept WHERE kept.seq = {seq})");
    let set: Vec<_> = columns.iter().map(|column| of(column, "13 - entries.seq")).collect();
    // `id` is unique: for a moment both have another one.
    let mut statements = vec![
        "UPDATE entries SET id = 'x' || seq WHERE seq IN (6, 7)".to_owned(),
        format!("UPDATE entries SET {} WHERE seq IN (6, 7)", set.join(", ")),
    ];
    if !columns.contains(&"id") {
        statements.push(format!("UPDATE entries SET {} WHERE seq IN (6, 7)", of(&"id", "entries.seq")));
    }
    house.change(&statements.iter().map(String::as_str).collect::<Vec<_>>());
}

async fn whatever_is_changed_in_a_journal_is_found_and_named() {
    let house = House::new("http://127.0.0.1:9");
    journal(&house).await;
    let last = house.number("SELECT seq FROM head");
    assert!(last > 20, "{last}");
    assert_eq!(after(&house, &[], || ()), None, "untouched");
    let found = |sql: &str| after(&house, &[], || house.change(&[sql]));

    // One column of one entry, each in turn.
    for column in ["body", "salt"] {
        let edit = format!("UPDATE entries SET {column} = (SELECT {column} FROM kept WHERE seq = 9) WHERE seq = 8");
        assert_eq!(found(&edit), Some(Flaw::Body(8)), "{column}");
    }
    let (zeros, few) = (literal(&house, &[0; 32]), literal(&house, &[0; 3]));
    for (column, value) in [
        ("id", "id || '0'"),
        ("at", "at + 1"),
        ("actor", "'system:0'"),
        ("scope", "'staff:0'"),
        ("subject", "subject || 'x'"),
        ("cause", "'x'"),
        ("kind", "kind || 'x'"),
        ("version", "version + 1"),
        ("chain", &zeros),
        ("chain", &few),
    ] {
        let edit = format!("UPDATE entries SET {column} = {value} WHERE seq = 8");
        assert_eq!(found(&edit), Some(Flaw::Header(8)), "{column} = {value}");
    }
    for value in [&zeros, &few] {
        let edit = format!("UPDATE entries SET digest = {value} WHERE seq = 8");
        assert_eq!(found(&edit), Some(Flaw::Body(8)), "digest = {value}");
    }
    // The digest made to fit: the chain does not.
    let (salt, digest) = (literal(&house, &[0; 16]), literal(&house, &chain::digest(&[0; 16], b"{}")));
    let edit = format!("UPDATE entries SET body = '{{}}', salt = {salt}, digest = {digest} WHERE seq = 8");
    assert_eq!(found(&edit), Some(Flaw::Header(8)));

    // Deleted: the first, one in between, and one whose place was closed.
    assert_eq!(found("DELETE FROM entries WHERE seq = 1"), Some(Flaw::Missing(1)));
    assert_eq!(found("DELETE FROM entries WHERE seq = 8"), Some(Flaw::Missing(8)));
    let closed = [
        "DELETE FROM entries WHERE seq = 8",
        "UPDATE entries SET seq = -seq WHERE seq > 8",
        "UPDATE entries SET seq = -seq - 1 WHERE seq < 0",
        "UPDATE head SET seq = seq - 1",
    ];
    assert_eq!(after(&house, &[], || house.change(&closed)), Some(Flaw::Header(8)));

    // Changed places: whole, without their chain, and with their bodies alone.
    let swapped = |columns: &[&str]| after(&house, &[], || swap(&house, columns));
    let moved = Some(Flaw::Moved { place: 6, found: 7 });
    assert_eq!(swapped(&[]), moved);
    let but_chain = ["id", "at", "actor", "scope", "subject", "cause", "kind", "version", "body", "salt", "digest"];
    assert_eq!(swapped(&but_chain), moved);
    assert_eq!(swapped(&["body", "salt"]), Some(Flaw::Body(6)));
    assert_eq!(swapped(&["body", "salt", "digest"]), Some(Flaw::Header(6)));

    // Cut off, and a head that says something else.
    assert_eq!(found("DELETE FROM entries WHERE seq > 15"), Some(Flaw::CutOff { from: 16, head: last }));
    assert_eq!(found("DELETE FROM entries"), Some(Flaw::CutOff { from: 1, head: last }));
    assert_eq!(found("UPDATE head SET seq = seq - 1"), Some(Flaw::Head { last, head: last - 1 }));
    let edit = format!("UPDATE head SET chain = {zeros}");
    assert_eq!(found(&edit), Some(Flaw::Head { last, head: last }));
}

async fn a_journal_rewritten_whole_is_shown_by_a_head_that_was_signed_before() {
    let house = House::new("http://127.0.0.1:9");
    sign_heads(&house);
    let journal = journal(&house).await;
    let key = SigningKey::read(&house.folder.path().join("signing.key")).unwrap();
    let head = apart(|| Reader::open(journal.clone()).unwrap().head().unwrap());
    let witness = key.sign("mew", &head, 5);
    let signed = head.seq;
    assert_eq!(after(&house, std::slice::from_ref(&witness), || ()), None, "untouched");

    // Each of these is sound in itself: nothing but the signed head tells.
    let rewrites: [(&str, Flaw); 3] = [
        ("UPDATE entries SET body = '{}' WHERE seq = 8", Flaw::Rewritten(signed)),
        ("DELETE FROM entries WHERE seq > 15", Flaw::Shortened { from: 16, signed }),
        ("UPDATE entries SET at = at + 1 WHERE seq = 1", Flaw::Rewritten(signed)),
    ];
    for (sql, flaw) in rewrites {
        for (witnesses, found) in [(&[][..], None), (std::slice::from_ref(&witness), Some(flaw.clone()))] {
            let after = after(&house, witnesses, || {
                house.change(&[sql]);
                recompute(&house);
            });
            assert_eq!(after, found, "{sql}");
        }
    }

    // The journal goes on: what was signed holds.
    let served = house.serve().await;
    let answer = json!({"agency": "mew", "username": "admin", "password": crate::house::PASSWORD, "device": "d"});
    let admin = crate::house::sign_in(&served.address, &answer).await;
    busy(&served, &admin).await;
    assert_eq!(verified(&journal, std::slice::from_ref(&witness)), None);
    served.stop().await;
}

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

    house.change(&["UPDATE entries SET body = '{}' WHERE seq = 3"]);
    let output = run(&house.config, &["verify", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!output.status.success() && report["seq"] == 3, "{}", said(&output));
    let output = run(&house.config, &["verify"]);
    assert!(!output.status.success() && said(&output).contains("Entry 3"), "{}", said(&output));
}

async fn a_head_is_signed_each_day_and_goes_along_with_the_cursor() {
    let house = House::new("http://127.0.0.1:9");
    sign_heads(&house);
    let signed = || -> Vec<String> {
        let found = house.ask(&house.storage().journal("mew"), "SELECT witness FROM signed_heads ORDER BY day");
        found.into_iter().map(|mut row| row.text().unwrap()).collect()
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
    assert_eq!(verified(&house.storage().journal("mew"), &witnesses), None);
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
