//! Is it really encrypted? Known text is searched in every file of the workstation, whatever its name.

use std::path::Path;

use desk::api::{AddNote, ErrorCode, Handler, Kept, Mode, SaveDraft};

use crate::{
    standin::PASSWORD,
    workplace::{Workplace, until},
};

const CANARIES: [&str; 5] = [
    "canary-from-citizen-كناري",
    "canary-in-draft-كناري",
    "canary-in-note-كناري",
    "canary-in-outbox-كناري",
    "كناري سعاد",
];

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn contains(bytes: &[u8], text: &str) -> bool {
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [text.as_bytes(), &utf16].iter().any(|wanted| bytes.windows(wanted.len()).any(|window| window == *wanted))
}

fn search(place: &Workplace) -> usize {
    let mut databases = 0;
    for path in files(place.folder.path()) {
        let bytes = std::fs::read(&path).unwrap();
        for text in [PASSWORD, "token-canary"] {
            assert!(!contains(&bytes, text), "{} holds {text:?}", path.display());
        }
        for text in CANARIES {
            assert!(!contains(&bytes, text), "{} holds {text:?}", path.display());
            for word in text.split(['-', ' ']).filter(|word| word.chars().count() > 5) {
                assert!(!contains(&bytes, word), "{} holds {word:?}", path.display());
            }
        }
        let database = path.extension().is_some_and(|end| end == "db");
        assert!(!bytes.starts_with(b"SQLite format 3"), "{} is a plain database", path.display());
        databases += usize::from(database && bytes.len() > 4_000);
    }
    databases
}

#[tokio::test]
async fn no_file_holds_readable_text() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk(CANARIES[4], CANARIES[0]);
    place.shows(talk).await;
    place.gateway.stop().await;
    let draft = SaveDraft { conversation: talk.conversation, mode: Mode::Reply, text: CANARIES[1].into() };
    place.desk.save_draft(draft).await.unwrap();
    let note = AddNote { conversation: talk.conversation, case: talk.case, text: CANARIES[2].into() };
    place.desk.add_note(note).await.unwrap();
    let before = place.page(talk.conversation).await.draft;
    assert_eq!(before.reply, CANARIES[1]);
    place.reply(talk, CANARIES[3]).await;
    until("all four", async || place.messages(talk.conversation).await.len() == 2).await;

    let wal = files(place.folder.path()).into_iter().filter(|path| path.to_string_lossy().ends_with("-wal"));
    assert!(
        wal.map(|path| path.metadata().unwrap().len()).sum::<u64>() > 4_000,
        "the logs are empty: nothing is shown"
    );
    search(&place);
    // The search itself finds what is there to be found.
    let plain = place.folder.path().join("plain.txt");
    std::fs::write(&plain, CANARIES[1]).unwrap();
    assert!(contains(&std::fs::read(&plain).unwrap(), CANARIES[1]));
    std::fs::remove_file(plain).unwrap();

    place.desk.close().await;
    assert_eq!(search(&place), 2, "closed, everything stands in the two main files");
}

#[tokio::test]
async fn damaged_files_are_set_aside_as_they_are_and_the_records_had_again() {
    let place = Workplace::signed_in().await;
    let talk = place.gateway.talk("سعاد", "السلام عليكم");
    place.shows(talk).await;
    let draft = SaveDraft { conversation: talk.conversation, mode: Mode::Reply, text: "مسودة".into() };
    place.desk.save_draft(draft).await.unwrap();
    let place = place.restart().await;
    let damage = |name: &str| {
        let path = files(place.folder.path()).into_iter().find(|path| path.ends_with(name)).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.iter_mut().take(4_096).for_each(|byte| *byte ^= 0x55);
        std::fs::write(&path, &bytes).unwrap();
        (path, bytes)
    };
    damage("records.db");
    place.unlock(PASSWORD).await.unwrap();
    place.shows(talk).await;
    assert_eq!(place.page(talk.conversation).await.draft.reply, "مسودة");

    place.desk.close().await;
    let (path, bytes) = damage("precious.db");
    place.gateway.stop().await;
    assert_eq!(place.unlock(PASSWORD).await.unwrap_err().code, ErrorCode::BadFile, "nothing says whose it is");
    let mut place = place;
    place.gateway_back().await;
    place.unlock(PASSWORD).await.unwrap();
    let mended = place.status().await.mended;
    let told = mended.iter().find(|told| told.file == Kept::Precious && !told.whole).unwrap();
    let aside = path.with_file_name(&told.aside);
    assert!(std::fs::read(aside).unwrap() == bytes, "what cannot be read may be readable to somebody who helps");
    place.shows(talk).await;
}
