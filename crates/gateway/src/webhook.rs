//! `GET` and `POST /webhooks/…`: the handshake, and a delivery that is on disk before it is answered 200.
//!
//! Whatever can be refused is refused before the body is parsed: method, encoding, type, length, then the signature over
//! the raw bytes. What a delivery *means* is not asked here: Meta repeats what is not answered 200, and would repeat for
//! days what this version merely does not understand.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use axum::{
    body::Body,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::ids::DeliveryId;
use serde::de::IgnoredAny;
use subtle::{Choice, ConstantTimeEq};
use whatsapp::signature;

use crate::{
    config::{Webhook, WebhookKind},
    failure::Failure,
    gateway::Gateway,
    requests,
};

/// Meta's deliveries have up to 3 MB.
const LARGEST: usize = 4 << 20;

/// One endpoint, ready to serve.
pub struct Endpoint {
    path: Arc<str>,
    settings: Webhook,
}

impl Endpoint {
    /// An endpoint as configured.
    pub fn new(settings: Webhook) -> Self {
        Self { path: settings.path.as_str().into(), settings }
    }

    /// The lines that it may speak for.
    pub fn lines(&self) -> &BTreeSet<String> {
        &self.settings.lines
    }

    /// Whether a POST is genuine.
    fn is_genuine(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let name = match self.settings.kind {
            WebhookKind::Meta => signature::HEADER,
            WebhookKind::Header => self.settings.header.as_str(),
        };
        // Two headers: which of them would be meant? Neither.
        let mut given = headers.get_all(name).iter();
        let (Some(given), None) = (given.next().and_then(|value| value.to_str().ok()), given.next()) else {
            return false;
        };
        match self.settings.kind {
            WebhookKind::Meta => {
                let secrets: Vec<&str> = self.settings.secrets.iter().map(|secret| secret.expose()).collect();
                signature::verify(given, body, &secrets)
            }
            WebhookKind::Header => {
                let fits =
                    self.settings.secrets.iter().fold(Choice::from(0), |found, secret| {
                        found | secret.expose().as_bytes().ct_eq(given.as_bytes())
                    });
                fits.into()
            }
        }
    }
}

/// Meta's handshake.
pub async fn handshake(
    State((_, endpoint)): State<(Arc<Gateway>, Arc<Endpoint>)>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Response, Failure> {
    let get = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let fits = endpoint
        .settings
        .verify_token
        .as_ref()
        .is_some_and(|token| bool::from(token.expose().as_bytes().ct_eq(get("hub.verify_token").as_bytes())));
    if get("hub.mode") != "subscribe" || !fits {
        return Err(Failure::bad_verify_token("This is not the handshake that was agreed"));
    }
    let plain = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
    Ok((plain, get("hub.challenge").to_owned()).into_response())
}

/// A delivery.
pub async fn receive(
    State((gateway, endpoint)): State<(Arc<Gateway>, Arc<Endpoint>)>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Failure> {
    requests::must_be_plain_json(&headers)?;
    let whole = requests::read(&gateway, &headers, body, LARGEST).await?;
    let body = whole.bytes.clone();
    if !endpoint.is_genuine(&headers, &body) {
        return Err(Failure::bad_signature("The signature does not fit the body"));
    }
    // The tolerant reader mends what a strict one refuses; most bodies need it not.
    if serde_json::from_slice::<IgnoredAny>(&body).is_err() && whatsapp::webhook::parse(&body).is_err() {
        return Err(Failure::bad_request("The body is not JSON"));
    }
    let now = gateway.clock.now();
    let id = DeliveryId(gateway.ids.next(now));
    gateway
        .deliveries
        .keep(id, Arc::clone(&endpoint.path), now, body)
        .await
        .map_err(|error| Failure::not_stored(error.to_string()).retry_after(5))?;
    Ok(StatusCode::OK)
}
