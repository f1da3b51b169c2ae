//! Who reads and who writes: told to those who see the case, for seconds, and kept nowhere.

use std::time::Duration;

use serde_json::{Value, json};

use crate::house::{House, Live, Served, eventually, http, uuid, writes};

const MOMENT: Duration = Duration::from_millis(1200);

async fn serve(house: &House) -> Served {
    house.serve_with(|config| config.times.presence = Duration::from_millis(50)).await
}

fn of(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter_map(|line| line.get("presence")).collect()
}

async fn says(live: &mut Live, said: &Value) {
    assert!(live.say(&said.to_string()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn colleagues_who_see_the_case_are_told_who_reads_and_writes_in_it() {
    let house = House::new("http://127.0.0.1:9");
    let served = serve(&house).await;
    let admin = house.admin(&served.address).await;
    let reads = admin.add("reads", &["agent"], &["customer-service"]).await;
    let sees = admin.add("sees", &["agent"], &["customer-service"]).await;
    let other_team = admin.add("other", &["lead"], &["emergency"]).await;
    let keeps_accounts = admin.add("keeps", &["admin"], &["customer-service"]).await;
    let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
    let mut reader = reads.live(&reads.cursor().await).await;
    let mut seer = sees.live(&sees.cursor().await).await;
    let mut others = vec![];
    for person in [&other_team, &keeps_accounts] {
        others.push(person.live(&person.cursor().await).await);
    }

    says(&mut reader, &json!({"viewing": case})).await;
    let told = seer.presence().await;
    assert_eq!((&told["staff"], &told["case"], &told["typing"]), (&json!(reads.id), &json!(case), &json!(0)));
    assert!((10_000..=20_000).contains(&told["viewing"].as_i64().unwrap()), "{told}");
    says(&mut reader, &json!({"typing": case})).await;
    let told = seer.presence().await;
    assert!(told["viewing"].as_i64().unwrap() > 0 && (1..=6000).contains(&told["typing"].as_i64().unwrap()), "{told}");

    // A newcomer is told how it stands, the person themself and their other desk are not.
    let mut newcomer = admin.live(&admin.cursor().await).await;
    assert_eq!(newcomer.presence().await["staff"], reads.id);
    let mut own = reads.live(&reads.cursor().await).await;
    assert!(of(&own.lines_within(MOMENT).await).is_empty());

    // Repeating it says nothing new.
    says(&mut reader, &json!({"viewing": case})).await;
    assert!(of(&seer.lines_within(MOMENT).await).is_empty());

    // Writing ends, reading ends, and whoever goes without a word is gone.
    says(&mut reader, &json!({"typing": null})).await;
    assert_eq!(seer.presence().await["typing"], 0);
    says(&mut reader, &json!({"viewing": null})).await;
    assert_eq!(seer.presence().await["viewing"], 0);
    says(&mut reader, &json!({"viewing": case})).await;
    assert!(seer.presence().await["viewing"].as_i64().unwrap() > 0);
    drop(reader);
    assert_eq!(seer.presence().await["viewing"], 0);

    for live in &mut others {
        let lines = live.lines_within(MOMENT).await;
        assert!(of(&lines).is_empty(), "{lines:?}");
    }
    served.stop().await;
    for file in ["data/mew/journal.db", "data/mew/journal.db-wal", "data/mew/records.db", "data/mew/records.db-wal"] {
        let bytes = std::fs::read(house.folder.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(8).any(|window| window == b"presence" || window == b"\"typing\""), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_a_case_out_of_sight_is_told_to_nobody() {
    let house = House::new("http://127.0.0.1:9");
    let served = serve(&house).await;
    let admin = house.admin(&served.address).await;
    let agent = admin.add("agent", &["agent"], &["customer-service"]).await;
    let outside = admin.add("outside", &["agent"], &["emergency"]).await;
    let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
    let (_, theirs) = writes(&served, &admin, "96550000002", "السلام عليكم").await;
    admin.must(json!({"kind": "transfer", "case": theirs, "team": "emergency"})).await;
    let mut seer = agent.live(&agent.cursor().await).await;
    let mut admins = admin.live(&admin.cursor().await).await;
    let mut outsider = outside.live(&outside.cursor().await).await;
    for said in
        [json!({"viewing": uuid()}), json!({"typing": uuid()}), json!({"viewing": case}), json!({"typing": case})]
    {
        says(&mut outsider, &said).await;
    }
    // What was said after it has come, and then so has what another said since: it would have come before. (What they
    // write holds for seconds yet: it is not over before anybody is told.)
    says(&mut outsider, &json!({"viewing": theirs})).await;
    assert_eq!(admins.presence().await["case"], theirs);
    says(&mut admins, &json!({"viewing": case})).await;
    assert_eq!(seer.presence().await["staff"], admin.id);

    // The case goes to the other team: what was said in the old one does not come along, nor is it told to a newcomer.
    says(&mut seer, &json!({"viewing": case})).await;
    while admins.presence().await["staff"] != agent.id {}
    admin.must(json!({"kind": "transfer", "case": case, "team": "emergency"})).await;
    assert_eq!(outsider.next_but_cursors().await, Some(json!({"catch_up": true})));
    let mut outsider = outside.live(&crate::house::token(&outside.sync("0").await)).await;
    let lines = outsider.lines_within(MOMENT).await;
    assert!(of(&lines).is_empty(), "{lines:?}");
    says(&mut outsider, &json!({"typing": case})).await;
    // That they have left the other case may come before it.
    while admins.presence().await["case"] != case {}
    let mut loser = agent.live(&crate::house::token(&agent.sync("0").await)).await;
    assert!(of(&loser.lines_within(MOMENT).await).is_empty());
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_passed_over_and_a_flood_is_shut_out() {
    let house = House::new("http://127.0.0.1:9");
    let served = serve(&house).await;
    let admin = house.admin(&served.address).await;
    let agent = admin.add("agent", &["agent"], &["customer-service"]).await;
    let (_, case) = writes(&served, &admin, "96550000001", "السلام عليكم").await;
    let mut seer = admin.live(&admin.cursor().await).await;
    let mut talks = agent.live(&agent.cursor().await).await;
    let nonsense = async || {
        let said = http().get(format!("{}/metrics", served.address)).send().await.unwrap().text().await.unwrap();
        let count = said.lines().find_map(|line| line.strip_prefix("shubbak_frames_without_sense_total "));
        count.map_or(0, |count| count.parse::<u64>().unwrap())
    };
    let before = nonsense().await;
    for said in ["", "7", "null", "{", "{\"viewing\": 7}", "{\"viewing\": \"x\"}", "{\"later\": 1}", &"[".repeat(1000)]
    {
        assert!(talks.say(said).await);
    }
    says(&mut talks, &json!({"viewing": case})).await;
    assert_eq!(seer.presence().await["staff"], agent.id, "what makes sense is heard all the same");
    assert_eq!(nonsense().await, before + 8, "what made none is counted");

    eventually("the flood is shut out", async || (!talks.say("{}").await).then_some(())).await;
    assert_eq!(seer.presence().await["viewing"], 0, "and is gone");
    let mut long = agent.live(&agent.cursor().await).await;
    assert!(long.say(&"x".repeat(100_000)).await);
    eventually("an endless frame is shut out", async || (!long.say("{}").await).then_some(())).await;
    served.stop().await;
}
