//! Alarms of a gateway at work: raised by what really goes wrong, and cleared when it is over.

use std::sync::Arc;

use domain::ids::{Clock, DeliveryId, Ids, Millis, System};
use gateway::{
    alarms::{self, Alarm},
    config,
    gateway::Running,
    home::{Home, Value},
};
use serde_json::{Value as Json, json};

use crate::{
    graph::{Fate, Graph},
    house::{House, eventually, http, message, text, wamid, writes},
    postgres::{apart, on_both_homes},
    program::Program,
};

on_both_homes! {
    deliveries_that_wait_or_are_set_aside,
}

const MINUTE: Millis = 60_000;
const WEEK: Millis = 7 * 24 * 60 * MINUTE;

/// A gateway without its door, whose minute passes when a test says so.
struct Watched<'a> {
    house: &'a House,
    running: Running,
}

impl<'a> Watched<'a> {
    async fn start(house: &'a House) -> Self {
        let config = config::load(&house.config).unwrap();
        let running = Running::start(config, house.clock.clone(), Arc::new(System)).await.unwrap();
        Self { house, running }
    }

    async fn keep(&self, body: &Json) {
        let (gateway, now) = (&self.running.gateway, self.house.clock.now());
        let id = DeliveryId(System.next(now));
        gateway.deliveries.keep(id, "/webhooks/whatsapp".into(), now, body.to_string().into()).await.unwrap();
    }

    /// A minute passes: what began and what ended, by name.
    async fn minute(&self) -> Vec<(Alarm, bool)> {
        self.house.clock.forward(MINUTE);
        // What was seen a moment ago is not looked at again.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let changes = alarms::round(&self.running.gateway).await;
        // How full the disk of this machine is, is not what is tested here.
        changes
            .iter()
            .filter(|change| change.alarm != Alarm::DiskNearlyFull)
            .map(|change| (change.alarm, change.raised))
            .collect()
    }
}

async fn deliveries_that_wait_or_are_set_aside() {
    let house = House::new("http://127.0.0.1:9");
    let watched = Watched::start(&house).await;
    assert_eq!(watched.minute().await, []);
    watched.keep(&message("no such line", "96550000001", &wamid(), 0, "text", &json!({"body": "?"}))).await;
    eventually("it is set aside", async || {
        let aside = house.number_of_deliveries("SELECT count(*) FROM deliveries WHERE state = 'aside'");
        (aside == 1).then_some(())
    })
    .await;
    assert_eq!(watched.minute().await, [(Alarm::DeliveryAside, true)]);
    // One that another process has received, and does not get on with.
    let place = house.storage().deliveries();
    let write = |sql: &str, values: &[Value]| {
        apart(|| Home::writer(&place, gateway::deliveries::SCHEMA).unwrap().execute(sql, values).unwrap());
    };
    write("INSERT INTO leases (what, holder, until) VALUES ('process another', 'another', 9000000000000)", &[]);
    let sql = "INSERT INTO deliveries (id, endpoint, received_at, body, owner) VALUES ($1, 'x', $2, $3, 'another')";
    write(sql, &[crate::house::uuid().into(), house.clock.now().into(), Value::Blob(b"{}".to_vec())]);
    assert_eq!(watched.minute().await, []);
    house.clock.forward(4 * MINUTE);
    assert_eq!(watched.minute().await, [(Alarm::DeliveryWaits, true)]);
    assert_eq!(watched.minute().await, [], "it is said once");
    write("UPDATE deliveries SET state = 'done'", &[]);
    assert_eq!(watched.minute().await, [(Alarm::DeliveryWaits, false), (Alarm::DeliveryAside, false)]);
    watched.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_where_there_usually_is_none() {
    let house = House::new("http://127.0.0.1:9");
    house.configure("[storage]", "[alarms]\nquiet_messages = 4\nquiet_minutes = 30\n[storage]");
    house.clock.stop();
    let watched = Watched::start(&house).await;
    // Three weeks, at the same time of the week: eight messages within the hour.
    for week in 0..3 {
        if week > 0 {
            house.clock.forward(WEEK - 80 * MINUTE);
        }
        for n in 0..8 {
            watched.keep(&text("96550000001", &wamid(), &format!("{week} {n}"))).await;
            house.all_taken_in().await;
            house.clock.forward(10 * MINUTE);
        }
        if week < 2 {
            // Silence is nothing as long as nobody can know what is usual.
            house.clock.forward(3 * WEEK);
            assert_eq!(watched.minute().await, [], "after {week} weeks");
            house.clock.forward(-3 * WEEK - MINUTE);
        }
    }
    // In the fourth week it begins, and breaks off.
    house.clock.forward(WEEK - 80 * MINUTE);
    watched.keep(&text("96550000001", &wamid(), "the last one")).await;
    house.all_taken_in().await;
    house.clock.forward(25 * MINUTE);
    assert_eq!(watched.minute().await, [], "not yet for so long");
    house.clock.forward(40 * MINUTE);
    assert_eq!(watched.minute().await, [(Alarm::NoInbound, true)]);
    watched.keep(&text("96550000001", &wamid(), "at last")).await;
    house.all_taken_in().await;
    assert_eq!(watched.minute().await, [(Alarm::NoInbound, false)]);
    watched.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_may_not_send_and_messages_in_doubt() {
    let graph = Graph::start().await;
    graph.next(&[Fate::Swallow]);
    graph.choose(|| Fate::Refuse(190));
    let house = House::new(&graph.address);
    let served = house.serve().await;
    let admin = house.admin(&served.address).await;
    let (conversation, case) = writes(&served, &admin, "96550000001", "نعم").await;
    let (other, other_case) = writes(&served, &admin, "96550000002", "نعم").await;
    served.stop().await;

    let mut config = config::load(&house.config).unwrap();
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    let running = Running::start(config, house.clock.clone(), Arc::new(System)).await.unwrap();
    let watched = Watched { house: &house, running };
    let agency = &watched.running.gateway.agencies["mew"];
    let staff = admin.id.parse().unwrap();
    let reply = async |conversation: &str, case: &str| {
        let id = domain::ids::CommandId(System.next(house.clock.now()));
        let command = json!({"id": id, "kind": "reply", "conversation": conversation, "case": case, "text": "حسنا", "seen": 1_000_000});
        let Json::Object(fields) = command else { unreachable!() };
        let command = domain::command::Command::read(id, fields);
        let given = gateway::decider::Given { id, hash: [0; 32], command };
        let answers = agency.commands(staff, vec![given]).await.unwrap();
        assert!(matches!(answers[0].outcome, domain::wire::Outcome::Accepted(_)), "{answers:?}");
        id.to_string()
    };
    let doubtful = reply(&conversation, &case).await;
    eventually("nobody knows", async || {
        let text = "SELECT count(*) FROM entries WHERE body LIKE '%\"uncertain\"%'";
        let found: i64 = house.journal().query_row(text, [], |row| row.get(0)).unwrap();
        (found == 1).then_some(())
    })
    .await;
    reply(&other, &other_case).await;
    eventually("the line is stopped", async || (agency.stopped_lines.count() == 1).then_some(())).await;
    assert_eq!(watched.minute().await, [(Alarm::LineStopped, true)]);
    // The pause ends, and Meta accepts again.
    graph.choose(|| Fate::Accept);
    house.clock.forward(9 * MINUTE);
    eventually("the line sends", async || (agency.stopped_lines.count() == 0).then_some(())).await;
    assert_eq!(watched.minute().await, [(Alarm::LineStopped, false), (Alarm::MessageUncertain, true)]);
    watched.keep(&crate::house::status("wamid.late", "sent", Some(&doubtful))).await;
    house.all_taken_in().await;
    assert_eq!(watched.minute().await, [(Alarm::MessageUncertain, false)]);
    watched.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_that_is_held_and_a_certificate_that_expires() {
    let house = House::new("http://127.0.0.1:9");
    let soon = rcgen::date_time_ymd(2026, 1, 1);
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = soon;
    let key = rcgen::KeyPair::generate().unwrap();
    std::fs::write(house.folder.path().join("cert.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(house.folder.path().join("key.pem"), key.serialize_pem()).unwrap();
    house.configure("127.0.0.1:0\"", "127.0.0.1:0\"\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"");
    let watched = Watched::start(&house).await;
    let until = soon.unix_timestamp() * 1000;
    house.clock.stop();
    house.clock.forward(until - 14 * 24 * 60 * MINUTE - MINUTE - house.clock.now());
    assert_eq!(watched.minute().await, []);
    assert_eq!(watched.minute().await, [(Alarm::CertificateExpires, true)]);
    house.journal().execute("INSERT INTO holds (what, since) VALUES ('sending', ?1)", [house.clock.now()]).unwrap();
    assert_eq!(watched.minute().await, [(Alarm::SendingHeld, true)]);
    house.journal().execute("DELETE FROM holds", []).unwrap();
    assert_eq!(watched.minute().await, [(Alarm::SendingHeld, false)]);
    watched.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_stands_in_readyz_for_whoever_runs_it() {
    let house = House::new("http://127.0.0.1:9");
    let served = house.serve().await;
    let nowhere = message("no such line", "96550000001", &wamid(), 0, "text", &json!({"body": "?"}));
    served.deliver(&nowhere).await;
    let ready = async |headers: &[(&str, &str)]| {
        let mut request = http().get(format!("{}/readyz", served.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().text().await.unwrap()
    };
    // The first round comes by itself.
    let text = eventually("the alarm", async || Some(ready(&[]).await).filter(|text| text.contains("alarm"))).await;
    assert!(text.starts_with("ready\n") && text.contains("alarm: delivery_aside "), "{text}");
    assert_eq!(ready(&[("x-forwarded-for", "192.0.2.1")]).await, "ready\n", "to the world it is ready, and no more");
    let gauge = r#"shubbak_alarm{name="delivery_aside",agency=""} 1"#;
    let metrics = http().get(format!("{}/metrics", served.address)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains(gauge), "{metrics}");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_said_once_and_in_one_way() {
    let house = House::new("http://127.0.0.1:9");
    house.journal().execute("INSERT INTO holds (what, since) VALUES ('sending', 1)", []).unwrap();
    let log = house.folder.path().join("log");
    let program = Program::start(&house.config, "info", std::fs::File::create(&log).unwrap().into());
    let said = || -> Vec<String> {
        let whole = std::fs::read_to_string(&log).unwrap();
        whole.lines().filter(|line| line.contains("\"alarm\"") || line.contains("is held")).map(str::to_owned).collect()
    };
    eventually("the alarm", async || said().iter().any(|line| line.contains("sending_held")).then_some(())).await;
    program.kill();
    let held: Vec<String> = said().into_iter().filter(|line| line.contains("is held")).collect();
    assert!(held.len() == 1 && held[0].contains("\"alarm\":\"sending_held\""), "{held:?}");
    let named = |line: &String| Alarm::NAMES.iter().any(|name| line.contains(&format!("\"alarm\":\"{name}\"")));
    assert!(said().iter().all(named), "{:?}", said());
}
