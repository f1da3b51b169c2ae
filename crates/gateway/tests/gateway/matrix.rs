//! Who may do what, whole: everybody who may come × every way in, every command and every line of the live stream, with
//! two agencies. A way in that stands in the router and not here fails the test, and so does a command or a line.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{command::Ask, wire::Line};
use gateway::http::{ROUTES, Who};
use reqwest::Method;
use serde_json::{Value, json};

use crate::house::{
    House, LINE, Live, PASSWORD, Person, Served, entries, eventually, http, sign_in, text, uuid, wamid,
};

/// Everybody who may come, as the columns of the tables below.
const PEOPLE: [&str; 9] =
    ["nobody", "stranger", "gone", "agent", "lead", "other agent", "other lead", "admin", "foreign"];

/// What each way in answers each of them. `case` is one of the agent's team; whose own session is asked for is the caller's.
#[rustfmt::skip]
const WAYS_IN: &[(&str, &str, [u16; 9])] = &[
    //                                         nobody strang gone agent lead oth.a oth.l admin foreign
    ("POST",   "/api/v1/session",             [401,   401,   401, 201,  201, 201,  201,  201,  401]),
    ("DELETE", "/api/v1/session",             [401,   401,   401, 204,  204, 204,  204,  204,  204]),
    ("GET",    "/api/v1/sync",                [401,   401,   401, 200,  200, 200,  200,  200,  200]),
    ("GET",    "/api/v1/live",                [401,   401,   401, 101,  101, 101,  101,  101,  101]),
    ("GET",    "/api/v1/cases/{id}/entries",  [401,   401,   401, 200,  200, 404,  404,  404,  404]),
    ("POST",   "/api/v1/commands",            [401,   401,   401, 200,  200, 200,  200,  200,  200]),
    ("POST",   "/api/v1/media",               [401,   401,   401, 201,  201, 201,  201,  403,  201]),
    ("GET",    "/api/v1/media/{sha256}",      [401,   401,   401, 200,  200, 404,  404,  404,  404]),
    ("GET",    "/api/v1/openapi.json",        [200,   200,   200, 200,  200, 200,  200,  200,  200]),
    ("GET",    "/healthz",                    [200,   200,   200, 200,  200, 200,  200,  200,  200]),
    ("GET",    "/readyz",                     [200,   200,   200, 200,  200, 200,  200,  200,  200]),
    // It is held to who runs the gateway, whoever is signed in: from this machine itself, where no token is configured.
    ("GET",    "/metrics",                    [200,   200,   200, 200,  200, 200,  200,  200,  200]),
    // Only a signature lets a delivery in, and a token the handshake.
    ("GET",    "/webhooks/whatsapp",          [403,   403,   403, 403,  403, 403,  403,  403,  403]),
    ("POST",   "/webhooks/whatsapp",          [401,   401,   401, 401,  401, 401,  401,  401,  401]),
];

/// What comes of each command on an open case of the agent's team that nobody owns: "ok", or with which code it is refused.
#[rustfmt::skip]
const COMMANDS: &[(&str, [&str; 6])] = &[
    //                    agent            lead             other agent  other lead   admin        foreign lead and admin
    ("reply",            ["ok",            "ok",            "not_found", "not_found", "forbidden", "not_found"]),
    ("add_note",         ["ok",            "ok",            "not_found", "not_found", "forbidden", "not_found"]),
    ("claim",            ["ok",            "ok",            "not_found", "not_found", "forbidden", "not_found"]),
    ("assign",           ["forbidden",     "ok",            "forbidden", "not_found", "forbidden", "not_found"]),
    ("release",          ["ok",            "ok",            "not_found", "not_found", "forbidden", "not_found"]),
    ("transfer",         ["forbidden",     "ok",            "forbidden", "not_found", "forbidden", "not_found"]),
    ("close_case",       ["ok",            "ok",            "not_found", "not_found", "forbidden", "not_found"]),
    ("reopen_case",      ["not_closed",    "not_closed",    "not_found", "not_found", "forbidden", "not_found"]),
    ("seen_up_to",       ["ok",            "ok",            "not_found", "not_found", "forbidden", "not_found"]),
    ("settle_uncertain", ["not_uncertain", "not_uncertain", "not_found", "not_found", "forbidden", "not_found"]),
    ("recall",           ["forbidden",     "ok",            "not_found", "not_found", "forbidden", "not_found"]),
    ("erase_contact",    ["forbidden",     "forbidden",     "forbidden", "forbidden", "ok",        "not_found"]),
    ("add_staff",        ["forbidden",     "forbidden",     "forbidden", "forbidden", "ok",        "ok"]),
    ("change_staff",     ["forbidden",     "forbidden",     "forbidden", "forbidden", "ok",        "not_found"]),
];

/// Which lines of the live stream speak to whom, when the agent reads, notes and has seen a case of their team, and it then
/// goes to another team. `case` and `agency` are entries by their scope.
#[rustfmt::skip]
const LINES: &[(&str, [bool; 6])] = &[
    //           agent  lead   other agent  other lead  admin  foreign
    ("agency",   [true,  true,  true,        true,       true,  false]),
    ("case",     [true,  true,  false,       false,      false, false]),
    ("presence", [false, true,  false,       false,      false, false]),
    ("position", [true,  false, false,       false,      false, false]),
    ("catch_up", [true,  true,  true,        true,       false, false]),
];

/// A line by its name; a new kind of line does not compile here before it is said whom it may reach.
fn name(line: &Line) -> &'static str {
    match line {
        Line::Entry(linked) if linked.entry.scope == domain::entry::Scope::Agency => "agency",
        Line::Entry(_) => "case",
        Line::Presence(_) => "presence",
        Line::Position(_) => "position",
        Line::CatchUp(_) => "catch_up",
        // These come by catch-up alone, or say nothing of anybody.
        Line::Case(_) | Line::CaseEnd(_) | Line::Forget(_) | Line::Cursor(_) => "",
    }
}

/// Two agencies with their people.
struct Stage {
    served: Served,
    boss: Person,
    /// By the columns of `PEOPLE`; `nobody` bears no token.
    people: BTreeMap<&'static str, Person>,
}

impl Stage {
    async fn set(house: &House) -> Self {
        let code = house.add_agency("moci", "200000000000002");
        let served = house.serve_with(|config| config.times.presence = Duration::from_millis(50)).await;
        let boss = house.admin(&served.address).await;
        let mut people = BTreeMap::new();
        for (name, username, role, team) in [
            ("gone", "gone", "agent", "customer-service"),
            ("agent", "agent", "agent", "customer-service"),
            ("lead", "lead", "lead", "customer-service"),
            ("other agent", "other-agent", "agent", "emergency"),
            ("other lead", "other-lead", "lead", "emergency"),
            ("admin", "keeper", "admin", "customer-service"),
        ] {
            people.insert(name, boss.add(username, &[role], &[team]).await);
        }
        boss.must(json!({"kind": "change_staff", "staff": people["gone"].id, "active": false})).await;
        let body = json!({"agency": "moci", "username": "admin", "password": "seven camels on a bridge", "device": "d", "code": code});
        people.insert("foreign", sign_in(&served.address, &body).await);
        let token = |token: &str| Person { token: token.to_owned(), ..boss.clone() };
        people.insert("nobody", token(""));
        people.insert("stranger", token(&format!("mew.{}", "A".repeat(43))));
        Self { served, boss, people }
    }

    /// So many citizens write, each for the first time: the conversation, case and contact of each.
    async fn cases(&self, house: &House, count: usize) -> Vec<[String; 3]> {
        for n in 0..count {
            self.served.deliver(&text(&format!("96551{n:06}"), &wamid(), "السلام عليكم")).await;
        }
        house.all_taken_in().await;
        let lines = eventually("the cases", async || {
            let lines = self.boss.sync("0").await;
            (entries(&lines, "case_opened").len() >= count).then_some(lines)
        })
        .await;
        let of = |entry: &Value, name: &str| entry["body"][name].as_str().unwrap().to_owned();
        let opened = entries(&lines, "case_opened");
        opened.iter().map(|entry| [of(entry, "conversation"), of(entry, "case"), of(entry, "contact")]).collect()
    }
}

async fn status(address: &str, who: &Person, method: &str, path: &str, body: Option<Value>) -> u16 {
    let mut request = http().request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{address}{path}"));
    if !who.token.is_empty() {
        request = request.bearer_auth(&who.token);
    }
    if path.ends_with("/live") {
        let upgrade = [("upgrade", "websocket"), ("connection", "upgrade"), ("sec-websocket-version", "13")];
        for (name, value) in upgrade.into_iter().chain([("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")]) {
            request = request.header(name, value);
        }
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_in_answers_everybody_as_the_table_says() {
    let built: BTreeSet<_> = ROUTES.iter().map(|route| (route.method.as_str(), route.path)).collect();
    let webhooks = ["GET", "POST"].map(|method| (method, "/webhooks/whatsapp"));
    let listed: BTreeSet<_> = WAYS_IN.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(listed, built.into_iter().chain(webhooks).collect(), "the table and the router differ");
    for route in ROUTES.iter().filter(|route| route.who == Who::SignedIn) {
        let (_, _, row) =
            WAYS_IN.iter().find(|(method, path, _)| (*method, *path) == (route.method.as_str(), route.path)).unwrap();
        assert_eq!(row[..3], [401; 3], "{} {} lets in whoever is not signed in", route.method, route.path);
    }

    let house = House::new("http://127.0.0.1:9");
    house.configure("records = \"data\"", "records = \"data\"\nmedia = \"file:media\"");
    let stage = Stage::set(&house).await;
    let address = &stage.served.address;
    let [_, case, _] = &stage.cases(&house, 1).await[0];
    let file = crate::media::uploaded(&stage.boss, b"of the case").await;
    stage.boss.must(json!({"kind": "add_note", "case": case, "text": "ملاحظة", "media": [file]})).await;
    let mut wrong = vec![];
    for (method, path, row) in WAYS_IN {
        for (name, expected) in PEOPLE.iter().zip(row) {
            let who = &stage.people[name];
            let username = name.replace(' ', "-").replace("admin", "keeper");
            let own = json!({"agency": "mew", "username": username, "password": PASSWORD, "device": "matrix"});
            let (mut caller, mut body) = (who.clone(), None);
            match (*method, *path) {
                ("POST", "/api/v1/session") => body = Some(own),
                ("POST", "/api/v1/commands") => body = Some(json!([])),
                ("POST", "/api/v1/media") => body = Some(json!("of nobody's case")),
                ("POST", "/webhooks/whatsapp") => body = Some(text("96550000001", &wamid(), "مزوّر")),
                // A session of its own, so that the others stay.
                ("DELETE", _) if *expected == 204 && *name != "foreign" => caller = sign_in(address, &own).await,
                ("DELETE", _) if *name == "foreign" => {
                    let own = json!({"agency": "moci", "username": "admin", "password": "seven camels on a bridge", "device": "e"});
                    caller = sign_in(address, &own).await;
                }
                _ => {}
            }
            let found =
                status(address, &caller, method, &path.replace("{id}", case).replace("{sha256}", &file), body).await;
            if found != *expected {
                wrong.push(format!("{method} {path}: {found} to {name} instead of {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    // What is given shows nothing of a case out of sight; what is not given is answered as what is not there.
    for (name, who) in &stage.people {
        let sees = ["agent", "lead"].contains(name);
        if who.get("/api/v1/sync").await.status() == 200 {
            assert_eq!(json!(who.sync("0").await).to_string().contains(case.as_str()), sees, "{name}");
            let entries =
                async |case: &str| who.get(&format!("/api/v1/cases/{case}/entries")).await.text().await.unwrap();
            assert_eq!(entries(case).await == entries(&uuid()).await, !sees, "{name}");
        }
    }
    stage.served.stop().await;
}

/// A command of a kind about these.
fn command(kind: &str, [conversation, case, contact]: [&str; 3], staff: &str, message: &str) -> Value {
    let fields = match kind {
        "reply" => json!({"conversation": conversation, "case": case, "text": "نعم", "seen": 1_000_000}),
        "add_note" => json!({"case": case, "text": "ملاحظة"}),
        "assign" => json!({"case": case, "staff": staff}),
        "transfer" => json!({"case": case, "team": "emergency"}),
        "close_case" => json!({"case": case, "outcome": "done"}),
        "seen_up_to" => json!({"case": case, "seq": 1}),
        "settle_uncertain" => json!({"message": message, "settle": "sent"}),
        "recall" => json!({"message": message}),
        "erase_contact" => json!({"contact": contact, "reason": "طلب 1"}),
        "add_staff" => json!({"username": format!("u{}", uuid()), "name": "س", "roles": ["agent"], "teams": []}),
        "change_staff" => json!({"staff": staff, "name": "اسم آخر"}),
        "claim" | "release" | "reopen_case" => json!({"case": case}),
        other => panic!("Say here what a {other} is"),
    };
    let mut fields = fields;
    fields["kind"] = kind.into();
    fields
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_is_decided_for_everybody_as_the_table_says() {
    let listed: BTreeSet<_> = COMMANDS.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(listed, Ask::KINDS.iter().copied().collect(), "the table and the commands differ");
    let house = House::new("http://127.0.0.1:9");
    let stage = Stage::set(&house).await;
    // Nobody's turn to be sent comes, so what is queued stays so.
    house.journal().execute("INSERT INTO holds (what, since) VALUES ('sending', 1)", []).unwrap();
    let people = ["agent", "lead", "other agent", "other lead", "admin", "foreign"];
    let mut cases = stage.cases(&house, COMMANDS.len() * people.len()).await.into_iter();
    let mut wrong = vec![];
    for (kind, row) in COMMANDS {
        for (name, expected) in people.iter().zip(row) {
            let [conversation, case, contact] = cases.next().unwrap();
            let mut message = uuid();
            if ["recall", "settle_uncertain"].contains(kind) {
                let reply = json!({"id": message, "kind": "reply", "conversation": conversation, "text": "نعم", "seen": 1_000_000});
                stage.boss.must(reply).await;
            }
            let (who, staff) = (&stage.people[name], &stage.people["agent"].id);
            let answer = who.ask(command(kind, [&conversation, &case, &contact], staff, &message)).await;
            let found = answer["refused"]["code"].as_str().unwrap_or("ok");
            if found != *expected {
                wrong.push(format!("{kind} by {name}: {found} instead of {expected}: {answer}"));
            }
            // What is out of sight is refused in the same words as what is not there.
            if !["agent", "lead"].contains(name) && found != "ok" {
                message = uuid();
                let [a, b, c, staff] = std::array::from_fn(|_| uuid());
                let nothing = who.ask(command(kind, [&a, &b, &c], &staff, &message)).await;
                if nothing["refused"] != answer["refused"] {
                    wrong.push(format!("{kind} by {name} tells {} from {}", answer["refused"], nothing["refused"]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(!json!(stage.boss.sync("0").await).to_string().contains("moci"));
    stage.served.stop().await;
    house.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_live_line_reaches_those_that_the_table_says() {
    let house = House::new("http://127.0.0.1:9");
    let stage = Stage::set(&house).await;
    let [_, case, _] = &stage.cases(&house, 1).await[0];
    let people = ["agent", "lead", "other agent", "other lead", "admin", "foreign"];
    let mut lives = vec![];
    for name in people {
        let who = &stage.people[name];
        lives.push(who.live(&who.cursor().await).await);
    }
    let agent = &stage.people["agent"];
    assert!(lives[0].say(&json!({"viewing": case}).to_string()).await);
    agent.must(json!({"kind": "add_note", "case": case, "text": "ملاحظة"})).await;
    agent.must(json!({"kind": "seen_up_to", "case": case, "seq": 3})).await;
    stage.boss.must(json!({"kind": "change_staff", "staff": stage.people["gone"].id, "name": "اسم آخر"})).await;
    let mut heard: Vec<Vec<Value>> = vec![];
    for live in &mut lives {
        heard.push(live.lines_within(Duration::from_millis(700)).await);
    }
    stage.boss.must(json!({"kind": "transfer", "case": case, "team": "emergency"})).await;
    for (live, lines) in lives.iter_mut().zip(&mut heard) {
        lines.extend(Live::lines_within(live, Duration::from_millis(500)).await);
    }
    let mut wrong = vec![];
    for ((person, lines), column) in people.iter().zip(&heard).zip(0..) {
        let told: BTreeSet<_> = lines
            .iter()
            .map(|line| name(&serde_json::from_value(line.clone()).unwrap()))
            .filter(|name| !name.is_empty())
            .collect();
        let expected: BTreeSet<_> = LINES.iter().filter(|(_, row)| row[column]).map(|(name, _)| *name).collect();
        if told != expected {
            wrong.push(format!("{person} was told {told:?} instead of {expected:?}"));
        }
        let shows = json!(lines).to_string().contains(case.as_str());
        assert_eq!(shows, ["agent", "lead"].contains(person), "{person}: {lines:?}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    stage.served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_nothing_of_another_teams_case_in_the_same_conversation() {
    let house = House::new("http://127.0.0.1:9");
    let stage = Stage::set(&house).await;
    let agent = &stage.people["agent"];
    // Two citizens whose case the agent closed. One of them wrote again, and that went to another team.
    let cases = stage.cases(&house, 2).await;
    for [_, case, _] in &cases {
        stage.boss.must(json!({"kind": "close_case", "case": case, "outcome": "done"})).await;
    }
    house.clock.forward(13 * 3_600_000);
    let again = crate::house::message(
        LINE,
        "96551000001",
        &wamid(),
        domain::ids::Clock::now(&*house.clock),
        "text",
        &json!({"body": "مرة أخرى"}),
    );
    stage.served.deliver(&again).await;
    let hidden = eventually("the second case", async || {
        let lines = stage.boss.sync("0").await;
        let opened = entries(&lines, "case_opened");
        opened.get(2).map(|entry| entry["body"]["case"].as_str().unwrap().to_owned())
    })
    .await;
    stage.boss.must(json!({"kind": "transfer", "case": hidden, "team": "emergency"})).await;
    let mut said = vec![];
    for [conversation, case, _] in &cases {
        for named in [json!(case), Value::Null] {
            let mut reply = json!({"kind": "reply", "conversation": conversation, "text": "نعم", "seen": 1_000_000});
            if !named.is_null() {
                reply["case"] = named;
            }
            said.push(agent.ask(reply).await["refused"].clone());
        }
    }
    assert_eq!(said[..2], said[2..], "that there is a case of another team shows");
    assert_eq!(said[0]["code"], "closed");
    // Naming a conversation of which they see nothing is naming none.
    let [_, own, _] = &cases[0];
    let outsider = &stage.people["other agent"];
    let of = async |conversation: &str| {
        outsider
            .ask(json!({"kind": "reply", "conversation": conversation, "case": own, "text": "نعم", "seen": 1}))
            .await["refused"]
            .clone()
    };
    assert_eq!(of(&cases[0][0]).await, of(&uuid()).await);
    stage.served.stop().await;
}
