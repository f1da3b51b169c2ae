//! The way out: each reply once, in order, and its ticks.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    graph::{Fate, Graph},
    house::{House, Person, Served, entries, eventually, status, uuid, writes},
};

crate::postgres::on_both_homes! {
    a_reply_goes_out_once_and_its_ticks_only_rise,
    replies_of_a_conversation_go_one_after_another,
    a_refused_message_fails_with_metas_code_and_the_next_goes_on,
    what_may_be_tried_again_is_tried_again_in_its_place,
    what_nobody_knows_is_settled_by_its_status,
    what_stays_unknown_lets_the_next_go_after_a_minute_and_a_person_settles_it,
    a_bad_token_stops_sending_and_nothing_else,
    a_crash_between_post_and_record_is_never_repeated_blindly,
    a_status_that_overtakes_the_answer_is_not_lost,
    whatsapp_hears_that_the_owner_has_read,
    statuses_that_came_too_early_wait_for_their_message_over_a_restart,
}

struct Desk {
    house: House,
    served: Served,
    graph: Graph,
    agent: Person,
    conversation: String,
    case: String,
}

async fn desk() -> Desk {
    let graph = Graph::start().await;
    let house = House::new(&graph.address);
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let agent = admin.add("agent1", &["agent"], &["customer-service"]).await;
    let (conversation, case) = writes(&served, &agent, "96550000001", "السلام عليكم").await;
    Desk { house, served, graph, agent, conversation, case }
}

impl Desk {
    /// Queues a reply; its message.
    async fn reply(&self, text: &str) -> String {
        let id = uuid();
        let reply = json!({"id": id, "kind": "reply", "conversation": self.conversation, "case": self.case, "text": text, "seen": 1_000_000});
        self.agent.must(reply).await;
        id
    }

    /// Every status that a message had, in order.
    async fn statuses(&self, message: &str) -> Vec<Value> {
        let lines = self.agent.sync("0").await;
        let changes = entries(&lines, "message_status_changed").into_iter();
        changes.filter(|entry| entry["body"]["message"] == message).map(|entry| entry["body"].clone()).collect()
    }

    async fn words(&self, message: &str) -> Vec<String> {
        let statuses = self.statuses(message).await;
        statuses.iter().map(|status| status["status"].as_str().unwrap().to_owned()).collect()
    }

    async fn reaches(&self, message: &str, words: &[&str]) {
        let what = format!("{words:?}");
        let _ = tokio::time::timeout(Duration::from_secs(15), async {
            while self.words(message).await != words {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        })
        .await;
        assert_eq!(self.words(message).await, words, "{what}");
    }

    async fn wamid(&self, message: &str) -> String {
        eventually("a wamid", async || {
            let statuses = self.statuses(message).await;
            statuses.iter().rev().find_map(|status| status["wamid"].as_str().map(str::to_owned))
        })
        .await
    }
}

async fn a_reply_goes_out_once_and_its_ticks_only_rise() {
    let desk = desk().await;
    let message = desk.reply("وعليكم السلام").await;
    desk.reaches(&message, &["sending", "sending"]).await;
    let wamid = desk.wamid(&message).await;
    let post = &desk.graph.posts()[0];
    assert_eq!(post["to"], "+96550000001");
    assert_eq!(post["text"]["body"], "وعليكم السلام");
    assert_eq!(post["biz_opaque_callback_data"], message, "so that its statuses find it whatever happens");

    // Twice each, and out of order: `read` overtakes `delivered`, and nothing goes back.
    for word in ["sent", "read", "sent", "delivered", "read", "delivered"] {
        desk.served.deliver(&status(&wamid, word, None)).await;
    }
    desk.reaches(&message, &["sending", "sending", "sent", "read"]).await;
    desk.served.deliver(&status(&wamid, "failed", Some(&message))).await;
    desk.served.deliver(&status("wamid.of.another.program", "read", None)).await;
    desk.served.deliver(&status(&wamid, "teleported", None)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    desk.reaches(&message, &["sending", "sending", "sent", "read"]).await;
    assert_eq!(desk.graph.texts().len(), 1);
    desk.served.stop().await;
    desk.house.verify();
}

async fn replies_of_a_conversation_go_one_after_another() {
    let desk = desk().await;
    desk.graph.next(&[Fate::Slow(Duration::from_millis(150)), Fate::Slow(Duration::from_millis(100))]);
    let mut last = String::new();
    for n in 0..12 {
        last = desk.reply(&format!("رد {n}")).await;
    }
    desk.reaches(&last, &["sending", "sending"]).await;
    assert_eq!(desk.graph.texts(), (0..12).map(|n| format!("رد {n}")).collect::<Vec<_>>());
    assert_eq!(desk.graph.overlaps(), 0, "two were under way at once");
    desk.served.stop().await;
}

async fn a_refused_message_fails_with_metas_code_and_the_next_goes_on() {
    let desk = desk().await;
    desk.graph.next(&[Fate::Refuse(131_026)]);
    let (first, second) = (desk.reply("أولى").await, desk.reply("ثانية").await);
    desk.reaches(&first, &["sending", "failed"]).await;
    desk.reaches(&second, &["sending", "sending"]).await;
    let error = desk.statuses(&first).await[1]["error"].clone();
    assert_eq!((&error["code"], &error["details"]), (&json!(131_026), &json!("As told")));
    assert_eq!(desk.graph.texts(), ["أولى", "ثانية"]);
    desk.served.stop().await;
}

async fn what_may_be_tried_again_is_tried_again_in_its_place() {
    let desk = desk().await;
    desk.graph.next(&[Fate::Refuse(131_056)]);
    let (first, second) = (desk.reply("أولى").await, desk.reply("ثانية").await);
    desk.reaches(&first, &["sending", "queued", "sending", "sending"]).await;
    desk.reaches(&second, &["sending", "sending"]).await;
    assert_eq!(desk.graph.texts(), ["أولى", "أولى", "ثانية"]);
    desk.served.stop().await;
}

async fn what_nobody_knows_is_settled_by_its_status() {
    let desk = desk().await;
    desk.graph.next(&[Fate::Swallow]);
    let (first, second) = (desk.reply("أولى").await, desk.reply("ثانية").await);
    desk.reaches(&first, &["sending", "uncertain"]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(desk.graph.texts(), ["أولى"], "not sent again, and the next one waits");
    // WhatsApp had it after all, and its status bears our id.
    desk.served.deliver(&status("wamid.swallowed", "delivered", Some(&first))).await;
    desk.reaches(&first, &["sending", "uncertain", "delivered"]).await;
    assert_eq!(desk.wamid(&first).await, "wamid.swallowed");
    desk.reaches(&second, &["sending", "sending"]).await;
    assert_eq!(desk.graph.texts(), ["أولى", "ثانية"]);
    desk.served.stop().await;
    desk.house.verify();
}

async fn what_stays_unknown_lets_the_next_go_after_a_minute_and_a_person_settles_it() {
    let desk = desk().await;
    desk.graph.next(&[Fate::Swallow]);
    let (first, second) = (desk.reply("أولى").await, desk.reply("ثانية").await);
    desk.reaches(&first, &["sending", "uncertain"]).await;
    desk.house.clock.forward(61_000);
    desk.reaches(&second, &["sending", "sending"]).await;
    let again = json!({"kind": "settle_uncertain", "message": first, "settle": "resend"});
    desk.agent.must(again.clone()).await;
    desk.reaches(&first, &["sending", "uncertain", "queued", "sending", "sending"]).await;
    assert_eq!(desk.graph.texts(), ["أولى", "ثانية", "أولى"]);
    assert_eq!(desk.agent.ask(again).await["refused"]["code"], "not_uncertain");
    desk.served.stop().await;
}

async fn a_bad_token_stops_sending_and_nothing_else() {
    let desk = desk().await;
    desk.graph.next(&[Fate::Refuse(190)]);
    let first = desk.reply("أولى").await;
    desk.reaches(&first, &["sending", "queued"]).await;
    let (_, case) = writes(&desk.served, &desk.agent, "96550000002", "ما زال يصل").await;
    assert_ne!(case, desk.case);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(desk.graph.texts().len(), 1, "it pauses");
    desk.house.clock.forward(11_000);
    desk.reaches(&first, &["sending", "queued", "sending", "sending"]).await;
    desk.served.stop().await;
}

async fn a_crash_between_post_and_record_is_never_repeated_blindly() {
    let mut desk = desk().await;
    let message = desk.reply("أولى").await;
    desk.reaches(&message, &["sending", "sending"]).await;
    desk.served.stop().await;
    // As a crash leaves it: the entry that permits the POST is the last one of this message.
    desk.house.change(&[
        "UPDATE head SET seq = seq - 1, chain = (SELECT chain FROM entries WHERE seq = head.seq - 1)",
        "DELETE FROM entries WHERE seq > (SELECT seq FROM head)",
    ]);
    desk.served = desk.house.serve().await;
    desk.agent = Person::at(&desk.agent, &desk.served.address);
    desk.reaches(&message, &["sending", "uncertain"]).await;
    assert_eq!(desk.graph.texts(), ["أولى"]);
    desk.served.deliver(&status("wamid.out.1", "sent", Some(&message))).await;
    desk.reaches(&message, &["sending", "uncertain", "sent"]).await;
    assert_eq!(desk.graph.texts(), ["أولى"]);
    desk.served.stop().await;
    desk.house.verify();
}

async fn a_status_that_overtakes_the_answer_is_not_lost() {
    let desk = desk().await;
    desk.graph.next(&[Fate::Slow(Duration::from_millis(800))]);
    let message = desk.reply("أولى").await;
    desk.reaches(&message, &["sending"]).await;
    desk.served.deliver(&status("wamid.out.1", "delivered", None)).await;
    desk.reaches(&message, &["sending", "sending", "delivered"]).await;
    desk.served.stop().await;
}

async fn whatsapp_hears_that_the_owner_has_read() {
    let desk = desk().await;
    let read = || desk.graph.posts().into_iter().filter(|post| post["status"] == "read").collect::<Vec<_>>();
    let look = json!({"kind": "seen_up_to", "case": desk.case, "seq": 1_000_000});
    desk.agent.must(look.clone()).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(read().is_empty(), "only its owner's reading counts");
    desk.agent.must(json!({"kind": "claim", "case": desk.case})).await;
    let before = desk.house.number("SELECT seq FROM head");
    let mut again = look.clone();
    again["id"] = uuid().into();
    desk.agent.must(again).await;
    let told = eventually("a read receipt", async || Some(read()).filter(|read| !read.is_empty())).await;
    assert!(told[0]["message_id"].as_str().unwrap().starts_with("wamid."));
    let after = desk.house.number("SELECT seq FROM head");
    assert_eq!(before, after, "having seen is no entry");
    let seen = desk.house.number(&format!("SELECT seq FROM positions WHERE staff = '{}'", desk.agent.id));
    assert_eq!(seen, 1_000_000);
    desk.served.stop().await;
}

async fn statuses_that_came_too_early_wait_for_their_message_over_a_restart() {
    let desk = desk().await;
    // The stand-in's first message has this id, and was never heard of before.
    for word in ["read", "delivered"] {
        desk.served.deliver(&status("wamid.out.1", word, None)).await;
    }
    eventually("both taken in", async || {
        let done = desk.house.number_of_deliveries("SELECT count(*) FROM deliveries WHERE state = 'done'");
        (done == 3).then_some(())
    })
    .await;
    desk.served.stop().await;
    let served = desk.house.serve().await;
    let desk = Desk { agent: Person::at(&desk.agent, &served.address), served, ..desk };
    let first = desk.reply("نعم").await;
    desk.reaches(&first, &["sending", "sending", "read"]).await;
    let second = desk.reply("وبعد").await;
    desk.reaches(&second, &["sending", "sending"]).await;
    let left = desk.house.number("SELECT count(*) FROM orphans");
    assert_eq!(left, 0);
    desk.served.stop().await;
    desk.house.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_taken_back_or_goes_once_and_never_both() {
    use std::collections::BTreeSet;
    let graph = Graph::start().await;
    let house = House::new(&graph.address);
    house.configure("token_file = \"token\"\n", "token_file = \"token\"\nmessages_per_second = 1000\n");
    let served = house.serve_with(|config| config.limits.commands_per_minute = 1_000_000).await;
    let admin = house.admin(&served.address).await;
    let mut conversations = vec![];
    for n in 0..25 {
        conversations.push(writes(&served, &admin, &format!("9655000{n:04}"), "السلام عليكم").await.0);
    }
    let (mut recalled, mut late) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..40_u64 {
        let ids: Vec<String> = conversations.iter().map(|_| uuid()).collect();
        let reply = |(id, conversation): (&String, &String)| json!({"id": id, "kind": "reply", "conversation": conversation, "text": id, "seen": 1_000_000});
        let replies: Vec<Value> = ids.iter().zip(&conversations).map(reply).collect();
        let (_, answers) = admin.commands(&json!(replies)).await;
        assert!(answers.as_array().unwrap().iter().all(|answer| answer["accepted"].is_array()), "{answers}");
        tokio::time::sleep(Duration::from_millis(round % 8)).await;
        let recall = |id: &String| json!({"id": uuid(), "kind": "recall", "message": id});
        let (_, answers) = admin.commands(&json!(ids.iter().map(recall).collect::<Vec<_>>())).await;
        for (id, answer) in ids.into_iter().zip(answers.as_array().unwrap()) {
            if answer["accepted"].is_array() {
                recalled.insert(id);
            } else {
                assert_eq!(answer["refused"]["code"], "too_late", "{answer}");
                late.insert(id);
            }
        }
    }
    assert_eq!(recalled.len() + late.len(), 1000);
    assert!(recalled.len() > 20 && late.len() > 20, "{} recalled: nothing raced", recalled.len());
    eventually("the rest", async || (graph.texts().len() >= late.len()).then_some(())).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let posted = graph.texts();
    let once: BTreeSet<String> = posted.iter().cloned().collect();
    assert_eq!(posted.len(), once.len(), "something went twice");
    assert_eq!(once, late, "what was refused went, and what was taken back did not");
    served.stop().await;
    house.verify();
}
