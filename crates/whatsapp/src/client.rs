//! A client of the Graph API for one WhatsApp number.
//!
//! There is no idempotency key, so whoever sends must know what is certain after a failure. [`SendFailure`] says it:
//! a message may be sent again without a person's consent only after [`SendFailure::NotSent`]. Nothing in here repeats
//! a request by itself.

mod outcome;

use std::{fmt, sync::Arc, time::Duration};

use domain::entry::{IdentifierKind, Recipient};
use serde_json::{Value, json};

pub use self::outcome::{Again, SendFailure};
use crate::{MetaError, webhook::lenient::text};

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the connection; running out of it is certain failure.
    pub connect: Duration,
    /// For the whole exchange; running out of it leaves the outcome open.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(30) }
    }
}

/// The HTTP client that [`Client::new`] wants: it repeats nothing and follows no redirect, since either could be a
/// second POST. A process-wide `rustls` crypto provider must have been installed before.
pub fn http(timeouts: Timeouts) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.answer)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .build()
}

/// WhatsApp took the message over; what becomes of it, statuses tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// WhatsApp's id of it.
    pub wamid: String,
}

/// Sends for one number.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    messages: Arc<str>,
    token: Arc<str>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("messages", &self.messages).finish_non_exhaustive()
    }
}

impl Client {
    /// A client for the number `phone_number_id`, at `graph_url` (`https://graph.facebook.com`) in `version` (`v26.0`).
    /// `http` comes from [`http`](self::http()).
    pub fn new(http: reqwest::Client, graph_url: &str, version: &str, phone_number_id: &str, token: &str) -> Self {
        let messages = format!("{}/{version}/{phone_number_id}/messages", graph_url.trim_end_matches('/'));
        Self { http, messages: messages.into(), token: token.into() }
    }

    /// Sends a text, quoting the message whose wamid is `quote`. `callback_data` (at most 512 characters) comes back in
    /// every status of this message: it is how the outcome of an uncertain send becomes known.
    pub async fn send_text(
        &self,
        to: &Recipient,
        text: &str,
        quote: Option<&str>,
        callback_data: &str,
    ) -> Result<Accepted, SendFailure> {
        let mut body = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "type": "text",
            "text": {"body": text},
            "biz_opaque_callback_data": callback_data,
        });
        if let Value::Object(body) = &mut body {
            match to.kind {
                // Without the plus Meta puts the business's own country code before it.
                IdentifierKind::Phone => {
                    body.insert("to".into(), format!("+{}", to.value.trim_start_matches('+')).into())
                }
                IdentifierKind::Bsuid => body.insert("recipient".into(), to.value.as_str().into()),
            };
            if let Some(wamid) = quote {
                body.insert("context".into(), json!({"message_id": wamid}));
            }
        }
        let answer = self.post(&body).await?;
        match self::text(answer.pointer("/messages/0/id")) {
            Some(wamid) => Ok(Accepted { wamid }),
            None => Err(SendFailure::Ambiguous(MetaError::ours("The answer names no message"))),
        }
    }

    /// Tells the citizen that this message, and every earlier one, was read.
    pub async fn mark_read(&self, wamid: &str) -> Result<(), SendFailure> {
        let body = json!({"messaging_product": "whatsapp", "status": "read", "message_id": wamid});
        self.post(&body).await.map(|_| ())
    }

    async fn post(&self, body: &Value) -> Result<Value, SendFailure> {
        let request = self.http.post(&*self.messages).bearer_auth(&self.token).json(body);
        let answer = request.send().await.map_err(SendFailure::from_transport)?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.map_err(|error| SendFailure::without_answer(status, &error))?;
        let answer = serde_json::from_slice(&bytes).ok();
        SendFailure::from_answer(status, answer.as_ref()).map_or(Ok(answer.unwrap_or_default()), Err)
    }
}
