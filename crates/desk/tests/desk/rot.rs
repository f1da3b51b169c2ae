//! Bits that flip on the disk: found before a row is served, set aside, and put in order.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use desk::api::{Handler, Item, Kept, Link, Mode, Nothing, OpenConversation, Part, SaveDraft};
use domain::command::Code;

use crate::{
    standin::{PASSWORD, Talk},
    workplace::{Workplace, open, until},
};

/// Numbers that look like chance and come again with the same seed (Vigna, xorshift64*).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % bound
    }
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to)
        } else {
            assert!(fs::copy(entry.path(), &to).unwrap() < 1 << 40)
        }
    }
}

const TALKS: usize = 12;
const DRAFTS: usize = 40;

/// What is shown of a conversation, but for what waits.
async fn texts(place: &Workplace, talk: Talk) -> Option<Vec<String>> {
    let request = OpenConversation { conversation: talk.conversation, part: Part::Latest {}, limit: 500 };
    let page = place.desk.conversation(request).await.ok()?;
    let text = |item: Item| match item {
        Item::Message(message) if message.seq > 0 => message.text,
        _ => None,
    };
    Some(page.items.into_iter().filter_map(text).collect())
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(180), async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "Waited in vain for {what}");
}

/// How often, and what chance decides by.
fn extent() -> (usize, u64, Chance) {
    let times = match std::env::var("SHUBBAK_FAULTS").ok().as_deref() {
        None | Some("") => 12,
        Some("long") => 10_000,
        Some(_) => 1_000,
    };
    let seed = std::env::var("SHUBBAK_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_122);
    (times, seed, Chance(seed))
}

/// What stands in the files.
struct Written {
    talks: Vec<Talk>,
    /// What was said in each.
    texts: Vec<Vec<String>>,
    replies: Vec<String>,
    drafts: Vec<String>,
}

async fn write(place: &Workplace) -> Written {
    let mut talks = vec![];
    for n in 0..TALKS {
        let talk = place.gateway.talk(&format!("مراجع {n}"), &format!("السؤال الأول {n}"));
        for m in 0..20 {
            place.gateway.write(talk, &format!("رسالة {m} من {n}: {}", "كلام ".repeat(m * 30)));
        }
        talks.push(talk);
    }
    place.shows(talks[TALKS - 1]).await;
    place.gateway.inside().faults.refuse.insert("reply".into(), Code::WindowClosed);
    let mut replies = vec![];
    for (n, talk) in talks.iter().enumerate() {
        replies.push(format!("رد عالق {n} {}", "طويل ".repeat(n * 20)));
        place.reply(*talk, &replies[n]).await;
    }
    until("stuck", async || place.status().await.stuck == u32::try_from(TALKS).unwrap()).await;
    let mut drafts = vec![];
    for n in 0..DRAFTS {
        // Those of conversations that are not here as well: they are nobody else's.
        let talk = talks.get(n).map_or(domain::ids::ConversationId(crate::standin::fresh()), |talk| talk.conversation);
        drafts.push(format!("مسودة {n} {}", "تتمة ".repeat(n * 5)));
        let draft = SaveDraft { conversation: talk, mode: Mode::Note, text: drafts[n].clone() };
        place.desk.save_draft(draft).await.unwrap();
    }
    let mut wanted = vec![];
    for talk in &talks {
        wanted.push(texts(place, *talk).await.unwrap());
    }
    Written { talks, texts: wanted, replies, drafts }
}

/// Where the file of this name lies, below a workplace's folder.
fn file(folder: &Path, name: &str) -> PathBuf {
    let account = fs::read_dir(folder.join("data/accounts")).unwrap().next().unwrap().unwrap().file_name();
    Path::new("data/accounts").join(account).join(name)
}

/// Waits until all that was said is shown again, and the desk is in step.
async fn all_again(place: &Workplace, written: &Written, context: &str) {
    let shows_all = async || {
        let mut shown = vec![];
        for talk in &written.talks {
            shown.push(texts(place, *talk).await.unwrap_or_default());
        }
        let link = place.desk.status(Nothing {}).await.map(|status| status.link);
        shown == written.texts && link.is_ok_and(|link| link == Link::Live)
    };
    // A file as it was may have to be received anew: on a busy machine that takes its time.
    eventually(context, shows_all).await;
}

#[tokio::test]
async fn a_bit_that_flips_is_found_before_a_row_is_served_and_the_rest_is_saved() {
    let (times, seed, mut chance) = extent();
    println!("SHUBBAK_SEED={seed}");
    let mut place = Workplace::signed_in().await;
    let written = write(&place).await;
    let Written { talks, texts: wanted, replies, drafts } = &written;
    place.desk.close().await;
    let whole = tempfile::tempdir().unwrap();
    copy(place.folder.path(), whole.path());
    let of = |name: &str| file(whole.path(), name);

    let (mut found, mut lost) = ([0, 0], 0);
    for n in 0..times {
        let (kept, name) = if n % 2 == 0 { (Kept::Records, "records.db") } else { (Kept::Precious, "precious.db") };
        place.folder = tempfile::tempdir().unwrap();
        copy(whole.path(), place.folder.path());
        let path = place.folder.path().join(of(name));
        let mut bytes = fs::read(&path).unwrap();
        let at = chance.below(u64::try_from(bytes.len()).unwrap() * 8);
        bytes[usize::try_from(at / 8).unwrap()] ^= 1 << (at % 8);
        fs::write(&path, &bytes).unwrap();

        // The copied keychain holds the first token; a file that says nothing of its owner costs a sign-in, and a new one.
        place.gateway.inside().tokens.insert("as it was copied".into(), 1);
        place.desk = open(&place.folder, &place.clock).await;
        let opened = place.unlock(PASSWORD).await;
        let context = format!("flip {n}: bit {at} of {name}, seed {seed}");
        opened.unwrap_or_else(|error| panic!("{context}: {error}"));
        // Nothing but what was written is ever shown, be the damage found yet or not.
        for (talk, wanted) in talks.iter().zip(wanted) {
            if let Some(shown) = texts(&place, *talk).await {
                assert!(shown.iter().all(|text| wanted.contains(text)), "{context}");
            }
        }
        all_again(&place, &written, &context).await;

        let mended = place.status().await.mended;
        let unsent = place.desk.unsent(Nothing {}).await.unwrap();
        for act in &unsent.acts {
            assert!(replies.contains(act.text.as_ref().unwrap()), "{context}: a reply that nobody wrote");
        }
        for draft in &unsent.drafts {
            assert!(drafts.contains(&draft.text), "{context}: a draft that nobody wrote: {:?}", draft.text);
        }
        let saved = (unsent.acts.len(), unsent.drafts.len());
        if saved != (TALKS, DRAFTS) {
            lost += 1;
            let told = mended.iter().find(|mended| mended.file == Kept::Precious);
            assert!(told.is_some_and(|told| !told.whole), "{context}: something is lost and nobody is told");
        }
        for told in &mended {
            found[usize::from(told.file == Kept::Precious)] += 1;
            assert_eq!(told.file, kept, "{context}");
            let aside = place.folder.path().join(of(&told.aside));
            assert_eq!(fs::read(aside).unwrap().len(), bytes.len(), "{context}: the damaged file is kept");
        }
        assert!(kept == Kept::Records || !mended.is_empty(), "{context}: not found");
        place.desk.mended_read(Nothing {}).await.unwrap();
        assert_eq!(place.status().await.mended, []);
        place.desk.close().await;
        // Once put in order it stays so.
        place.desk = open(&place.folder, &place.clock).await;
        place.unlock(PASSWORD).await.unwrap();
        assert_eq!(place.status().await.mended, [], "{context}: damaged again");
        place.desk.close().await;
    }
    println!(
        "COUNTED {{\"flips\": {times}, \"records_mended\": {}, \"precious_mended\": {}, \"with_losses\": {lost}}}",
        found[0], found[1]
    );
}

#[tokio::test]
async fn a_bit_that_flips_in_what_a_killed_program_left_is_put_right() {
    let (times, seed, mut chance) = extent();
    println!("SHUBBAK_SEED={seed}");
    let mut place = Workplace::signed_in().await;
    let written = write(&place).await;
    // As `kill -9` leaves it: what the system was given, and nothing folded into the files.
    let whole = tempfile::tempdir().unwrap();
    copy(place.folder.path(), whole.path());
    place.desk.close().await;
    let logs = ["records.db-wal", "precious.db-wal"].map(|name| file(whole.path(), name));
    for n in 0..times {
        let log = &logs[n % 2];
        place.folder = tempfile::tempdir().unwrap();
        copy(whole.path(), place.folder.path());
        let path = place.folder.path().join(log);
        let mut bytes = fs::read(&path).unwrap();
        assert!(bytes.len() > 20 * 4096, "{} has {} bytes: this shows nothing", log.display(), bytes.len());
        let at = chance.below(u64::try_from(bytes.len()).unwrap() * 8);
        bytes[usize::try_from(at / 8).unwrap()] ^= 1 << (at % 8);
        fs::write(&path, &bytes).unwrap();
        let context = format!("flip {n}: bit {at} of {}, seed {seed}", log.display());
        place.gateway.inside().tokens.insert("as it was copied".into(), 1);
        let asked = place.gateway.inside().asked.len();
        place.desk = open(&place.folder, &place.clock).await;
        place.unlock(PASSWORD).await.unwrap_or_else(|error| panic!("{context}: {error}"));
        all_again(&place, &written, &context).await;
        let from = place.gateway.inside().asked[asked].clone();
        assert_ne!(from, "0", "{context}: the records begin anew");
        let unsent = place.desk.unsent(Nothing {}).await.unwrap();
        let acts: Vec<_> = unsent.acts.iter().map(|act| act.text.clone().unwrap()).collect();
        assert_eq!(acts, written.replies, "{context}");
        let mut drafts: Vec<_> = unsent.drafts.iter().map(|draft| draft.text.clone()).collect();
        drafts.sort_by_key(|text| written.drafts.iter().position(|draft| draft == text));
        assert_eq!(drafts, written.drafts, "{context}");
        assert_eq!(place.status().await.mended, [], "{context}");
        place.desk.close().await;
    }
    println!("COUNTED {{\"flips_in_logs\": {times}}}");
}
