//! A person was erased: what this workstation holds of them goes, and its traces with it.
//!
//! The precious file comes first: the entry comes again until the records have it, so a crash in between only does it twice.
//! That traces are left stands in each file until they are gone, so a crash later only delays that.

use std::collections::BTreeSet;

use anyhow::Context;
use domain::{
    entry::{ContactErased, Fact},
    erasure::mark,
};
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::{database::Contents, precious, search, seat::Seat, steps::Step};

/// Under this name the precious file keeps that something was erased whose traces are still in it.
const TRACES: &str = "traces_of_erased";

/// The erasures among these steps.
pub(crate) fn among(steps: &[Step]) -> Vec<ContactErased> {
    let erased = |step: &Step| match step {
        Step::Entry(linked) => match &linked.entry.fact {
            Fact::ContactErased(body) => Some(body.clone()),
            _ => None,
        },
        _ => None,
    };
    steps.iter().filter_map(erased).collect()
}

/// Drops drafts, commands and positions in the conversations and cases of somebody who was erased.
pub(crate) fn erase(c: &Connection, erased: &[ContactErased]) -> anyhow::Result<()> {
    let marks: BTreeSet<&String> = erased.iter().flat_map(|one| one.conversations.iter().chain(&one.cases)).collect();
    let mut touched = 0;
    for (table, column) in
        [("drafts", "conversation"), ("outbox", "conversation"), ("outbox", "case_id"), ("positions", "case_id")]
    {
        let context = || format!("Erasing from {table}");
        let mut query = c.prepare(&format!("SELECT DISTINCT {column} FROM {table}")).with_context(context)?;
        let ids = query.query_map([], |row| row.get::<_, String>(0)).with_context(context)?;
        for id in ids.collect::<Result<Vec<_>, _>>().with_context(context)? {
            if id.parse::<Uuid>().is_ok_and(|parsed| marks.contains(&mark(parsed))) {
                let sql = format!("DELETE FROM {table} WHERE {column} = ?");
                touched += c.execute(&sql, params![id]).with_context(context)?;
            }
        }
    }
    // A name or a number that was searched for may be theirs.
    if !erased.is_empty() && !search::recent(c)?.texts.is_empty() {
        precious::let_go(c, search::RECENT)?;
        touched += 1;
    }
    if touched > 0 {
        precious::keep(c, TRACES, &true)?;
    }
    Ok(())
}

/// Takes the traces of what was erased from both files, if there are any.
pub(crate) async fn scrub(seat: &Seat) {
    if let Err(error) = try_to_scrub(seat).await {
        tracing::error!(error = format!("{error:#}"), "Traces of what was erased are left; it is tried again");
    }
}

async fn try_to_scrub(seat: &Seat) -> anyhow::Result<()> {
    let in_precious = |precious: &mut precious::Precious| precious::kept::<bool>(precious.connection(), TRACES);
    if seat.precious.read(in_precious).await?.is_some() {
        let scrubbed = seat.precious.alone(|precious| {
            let c = precious.connection();
            if records::erasure::scrub(c)? {
                precious::let_go(c, TRACES)?;
            }
            Ok(())
        });
        scrubbed.await.context("Scrubbing the precious file")?;
    }
    if seat.records.read(|records| Ok(records.has_traces()?)).await? {
        seat.records.alone(|records| Ok(records.scrub()?)).await.context("Scrubbing the records")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use aes::Aes256;
    use cbc::{
        Decryptor,
        cipher::{BlockModeDecrypt, KeyIvInit, block_padding::NoPadding},
    };
    use domain::{
        command::Ask,
        entry::{
            Actor, CaseOpened, ContactChanged, ConversationOpened, Entry, Identifier, IdentifierKind, MessageReceived,
            NewEntry, NoteAdded, Scope, Subject,
        },
        ids::{CaseId, CommandId, ContactId, ConversationId, EntryId, MessageId, NoteId, StaffId},
        wire::Linked,
    };
    use records::Records;

    use super::*;
    use crate::{
        api::Mode,
        database::Database,
        key::FileKey,
        outbox,
        precious::Precious,
        steps::{self, Gained},
    };

    /// The pages of a file of SQLCipher, and of its log, in the clear: free ones and the midst of pages as well. AES-256 in
    /// CBC over pages of 4,096 bytes, whose last 80 are the vector and the HMAC (Zetetic, SQLCipher design); the first 16
    /// bytes of the file are the salt.
    fn decrypted(path: &Path, key: &FileKey) -> Vec<u8> {
        const PAGE: usize = 4096;
        const RESERVED: usize = 80;
        let pragma = key.pragma();
        let hex = pragma.split('\'').nth(1).unwrap().to_ascii_lowercase();
        let secret = data_encoding::HEXLOWER.decode(&hex.as_bytes()[..64]).unwrap();
        let page = |bytes: &[u8], skip: usize| {
            let (body, rest) = bytes.split_at(PAGE - RESERVED);
            let decryptor = Decryptor::<Aes256>::new_from_slices(&secret, &rest[..16]).unwrap();
            let mut plain = body[skip..].to_vec();
            decryptor.decrypt_padded::<NoPadding>(&mut plain).unwrap();
            plain
        };
        let bytes = std::fs::read(path).unwrap_or_default();
        if path.to_string_lossy().ends_with("-wal") {
            // A header of 32 bytes, then frames: 24 bytes and a page each (SQLite, the WAL file format).
            let frames = bytes.get(32..).unwrap_or_default().chunks_exact(24 + PAGE);
            let first = |frame: &[u8]| if frame[..4] == [0, 0, 0, 1] { 16 } else { 0 };
            return frames.flat_map(|frame| page(&frame[24..], first(frame))).collect();
        }
        bytes.chunks_exact(PAGE).enumerate().flat_map(|(n, bytes)| page(bytes, if n == 0 { 16 } else { 0 })).collect()
    }

    fn count(folder: &Path, key: &FileKey, text: &str) -> usize {
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let files = ["precious.db", "precious.db-wal", "records.db", "records.db-wal"];
        let in_file = |name: &str| {
            let plain = decrypted(&folder.join(name), key);
            let found = |form: &[u8]| plain.windows(form.len()).filter(|window| *window == form).count();
            found(text.as_bytes()) + found(&utf16)
        };
        files.iter().map(|name| in_file(name)).sum()
    }

    fn linked(seq: i64, scope: Scope, fact: impl Into<Fact>) -> Step {
        let actor = Actor::Staff(StaffId(Uuid::from_u128(8)));
        let new = NewEntry { scope, subject: Subject::Pack, actor, cause: None, fact: fact.into() };
        let entry = Entry::from_new(new, seq, EntryId(Uuid::from_u128(seq.unsigned_abs().into())), seq);
        Step::Entry(Box::new(Linked { prev: seq - 1, entry }))
    }

    const CANARIES: [&str; 8] = [
        "canary of the citizen",
        "canary of the note",
        "96566047731",
        "canary of the draft",
        "canary of the reply",
        "canary's wamid",
        // As the search index has them: one word, and the end of a number.
        "zqxjkvcanary",
        "canary that was searched",
    ];

    /// One person among many, in an order in which pages are split.
    fn steps_of(person: u128, canary: bool, seq: &mut i64) -> Vec<Step> {
        let id = |n: u128| Uuid::from_u128(person.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_0c6d_0d3f_1a2b) ^ n);
        let (contact, conversation, case) = (ContactId(id(1)), ConversationId(id(2)), CaseId(id(3)));
        let say = |canary_text: &str| if canary { canary_text.to_owned() } else { format!("others say {person}") };
        let mut steps = vec![];
        let mut push = |fact: Fact| {
            *seq += 1;
            steps.push(linked(*seq, Scope::Case(case), fact));
        };
        let identifier = Identifier { kind: IdentifierKind::Phone, value: say(CANARIES[2]), from: 0, to: None };
        push(
            ContactChanged { contact, name: Some(say(CANARIES[0])), identifiers: vec![identifier], merged_into: None }
                .into(),
        );
        let line = "1".to_owned();
        push(ConversationOpened { conversation, contact, line: line.clone() }.into());
        let (number, kind, team) = (format!("M-{person}"), "inquiry".to_owned(), "desk".to_owned());
        push(CaseOpened { case, conversation, number, kind, team, contact, line }.into());
        for n in 0..4 {
            let text = Some(say(CANARIES[0]).repeat(1 + usize::try_from(person % 40).unwrap()));
            push(
                MessageReceived {
                    message: MessageId(id(10 + n)),
                    conversation,
                    case,
                    wamid: format!("{}{}", say(CANARIES[5]), id(20 + n)),
                    r#type: "text".into(),
                    text,
                    context: None,
                    media: vec![],
                    sent_at: 1,
                    place: 1,
                    raw: None,
                    reader: None,
                }
                .into(),
            );
        }
        push(
            NoteAdded { note: NoteId(id(30)), case, text: say(CANARIES[6]) + " " + &say(CANARIES[1]), media: vec![] }
                .into(),
        );
        steps
    }

    #[tokio::test]
    async fn nothing_is_left_in_a_workstations_files() {
        let folder = tempfile::tempdir().unwrap();
        let key = FileKey::random().unwrap();
        let records = Database::<Records>::open(&folder.path().join("records.db"), &key).unwrap();
        let precious = Database::<Precious>::open(&folder.path().join("precious.db"), &key).unwrap();
        let me = StaffId(Uuid::from_u128(7));
        let mut seq = 0;
        let all: Vec<Step> = (1..400).flat_map(|person| steps_of(person, person % 8 == 5, &mut seq)).collect();
        let apply = |steps: Vec<Step>| {
            let records = &records;
            async move {
                records.write(move |records| steps::apply(records, &steps, &mut Gained::new(), me)).await.unwrap();
            }
        };
        for some in all.chunks(50) {
            apply(some.to_vec()).await;
        }
        // Many, since only some of what SQLite moves leaves a copy.
        let erased = all.iter().filter_map(|step| match step {
            Step::Entry(linked) => match &linked.entry.fact {
                Fact::CaseOpened(body) => Some(body),
                _ => None,
            },
            _ => None,
        });
        let erased: Vec<CaseOpened> =
            erased.filter(|body| body.number.get(2..).unwrap().parse::<u32>().unwrap() % 8 == 5).cloned().collect();
        let (contact, conversation, case) = (erased[0].contact, erased[0].conversation, erased[0].case);
        let other = ConversationId(Uuid::from_u128(5));
        let write = move |precious: &mut Precious| {
            let c = precious.connection();
            for n in 0..60_u128 {
                let (where_, words) = if n == 30 { (conversation, CANARIES[4]) } else { (other, "others") };
                let ask = Ask::Reply { conversation: where_, case: None, text: words.repeat(30), seen: 1 };
                outbox::put(c, CommandId(Uuid::from_u128(100 + n)), where_, case_of(n, case), ask, 1)?;
            }
            precious::save_draft(c, conversation, Mode::Reply, CANARIES[3])?;
            precious::save_draft(c, other, Mode::Reply, "others draft")?;
            precious::move_position(c, case, 5)?;
            search::keep_recent(c, CANARIES[7])?;
            Ok(())
        };
        precious.write(write).await.unwrap();
        for text in CANARIES {
            assert!(count(folder.path(), &key, text) > 0, "{text} is nowhere: its absence would show nothing");
        }

        let erasure = ContactErased {
            contact,
            contacts: erased.iter().map(|body| body.contact).collect(),
            conversations: erased.iter().map(|body| mark(body.conversation.0)).collect(),
            cases: erased.iter().map(|body| mark(body.case.0)).collect(),
            number: None,
            reason: "1".into(),
        };
        let step = linked(seq + 1, Scope::Agency, erasure);
        let found = among(std::slice::from_ref(&step));
        precious.write(move |precious| erase(precious.connection(), &found)).await.unwrap();
        apply(vec![step]).await;
        let found = |records: &mut Records| {
            let words = records::search::Words::read("zqxjkvcanary");
            Ok(records.find(&records::search::Search { words, ..Default::default() }, 9)?.hits.len())
        };
        assert_eq!(records.read(found).await.unwrap(), 0);
        let in_index = |records: &mut Records| {
            let sql = "SELECT count(*) FROM texts_data WHERE instr(block, CAST('zqxjkvcanary' AS BLOB)) > 0";
            Ok(records.connection().query_row(sql, [], |row| row.get::<_, i64>(0))?)
        };
        assert!(records.read(in_index).await.unwrap() > 0, "the index had nothing that could be left");
        assert!(records.read(|records| Ok(records.has_traces()?)).await.unwrap());
        assert!(records.alone(|records| Ok(records.scrub()?)).await.unwrap());
        assert!(precious.alone(|precious| Ok(records::erasure::scrub(precious.connection())?)).await.unwrap());
        for text in CANARIES {
            assert_eq!(count(folder.path(), &key, text), 0, "{text}");
        }
        assert!(!records.read(|records| Ok(records.has_traces()?)).await.unwrap());
        assert!(count(folder.path(), &key, "others say 78") > 0 && count(folder.path(), &key, "others draft") > 0);
        let left = precious.read(|precious| outbox::undone(precious.connection(), None)).await.unwrap();
        assert_eq!(left.len(), 59);
    }

    fn case_of(n: u128, case: CaseId) -> CaseId {
        if n == 30 { case } else { CaseId(Uuid::from_u128(6)) }
    }

    #[test]
    fn what_is_known_by_its_case_alone_goes_too() {
        let c = crate::precious::tests::fresh();
        let (conversation, case) = (ConversationId(Uuid::from_u128(1)), CaseId(Uuid::from_u128(2)));
        let id = CommandId(Uuid::from_u128(3));
        outbox::put(&c, id, conversation, case, Ask::Claim { case }, 1).unwrap();
        let erased = |cases: Vec<String>| ContactErased {
            contact: ContactId(Uuid::from_u128(9)),
            contacts: vec![],
            conversations: vec![],
            cases,
            number: None,
            reason: "1".into(),
        };
        erase(&c, &[erased(vec![mark(Uuid::from_u128(7))])]).unwrap();
        assert_eq!(outbox::undone(&c, None).unwrap().len(), 1);
        erase(&c, &[erased(vec![mark(case.0)])]).unwrap();
        assert!(outbox::undone(&c, None).unwrap().is_empty());
    }
}
