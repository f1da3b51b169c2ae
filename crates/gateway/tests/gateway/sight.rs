//! What a desk is given: the same by catch-up and live, and nothing that is not its person's to see.

use serde_json::{Value, json};

use crate::house::{House, entries, eventually, text, token, wamid, writes};

crate::postgres::on_both_homes! {
    live_says_what_catch_up_says,
    a_transferred_case_goes_out_of_one_sight_and_into_another,
    a_first_sync_leaves_out_what_was_closed_long_ago,
    what_is_written_into_a_case_closed_long_ago_brings_it_whole,
    what_a_person_has_seen_is_told_to_their_other_desks_and_to_nobody_else,
    a_long_catch_up_can_break_off_and_go_on,
}

const DAY: i64 = 24 * 3_600_000;

async fn live_says_what_catch_up_says() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let agent = admin.add("agent1", &["agent"], &["customer-service"]).await;
    let (_, hidden) = writes(&served, &admin, "96550000009", "لفريق آخر").await;
    admin.must(json!({"kind": "transfer", "case": hidden, "team": "emergency"})).await;

    let after = agent.cursor().await;
    let mut live = agent.live(&after).await;
    // The first frames stand where the cursor stands.
    assert_eq!(live.next().await.unwrap()["cursor"]["seq"], after_seq(&after));
    let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
    agent.must(json!({"kind": "claim", "case": case})).await;
    // Something that the agent does not see: seq goes on, `prev` does not.
    admin.must(json!({"kind": "add_note", "case": hidden, "text": "سري"})).await;
    agent.must(json!({"kind": "add_note", "case": case, "text": "ملاحظة"})).await;
    agent.must(json!({"kind": "close_case", "case": case, "outcome": "done"})).await;

    let by_sync = agent.sync(&after).await;
    let (cursor, by_sync) = by_sync.split_last().unwrap();
    let mut by_live = vec![];
    while by_live.len() < by_sync.len() {
        by_live.push(live.entry().await);
    }
    assert_eq!(by_live, by_sync);
    assert!(by_live.len() >= 6, "{by_live:?}");
    assert!(!json!(by_live).to_string().contains(&hidden), "the other team's case shows");

    // Each names the one before it, though seq has holes; and the whole is the same from the start.
    let mut prev = after_prev(&after);
    let mut holes = 0;
    for line in by_sync {
        let entry = &line["entry"];
        assert_eq!(entry["prev"], prev, "{line}");
        let seq = entry["seq"].as_i64().unwrap();
        holes += i64::from(seq > prev.as_i64().unwrap() + 1);
        prev = seq.into();
    }
    assert!(holes > 0, "nothing was hidden: this showed nothing");
    let whole = agent.sync("0").await;
    assert!(whole.ends_with(&[by_sync.to_vec(), vec![whole.last().unwrap().clone()]].concat()));
    assert_eq!(token(&whole), cursor["cursor"]["token"]);
    assert_eq!(agent.sync(&token(&whole)).await.len(), 1, "nothing comes twice");

    // A live connection from an older cursor first tells what came since.
    let mut late = agent.live(&after).await;
    let mut told = vec![];
    for _ in 0..by_sync.len() {
        told.push(late.next().await.unwrap());
    }
    assert_eq!(told, by_sync);
    served.stop().await;
    house.verify();
}

async fn a_transferred_case_goes_out_of_one_sight_and_into_another() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let loses = admin.add("loses", &["agent"], &["customer-service"]).await;
    let gains = admin.add("gains", &["agent"], &["emergency"]).await;
    let (_, case) = writes(&served, &admin, "96550000001", "الأولى").await;
    loses.must(json!({"kind": "add_note", "case": case, "text": "ملاحظة"})).await;
    let (before_loses, before_gains) = (loses.cursor().await, gains.cursor().await);
    assert!(!json!(gains.sync("0").await).to_string().contains(&case));
    let (mut live_loses, mut live_gains) = (loses.live(&before_loses).await, gains.live(&before_gains).await);
    for live in [&mut live_loses, &mut live_gains] {
        assert!(live.next().await.unwrap().get("cursor").is_some());
    }

    admin.must(json!({"kind": "transfer", "case": case, "team": "emergency"})).await;
    for live in [&mut live_loses, &mut live_gains] {
        assert_eq!(live.next().await, Some(json!({"catch_up": true})));
        assert_eq!(live.next().await, None, "and it is closed");
    }

    let lost = loses.sync(&before_loses).await;
    assert_eq!(lost[0], json!({"forget": {"case": case}}));
    assert_eq!(lost.len(), 2, "only the cursor follows: {lost:?}");
    assert!(!json!(loses.sync("0").await).to_string().contains(&case));
    assert_eq!(loses.get(&format!("/api/v1/cases/{case}/entries")).await.status(), 404);

    let gained = gains.sync(&before_gains).await;
    let through = gained[0]["case"]["through"].as_i64().unwrap();
    assert_eq!(gained[0]["case"]["id"], case);
    let end = gained.iter().position(|line| line.get("case_end").is_some()).unwrap();
    let block = &gained[1..end];
    let whole: Vec<_> = gains.sync("0").await;
    let of_case = |lines: &[Value]| -> Vec<i64> {
        let scope = format!("case:{case}");
        let mine = lines.iter().filter(|line| line["entry"]["scope"] == *scope);
        mine.map(|line| line["entry"]["seq"].as_i64().unwrap()).collect()
    };
    assert_eq!(of_case(block), of_case(&whole), "the case is sent whole");
    assert!(of_case(block).len() >= 6 && of_case(block).iter().all(|seq| *seq <= through));
    assert!(of_case(&gained[end..]).is_empty(), "and nothing of it twice");
    assert!(json!(block).to_string().contains("الأولى"));

    // Live from before the change is sent to catch up at once.
    assert_eq!(gains.live(&before_gains).await.next().await, Some(json!({"catch_up": true})));
    // Afterwards its entries come inline, and the history on demand says the same.
    let after = token(&gained);
    gains.must(json!({"kind": "claim", "case": case})).await;
    assert_eq!(entries(&gains.sync(&after).await, "case_assigned").len(), 1);
    let history = gains.get(&format!("/api/v1/cases/{case}/entries")).await.text().await.unwrap();
    assert_eq!(of_case(&crate::house::lines(&history)), of_case(&gains.sync("0").await));
    let page = gains.get(&format!("/api/v1/cases/{case}/entries?before={through}&limit=2")).await.text().await.unwrap();
    let page = of_case(&crate::house::lines(&page));
    assert_eq!(page.len(), 2);
    assert!(page.iter().all(|seq| *seq < through));

    // A person who changes teams: everything of the old one goes, everything of the new one comes.
    let moving = loses.cursor().await;
    admin.must(json!({"kind": "change_staff", "staff": loses.id, "teams": ["emergency"]})).await;
    let gained = loses.sync(&moving).await;
    assert_eq!(gained[0]["case"]["id"], case);
    served.stop().await;
    house.verify();
}

async fn a_first_sync_leaves_out_what_was_closed_long_ago() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let (_, old) = writes(&served, &admin, "96550000001", "قديمة").await;
    let (_, open) = writes(&served, &admin, "96550000002", "مفتوحة").await;
    admin.must(json!({"kind": "close_case", "case": old, "outcome": "done"})).await;
    house.clock.forward(91 * DAY);
    let first = admin.sync("0").await;
    assert!(!json!(first).to_string().contains(&old), "closed over 90 days ago");
    assert!(json!(first).to_string().contains(&open));
    assert_eq!(admin.get(&format!("/api/v1/cases/{old}/entries")).await.status(), 200, "it is there on demand");

    // Opened again, it comes whole: this desk has no past of it.
    let after = token(&first);
    let mut live = admin.live(&after).await;
    assert!(live.next().await.unwrap().get("cursor").is_some());
    admin.must(json!({"kind": "reopen_case", "case": old})).await;
    assert_eq!(live.next().await, Some(json!({"catch_up": true})));
    let lines = admin.sync(&after).await;
    let kinds: Vec<&str> =
        lines.iter().filter_map(|line| line.as_object()?.keys().next().map(String::as_str)).collect();
    assert_eq!(kinds.first(), Some(&"case"), "{kinds:?}");
    assert!(json!(lines).to_string().contains("قديمة"));
    assert_eq!(entries(&lines, "case_changed").len(), 1, "and nothing of it twice");
    served.stop().await;
}

async fn what_is_written_into_a_case_closed_long_ago_brings_it_whole() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let (_, old) = writes(&served, &admin, "96550000001", "قديمة").await;
    let (_, long) = writes(&served, &admin, "96550000002", "طويلة").await;
    for _ in 0..260 {
        served.deliver(&text("96550000002", &wamid(), "رسالة")).await;
    }
    house.all_taken_in().await;
    for case in [&old, &long] {
        admin.must(json!({"kind": "close_case", "case": case, "outcome": "done"})).await;
    }
    house.clock.forward(91 * DAY);
    writes(&served, &admin, "96550000003", "جديدة").await;
    let first = admin.sync("0").await;
    assert!(!json!(first).to_string().contains(&old));
    // One that broke off on the way.
    let broken = first.iter().find_map(|line| line["cursor"]["token"].as_str()).unwrap().to_owned();
    assert_ne!(broken, token(&first));

    // A sticker opens no case: it goes into the last one, in which the citizen waits from then on.
    let mut live = admin.live(&token(&first)).await;
    assert!(live.next().await.unwrap().get("cursor").is_some());
    let now = domain::ids::Clock::now(&*house.clock);
    let sticker =
        |from: &str| crate::house::message(crate::house::LINE, from, &wamid(), now, "sticker", &json!({"id": "1"}));
    served.deliver(&sticker("96550000001")).await;
    assert_eq!(live.next_but_cursors().await, Some(json!({"catch_up": true})));
    let whole = |lines: &[Value]| {
        let at = |name: &str| lines.iter().position(|line| line[name]["id"] == old);
        let (begin, end) = (at("case").expect("the case does not come whole"), at("case_end").unwrap());
        assert!(json!(lines[begin..end]).to_string().contains("قديمة"));
        let received = entries(lines, "message_received");
        let stickers =
            received.iter().filter(|entry| entry["body"]["type"] == "sticker" && entry["body"]["case"] == old);
        assert_eq!(stickers.count(), 1, "and nothing of it twice");
    };
    let after = admin.sync(&token(&first)).await;
    whole(&after);
    // Now everybody has it: the next one comes inline.
    let mut live = admin.live(&token(&after)).await;
    assert!(live.next().await.unwrap().get("cursor").is_some());
    served.deliver(&sticker("96550000001")).await;
    assert_eq!(live.entry().await["entry"]["body"]["type"], "sticker");
    assert!(json!(admin.sync("0").await).to_string().contains(&old), "and a first sync has it too");

    // A first sync that broke off before it and goes on after it.
    admin.must(json!({"kind": "reopen_case", "case": long})).await;
    let rest = admin.sync(&broken).await;
    assert!(rest.iter().any(|line| line["case"]["id"] == long), "reopened since");
    assert!(rest.iter().any(|line| line["case"]["id"] == old), "written into since");
    served.stop().await;
    house.verify();
}

async fn what_a_person_has_seen_is_told_to_their_other_desks_and_to_nobody_else() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let here = admin.add("agent1", &["agent"], &["customer-service"]).await;
    let body =
        json!({"agency": "mew", "username": "agent1", "password": crate::house::PASSWORD, "device": "elsewhere"});
    let there = crate::house::sign_in(&served.address, &body).await;
    let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
    let after = there.cursor().await;
    let mut live = there.live(&after).await;
    let mut others = admin.live(&after).await;
    // What moves while a connection still catches up may be told by both; the greater wins.
    for caught_up in [&mut live, &mut others] {
        assert!(caught_up.next().await.unwrap().get("cursor").is_some());
    }
    let position = |seq: i64| json!({"position": {"case": case, "seq": seq}});
    let positions =
        |lines: &[Value]| lines.iter().filter(|line| line.get("position").is_some()).cloned().collect::<Vec<_>>();

    here.must(json!({"kind": "seen_up_to", "case": case, "seq": 7})).await;
    assert_eq!(live.next_but_cursors().await, Some(position(7)));
    // Back is no move.
    here.must(json!({"kind": "seen_up_to", "case": case, "seq": 5})).await;
    here.must(json!({"kind": "seen_up_to", "case": case, "seq": 8})).await;
    assert_eq!(live.next_but_cursors().await, Some(position(8)));

    // By catch-up: what moved since, and at first all of it; each time before the last cursor.
    let since = there.sync(&after).await;
    assert_eq!(positions(&since), [position(8)]);
    assert!(since.last().unwrap().get("cursor").is_some());
    here.must(json!({"kind": "add_note", "case": case, "text": "ملاحظة"})).await;
    let later = token(&there.sync(&token(&since)).await);
    assert!(positions(&there.sync(&later).await).is_empty(), "nothing moved since");
    assert_eq!(positions(&there.sync("0").await), [position(8)]);
    assert!(positions(&admin.sync("0").await).is_empty(), "another person's");
    here.must(json!({"kind": "seen_up_to", "case": case, "seq": 9})).await;
    assert_eq!(positions(&there.sync(&later).await), [position(9)]);

    // With a case that goes out of sight goes what was seen of it, and it comes back with it.
    admin.must(json!({"kind": "transfer", "case": case, "team": "emergency"})).await;
    assert!(positions(&there.sync(&later).await).is_empty() && positions(&there.sync("0").await).is_empty());
    let lost = token(&there.sync("0").await);
    admin.must(json!({"kind": "transfer", "case": case, "team": "customer-service"})).await;
    assert_eq!(positions(&there.sync(&lost).await), [position(9)]);

    let lines = others.lines_within(std::time::Duration::from_millis(300)).await;
    assert!(positions(&lines).is_empty(), "{lines:?}");
    served.stop().await;
}

async fn a_long_catch_up_can_break_off_and_go_on() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    for _ in 0..300 {
        served.deliver(&text("96550000001", &wamid(), "رسالة")).await;
    }
    eventually("all of them", async || (house.count("message_received") == 300).then_some(())).await;
    let whole = admin.sync("0").await;
    let breaks: Vec<usize> =
        whole.iter().enumerate().filter(|(_, line)| line.get("cursor").is_some()).map(|(at, _)| at).collect();
    assert!(breaks.len() > 1, "no cursor on the way");
    let rest = admin.sync(whole[breaks[0]]["cursor"]["token"].as_str().unwrap()).await;
    let cursors = |line: &Value| line.get("cursor").is_some();
    let told = |lines: &[Value]| lines.iter().filter(|line| !cursors(line)).cloned().collect::<Vec<_>>();
    assert_eq!(told(&rest), told(&whole[breaks[0]..]));
    served.stop().await;
    house.verify();
}

fn part(token: &str, n: usize) -> Value {
    token.split('.').nth(n).unwrap().parse::<i64>().unwrap().into()
}

fn after_seq(token: &str) -> Value {
    part(token, 2)
}

fn after_prev(token: &str) -> Value {
    part(token, 3)
}
