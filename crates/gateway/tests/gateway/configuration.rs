//! `check`, `init`, and what the gateway refuses to do.

use std::process::{Command, Output};

use crate::house::House;

fn run(house: &House, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shubbak-gateway"))
        .args(arguments)
        .arg("--config")
        .arg(&house.config)
        .env("RUST_LOG", "error")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const RECORDS: &str = "records = \"data\"";
const S3: &str = "records = \"data\"\nmedia = \"s3://bucket/x\"\n[storage.s3]";

fn s3(more: &str) -> String {
    format!("{S3}\n{more}")
}

#[test]
fn what_is_wrong_is_said_in_words() {
    let house = House::new("http://127.0.0.1:9");
    assert!(run(&house, &["check"]).status.success());
    let good = std::fs::read_to_string(&house.config).unwrap();
    let postgres = |address: &str| format!("{address}\"\nkey_file = \"server.key");
    let elsewhere = postgres("postgres://user@db.example/shubbak?sslmode=disable");
    let cases: [(&str, &str, &str); 34] = [
        ("127.0.0.1:0", "0.0.0.0:0", "behind_proxy"),
        ("[storage]", "tls_cert = \"c.pem\"\n[storage]", "belong together"),
        ("[storage]", "tls_cert = \"c.pem\"\ntls_key = \"k.pem\"\n[storage]", "Reading the certificate"),
        ("sqlite:data", "postgres://user:hunter2@db/shubbak", "bears a password"),
        ("sqlite:data", "data", "sqlite:FOLDER"),
        ("sqlite:data", "postgres://user@localhost/shubbak", "key_file"),
        ("sqlite:data", &postgres("postgres://localhost/shubbak"), "names no user"),
        ("sqlite:data", &postgres("postgres://user@localhost"), "names no database"),
        ("sqlite:data", &postgres("postgres:///shubbak?user=u"), "names no host"),
        ("sqlite:data", &postgres("postgres://user@localhost/shubbak?sslmod=require"), "is not of the form"),
        ("sqlite:data", &elsewhere, "in the clear"),
        ("sqlite:data\"", &(postgres("postgres://user@localhost/s") + "\"\npassword_file = \"nowhere\""), "nowhere"),
        ("records = \"data\"", "records = \"data\"\nca_file = \"ca.pem\"", "not for SQLite"),
        (RECORDS, "records = \"data\"\nmedia = \"ftp:x\"", "s3://BUCKET/PREFIX"),
        (RECORDS, "records = \"data\"\nmedia = \"s3://bucket\"", "[storage.s3] is missing"),
        (RECORDS, "records = \"data\"\nmedia = \"s3://Not!/x\"", "a bucket's name"),
        (RECORDS, S3, "[storage.s3] region is missing"),
        (RECORDS, &s3("region = \"r\""), "give access_key_file or access_key_env"),
        (RECORDS, &s3("access_key_file = \"nowhere\""), "nowhere"),
        (RECORDS, &s3("endpoint = \"http://s3.example\""), "allow_http = true"),
        (RECORDS, &s3("endpoint = \"s3.example\""), "must begin with https://"),
        (RECORDS, &s3("secret_key = \"EAAG\""), "unknown field"),
        ("id = \"mew\"", "id = \"Mew!\"", "small letters"),
        ("token_file = \"token\"", "token_file = \"nowhere\"", "nowhere"),
        ("token_file = \"token\"", "token_env = \"NO_SUCH_VARIABLE_HERE\"", "NO_SUCH_VARIABLE_HERE"),
        ("token_file = \"token\"", "token = \"EAAG\"", "unknown field"),
        ("http://127.0.0.1:9", "http://graph.example", "https://"),
        ("app_secret_file = \"app-secret\"", "", "No webhook speaks for the line"),
        ("mew.toml", "moon.toml", "Reading the pack"),
        ("[storage]", "[alarms]\nuncertain_minutes = 0\n[storage]", "uncertain_minutes"),
        ("[storage]", "[limits]\nbody_seconds = 9999999999\n[storage]", "more than a day"),
        ("[storage]", "[alarms]\nquiet_hours = 3\n[storage]", "unknown field"),
        ("[server]", "[server]\nmetrics_token_file = \"nowhere\"", "metrics_token"),
        ("[server]", "[server", "line 1"),
    ];
    for (from, to, words) in cases {
        assert!(good.contains(from), "{from}");
        std::fs::write(&house.config, good.replacen(from, to, 1)).unwrap();
        for command in ["check", "serve"] {
            let output = run(&house, &[command]);
            let told = said(&output);
            assert!(!output.status.success() && told.contains(words), "{command} with {to:?}: {told}");
            assert!(!told.contains("panicked") && !told.contains("hunter2"), "{told}");
        }
    }
    std::fs::write(&house.config, good.replacen("127.0.0.1:0\"", "0.0.0.0:0\"\nbehind_proxy = true", 1)).unwrap();
    assert!(run(&house, &["check"]).status.success(), "behind a proxy it may");
}

#[test]
fn init_refuses_when_nothing_is_missing() {
    let house = House::new("http://127.0.0.1:9");
    let output = run(&house, &["init", "--json"]);
    assert!(!output.status.success());
    assert!(said(&output).contains("Nothing is missing"), "{}", said(&output));
    // A second agency is missing, and it alone is made.
    let text = std::fs::read_to_string(&house.config).unwrap();
    let pack = crate::house::pack();
    std::fs::write(&house.config, format!("{text}\n[[agency]]\nid = \"moci\"\npack = {pack:?}\n")).unwrap();
    let made: serde_json::Value = serde_json::from_slice(&run(&house, &["init", "--json"]).stdout).unwrap();
    assert_eq!(made["admins"].as_array().unwrap().len(), 1);
    assert_eq!((&made["admins"][0]["agency"], &made["admins"][0]["username"]), (&"moci".into(), &"admin".into()));
    assert!(!run(&house, &["init"]).status.success());
}

#[test]
fn serve_without_init_says_what_to_do() {
    let house = House::new("http://127.0.0.1:9");
    std::fs::remove_dir_all(house.folder.path().join("data")).unwrap();
    let output = run(&house, &["serve"]);
    assert!(!output.status.success());
    assert!(said(&output).contains("shubbak-gateway init"), "{}", said(&output));
}
