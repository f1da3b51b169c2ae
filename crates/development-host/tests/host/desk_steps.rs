//! `kill -9` of the desk between every two steps: whatever it was about to do to its files next, it does not do any more.
//!
//! That is finer than the steps of outbox and sync (drafted, queued, begun, answered, applied, done, taken back): each of
//! them is several writes. Meanwhile the stand-in loses answers, delays them, and is away at times, so that what was begun
//! and what never left die at each of them too.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    command::Ask,
    entry::{Entry, Fact},
};
use serde_json::{Value, json};

use crate::{
    extent::{chance, counted, times},
    preload::Preload,
    program::{Program, sign_in, until},
    standin::{Faults, Standin, Talk},
};

/// What the desk has answered for.
#[derive(Default)]
struct Promised {
    /// By conversation, in order.
    replies: [Vec<String>; 2],
    notes: Vec<String>,
    /// What was answered for last, and what was asked for since.
    draft: Vec<String>,
    /// The reply that was to be taken back last, and all that are.
    withdrawn: Option<String>,
    taken_back: Vec<String>,
}

struct Bench {
    gateway: Standin,
    /// Two in which is written, one for a draft that stays, one for what is taken back.
    talks: [Talk; 4],
    promised: Promised,
}

impl Bench {
    /// A bit of work; `None` once the program is dead.
    async fn work(&mut self, program: &Program, round: usize, away: bool) -> Option<()> {
        let [first, second, drafted, withdrawn] = self.talks;
        let reply = |talk: Talk, text: &str| {
            let request = json!({"conversation": talk.conversation, "case": talk.case, "text": text, "seen": 1});
            program.call("send_reply", request)
        };
        if away {
            self.gateway.stop().await;
        }
        let text = format!("سحب {round:04}");
        // What is sent takes the place of the draft that was taken back before.
        self.promised.withdrawn = None;
        let id = reply(withdrawn, &text).await?["id"].clone();
        self.promised.withdrawn = Some(text.clone());
        let back = program.call("take_back", json!({"id": id})).await?;
        // Else the gateway is asked.
        if let Some(draft) = back["drafts"]["reply"].as_str() {
            assert_eq!(draft, text);
            self.promised.taken_back.push(text);
        }
        if away {
            self.gateway = self.gateway.listen().await;
        }
        let text = format!("مسودة {round:04}");
        self.promised.draft.push(text.clone());
        let request = json!({"conversation": drafted.conversation, "mode": "reply", "text": text});
        program.call("save_draft", request).await?;
        self.promised.draft = vec![text];
        for (which, talk) in [first, second].into_iter().enumerate() {
            let text = format!("رد {round:04}-{which}");
            reply(talk, &text).await?;
            self.promised.replies[which].push(text);
        }
        let text = format!("ملاحظة {round:04}");
        let note = json!({"conversation": second.conversation, "case": second.case, "text": text});
        program.call("add_note", note).await?;
        self.promised.notes.push(text);
        let seq = self.gateway.write(first, &format!("وصلت {round:04}"));
        program.call("seen_up_to", json!({"case": first.case, "seq": seq})).await?;
        loop {
            let status = program.call("status", json!({})).await?;
            if status["link"] == "live" && status["waiting"] == 0 {
                return Some(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What was promised is here or at the gateway, and nothing is there twice.
    async fn is_whole(&self, program: &Program, when: &str) {
        let page = program.page(&json!(self.talks[2].conversation)).await;
        let kept = page["draft"]["reply"].as_str().unwrap();
        assert!(self.promised.draft.iter().any(|draft| draft == kept), "{when}: the draft is {kept:?}");
        let unsent = program.ask("unsent", json!({})).await;
        let waiting: Vec<&str> =
            unsent["acts"].as_array().unwrap().iter().filter_map(|act| act["text"].as_str()).collect();
        let there = often(self.gateway.replies().into_iter().chain(self.gateway.notes()));
        assert!(there.values().all(|times| *times == 1), "{when}: something was sent twice: {there:?}");
        for text in self.promised.replies.iter().flatten().chain(&self.promised.notes) {
            assert!(waiting.contains(&text.as_str()) || there.contains_key(text), "{when}: {text} is lost");
        }
        if let Some(text) = &self.promised.withdrawn {
            let page = program.page(&json!(self.talks[3].conversation)).await;
            let back = page["draft"]["reply"] == **text;
            let sent = waiting.contains(&text.as_str()) || there.contains_key(text);
            assert!(sent != back, "{when}: {text} is sent: {sent}, a draft: {back}");
            assert!(back || !self.promised.taken_back.contains(text), "{when}: {text} was taken back");
        }
    }
}

async fn replies_on_screen(program: &Program, talk: Talk) -> Vec<String> {
    let (mut shown, mut part) = (vec![], json!({"part": "latest"}));
    loop {
        let request = json!({"conversation": talk.conversation, "part": part, "limit": 500});
        let page = program.ask("conversation", request).await;
        let items = page["items"].as_array().unwrap();
        let mine = items.iter().filter(|item| item["item"] == "message" && item["from"] == "me");
        shown.extend(mine.map(|item| item["text"].as_str().unwrap().to_owned()));
        if page["more"] == false {
            return shown;
        }
        part = json!({"part": "before", "place": items[0]["place"], "seq": items[0]["seq"]});
    }
}

fn replies_in_journal(gateway: &Standin, talk: Talk) -> Vec<String> {
    let text = |entry: &Entry| match &entry.fact {
        Fact::MessageQueued(body) if body.conversation == talk.conversation => body.text.clone(),
        _ => None,
    };
    gateway.inside().entries.iter().filter_map(text).collect()
}

fn often(texts: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for text in texts {
        *times.entry(text).or_default() += 1;
    }
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_sent_twice_wherever_the_desk_dies() {
    let Some(preload) = Preload::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().canonicalize().unwrap();
    let gateway = Standin::start().await;
    let talks = ["سعاد", "بدر", "مها", "جاسم"].map(|name| gateway.talk(name, "السلام عليكم"));
    let program = Program::start(&home, &gateway);
    for talk in talks {
        until("the conversations", async || program.lists(&json!(talk.conversation)).await).await;
    }
    program.kill();

    let (mut chance, kills) = (chance(), times(14, 500, 2_000));
    let stride = times(37, 3, 1);
    let promised = Promised { draft: vec![String::new()], ..Promised::default() };
    let mut bench = Bench { gateway, talks, promised };
    let (mut round, mut at_start, mut at_work, mut passes, mut furthest) = (0, 0, 0, 0, 0);
    let mut n = 1 + chance.usize(0..stride);
    while at_start + at_work < kills {
        round += 1;
        {
            let mut inside = bench.gateway.inside();
            inside.faults.lose_answers = chance.u32(0..3);
            inside.faults.slow = chance.bool().then(|| Duration::from_millis(chance.u64(0..30)));
        }
        let when = format!("after {round} rounds, before the {n}th write");
        let environment = preload.environment(&home.join("data"));
        let starting = chance.u8(0..8) == 0;
        if starting {
            preload.kill_at(1 + chance.usize(0..40));
        }
        let Some(program) = Program::try_start(&home, &sign_in(&bench.gateway), &environment) else {
            at_start += 1;
            continue;
        };
        if !starting {
            bench.is_whole(&program, &when).await;
            preload.kill_at(n);
        }
        let worked = tokio::time::timeout(Duration::from_secs(120), bench.work(&program, round, chance.bool()));
        let died = worked.await.unwrap_or_else(|_| panic!("{when}: it neither finished nor died")).is_none();
        if bench.gateway.is_stopped() {
            bench.gateway = bench.gateway.listen().await;
        }
        program.kill();
        if starting {
            at_start += usize::from(died);
        } else if died {
            at_work += 1;
            furthest = furthest.max(n);
            n += stride;
        } else {
            passes += 1;
            n = 1 + chance.usize(0..stride);
        }
    }
    bench.gateway.inside().faults = Faults::default();
    let program = Program::start(&home, &bench.gateway);
    until("an empty outbox", async || {
        let status = program.ask("status", json!({})).await;
        status["link"] == "live" && status["waiting"] == 0 && status["stuck"] == 0
    })
    .await;
    bench.is_whole(&program, "in the end").await;
    let sent = bench.gateway.replies();
    for texts in &bench.promised.replies {
        let there: Vec<&String> = sent.iter().filter(|text| texts.contains(text)).collect();
        assert_eq!(there, texts.iter().collect::<Vec<_>>(), "lost, or out of order");
    }
    let notes = bench.gateway.notes();
    assert!(bench.promised.notes.iter().all(|text| notes.contains(text)), "a note is lost");
    for talk in bench.talks {
        let mut shown = replies_on_screen(&program, talk).await;
        let mut in_journal = replies_in_journal(&bench.gateway, talk);
        shown.sort();
        in_journal.sort();
        assert_eq!(shown, in_journal, "each once on screen, too");
    }
    // A command came again under its own id, and what was taken back never came.
    let posted: Vec<(Value, String)> = {
        let inside = bench.gateway.inside();
        let texts = inside.posted.iter().filter_map(|command| match &command.ask {
            Ask::Reply { text, .. } | Ask::AddNote { text, .. } => Some((json!(command.id), text.clone())),
            _ => None,
        });
        texts.collect()
    };
    let mut ids = BTreeMap::new();
    for (id, text) in &posted {
        assert_eq!(ids.entry(text).or_insert(id), &id, "{text} came under two ids");
        assert!(!bench.promised.taken_back.contains(text), "{text} was taken back, and came");
    }
    let (came, again) = (ids.len(), posted.len() - ids.len());
    counted(
        json!({"kills_at_work": at_work, "kills_at_start": at_start, "whole_passes": passes, "furthest_write": furthest,
        "commands": came, "came_again": again, "taken_back": bench.promised.taken_back.len()}),
    );
    assert!(again > 0 && !bench.promised.taken_back.is_empty(), "no answer was lost, or nothing taken back");
}
