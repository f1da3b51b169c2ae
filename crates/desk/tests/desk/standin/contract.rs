//! The contract over HTTP as the stand-in speaks it: sessions, sync, live and commands.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{
        Query, State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use domain::{
    command::{Code, Command, Refusal},
    entry::{Entry, Scope},
    ids::{CommandId, Seq},
    wire::{
        AgencyView, Answer, CaseRef, Forget, Gained, Line, Linked, Outcome, SessionAnswer, SessionRequest, StaffView,
        THROUGH_HEADER, Versions,
    },
    words::Role,
};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{Standin, colleague, me};

/// A status and a code.
pub(super) type Refused = (u16, &'static str);

fn problem(status: u16, code: &str) -> Response {
    (StatusCode::from_u16(status).unwrap(), Json(json!({"code": code, "message": "As it is"}))).into_response()
}

pub(super) async fn sign_in(State(standin): State<Standin>, Json(request): Json<SessionRequest>) -> Response {
    if let Err((status, code)) = standin.listens() {
        return problem(status, code);
    }
    let now = standin.now();
    let mut inside = standin.inside();
    if let Some(status) = inside.faults.status {
        return problem(status, "fault");
    }
    match request.code.as_deref() {
        Some("ONCE") if request.password.len() < 15 => return problem(422, "weak_password"),
        Some("ONCE") => inside.password = request.password.clone(),
        Some(_) => return problem(401, "wrong_credentials"),
        None => {}
    }
    let (id, name) = if request.username == "agent" { (colleague(), "خالد") } else { (me(), "نورة") };
    if !["lead", "agent"].contains(&request.username.as_str())
        || request.agency != "mew"
        || request.password != inside.password
    {
        return problem(401, "wrong_credentials");
    }
    inside.faults.signed_out = false;
    inside.token += 1;
    let token = inside.token;
    inside.tokens.insert(request.username, token);
    let answer = SessionAnswer {
        token: format!("token-canary-{token}"),
        device_secret: data_encoding::BASE64.encode(&inside.device_secret),
        staff: StaffView { id, name: name.into(), roles: vec![Role::Lead, Role::Agent], teams: vec!["desk".into()] },
        agency: AgencyView { id: "mew".into(), name: "وزارة الكهرباء والماء".into() },
        journal: inside.journal.clone(),
        now,
        lease_until: now + inside.lease,
        versions: Versions { gateway: 1, oldest_desk: 1 },
    };
    (StatusCode::CREATED, Json(answer)).into_response()
}

pub(super) async fn sign_out(State(standin): State<Standin>, headers: HeaderMap) -> Response {
    if let Err((status, code)) = standin.let_in(&headers) {
        return problem(status, code);
    }
    let given = headers["authorization"].to_str().unwrap().to_owned();
    standin.inside().tokens.retain(|_, token| !given.ends_with(&format!("-{token}")));
    StatusCode::NO_CONTENT.into_response()
}

pub(super) async fn sync(
    State(standin): State<Standin>,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    if let Err((status, code)) = standin.let_in(&headers) {
        return problem(status, code);
    }
    let after = query.get("after").unwrap();
    standin.inside().asked.push(after.clone());
    let place = match standin.place(after) {
        Ok(place) => place,
        Err((status, code)) => return problem(status, code),
    };
    let cursor = standin.cursor();
    let through = cursor.seq;
    let mut inside = standin.inside();
    let mut lines = Vec::new();
    for case in std::mem::take(&mut inside.lost) {
        lines.push(Line::Forget(Forget::Case(case)));
    }
    let gained = std::mem::take(&mut inside.gained);
    for case in &gained {
        lines.push(Line::Case(Gained { id: *case, through: cursor.seq }));
        for entry in inside.entries.iter().filter(|entry| entry.scope == Scope::Case(*case)) {
            lines.push(Line::Entry(Box::new(Linked { prev: 0, entry: entry.clone() })));
        }
        lines.push(Line::CaseEnd(CaseRef { id: *case }));
    }
    let mut prev = place;
    for entry in inside.entries.iter().filter(|entry| entry.seq > place) {
        if !gained.iter().any(|case| entry.scope == Scope::Case(*case)) {
            lines.push(Line::Entry(Box::new(Linked { prev, entry: entry.clone() })));
        }
        prev = entry.seq;
    }
    lines.push(Line::Cursor(cursor));
    let broken = inside.faults.break_after.take();
    drop(inside);
    let text = |line: &Line| serde_json::to_string(line).unwrap() + "\n";
    let chunks: Vec<Result<String, std::io::Error>> = match broken {
        Some(count) => {
            let mut chunks: Vec<_> = lines.iter().take(count).map(|line| Ok(text(line))).collect();
            chunks.push(Err(std::io::Error::other("As the test asked")));
            chunks
        }
        None => lines.iter().map(|line| Ok(text(line))).collect(),
    };
    let own = standin.clone();
    let held = futures_util::stream::iter(chunks.into_iter().enumerate()).then(move |(at, chunk)| {
        let standin = own.clone();
        async move {
            while standin.inside().faults.hold_after.is_some_and(|after| at >= after) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            chunk
        }
    });
    ([(THROUGH_HEADER, through.to_string())], Body::from_stream(held)).into_response()
}

pub(super) async fn live(
    State(standin): State<Standin>,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    if let Err((status, code)) = standin.let_in(&headers) {
        return problem(status, code);
    }
    match standin.place(query.get("after").unwrap()) {
        Ok(place) => upgrade.on_upgrade(move |socket| speak(standin, socket, place)),
        Err((status, code)) => problem(status, code),
    }
}

async fn speak(standin: Standin, mut socket: WebSocket, mut place: Seq) {
    let mut head = standin.head.subscribe();
    let mut catch_up = standin.catch_up.subscribe();
    catch_up.mark_unchanged();
    let mut says = standin.says.subscribe();
    let mut stop = standin.stop.subscribe();
    // Sight changed since the client's place, and only `sync` can say how.
    let sight_changed = {
        let inside = standin.inside();
        !inside.gained.is_empty() || !inside.lost.is_empty()
    };
    if sight_changed {
        standin.say_catch_up();
    }
    loop {
        let new: Vec<Entry> = {
            let inside = standin.inside();
            inside.entries.iter().filter(|entry| entry.seq > place).cloned().collect()
        };
        for entry in new {
            let prev = std::mem::replace(&mut place, entry.seq);
            if standin.inside().faults.swallow.remove(&entry.seq) {
                continue;
            }
            let line = serde_json::to_string(&Line::Entry(Box::new(Linked { prev, entry }))).unwrap();
            if socket.send(Message::Text(line.into())).await.is_err() {
                return;
            }
        }
        tokio::select! {
            _ = head.changed() => {}
            () = async { drop(stop.wait_for(|stop| *stop).await) } => return,
            _ = catch_up.changed() => {
                let line = serde_json::to_string(&Line::CatchUp(true)).unwrap();
                drop(socket.send(Message::Text(line.into())).await);
                return;
            }
            Ok(line) = says.recv() => {
                let line = serde_json::to_string(&line).unwrap();
                if socket.send(Message::Text(line.into())).await.is_err() {
                    return;
                }
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => standin.inside().heard.push(serde_json::from_str(&text).unwrap()),
                Some(Ok(_)) => {}
                _ => return,
            },
        }
    }
}

pub(super) async fn commands(
    State(standin): State<Standin>,
    headers: HeaderMap,
    Json(commands): Json<Vec<Value>>,
) -> Response {
    if let Err((status, code)) = standin.let_in(&headers) {
        return problem(status, code);
    }
    let slow = standin.inside().faults.slow;
    let mut answers = Vec::new();
    for body in commands {
        let Value::Object(fields) = body.clone() else { return problem(400, "bad_request") };
        let id: CommandId = serde_json::from_value(fields["id"].clone()).unwrap();
        let command = Command::read(id, fields).unwrap();
        standin.inside().posted.push(command.clone());
        let known = standin.inside().answers.get(&id).cloned();
        let answer = match known {
            Some((before, _)) if before != body => {
                let refusal = Refusal::new(Code::IdReused, "The same id came before with another body");
                Answer { id, outcome: Outcome::Refused(refusal), code: None }
            }
            Some((_, answer)) => answer,
            None => {
                let answer = Answer { id, outcome: standin.decide(&command), code: None };
                standin.inside().answers.insert(id, (body, answer.clone()));
                answer
            }
        };
        answers.push(answer);
    }
    if let Some(slow) = slow {
        tokio::time::sleep(slow).await;
    }
    let mut inside = standin.inside();
    if inside.faults.lose_answers > 0 {
        inside.faults.lose_answers -= 1;
        return problem(503, "not_stored");
    }
    drop(inside);
    Json(answers).into_response()
}
