//! `POST /api/v1/commands`: what people ask for, in their order, each answered once and for ever.

use std::{
    fmt,
    sync::{Arc, PoisonError},
};

use axum::{Json, body::Body, extract::State, http::HeaderMap};
use domain::{chain::Hash, command::Command, ids::CommandId, wire::Answer};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::{
    decider::Given,
    failure::Failure,
    gateway::Gateway,
    keys,
    pace::Rate,
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
    let body = requests::read(&gateway, &headers, body, LARGEST).await?;
    let Few(list) = serde_json::from_slice(&body.bytes).map_err(|error| {
        Failure::bad_request(format!("The body is not an array of commands: {:?}", error.classify()))
    })?;
    if list.len() > MOST {
        return Err(Failure::too_large(format!("A request has at most {MOST} commands")));
    }
    must_not_wait(&gateway, signed.token, list.len())?;
    let given = list.into_iter().map(given).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(signed.agency.commands(signed.staff, given).await?))
}

/// The commands of a request; of those beyond the bound no more than that they are there.
struct Few(Vec<Map<String, Value>>);

impl<'de> Deserialize<'de> for Few {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Commands)
    }
}

struct Commands;

impl<'de> Visitor<'de> for Commands {
    type Value = Few;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of commands")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Few, A::Error> {
        let mut list = Vec::new();
        while list.len() <= MOST
            && let Some(item) = items.next_element()?
        {
            list.push(item);
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Few(list))
    }
}

/// A device that sends without pause waits. One request may overdraw: an outbox comes whole after a day off line.
pub fn must_not_wait(gateway: &Gateway, device: Hash, count: usize) -> Result<(), Failure> {
    let a_minute = gateway.limits.commands_per_minute;
    let (rate, now) = (Rate::new(a_minute, 60_000, a_minute), gateway.clock.now());
    let mut pace = gateway.commands.lock().unwrap_or_else(PoisonError::into_inner);
    let wait = pace.wait(&device, rate, now);
    if wait > 0 {
        let seconds = u64::try_from(wait / 1000 + 1).unwrap_or(1);
        return Err(Failure::too_many("This device sends too many commands").retry_after(seconds));
    }
    for _ in 0..count {
        pace.take(device, rate, now);
    }
    Ok(())
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
