//! The Graph API: sending, and marking as read.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    SendFault, Simulator,
    statuses::{self, Recipient, Sent},
    wamid,
    world::{Bubble, Side, Tick},
};

pub(crate) fn routes() -> Router<Arc<Simulator>> {
    Router::new().route("/{version}/{number}/messages", post(messages))
}

/// An error as Meta words it.
struct GraphError(u16, i64, String);

impl GraphError {
    fn new(code: i64, details: &str) -> Self {
        Self(if code == 190 { 401 } else { 400 }, code, details.to_owned())
    }

    fn injected(fault: &SendFault) -> Self {
        Self(fault.http, fault.code, "A fault that was switched on".to_owned())
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        let Self(status, code, details) = self;
        let title = match code {
            4 => "Application request limit reached",
            100 => "Invalid parameter",
            190 => "Error validating access token",
            130_429 => "Rate limit hit",
            131_000 => "Something went wrong",
            131_009 => "Parameter value is not valid",
            131_051 => "Unsupported message type",
            131_056 => "(Business Account, Consumer Account) pair rate limit hit",
            _ => "Request failed",
        };
        let error = json!({"error": {
            "message": format!("(#{code}) {title}"),
            "type": "OAuthException",
            "code": code,
            "error_data": {"messaging_product": "whatsapp", "details": details},
            "fbtrace_id": "AqSimulatorTrace00000001",
        }});
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(error)).into_response()
    }
}

/// The body of a request, as far as it matters here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wish {
    messaging_product: String,
    status: Option<String>,
    message_id: Option<String>,
    r#type: String,
    to: Option<String>,
    recipient: Option<String>,
    text: Text,
    context: Quoted,
    biz_opaque_callback_data: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Text {
    body: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Quoted {
    message_id: Option<String>,
}

async fn messages(
    State(simulator): State<Arc<Simulator>>,
    Path((version, number)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, GraphError> {
    let slow = Duration::from_millis(simulator.world().faults.slow_ms);
    tokio::time::sleep(slow).await;
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if bearer != Some(&simulator.config.token) {
        return Err(GraphError::new(190, "The access token is missing or wrong"));
    }
    if !version.starts_with('v') || number != simulator.config.phone_number_id {
        return Err(GraphError::new(100, &format!("Object with ID '{number}' does not exist")));
    }
    let wish: Wish = serde_json::from_slice(&body).map_err(|_| GraphError::new(100, "The body cannot be read"))?;
    if wish.messaging_product != "whatsapp" {
        return Err(GraphError::new(100, "The parameter messaging_product is required"));
    }
    match (wish.status.as_deref(), &wish.message_id) {
        (Some("read"), Some(wamid)) => mark_read(&simulator, wamid),
        _ => send(&simulator, wish).await,
    }
}

/// The citizen's message and every earlier one become read.
fn mark_read(simulator: &Simulator, wamid: &str) -> Result<Json<Value>, GraphError> {
    let mut world = simulator.world();
    let found = world.telephones.iter_mut().find_map(|telephone| {
        let is_it = |bubble: &Bubble| bubble.from == Side::Citizen && bubble.wamid == wamid;
        let at = telephone.messages.iter().position(is_it)?;
        Some((telephone, at))
    });
    let Some((telephone, at)) = found else {
        return Err(GraphError::new(131_009, "There is no such message_id"));
    };
    for bubble in telephone.messages.iter_mut().take(at + 1).filter(|bubble| bubble.from == Side::Citizen) {
        bubble.tick = Tick::Read;
    }
    let id = telephone.id.clone();
    drop(world);
    simulator.events.tell(&id);
    Ok(Json(json!({"success": true})))
}

async fn send(simulator: &Arc<Simulator>, wish: Wish) -> Result<Json<Value>, GraphError> {
    if wish.r#type != "text" {
        return Err(GraphError::new(131_051, "The simulator sends texts only"));
    }
    if wish.text.body.is_empty() || wish.text.body.chars().count() > 4096 {
        return Err(GraphError::new(100, "Param text['body'] must be between 1 and 4096 characters long"));
    }
    if wish.biz_opaque_callback_data.as_ref().is_some_and(|data| data.chars().count() > 512) {
        return Err(GraphError::new(100, "Param biz_opaque_callback_data must be at most 512 characters long"));
    }
    let (recipient, contact) = match (&wish.to, &wish.recipient) {
        (Some(to), _) => {
            // Without the plus Meta takes the number for a local one of the business's country.
            let digits = to.strip_prefix('+').map_or_else(|| format!("965{to}"), str::to_owned);
            (Recipient::Phone(digits.clone()), json!({"input": to, "wa_id": digits}))
        }
        (None, Some(bsuid)) => (Recipient::Bsuid(bsuid.clone()), json!({"input": bsuid, "user_id": bsuid})),
        (None, None) => return Err(GraphError::new(100, "The parameter to or recipient is required")),
    };

    let fault = simulator.world().faults.take_send();
    if let Some(fault) = fault {
        if fault.accept {
            accept(simulator, wish, recipient);
        }
        if fault.hang {
            simulator.stopped().await;
        }
        return Err(GraphError::injected(&fault));
    }
    let wamid = accept(simulator, wish, recipient);
    Ok(Json(json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": wamid}]})))
}

/// Puts the message on its way, and returns its wamid.
fn accept(simulator: &Arc<Simulator>, wish: Wish, recipient: Recipient) -> String {
    let now = simulator.now();
    let id = simulator.config.ids.next(now);
    let callback_data = wish.biz_opaque_callback_data;
    let mut world = simulator.world();
    let telephone = world.telephones.iter_mut().find(|telephone| recipient.is(telephone));
    let wamid = wamid::made(telephone.as_ref().map_or(recipient.as_str(), |it| it.person()), false, id);
    let (queue, why) = match telephone {
        None => ("nobody".to_owned(), (131_026, "Message undeliverable", "Nobody has this number on WhatsApp")),
        Some(telephone) if !telephone.window_open(now) => {
            let details = "More than 24 hours have passed since the customer last replied";
            (telephone.id.clone(), (131_047, "Re-engagement message", details))
        }
        Some(telephone) => {
            let number = telephone.id.clone();
            telephone.messages.push(Bubble {
                wamid: wamid.clone(),
                from: Side::Agency,
                kind: wish.r#type,
                text: Some(wish.text.body),
                quote: wish.context.message_id,
                at: now,
                tick: Tick::Sent,
                callback_data,
                looked: false,
            });
            drop(world);
            simulator.events.tell(&number);
            statuses::follow(simulator, number, wamid.clone());
            return wamid;
        }
    };
    drop(world);
    statuses::fail(simulator, &queue, &Sent { wamid: wamid.clone(), recipient, callback_data }, why);
    wamid
}
