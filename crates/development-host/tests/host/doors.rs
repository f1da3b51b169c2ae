//! The host over HTTP: calls, signals, files, and strangers at the door.

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::{
    program::{Program, until},
    standin::Standin,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_signals_notifications_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Standin::start().await;
    let program = Program::start(folder.path(), &gateway);
    let start = program.ask("start", json!({})).await;
    assert_eq!((start["phase"].as_str(), start["me"]["name"].as_str()), (Some("ready"), Some("نورة")));
    until("live", async || program.ask("status", json!({})).await["link"] == "live").await;

    let mut signals = program.request("GET", "/signals").send().await.unwrap().bytes_stream();
    let mut notifications = program.request("GET", "/notifications").send().await.unwrap().bytes_stream();
    for stream in [&mut signals, &mut notifications] {
        assert!(stream.next().await.unwrap().unwrap().starts_with(b": open"), "told at once that it is open");
    }
    let talk = gateway.talk("سعاد", "السلام عليكم");
    let event = async |stream: &mut (dyn futures_util::Stream<Item = reqwest::Result<_>> + Send + Unpin),
                       holds: fn(&Value) -> bool| loop {
        let bytes: Vec<u8> = Into::into(stream.next().await.unwrap().unwrap());
        let text = String::from_utf8(bytes).unwrap();
        let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
        if let Some(found) = events.map(|data| serde_json::from_str::<Value>(data).unwrap()).find(holds) {
            break found;
        }
    };
    let changed = event(&mut signals, |signal| signal["event"] == "changed").await;
    assert_eq!(changed["conversations"][0], json!(talk.conversation));
    let told = event(&mut notifications, |_| true).await;
    assert_eq!((told["conversation"].clone(), told["body"].as_str()), (json!(talk.conversation), Some("السلام عليكم")));

    let page = program.request("GET", "/").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert!(page.text().await.unwrap().contains("شُبّاك"));
    let outside = program.request("GET", "/../keychain.json").send().await.unwrap();
    assert_eq!(outside.status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_a_typed_error_and_strangers_are_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Standin::start().await;
    let program = Program::start(folder.path(), &gateway);
    for (name, body, status, code) in [
        ("start", "nonsense", 400, "bad_request"),
        ("fly", "{}", 400, "bad_request"),
        ("conversation", "{\"conversation\": 7}", 400, "bad_request"),
        ("claim", "{\"case\": \"01900000-0000-7000-8000-000000000001\"}", 404, "not_found"),
        ("unlock", "{\"account\": \"nobody\", \"password\": \"x\"}", 404, "not_found"),
    ] {
        let answer = program.request("POST", &format!("/call/{name}")).body(body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{name}");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], code, "{name}");
    }
    let huge = program.request("POST", "/call/save_draft").body("x".repeat((1 << 20) + 1)).send().await.unwrap();
    assert_eq!(huge.status(), 413);
    for (name, value) in [("host", "rebound.example"), ("origin", "http://evil.example"), ("origin", "null")] {
        for (method, path) in [("POST", "/call/start"), ("GET", "/signals"), ("GET", "/")] {
            let answer = program.request(method, path).header(name, value).body("{}").send().await.unwrap();
            assert_eq!(answer.status(), 403, "{method} {path} with {name}: {value}");
        }
    }
}

#[test]
fn it_listens_on_loopback_only() {
    let folder = tempfile::tempdir().unwrap();
    let ended = std::process::Command::new(env!("CARGO_BIN_EXE_shubbak-host"))
        .args(["--listen", "0.0.0.0:0", "--data"])
        .arg(folder.path())
        .arg("--ui")
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(!ended.status.success());
    assert!(String::from_utf8_lossy(&ended.stderr).contains("loopback"));
}
