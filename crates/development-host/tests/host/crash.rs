//! `kill -9` at any moment, again and again: what the desk has answered for is there, and goes out once, in order.
//!
//! The stand-in loses some answers and delays others, so that the program dies between every two steps of outbox and
//! sync: before the attempt, after it, before the answer is kept, between the records' commit and the outbox's.

use std::time::Duration;

use serde_json::json;

use crate::{
    program::{Program, until},
    standin::Standin,
};

const CYCLES: u64 = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_for_survives_and_goes_out_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Standin::start().await;
    let talks = [gateway.talk("سعاد", "السلام عليكم"), gateway.talk("بدر", "السلام عليكم")];
    // Sending drops the draft that was sent: the one that has to stay is written elsewhere.
    let drafted = gateway.talk("مها", "السلام عليكم");
    let mut promised: [Vec<String>; 2] = [vec![], vec![]];
    let mut notes = vec![];
    let mut draft = String::new();
    for cycle in 0..CYCLES {
        {
            let mut inside = gateway.inside();
            inside.faults.lose_answers = u32::try_from(cycle % 3).unwrap();
            inside.faults.slow = (cycle % 2 == 1).then(|| Duration::from_millis(cycle * 2));
        }
        gateway.write(talks[0], &format!("وصلت {cycle}"));
        let program = Program::start(folder.path(), &gateway);
        if cycle == 0 {
            for talk in [talks[0], talks[1], drafted] {
                until("the conversations", async || program.lists(&json!(talk.conversation)).await).await;
            }
        } else {
            let page = program.page(&json!(drafted.conversation)).await;
            let kept = page["draft"]["reply"].as_str().unwrap();
            assert!(kept >= draft.as_str(), "the draft {draft:?} was answered for, and {kept:?} is here");
        }
        // Killed at another moment each time, also in the midst of writing.
        let life = Duration::from_millis(30 + (cycle * 37) % 190);
        let typing = async {
            for n in 0.. {
                let which = usize::from(n % 2 == 1);
                let talk = talks[which];
                let text = format!("رد {cycle:02}-{n:03}");
                let request = json!({"conversation": talk.conversation, "case": talk.case, "text": text, "seen": 1});
                if program.call("send_reply", request).await.is_none() {
                    break;
                }
                promised[which].push(text);
                let text = format!("ملاحظة {cycle:02}-{n:03}");
                let request = json!({"conversation": talk.conversation, "case": talk.case, "text": text});
                if program.call("add_note", request).await.is_none() {
                    break;
                }
                notes.push(text);
                let text = format!("مسودة {cycle:02}-{n:03}");
                let request = json!({"conversation": drafted.conversation, "mode": "reply", "text": text});
                if program.call("save_draft", request).await.is_none() {
                    break;
                }
                draft = text;
            }
        };
        drop(tokio::time::timeout(life, typing).await);
        program.kill();
    }
    assert!(promised.iter().all(|texts| texts.len() >= usize::try_from(CYCLES).unwrap()), "too little was written");

    gateway.inside().faults = crate::standin::Faults::default();
    let program = Program::start(folder.path(), &gateway);
    until("an empty outbox", async || {
        let status = program.ask("status", json!({})).await;
        status["link"] == "live" && status["waiting"] == 0 && status["stuck"] == 0
    })
    .await;
    // What was cut off before it was answered for may be there or not, but never twice.
    let sent = gateway.replies();
    let mut once = sent.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), sent.len(), "something was sent twice");
    for (texts, which) in promised.iter().zip([0, 1]) {
        let there: Vec<&String> = sent.iter().filter(|text| texts.contains(text)).collect();
        assert_eq!(there, texts.iter().collect::<Vec<_>>(), "conversation {which}: lost, or out of order");
    }
    let written = gateway.notes();
    for text in &notes {
        assert_eq!(written.iter().filter(|found| *found == text).count(), 1, "{text}");
    }
    // And on screen each stands once, too.
    for talk in talks {
        let mut shown = vec![];
        let mut part = json!({"part": "latest"});
        loop {
            let request = json!({"conversation": talk.conversation, "part": part, "limit": 500});
            let page = program.ask("conversation", request).await;
            let items = page["items"].as_array().unwrap();
            let messages = items.iter().filter(|item| item["item"] == "message");
            shown.extend(messages.map(|item| item["text"].as_str().unwrap().to_owned()));
            if page["more"] == false {
                break;
            }
            part = json!({"part": "before", "place": items[0]["place"], "seq": items[0]["seq"]});
        }
        let replies = shown.iter().filter(|text| text.starts_with("رد")).count();
        let in_journal = {
            let inside = gateway.inside();
            let of_this = |entry: &&domain::entry::Entry| matches!(&entry.fact, domain::entry::Fact::MessageQueued(body) if body.conversation == talk.conversation);
            inside.entries.iter().filter(of_this).count()
        };
        assert_eq!(replies, in_journal);
    }
}
