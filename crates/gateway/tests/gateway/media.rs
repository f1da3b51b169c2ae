//! Files: who may send, see and name them, in a folder and in S3 alike.

mod leaving;

use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use domain::ids::System;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    house::{House, LINE, PASSWORD, Person, entries, eventually, http, message, sign_in, wamid, writes},
    s3::{S3, files, keep_in},
};

use leaving::{what_nobody_uses_goes_after_thirty_days, who_is_erased_takes_their_files_along};

pub(crate) const DAY: i64 = 24 * 3_600_000;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01";

/// A gateway's folder, and where its files are kept.
struct Place<'a> {
    house: House,
    s3: Option<(&'a S3, &'static str)>,
}

impl Place<'_> {
    fn in_a_folder() -> Self {
        let house = House::new("http://127.0.0.1:9");
        house.configure("records = \"data\"", "records = \"data\"\nmedia = \"file:media\"");
        Self { house, s3: None }
    }

    /// Everything that is kept, by agency and name, and whatever else lies there.
    async fn kept(&self) -> Vec<String> {
        match self.s3 {
            Some((s3, prefix)) => s3.kept(prefix).await,
            None => files(&self.house.folder.path().join("media")),
        }
    }

    fn uploads(&self) -> i64 {
        self.house.number("SELECT count(*) FROM uploads")
    }

    /// Nothing of a file is left anywhere.
    async fn nothing_is_kept(&self) {
        assert_eq!((self.kept().await, self.uploads()), (vec![], 0));
        let data: Vec<_> = files(&self.house.folder.path().join("data"));
        assert!(
            data.iter().all(|name| name.contains(".db") || name.ends_with(".key") || name.ends_with(".lock")),
            "{data:?}"
        );
    }
}

/// Each of these holds in a folder, whichever home the journals have, and against S3.
macro_rules! in_both {
    ($($name:ident),* $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            $name::holds(Place::in_a_folder()).await;
        })*

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::postgres::HERE.scope((), async { super::$name::holds(super::Place::in_a_folder()).await }).await;
            })*
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn in_s3_it_is_the_same() {
            let s3 = S3::start().await;
            $({
                let name = stringify!($name);
                println!("{name}");
                $name::holds(Place { house: s3.house(name), s3: Some((&s3, name)) }).await;
            })*
        }
    };
}

in_both!(
    what_comes_goes_as_it_came,
    a_part_is_handed_out_as_asked,
    what_one_may_not_see_is_as_if_it_were_not_there,
    who_sees_the_case_sees_its_files,
    agencies_never_share_a_file,
    what_cannot_be_kept_is_refused,
    what_breaks_off_leaves_nothing,
    what_nobody_uses_goes_after_thirty_days,
    who_is_erased_takes_their_files_along,
);

pub(crate) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Bytes without a meaning, different for each seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8 | 0x80
    };
    std::iter::repeat_with(next).take(length).collect()
}

pub(crate) async fn upload(person: &Person, bytes: &[u8], kind: Option<&str>) -> (u16, Value) {
    let mut request = http().post(format!("{}/api/v1/media", person.address)).bearer_auth(&person.token);
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    let answer = request.body(bytes.to_vec()).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Uploads what has to be taken; its name.
pub(crate) async fn uploaded(person: &Person, bytes: &[u8]) -> String {
    let (status, answer) = upload(person, bytes, None).await;
    assert_eq!((status, answer["sha256"].as_str()), (201, Some(sha256(bytes).as_str())), "{answer}");
    sha256(bytes)
}

async fn asks(person: &Person, method: Method, name: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let url = format!("{}/api/v1/media/{name}", person.address);
    let mut request = http().request(method, url).bearer_auth(&person.token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

pub(crate) async fn status(person: &Person, name: &str) -> u16 {
    asks(person, Method::GET, name, &[]).await.status().as_u16()
}

fn header<'a>(answer: &'a reqwest::Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name).map(|value| value.to_str().unwrap())
}

mod what_comes_goes_as_it_came {
    use super::*;

    pub(super) async fn holds(place: Place<'_>) {
        let served = place.house.serve().await;
        let admin = place.house.admin(&served.address).await;
        let nonsense = "\u{202e}مستند\u{200f} 𓂀🏳️‍🌈 \u{1f468}\u{200d}\u{1f469} ﷽ \u{feff}e\u{301}\r\n\t".repeat(50);
        let html = b"<html ><script>alert(1)</script>";
        let long = noise(1, (12 << 20) + 17);
        let mut names = vec![];
        for (bytes, said, kind) in [
            (nonsense.as_bytes(), Some("text/plain"), "text/plain; charset=utf-8"),
            (PNG, Some("image/png"), "image/png"),
            (PNG, None, "image/png"),
            (html, Some("text/html"), "text/html"),
            (b"\0", Some("application/octet-stream"), "application/octet-stream"),
            (&noise(2, 5 << 20), None, "application/octet-stream"),
            (&long, None, "application/octet-stream"),
        ] {
            let name = sha256(bytes);
            let expected = json!({"sha256": name, "size": bytes.len(), "type": kind});
            assert_eq!(upload(&admin, bytes, said).await, (201, expected.clone()));
            assert_eq!(upload(&admin, bytes, said).await, (201, expected), "a second time");
            let answer = asks(&admin, Method::GET, &name, &[]).await;
            assert_eq!(answer.status(), 200);
            let (length, tag) = (bytes.len().to_string(), format!("\"{name}\""));
            for (field, value) in [
                ("content-type", kind),
                ("content-length", &length),
                ("etag", &tag),
                ("x-content-type-options", "nosniff"),
                ("content-disposition", "attachment"),
                ("content-security-policy", "default-src 'none'; sandbox"),
                ("cache-control", "private, no-cache"),
                ("accept-ranges", "bytes"),
            ] {
                assert_eq!(header(&answer, field), Some(value), "{field}");
            }
            assert!(answer.bytes().await.unwrap() == bytes, "{name}");
            let head = asks(&admin, Method::HEAD, &name, &[("range", "bytes=0-0")]).await;
            assert_eq!((head.status(), header(&head, "content-length")), (StatusCode::OK, Some(length.as_str())));
            names.push(format!("mew/{name}"));
        }
        names.sort();
        names.dedup();
        assert_eq!(place.kept().await, names);
        served.stop().await;
        // It is there still after a restart.
        let served = place.house.serve().await;
        let admin = Person::at(&admin, &served.address);
        assert!(asks(&admin, Method::GET, &sha256(&long), &[]).await.bytes().await.unwrap() == long);
        served.stop().await;
    }
}

mod a_part_is_handed_out_as_asked {
    use super::*;

    pub(super) async fn holds(place: Place<'_>) {
        let served = place.house.serve().await;
        let admin = place.house.admin(&served.address).await;
        for size in [1_usize, 100, 8192, 8193, (5 << 20) + 3] {
            let bytes = noise(3, size);
            let name = uploaded(&admin, &bytes).await;
            let (tag, last) = (format!("\"{name}\""), size - 1);
            let other = "\"another\"";
            let ranges: [(String, &str, u16, std::ops::Range<usize>); 15] = [
                ("bytes=0-".into(), "", 206, 0..size),
                ("bytes=0-0".into(), "", 206, 0..1),
                (format!("bytes={last}-"), "", 206, last..size),
                (format!("bytes=0-{last}"), "", 206, 0..size),
                (format!("bytes=0-{size}"), "", 206, 0..size),
                ("bytes=-1".into(), "", 206, last..size),
                (format!("bytes=-{}", size + 10), "", 206, 0..size),
                (format!("bytes={}-{last}", size / 2), "", 206, size / 2..size),
                (format!("bytes={size}-"), "", 416, 0..0),
                ("bytes=-0".into(), "", 416, 0..0),
                ("bytes=0-0,2-3".into(), "", 200, 0..size),
                ("bytes=9-3".into(), "", 200, 0..size),
                ("nonsense".into(), "", 200, 0..size),
                ("bytes=0-0".into(), &tag, 206, 0..1),
                ("bytes=0-0".into(), other, 200, 0..size),
            ];
            for (range, if_range, expected, part) in ranges {
                let mut headers = vec![("range", range.as_str())];
                if !if_range.is_empty() {
                    headers.push(("if-range", if_range));
                }
                let answer = asks(&admin, Method::GET, &name, &headers).await;
                assert_eq!(answer.status().as_u16(), expected, "{range} of {size}");
                let place = match expected {
                    206 => Some(format!("bytes {}-{}/{size}", part.start, part.end - 1)),
                    416 => Some(format!("bytes */{size}")),
                    _ => None,
                };
                assert_eq!(header(&answer, "content-range"), place.as_deref(), "{range} of {size}");
                assert_eq!(header(&answer, "content-length"), Some(part.len().to_string().as_str()), "{range}");
                assert!(answer.bytes().await.unwrap() == bytes[part], "{range} of {size}");
            }
            for (tags, expected) in
                [(tag.clone(), 304), (format!("\"x\", W/{tag}"), 304), ("*".into(), 304), (other.into(), 200)]
            {
                let answer = asks(&admin, Method::GET, &name, &[("if-none-match", &tags), ("range", "bytes=x")]).await;
                assert_eq!(
                    (answer.status().as_u16(), header(&answer, "etag")),
                    (expected, Some(tag.as_str())),
                    "{tags}"
                );
            }
        }
        served.stop().await;
    }
}

mod what_one_may_not_see_is_as_if_it_were_not_there {
    use super::*;

    pub(super) async fn holds(place: Place<'_>) {
        let served = place.house.serve().await;
        let admin = place.house.admin(&served.address).await;
        let one = admin.add("one", &["agent"], &["customer-service"]).await;
        let two = admin.add("two", &["agent"], &["customer-service"]).await;
        let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
        let mine = uploaded(&one, PNG).await;
        let unknown = sha256(b"nobody has this");
        assert_eq!(status(&one, &mine).await, 200);
        // Equal to the last byte, but for the date.
        let told = async |name: &str, method: Method, fields: &[(&str, &str)]| {
            let answer = asks(&two, method, name, fields).await;
            let mut headers = answer.headers().clone();
            headers.remove(header::DATE);
            (answer.status().as_u16(), headers, answer.bytes().await.unwrap())
        };
        let tag = format!("\"{mine}\"");
        for (method, fields) in [
            (Method::GET, vec![]),
            (Method::HEAD, vec![]),
            (Method::GET, vec![("range", "bytes=0-0")]),
            (Method::GET, vec![("range", "bytes=5000000-")]),
            (Method::GET, vec![("if-none-match", tag.as_str())]),
            (Method::GET, vec![("if-none-match", "*")]),
        ] {
            let forbidden = told(&mine, method.clone(), &fields).await;
            assert_eq!(forbidden.0, 404);
            assert_eq!(forbidden, told(&unknown, method.clone(), &fields).await);
            assert_eq!(forbidden, told(&mine.to_uppercase(), method.clone(), &fields).await);
            assert_eq!(forbidden, told("..%2f..%2fserver.key", method, &fields).await);
        }
        let note = |media: Value| json!({"kind": "add_note", "case": case, "text": "العداد", "media": media});
        let mut refused = vec![];
        for name in [&mine, &unknown] {
            let answer = two.ask(note(json!([name]))).await;
            assert_eq!(answer["refused"]["code"], "not_found", "{answer}");
            refused.push(answer["refused"].clone());
        }
        assert_eq!(refused[0], refused[1]);
        // Whoever asks has to be signed in, and nobody has them under another's name.
        let nobody = Person { token: "mew.nothing".into(), ..one.clone() };
        assert_eq!((status(&nobody, &mine).await, upload(&nobody, PNG, None).await.0), (401, 401));

        // The same content of one's own is one's own; each for thirty days.
        place.house.clock.forward(10 * DAY);
        uploaded(&two, PNG).await;
        place.house.clock.forward(20 * DAY - 60_000);
        assert_eq!((status(&one, &mine).await, status(&two, &mine).await), (200, 200));
        place.house.clock.forward(61_000);
        assert_eq!((status(&one, &mine).await, status(&two, &mine).await), (404, 200));
        assert_eq!(one.ask(note(json!([mine]))).await["refused"]["code"], "not_found", "nor named any more");
        two.must(note(json!([mine]))).await;
        served.stop().await;
        place.house.verify();
    }
}

mod who_sees_the_case_sees_its_files {
    use super::*;

    pub(super) async fn holds(place: Place<'_>) {
        let served = place.house.serve().await;
        let admin = place.house.admin(&served.address).await;
        let clerk = admin.add("clerk", &["agent"], &["customer-service"]).await;
        let colleague = admin.add("colleague", &["agent"], &["customer-service"]).await;
        let stranger = admin.add("stranger", &["agent"], &["emergency"]).await;
        let keeper = admin.add("keeper", &["admin"], &["customer-service"]).await;
        let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
        let file = uploaded(&clerk, PNG).await;
        assert_eq!(status(&colleague, &file).await, 404, "it belongs to nothing yet");
        let note = json!({"kind": "add_note", "case": case, "text": "العداد", "media": [file]});
        clerk.must(note.clone()).await;
        let noted = entries(&colleague.sync("0").await, "note_added")[0]["body"].clone();
        assert_eq!(noted["media"], json!([file]));
        let seen = async |people: [&Person; 4]| {
            let mut seen = vec![];
            for person in people {
                seen.push(status(person, &file).await);
            }
            seen
        };
        let all = [&clerk, &colleague, &stranger, &keeper];
        assert_eq!(seen(all).await, [200, 200, 404, 404]);
        colleague.must(note).await;
        for wrong in [json!("x"), json!([file.to_uppercase()]), json!([file, file]), json!([7])] {
            let note = json!({"kind": "add_note", "case": case, "text": "العداد", "media": wrong});
            assert_eq!(clerk.ask(note).await["refused"]["code"], "invalid", "{wrong}");
        }
        // A file that a citizen sent is known by what WhatsApp says of it.
        let meter = noise(9, 3000);
        uploaded(&admin, &meter).await;
        let picture = json!({"id": "1", "mime_type": "image/jpeg", "sha256": BASE64.encode(&Sha256::digest(&meter))});
        served
            .deliver(&message(LINE, "96550000001", &wamid(), domain::ids::Clock::now(&System), "image", &picture))
            .await;
        eventually("the picture", async || (status(&colleague, &sha256(&meter)).await == 200).then_some(())).await;
        assert_eq!(status(&stranger, &sha256(&meter)).await, 404);

        // The case goes to another team, and with it the sight of its files; whoever uploaded one keeps that.
        admin.must(json!({"kind": "transfer", "case": case, "team": "emergency"})).await;
        assert_eq!(seen(all).await, [200, 404, 200, 404]);
        assert_eq!(status(&colleague, &sha256(&meter)).await, 404);
        assert_eq!(status(&stranger, &sha256(&meter)).await, 200);
        admin.must(json!({"kind": "change_staff", "staff": colleague.id, "teams": ["emergency"]})).await;
        place.house.clock.forward(31 * DAY);
        assert_eq!(seen(all).await, [404, 200, 200, 404]);
        served.stop().await;
        place.house.verify();
    }
}

mod agencies_never_share_a_file {
    use super::*;

    pub(super) async fn holds(place: Place<'_>) {
        let code = place.house.add_agency("moci", "100000000000009");
        let served = place.house.serve().await;
        let ours = place.house.admin(&served.address).await;
        let body = json!({"agency": "moci", "username": "admin", "password": PASSWORD, "device": "d", "code": code});
        let theirs = sign_in(&served.address, &body).await;
        let name = uploaded(&ours, PNG).await;
        assert_eq!((status(&ours, &name).await, status(&theirs, &name).await), (200, 404));
        assert_eq!(place.kept().await, [format!("mew/{name}")]);
        uploaded(&theirs, PNG).await;
        assert_eq!((status(&ours, &name).await, status(&theirs, &name).await), (200, 200));
        assert_eq!(place.kept().await, [format!("mew/{name}"), format!("moci/{name}")]);
        served.stop().await;
    }
}

mod what_cannot_be_kept_is_refused {
    use super::*;

    pub(super) async fn holds(place: Place<'_>) {
        let served = place.house.serve().await;
        let admin = place.house.admin(&served.address).await;
        let code = |answer: (u16, Value)| (answer.0, answer.1["code"].as_str().unwrap().to_owned());
        assert_eq!(code(upload(&admin, b"", None).await), (400, "bad_request".into()));
        for (bytes, said) in [(PNG, "application/pdf"), (b"MZ\x90\0\x03", "image/png"), (b"<html >", "image/jpeg")] {
            assert_eq!(code(upload(&admin, bytes, Some(said)).await), (415, "unsupported".into()), "{said}");
        }
        let url = format!("{}/api/v1/media", served.address);
        let encoded = http().post(&url).bearer_auth(&admin.token).header("content-encoding", "gzip").body(PNG);
        assert_eq!(encoded.send().await.unwrap().status(), 415);
        // One that says how long it is need not be sent at all.
        let mut stream = TcpStream::connect(served.address.strip_prefix("http://").unwrap()).await.unwrap();
        let head = format!(
            "POST /api/v1/media HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
            admin.token,
            (100 << 20) + 1
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413");
        // One that does not say it is cut off where it gets too long.
        if place.s3.is_none() {
            let piece = axum::body::Bytes::from(noise(4, 1 << 20));
            let pieces = futures_util::stream::iter((0..101).map(move |_| Ok::<_, std::io::Error>(piece.clone())));
            let endless = http().post(&url).bearer_auth(&admin.token).body(reqwest::Body::wrap_stream(pieces));
            match endless.send().await {
                Ok(answer) => assert_eq!(answer.status(), 413),
                Err(error) => assert!(error.is_request() || error.is_body(), "{error:?}"),
            }
        }
        place.nothing_is_kept().await;
        served.stop().await;
    }
}

mod what_breaks_off_leaves_nothing {
    use super::*;

    pub(super) async fn holds(place: Place<'_>) {
        let served = place.house.serve_with(|config| config.limits.body_seconds = 1).await;
        let admin = place.house.admin(&served.address).await;
        let head = format!(
            "POST /api/v1/media HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 7000000\r\n\r\n",
            admin.token
        );
        let begin = async |bytes: &[u8]| {
            let mut stream = TcpStream::connect(served.address.strip_prefix("http://").unwrap()).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream
        };
        for length in [0, 1, 20_000, 6_000_000] {
            drop(begin(&noise(5, length)).await);
        }
        let mut slow = vec![];
        for length in [0, 1, 20_000] {
            slow.push(begin(&noise(5, length)).await);
        }
        for mut stream in slow {
            let mut answer = vec![];
            let read = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
            let _ = read.expect("the connection stays open");
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"too_slow\""), "{answer}");
        }
        place.nothing_is_kept().await;
        uploaded(&admin, PNG).await;
        served.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_a_place_for_files_has_none() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    assert_eq!((upload(&admin, PNG, None).await.0, status(&admin, &sha256(PNG)).await), (404, 404));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_uploads_without_end_has_to_wait() {
    let place = Place::in_a_folder();
    let served = place.house.serve_with(|config| config.limits.commands_per_minute = 8).await;
    let admin = place.house.admin(&served.address).await;
    let clerk = admin.add("clerk", &["agent"], &["customer-service"]).await;
    place.house.clock.stop();
    let told = async |who: &Person, n: u64, size: usize| upload(who, &noise(n, size), None).await.0;
    assert_eq!(told(&clerk, 0, 100).await, 201);
    // Two GiB a day, but for three bytes, have gone by.
    place.house.change(&["UPDATE uploads SET size = 2147483645"]);
    assert_eq!((told(&clerk, 1, 4).await, told(&clerk, 2, 3).await, told(&clerk, 3, 1).await), (429, 201, 429));
    assert_eq!(told(&admin, 4, 100).await, 201, "another person");
    place.house.clock.forward(DAY + 1);
    assert_eq!(told(&clerk, 5, 100).await, 201, "another day");
    // And as many in a minute as it may give commands.
    let mut many = vec![];
    for n in 6..16 {
        many.push(told(&clerk, n, 10).await);
    }
    assert_eq!(many, [[201; 7].as_slice(), &[429; 3]].concat());
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_waits_for_a_store_that_cannot_be_reached() {
    let house = House::new("http://127.0.0.1:9");
    keep_in(&house, "http://127.0.0.1:9", "x");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let (status, problem) = upload(&admin, PNG, None).await;
    assert_eq!((status, problem["code"].as_str()), (503, Some("not_stored")));
    let name = sha256(PNG);
    assert_eq!(self::status(&admin, &name).await, 404, "it is not there");
    let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
    let note = json!({"kind": "add_note", "case": case, "text": "العداد", "media": [name]});
    assert_eq!(admin.ask(note).await["refused"]["code"], "not_found", "nor can it be named");
    served.stop().await;
    house.verify();
}
