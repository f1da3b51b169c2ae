//! A journal that somebody rewrote whole is sound in itself; what a desk has kept shows it. All the way: the real gateway
//! signs, a real desk keeps, and `verify` is given what that desk hands out.

use std::{
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use domain::chain;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::{
    gateway::{self, PASSWORD},
    program::{Program, until},
};

fn run(config: &Path, arguments: &[&str]) -> Output {
    Command::new(gateway::program())
        .args(arguments)
        .arg("--config")
        .arg(config)
        .env("RUST_LOG", "error")
        .output()
        .unwrap()
}

struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Every digest and the chain computed anew, as somebody would who knows how.
fn recompute(journal: &Connection) {
    let sql = "SELECT seq, id, at, actor, scope, subject, coalesce(cause, ''), kind, version, salt, body FROM entries ORDER BY seq";
    type Row = (i64, [String; 9], [u8; 16], String);
    let rows: Vec<Row> = {
        let mut select = journal.prepare(sql).unwrap();
        let read = |row: &rusqlite::Row<'_>| {
            let number = |column: usize| row.get::<_, i64>(column).map(|number| number.to_string());
            let text = |column: usize| row.get::<_, String>(column);
            let header =
                [number(0)?, text(1)?, number(2)?, text(3)?, text(4)?, text(5)?, text(6)?, text(7)?, number(8)?];
            Ok((row.get(0)?, header, row.get(9)?, row.get(10)?))
        };
        select.query_map([], read).unwrap().map(Result::unwrap).collect()
    };
    let mut last = chain::START;
    for (seq, header, salt, body) in rows {
        let digest = chain::digest(&salt, body.as_bytes());
        last = chain::link(&last, &digest, &header);
        let sql = "UPDATE entries SET digest = ?2, chain = ?3 WHERE seq = ?1";
        journal.execute(sql, params![seq, digest, last]).unwrap();
    }
    journal.execute("UPDATE head SET chain = ?1", [last]).unwrap();
}

#[tokio::test]
async fn a_journal_rewritten_whole_is_shown_by_what_a_desk_has_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.toml");
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/mew.toml").canonicalize().unwrap();
    for secret in ["app-secret", "verify-token", "token"] {
        std::fs::write(folder.path().join(secret), secret).unwrap();
    }
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nsigning_key_file = \"signing.key\"\n\
         [storage]\njournal = \"sqlite:data\"\nrecords = \"data\"\n\
         [whatsapp]\ngraph_url = \"http://127.0.0.1:9\"\napp_secret_file = \"app-secret\"\nverify_token_file = \"verify-token\"\n\
         [[agency]]\nid = \"mew\"\npack = {pack:?}\n\
         [[agency.line]]\nphone_number_id = \"100000000000001\"\ndisplay_number = \"96522200000\"\ntoken_file = \"token\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let made: Value = serde_json::from_slice(&run(&config, &["init", "--json"]).stdout).unwrap();
    let code = made["admins"][0]["code"].as_str().unwrap();
    let mut child = Command::new(gateway::program())
        .args(["serve", "--json", "--config"])
        .arg(&config)
        .env("RUST_LOG", "error")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let serving = Serving(child);
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    let serves: Value = serde_json::from_str(&line).unwrap();

    let sign_in = format!(
        "gateway = {}\nagency = \"mew\"\nusername = \"admin\"\npassword = {PASSWORD:?}\ncode = {code:?}\n",
        serves["address"]
    );
    let desk = Program::start_as(&folder.path().join("desk"), &sign_in);
    let mut heads = json!([]);
    until("a head that the desk keeps", async || {
        heads = desk.ask("signed_heads", json!({})).await["heads"].clone();
        heads.as_array().is_some_and(|heads| !heads.is_empty())
    })
    .await;
    drop((desk, serving));

    let kept = folder.path().join("kept.json");
    let lines: Vec<_> = heads.as_array().unwrap().iter().map(ToString::to_string).collect();
    std::fs::write(&kept, lines.join("\n")).unwrap();
    let kept = kept.to_str().unwrap();
    let verify = |more: &[&str]| run(&config, &[&["verify", "--json"], more].concat());
    let untouched = verify(&["--witness", kept]);
    assert!(untouched.status.success(), "{untouched:?}");

    let journal = Connection::open(folder.path().join("data/mew/journal.db")).unwrap();
    let sql = "UPDATE entries SET body = json_set(body, '$.name', 'somebody else')
               WHERE seq = (SELECT max(seq) FROM entries WHERE kind = 'staff_changed' AND seq <= ?1)";
    assert_eq!(journal.execute(sql, [heads[0]["seq"].as_i64().unwrap()]).unwrap(), 1);
    assert!(!verify(&[]).status.success(), "a changed entry alone shows without anything kept");
    recompute(&journal);
    let alone = verify(&[]);
    assert!(alone.status.success(), "it is sound in itself: {alone:?}");
    let shown = verify(&["--witness", kept]);
    assert!(!shown.status.success(), "what the desk has kept shows nothing");
    let said: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert!(said["flaw"].is_string() || said["flaw"].is_object(), "{said}");
}
