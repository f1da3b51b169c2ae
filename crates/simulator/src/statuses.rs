//! What becomes of a message that the agency sent: the statuses that Meta would report.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    Simulator,
    post::{self, Letter},
    world::{Bubble, Side, Telephone, Tick, present},
};

/// Lets an accepted message arrive.
pub(crate) fn follow(simulator: &Arc<Simulator>, telephone: String, wamid: String) {
    let simulator = simulator.clone();
    tokio::spawn(async move {
        tokio::time::sleep(simulator.config.pace).await;
        step(&simulator, &telephone, &wamid, Tick::Sent);
        tokio::time::sleep(simulator.config.pace).await;
        // Meta reports no `delivered` where the chat is open, only `read`.
        let open = simulator.world().telephone(&telephone).is_ok_and(|telephone| telephone.opened > 0);
        let looked =
            simulator.world().telephone_mut(&telephone).ok().and_then(|it| it.bubble_mut(&wamid).map(|it| it.looked));
        let tick = if open || looked == Some(true) { Tick::Read } else { Tick::Delivered };
        step(&simulator, &telephone, &wamid, tick);
    });
}

/// The citizen reads everything on the telephone. What is not delivered yet is read as soon as it is.
pub(crate) fn read(simulator: &Arc<Simulator>, telephone: &str) {
    let mut wamids = Vec::new();
    if let Ok(telephone) = simulator.world().telephone_mut(telephone) {
        for bubble in telephone.messages.iter_mut().filter(|bubble| bubble.from == Side::Agency) {
            bubble.looked = true;
            if bubble.tick == Tick::Delivered {
                wamids.push(bubble.wamid.clone());
            }
        }
    }
    for wamid in wamids {
        step(simulator, telephone, &wamid, Tick::Read);
    }
}

fn step(simulator: &Arc<Simulator>, id: &str, wamid: &str, tick: Tick) {
    let lost = simulator.world().faults.lose_statuses;
    let value = {
        let mut world = simulator.world();
        let Ok(telephone) = world.telephone_mut(id) else { return };
        let Some(bubble) = telephone.bubble_mut(wamid) else { return };
        bubble.tick = tick;
        let bubble = bubble.clone();
        status(simulator, telephone, &bubble)
    };
    simulator.events.tell(id);
    if !lost {
        send(simulator, id, value);
    }
}

fn send(simulator: &Arc<Simulator>, telephone: &str, value: Value) {
    if let Err(error) = post::send(simulator, Letter { telephone: telephone.to_owned(), message: None, value }) {
        tracing::error!(telephone, %error, "A status was dropped");
    }
}

fn status(simulator: &Simulator, telephone: &Telephone, bubble: &Bubble) -> Value {
    let priced = (bubble.tick != Tick::Read)
        .then(|| json!({"billable": true, "pricing_model": "PMP", "category": "service", "type": "regular"}));
    let status = present(json!({
        "id": bubble.wamid,
        "status": bubble.tick,
        "timestamp": (simulator.now() / 1000).to_string(),
        "recipient_id": telephone.phone,
        "recipient_user_id": telephone.bsuid,
        "biz_opaque_callback_data": bubble.callback_data,
        "pricing": priced,
    }));
    json!({
        "messaging_product": "whatsapp", "metadata": simulator.metadata(),
        "contacts": [telephone.contact()], "statuses": [status],
    })
}

/// Reports that a message that was accepted will not arrive. `queue` is the telephone's id, where there is one.
pub(crate) fn fail(simulator: &Arc<Simulator>, queue: &str, sent: &Sent, (code, title, details): (i64, &str, &str)) {
    let (phone, bsuid) = match &sent.recipient {
        Recipient::Phone(phone) => (Some(phone), None),
        Recipient::Bsuid(bsuid) => (None, Some(bsuid)),
    };
    let status = present(json!({
        "id": sent.wamid,
        "status": "failed",
        "timestamp": (simulator.now() / 1000).to_string(),
        "recipient_id": phone,
        "recipient_user_id": bsuid,
        "biz_opaque_callback_data": sent.callback_data,
        "errors": [{"code": code, "title": title, "message": title, "error_data": {"details": details},
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"}],
    }));
    if !simulator.world().faults.lose_statuses {
        send(
            simulator,
            queue,
            json!({"messaging_product": "whatsapp", "metadata": simulator.metadata(), "statuses": [status]}),
        );
    }
}

/// A message that was accepted and will fail.
pub(crate) struct Sent {
    pub(crate) wamid: String,
    pub(crate) recipient: Recipient,
    pub(crate) callback_data: Option<String>,
}

/// How a sender named the person.
#[derive(Debug, Clone)]
pub(crate) enum Recipient {
    /// By number: digits.
    Phone(String),
    /// By business-scoped user id.
    Bsuid(String),
}

impl Recipient {
    pub(crate) fn is(&self, telephone: &Telephone) -> bool {
        match self {
            Self::Phone(phone) => telephone.phone.as_ref() == Some(phone),
            Self::Bsuid(bsuid) => &telephone.bsuid == bsuid,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Phone(value) | Self::Bsuid(value) => value,
        }
    }
}
