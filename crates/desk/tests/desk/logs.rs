//! A desk's whole day, in which everything that could be personal or secret bears a mark: none of it comes out in what is
//! logged, at whatever level.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use desk::api::{AddNote, Delivery, Handler, Lock, Mode, Nothing, OpenConversation, Part, Parting, SaveDraft, SignOut};
use domain::{
    command::Code,
    entry::{Actor, Fact, Scope},
};
use serde_json::json;
use tracing_subscriber::EnvFilter;

use crate::{
    canaries::Canaries,
    standin::PASSWORD,
    workplace::{Workplace, until},
};

const NAME: &str = "Dalal CanaryName دلال";
const WORDS: &str = "CanaryWords كلمات المراجع";
const REPLY: &str = "CanaryReply رد لم يُرسل بعد";
const NOTE: &str = "CanaryNote ملاحظة بين الزملاء";
const DRAFT: &str = "CanaryDraft مسودة";
const GUESS: &str = "canary guess of a password";
const ODD: &str = "CanaryOdd قيد لا يُقرأ";
/// The stand-in's citizens have this number.
const PHONE: &str = "96566041187";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_whole_day_logs_nothing_personal() {
    let log = Log::default();
    let filter = EnvFilter::new("info,desk=trace,records=trace,domain=trace");
    let writer = log.clone();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || writer.clone()).init();

    // Signing in goes wrong in every way, and right.
    let mut place = Workplace::fresh().await;
    assert!(place.sign_in(GUESS, None).await.is_err());
    assert!(place.sign_in(GUESS, Some("CANARYCODE")).await.is_err());
    for status in [404, 426, 429, 500, 503] {
        place.gateway.inside().faults.status = Some(status);
        assert!(place.sign_in(GUESS, None).await.is_err());
    }
    place.gateway.inside().faults.status = None;
    place.sign_in(PASSWORD, None).await.unwrap();
    place.is_live().await;

    // A citizen writes; what is answered is refused, lost, and sent.
    let talk = place.gateway.talk(NAME, WORDS);
    place.shows(talk).await;
    place.gateway.write(talk, WORDS);
    let draft = SaveDraft { conversation: talk.conversation, mode: Mode::Reply, text: DRAFT.into() };
    place.desk.save_draft(draft).await.unwrap();
    place.gateway.inside().faults.refuse.insert("reply".into(), Code::NewerReply);
    place.reply(talk, REPLY).await;
    until("it is stuck", async || matches!(place.delivery(talk.conversation, REPLY).await, Some(Delivery::Stuck)))
        .await;
    place.gateway.inside().faults.refuse.clear();
    place.gateway.inside().faults.lose_answers = 2;
    place.desk.add_note(AddNote { conversation: talk.conversation, case: talk.case, text: NOTE.into() }).await.unwrap();
    until("the note", async || place.gateway.notes().len() == 1).await;

    // Entries that cannot be read, gaps.
    let body = json!({"note": ODD, "text": [ODD], "case": ODD});
    let odd = Fact::Unknown { kind: "note_added".into(), body: body.clone() };
    place.gateway.append(Scope::Case(talk.case), Actor::System, None, odd);
    let later = Fact::Unknown { kind: "moon_rose".into(), body };
    let seq = place.gateway.append(Scope::Case(talk.case), Actor::System, None, later);
    place.gateway.inside().faults.swallow.insert(seq + 1);
    place.gateway.write(talk, WORDS);
    place.gateway.write(talk, WORDS);
    until("all of it", async || place.messages_or_none(talk).await >= 4).await;

    // The gateway goes away and comes back with another journal; the desk locks, and somebody guesses.
    place.gateway.stop().await;
    place.is_offline().await;
    place.reply(talk, REPLY).await;
    place.gateway.begin_another_journal();
    let talk = place.gateway.talk(NAME, WORDS);
    place.gateway_back().await;
    place.shows(talk).await;
    place.is_live().await;
    place.desk.lock(Lock {}).await.unwrap();
    assert!(place.unlock(GUESS).await.is_err());
    place.unlock(PASSWORD).await.unwrap();

    // A file is spoilt while the program is closed.
    let spoil = |folder: &std::path::Path| {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|one| one.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name == "records.db") {
                    std::fs::write(&path, ODD.repeat(1000)).unwrap();
                }
            }
        }
    };
    place.desk.close().await;
    spoil(place.folder.path());
    let place = place.restart().await;
    place.unlock(PASSWORD).await.unwrap();
    place.is_live().await;
    place.shows(talk).await;
    let nowhere = OpenConversation { conversation: uuid::Uuid::nil().into(), part: Part::Latest {}, limit: 7 };
    assert!(place.desk.conversation(nowhere).await.is_err());
    place.desk.sign_out(SignOut { parting: Parting::KeepSending }).await.unwrap();
    place.desk.start(Nothing {}).await.unwrap();

    let logged = log.0.lock().unwrap().clone();
    let text = String::from_utf8(logged.clone()).unwrap();
    for said in ["An entry cannot be read", "another journal", "A gap", "A file is damaged"] {
        assert!(text.contains(said), "{said:?} was never logged: {text}");
    }
    let secret = data_encoding::BASE64.encode(&place.gateway.inside().device_secret);
    let canaries = Canaries::new([
        ("a name", NAME),
        ("half a name", "CanaryName"),
        ("a text", "CanaryWords"),
        ("a reply", "CanaryReply"),
        ("a note", "CanaryNote"),
        ("a draft", "CanaryDraft"),
        ("an entry", "CanaryOdd"),
        ("a password", PASSWORD),
        ("a guess", GUESS),
        ("a one-time code", "CANARYCODE"),
        ("a telephone number", PHONE),
        ("the device's secret", &secret),
    ]);
    let found = canaries.found_in(&logged);
    assert!(found.is_empty(), "{found:#?}");
}
