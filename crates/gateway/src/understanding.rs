//! After an upgrade: messages that an older version of the reader left raw are read again, and what this one understands
//! becomes `message_understood`, once. It goes on beside intake and keeps nobody waiting.

use std::{sync::Arc, time::Duration};

use domain::{command::SystemAsk, ids::MessageId};
use uuid::Uuid;
use whatsapp::webhook::Message;

use crate::{
    agency::Agency,
    failure::Failure,
    gateway::{Gateway, stopped},
};

/// Messages read at once.
const PAGE: u32 = 200;
/// An agency that is not ready is asked again after this time.
const AGAIN: Duration = Duration::from_secs(10);

/// Reads what was left raw by an older version than this one.
pub async fn run(gateway: Arc<Gateway>, agency: Arc<Agency>, reader: u32) {
    let mut stopping = gateway.stopping.subscribe();
    loop {
        let done = tokio::select! {
            () = stopped(&mut stopping) => return,
            done = read_again(&agency, reader) => done,
        };
        match done {
            Ok(0) => return,
            Ok(messages) => {
                tracing::info!(agency = agency.id, messages, "Messages of an older version are understood now");
                return;
            }
            Err(failure) => {
                tracing::warn!(agency = agency.id, status = %failure.status(), "Reading messages again waits");
            }
        }
        tokio::select! {
            () = stopped(&mut stopping) => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

async fn read_again(agency: &Arc<Agency>, reader: u32) -> Result<usize, Failure> {
    let (mut after, mut understood) = (MessageId(Uuid::nil()), 0);
    loop {
        let page = agency.read(move |open| Ok(open.records.left_raw(reader, after, PAGE)?)).await?;
        let Some((last, _)) = page.last() else { return Ok(understood) };
        after = *last;
        for (message, raw) in page {
            let read = serde_json::from_str(&raw).ok().and_then(|raw| Message::kept(&raw).ok());
            let Some(read) = read else { continue };
            let Some(text) = read.says(reader).map(str::to_owned) else { continue };
            let ask = SystemAsk::Understand { message, r#type: read.kind, text: Some(text), reader };
            if agency.system(ask).await?.is_ok_and(|entries| !entries.is_empty()) {
                understood += 1;
            }
        }
    }
}
