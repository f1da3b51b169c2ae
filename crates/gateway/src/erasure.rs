//! What an erasure leaves to be done outside of its transaction: raw deliveries, files, and the traces that a home keeps of
//! what was deleted.
//!
//! It is begun after the commit, and again at each start and each failure, until the journal has no more of it to do: every
//! step may be done twice. The person is known here only by hashes (`Traces`).

use std::{collections::HashSet, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use domain::chain::Hash;
use serde_json::Value;

use crate::{
    agency::{Agency, Files},
    deliveries,
    gateway::{Gateway, stopped},
    home::{Home, Place, values},
    journal::Traces,
    keys::ServerKey,
    media::sweep::{self, Uploads},
};

/// Looked at without being told: what another process has written.
const LOOK: Duration = Duration::from_secs(30);
/// What failed is tried again after this, and then after twice as long each time. SQLite empties no log while another
/// connection just moves it into its file, which happens all the time and is over in a moment.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Deliveries in memory at once; each has up to 4 MB.
const PAGE: u32 = 16;
/// A wamid and a BSUID are shorter.
const LONGEST: usize = 300;

/// Ends what erasures of an agency have left, until the gateway stops.
pub async fn run(gateway: Arc<Gateway>, agency: Arc<Agency>, files: Files, deliveries: Place) {
    let mut stopping = gateway.stopping.subscribe();
    let mut again = AGAIN_AFTER;
    loop {
        let mut pause = LOOK;
        match round(&gateway, &agency, &files, &deliveries).await {
            Ok(()) => again = AGAIN_AFTER,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), agency = agency.id, "An erasure is not ended yet");
                pause = again.min(LOOK);
                again = pause * 2;
            }
        }
        tokio::select! {
            () = stopped(&mut stopping) => return,
            () = agency.erased.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn round(gateway: &Arc<Gateway>, agency: &Arc<Agency>, files: &Files, deliveries: &Place) -> Result<()> {
    let asked = agency.read(|reader| Ok((reader.journal.erasing()?, reader.records.has_traces()?)));
    let (erasing, traces_in_records) = asked.await.ok().context("Looking for erasures failed")?;
    let (key, id, of, deliveries) = (Arc::clone(&gateway.key), agency.id.clone(), files.clone(), deliveries.clone());
    let work = move || -> Result<_> {
        if traces_in_records {
            let records = of.open_records()?;
            gone(records.scrub().map_err(Into::into)).context("Scrubbing the records")?;
        }
        for (_, traces) in &erasing {
            in_deliveries(&deliveries, &key, &id, traces).context("Erasing from the deliveries")?;
        }
        if !erasing.is_empty() {
            let journal = crate::journal::home(&of.journal)?;
            gone(journal.scrub(crate::journal::TOUCHED)).context("Scrubbing the journal")?;
        }
        Ok(erasing)
    };
    let erasing = tokio::task::spawn_blocking(work).await.context("Erasing")??;
    for (seq, traces) in erasing {
        if let Some(media) = &gateway.media {
            for file in traces.media {
                sweep::let_go(gateway, media, agency, file, Uploads::Any).await.context("Deleting a file of theirs")?;
            }
        }
        let ended = agency.change(move |batch| Ok((batch.erased(seq)?, None))).await;
        ended.ok().context("An erasure's end could not be written")?;
        tracing::info!(agency = agency.id, seq, "An erasure is ended");
    }
    Ok(())
}

/// Takes the traces away; an error where a reader holds them for longer than is waited for.
pub(crate) fn gone(scrub: Result<bool>) -> Result<()> {
    ensure!(scrub?, "Somebody who reads holds what was deleted");
    Ok(())
}

/// Takes a person out of the raw deliveries: what is finished goes with whoever bears one of their identifiers, what is not
/// only with what was taken in already.
pub(crate) fn in_deliveries(place: &Place, key: &ServerKey, agency: &str, traces: &Traces) -> Result<()> {
    let home = Home::writer(place, deliveries::SCHEMA)?;
    let wamids: HashSet<&Hash> = traces.wamids.iter().collect();
    let all: HashSet<&Hash> = wamids.iter().copied().chain(&traces.identifiers).collect();
    let mut last = 0_i64;
    loop {
        let sql = "SELECT n, state, body FROM deliveries WHERE n > $1 ORDER BY n LIMIT $2";
        let page = home.query(sql, values![last, PAGE]).context("Reading deliveries")?;
        if page.is_empty() {
            return gone(home.scrub(&["deliveries"]));
        }
        for mut row in page {
            let (n, state, body) = (row.integer()?, row.text()?, row.blob()?);
            last = n;
            let known = if state == "done" { &all } else { &wamids };
            let marked = |text: &str| {
                let text = text.strip_prefix('+').unwrap_or(text);
                text.len() <= LONGEST && known.contains(&key.seen(agency, text))
            };
            match without(&body, &marked) {
                Left::All => {}
                Left::Nothing => {
                    home.execute("DELETE FROM deliveries WHERE n = $1", values![n])?;
                }
                Left::Rest(rest) => {
                    let rest = serde_json::to_vec(&rest).context("Writing a delivery")?;
                    home.execute("UPDATE deliveries SET body = $1 WHERE n = $2", values![&rest[..], n])?;
                }
            }
        }
    }
}

/// What is left of a delivery.
#[derive(Debug, PartialEq)]
enum Left {
    All,
    Rest(Value),
    Nothing,
}

/// A delivery without what bears a mark.
fn without(raw: &[u8], marked: &dyn Fn(&str) -> bool) -> Left {
    let Ok(mut body) = whatsapp::webhook::json(raw) else { return Left::All };
    let Some(entries) = body.get_mut("entry").and_then(Value::as_array_mut) else {
        return if any(&body, marked) { Left::Nothing } else { Left::All };
    };
    let mut touched = false;
    for entry in entries.iter_mut() {
        if let Some(changes) = entry.get_mut("changes").and_then(Value::as_array_mut) {
            changes.retain_mut(|change| {
                let (changed, stays) = change_without(change, marked);
                touched |= changed;
                stays
            });
        }
    }
    if !touched {
        return Left::All;
    }
    entries.retain(|entry| entry.get("changes").and_then(Value::as_array).is_some_and(|changes| !changes.is_empty()));
    if entries.is_empty() { Left::Nothing } else { Left::Rest(body) }
}

/// Takes out of a change what bears a mark; whether there was any, and whether anything is left.
fn change_without(change: &mut Value, marked: &dyn Fn(&str) -> bool) -> (bool, bool) {
    if !any(change, marked) {
        return (false, true);
    }
    let Some(value) = change.get_mut("value").and_then(Value::as_object_mut) else { return (true, false) };
    let (mut left, mut said) = (false, HashSet::new());
    for (name, part) in value.iter_mut() {
        if let Some(list) = part.as_array_mut() {
            list.retain(|item| !any(item, marked));
            if name != "contacts" {
                left |= !list.is_empty();
                list.iter().for_each(|item| texts(item, &mut |text| said.extend([text.to_owned()])));
            }
        }
    }
    // Whoever stands beside nothing any more goes too: they may be known by another identifier than the one marked.
    if let Some(contacts) = value.get_mut("contacts").and_then(Value::as_array_mut) {
        contacts.retain(|contact| {
            let is_said = |name| contact.get(name).and_then(Value::as_str).is_some_and(|id: &str| said.contains(id));
            is_said("wa_id") || is_said("user_id")
        });
    }
    (true, left && !any(change, marked))
}

/// Whether any text or number in it bears a mark.
fn any(value: &Value, marked: &dyn Fn(&str) -> bool) -> bool {
    let mut found = false;
    texts(value, &mut |text| found = found || marked(text));
    found
}

fn texts(value: &Value, each: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => each(text),
        Value::Number(number) => each(&number.to_string()),
        Value::Array(list) => list.iter().for_each(|item| texts(item, each)),
        Value::Object(members) => members.values().for_each(|member| texts(member, each)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(contacts: Value, messages: Value) -> Value {
        json!({"field": "messages", "value": {"metadata": {"phone_number_id": "1"}, "contacts": contacts,
            "messages": messages}})
    }

    fn body(changes: Value) -> Value {
        json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]})
    }

    fn left(body: &Value, mark: &str) -> Left {
        without(body.to_string().as_bytes(), &|text| text == mark)
    }

    #[test]
    fn only_what_bears_the_mark_goes() {
        let contact = |wa_id: &str| json!({"wa_id": wa_id, "profile": {"name": wa_id}});
        let message = |from: &str, id: &str| json!({"from": from, "id": id, "text": {"body": from}});
        let whole = body(json!([
            change(
                json!([contact("96550000001"), contact("96550000002")]),
                json!([message("96550000001", "w1"), message("96550000002", "w2")])
            ),
            change(json!([contact("96550000001")]), json!([message("96550000001", "w3")])),
        ]));
        let rest = |changes| Left::Rest(body(changes));
        let second = || change(json!([contact("96550000002")]), json!([message("96550000002", "w2")]));
        assert_eq!(left(&whole, "96550000001"), rest(json!([second()])));
        // By the wamid alone: whose name stands beside nothing goes all the same.
        let third = || change(json!([contact("96550000001")]), json!([message("96550000001", "w3")]));
        assert_eq!(left(&whole, "w1"), rest(json!([second(), third()])));
        assert_eq!(left(&whole, "w9"), Left::All);
        assert_eq!(left(&body(json!([third()])), "w3"), Left::Nothing);
    }

    #[test]
    fn what_is_of_no_known_form_goes_whole() {
        let account = json!([{"field": "user_preferences", "value": {"wa_id": 96_550_000_001_u64}}]);
        assert_eq!(left(&body(account.clone()), "96550000001"), Left::Nothing);
        assert_eq!(left(&body(account), "96550000002"), Left::All);
        assert_eq!(left(&json!({"other": "96550000001"}), "96550000001"), Left::Nothing);
        assert_eq!(without(b"no json", &|_| true), Left::All);
        // A name that was cut in the midst of an emoji.
        let cut = br#"{"entry": [{"changes": [{"value": {"messages": [{"id": "w1", "name": "a\ud83d"}]}}]}]}"#;
        assert_eq!(without(cut, &|text| text == "w1"), Left::Nothing);
    }
}
