//! `POST /api/v1/commands`: what people ask for, in their order, each answered once and for ever.

use std::sync::Arc;

use axum::{Json, body::Body, extract::State, http::HeaderMap};
use domain::{command::Command, ids::CommandId, wire::Answer};
use serde_json::{Map, Value};

use crate::{
    decider::Given,
    failure::Failure,
    gateway::Gateway,
    keys,
    requests::{self, Signed},
};

/// Bytes of one request.
const LARGEST: usize = 1 << 20;
/// Commands in one request.
const MOST: usize = 100;

/// Decides an array of commands.
pub async fn commands(
    State(gateway): State<Arc<Gateway>>,
    signed: Signed,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Vec<Answer>>, Failure> {
    requests::must_be_plain_json(&headers)?;
    let body = requests::read(&headers, body, LARGEST, gateway.limits.body()).await?;
    let list: Vec<Map<String, Value>> = serde_json::from_slice(&body).map_err(|error| {
        Failure::bad_request(format!("The body is not an array of commands: {:?}", error.classify()))
    })?;
    if list.len() > MOST {
        return Err(Failure::too_large(format!("A request has at most {MOST} commands")));
    }
    let given = list.into_iter().map(given).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(signed.agency.commands(signed.staff, given).await?))
}

fn given(fields: Map<String, Value>) -> Result<Given, Failure> {
    let id = fields.get("id").and_then(Value::as_str).and_then(|id| id.parse::<CommandId>().ok());
    let id = id
        .filter(|id| id.0.get_version_num() == 7)
        .ok_or_else(|| Failure::bad_request("Each command has an id, a UUIDv7"))?;
    // Members in sorted order (as `Map` keeps them), so that the same command always has the same hash.
    let body = serde_json::to_vec(&fields)
        .map_err(|error| Failure::inside(&anyhow::Error::new(error).context("Writing a command for its hash")))?;
    Ok(Given { id, hash: keys::sha256(&body), command: Command::read(id, fields) })
}
