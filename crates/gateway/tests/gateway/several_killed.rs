//! Two gateway processes on one PostgreSQL, 200 desks, and one of the processes killed every few seconds under load.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    extent::{chance, counted, times},
    graph::Graph,
    house::{House, Person, deliver, eventually, http, lines, text, uuid, wamid, writes_at},
    postgres::{self, Own, apart},
    program::Program,
    several::second_config,
};

const DESKS: usize = 200;
const CITIZENS: usize = 20;

/// Where the two processes listen at the moment.
type Addresses = Arc<Mutex<[String; 2]>>;

fn either(addresses: &Addresses) -> String {
    addresses.lock().unwrap()[fastrand::usize(..2)].clone()
}

/// Every entry that a desk holds, by its place.
type Held = Arc<Mutex<BTreeMap<i64, String>>>;

/// Follows live, from whichever process can be reached, and catches up after each break.
async fn desk(person: Person, addresses: Addresses, held: Held, stop: Arc<AtomicBool>) {
    let mut token = "0".to_owned();
    while !stop.load(Ordering::Relaxed) {
        let address = either(&addresses);
        let _ = follow(&Person::at(&person, &address), &address, &mut token, &held, &stop).await;
        tokio::time::sleep(Duration::from_millis(fastrand::u64(50..300))).await;
    }
}

async fn follow(person: &Person, address: &str, token: &mut String, held: &Held, stop: &AtomicBool) -> Option<()> {
    let asked = http().get(format!("{address}/api/v1/sync?after={token}")).bearer_auth(&person.token);
    let answer = asked.send().await.ok()?;
    assert_ne!(answer.status(), 410, "what this desk was told is in no journal");
    if answer.status() != 200 {
        return None;
    }
    let text = answer.text().await.ok()?;
    let whole = text.ends_with('\n');
    for line in lines(&text) {
        take(&line, held);
        if let Some(cursor) = line["cursor"]["token"].as_str() {
            cursor.clone_into(token);
        }
    }
    if !whole {
        return None;
    }
    let mut live = person.try_live(token).await?;
    while !stop.load(Ordering::Relaxed) {
        let Some(line) = live.next_within(Duration::from_millis(500)).await? else { continue };
        take(&line, held);
        if let Some(cursor) = line["cursor"]["token"].as_str() {
            cursor.clone_into(token);
        }
    }
    Some(())
}

fn take(line: &Value, held: &Held) {
    if let Some(seq) = line["entry"]["seq"].as_i64() {
        let id = line["entry"]["id"].as_str().unwrap().to_owned();
        let before = held.lock().unwrap().insert(seq, id.clone());
        assert!(before.is_none_or(|before| before == id), "another entry at {seq}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_sent_twice_and_every_desk_converges() {
    let mut chance = chance();
    let lasts = Duration::from_secs(u64::try_from(times(12, 120, 1200)).unwrap());
    let server = apart(Own::start);
    let graph = Graph::start().await;
    let mut house = House::new(&graph.address);
    // On a server of its own, which is restarted too.
    let database = apart(|| postgres::database(server.folder()));
    std::fs::write(&house.config, crate::house::on_postgres(&house.config, &database)).unwrap();
    for name in ["server.key", "data"] {
        let _ = std::fs::rename(house.folder.path().join(name), house.folder.path().join(format!("{name}-before")));
    }
    let made = apart(|| {
        let config = gateway::config::load(&house.config).unwrap();
        gateway::init::init(&config, house.clock.clone(), Arc::new(domain::ids::System)).unwrap()
    });
    house.code.clone_from(&made.admins[0].code);
    house.configure("[whatsapp]", "[limits]\ncommands_per_minute = 100000\n[whatsapp]");
    let configs: [PathBuf; 2] = [house.config.clone(), second_config(&house, None)];
    let start = |n: usize| Program::start(&configs[n], "off", Stdio::inherit());
    let mut programs = [0, 1].map(|n| Some(start(n)));
    let first = programs.each_ref().map(|program| program.as_ref().unwrap().address.clone());
    let addresses: Addresses = Arc::new(Mutex::new(first.clone()));

    let admin = house.admin(&first[0]).await;
    let mut people = vec![];
    for n in 0..4 {
        people.push(admin.add(&format!("agent{n}"), &["agent"], &["customer-service"]).await);
    }
    let mut chats = vec![];
    for n in 0..CITIZENS {
        chats.push(writes_at(&first[0], &admin, &format!("96555000{n:03}"), "السلام عليكم").await);
    }
    let (stop, leave) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let desks: Vec<(Held, _)> = (0..DESKS)
        .map(|n| {
            let held = Held::default();
            let task =
                desk(people[n % people.len()].clone(), Arc::clone(&addresses), Arc::clone(&held), Arc::clone(&leave));
            (held, tokio::spawn(task))
        })
        .collect();

    let (answered, accepted) =
        (Arc::new(Mutex::new(HashSet::<String>::new())), Arc::new(Mutex::new(HashSet::<String>::new())));
    let mut load = vec![];
    for sender in 0..4 {
        let (addresses, stop, answered) = (Arc::clone(&addresses), Arc::clone(&stop), Arc::clone(&answered));
        load.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let (id, from) = (wamid(), format!("96555000{:03}", sender * 5 + fastrand::usize(..5)));
                let body = text(&from, &id, "الكهرباء مقطوعة");
                // To either, and again, as Meta does.
                for _ in 0..2 {
                    if deliver(&either(&addresses), &body).await.is_ok_and(|status| status == 200) {
                        answered.lock().unwrap().insert(id.clone());
                    }
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }));
    }
    for replier in 0..4 {
        let (addresses, stop, accepted) = (Arc::clone(&addresses), Arc::clone(&stop), Arc::clone(&accepted));
        let (person, chats) = (people[replier].clone(), chats.clone());
        load.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let (conversation, case) = &chats[replier * 5 + fastrand::usize(..5)];
                let id = uuid();
                let reply = json!([{"id": id, "kind": "reply", "conversation": conversation, "case": case,
                    "text": "وعليكم السلام", "seen": 1_000_000}]);
                // The same id to either, until there is an answer.
                while !stop.load(Ordering::Relaxed) {
                    let asked = http().post(format!("{}/api/v1/commands", either(&addresses)));
                    let Ok(answer) = asked.bearer_auth(&person.token).json(&reply).send().await else { continue };
                    let Ok(answers) = answer.json::<Value>().await else { continue };
                    if answers[0]["accepted"].is_array() {
                        accepted.lock().unwrap().insert(id.clone());
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }));
    }

    let (began, mut kills, mut restarts) = (Instant::now(), 0, 0);
    // A slow machine is given longer, until there is something to lose.
    let little =
        || answered.lock().unwrap().len() <= 50 || accepted.lock().unwrap().len() <= 5 || graph.posts().len() <= 3;
    while began.elapsed() < lasts || little() {
        tokio::time::sleep(Duration::from_millis(chance.u64(2000..5000))).await;
        let n = chance.usize(..2);
        programs[n].take().unwrap().kill();
        kills += 1;
        if times(0, 1, 1) > 0 && began.elapsed() > lasts * (restarts + 1) / 4 && restarts < 2 {
            restarts += 1;
            apart(|| {
                server.kill();
                server.start_again();
            });
        }
        let started = start(n);
        addresses.lock().unwrap()[n].clone_from(&started.address);
        programs[n] = Some(started);
    }
    stop.store(true, Ordering::Relaxed);
    for task in load {
        task.await.unwrap();
    }
    house.all_taken_in().await;

    // Nothing lost: what was answered 200, and each reply that was accepted, is in the journal once.
    let once = |kind: &str, field: &str, promised: &Mutex<HashSet<String>>| {
        let all: Vec<String> = house.bodies(kind).iter().map(|body| body[field].as_str().unwrap().to_owned()).collect();
        let there: HashSet<String> = all.iter().cloned().collect();
        assert_eq!(there.len(), all.len(), "a {kind} is in the journal twice");
        let promised = promised.lock().unwrap();
        assert_eq!(promised.difference(&there).count(), 0, "of {} {kind}", promised.len());
        promised.len()
    };
    let (webhooks, replies) =
        (once("message_received", "wamid", &answered), once("message_queued", "message", &accepted));
    // Nothing sent twice.
    let mut posts: HashMap<String, usize> = HashMap::new();
    for post in graph.posts() {
        if let Some(id) = post["biz_opaque_callback_data"].as_str() {
            *posts.entry(id.to_owned()).or_default() += 1;
        }
    }
    let twice: Vec<_> = posts.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    // Each desk holds what one that starts afresh is given.
    let conversations: HashSet<String> =
        house.bodies("conversation_opened").iter().map(|body| body["contact"].to_string()).collect();
    assert_eq!(conversations.len(), CITIZENS, "no citizen became two");
    eventually("every desk holds the same", async || {
        let (status, fresh) = {
            let person = Person::at(&people[0], &either(&addresses));
            let answer = person.get("/api/v1/sync?after=0").await;
            (answer.status(), lines(&answer.text().await.unwrap()))
        };
        assert_eq!(status, 200);
        let whole = Held::default();
        fresh.iter().for_each(|line| take(line, &whole));
        let whole = whole.lock().unwrap();
        let differing = desks.iter().filter(|(held, _)| *held.lock().unwrap() != *whole).count();
        (differing == 0).then_some(())
    })
    .await;
    leave.store(true, Ordering::Relaxed);
    for (_, task) in desks {
        task.await.unwrap();
    }
    counted(json!({"kills": kills, "postgres_restarts": restarts, "webhooks": webhooks, "replies": replies,
        "posted": posts.len(), "desks": DESKS}));
    assert!(
        webhooks > 50 && replies > 5 && posts.len() > 3,
        "{webhooks} {replies} {}: this showed nothing",
        posts.len()
    );
    drop(programs);
    house.verify();
}
