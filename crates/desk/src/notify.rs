//! What deserves a notification, each once ever on this workstation.
//!
//! - a new inquiry for my team that nobody has taken,
//! - the citizen's next message on my case,
//! - a case that a colleague gave me.
//!
//! History deserves none: sync hands over only what came after the desk once stood at the gateway's head. What is before
//! the person's eyes, or was their own act, deserves none either. Several at once become one, and when they come thick
//! and fast they are gathered into one quiet notification: a surge must not bury the desk.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use domain::{
    entry::{Entry, Fact},
    ids::ConversationId,
    permission::{Act, may},
    words::CaseState,
};
use fluent_bundle::FluentArgs;
use records::Records;
use tokio::{sync::mpsc, time::Instant};

use crate::{
    api::{Contact, Language, Name},
    contact,
    database::Contents,
    precious,
    seat::Seat,
    texts::Texts,
};

/// What comes within so long of the first is told together with it.
const TOGETHER: Duration = Duration::from_millis(250);
/// At most so many single ones within `WHILE`.
const SINGLE: usize = 3;
const WHILE: Duration = Duration::from_secs(8);
/// So many entries are looked at together; a catch-up after a weekend has more, and says no more for it.
const LOOKED_AT: usize = 2_000;
/// So much of a message stands in its notification.
const PREVIEW: usize = 140;

/// What to show outside of the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What it is about: the same key never comes twice.
    pub key: String,
    /// The first line.
    pub title: String,
    /// The rest.
    pub body: String,
    /// What a click opens; none when several were made one.
    pub conversation: Option<ConversationId>,
    /// Whether it makes no sound.
    pub quiet: bool,
}

/// The way to the task that notifies.
pub(crate) struct Notifier(mpsc::Sender<Vec<Entry>>);

/// A notifier, and what its task listens to.
pub(crate) fn notifier() -> (Notifier, mpsc::Receiver<Vec<Entry>>) {
    let (sender, receiver) = mpsc::channel(64);
    (Notifier(sender), receiver)
}

impl Notifier {
    /// Hands over what was committed. When the task cannot keep up, a surge is under way, and it has enough to tell.
    pub(crate) fn consider(&self, news: Vec<Entry>) {
        if !news.is_empty()
            && let Err(error) = self.0.try_send(news)
        {
            tracing::info!(%error, "News too many to be notified one by one");
        }
    }
}

/// Runs until the seat is left.
pub(crate) async fn run(seat: Arc<Seat>, mut news: mpsc::Receiver<Vec<Entry>>) {
    let mut given: VecDeque<Instant> = VecDeque::new();
    while let Some(mut entries) = news.recv().await {
        let now = Instant::now();
        given.retain(|at| now.duration_since(*at) < WHILE);
        let thick = given.len() >= SINGLE;
        let until = given.front().filter(|_| thick).map_or(now + TOGETHER, |first| *first + WHILE);
        while let Ok(Some(more)) = tokio::time::timeout_at(until, news.recv()).await {
            if entries.len() < LOOKED_AT {
                entries.extend(more);
            }
        }
        match deserving(&seat, entries).await {
            Ok(found) => tell(&seat, found, &mut given),
            Err(error) => tracing::error!(error = format!("{error:#}"), "Nobody could be notified"),
        }
    }
}

fn tell(seat: &Seat, found: Vec<Deserving>, given: &mut VecDeque<Instant>) {
    let texts = Texts::of(seat.hub.language());
    let now = Instant::now();
    let recent = given.iter().filter(|at| now.duration_since(**at) < WHILE).count();
    if found.len() > 1 && found.len() + recent > SINGLE {
        let mut args = FluentArgs::new();
        args.set("count", found.len());
        let notification = Notification {
            key: found.into_iter().map(|one| one.key).next().unwrap_or_default(),
            title: texts.say("notify-many", &args),
            body: texts.say("notify-many-body", &args),
            conversation: None,
            quiet: true,
        };
        given.push_back(now);
        drop(seat.hub.notifications.send(notification));
        return;
    }
    for one in found {
        given.push_back(now);
        drop(seat.hub.notifications.send(one.notification(&texts, seat.hub.language(), seat.hub.is_locked())));
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Why {
    New,
    Wrote,
    Given,
}

/// One thing that deserves a notification.
#[derive(Debug, Clone, PartialEq)]
struct Deserving {
    key: String,
    why: Why,
    conversation: ConversationId,
    contact: Contact,
    number: String,
    kind: Name,
    r#type: String,
    text: Option<String>,
}

impl Deserving {
    fn notification(self, texts: &Texts, language: Language, locked: bool) -> Notification {
        let mut args = FluentArgs::new();
        let name = self.contact.name.clone().or_else(|| self.contact.phone.clone());
        let name = name.unwrap_or_else(|| {
            let mut args = FluentArgs::new();
            args.set("code", self.contact.short_code.clone());
            texts.say("contact-code", &args)
        });
        args.set("name", name);
        args.set("number", self.number.clone());
        args.set("kind", if language == Language::Ar { self.kind.ar.clone() } else { self.kind.en.clone() });
        args.set("type", self.r#type.clone());
        if locked {
            return Notification {
                key: self.key,
                title: texts.say("notify-locked", &args),
                body: texts.say("notify-locked-body", &args),
                conversation: Some(self.conversation),
                quiet: false,
            };
        }
        let title = match self.why {
            Why::New => "notify-new",
            Why::Wrote => "notify-wrote",
            Why::Given => "notify-given",
        };
        let title = texts.say(title, &args);
        let body = match &self.text {
            Some(text) => shortened(text),
            None => {
                let known = texts.try_say(&format!("type-{}", self.r#type), &args);
                args.set("type", known.unwrap_or_else(|| self.r#type.clone()));
                texts.say("notify-not-text", &args)
            }
        };
        Notification { key: self.key, title, body, conversation: Some(self.conversation), quiet: false }
    }
}

/// A text cut between words.
fn shortened(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= PREVIEW {
        return flat;
    }
    let cut: String = flat.chars().take(PREVIEW).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(whole, _)| whole);
    format!("{cut}…")
}

/// What of these entries deserves a notification now, one for each conversation, and for the first time.
async fn deserving(seat: &Seat, entries: Vec<Entry>) -> anyhow::Result<Vec<Deserving>> {
    let me = seat.me;
    let found = seat
        .records
        .read(move |records| {
            let mut found = BTreeMap::new();
            let mut keys = Vec::new();
            for entry in entries {
                if let Some(one) = consider(records, me, &entry)? {
                    keys.push(one.key.clone());
                    // The last one says most; a new inquiry stays one however much is written into it at once.
                    let one = match found.remove(&one.conversation) {
                        Some(Deserving { why, key, .. }) if why != Why::Wrote => Deserving { why, key, ..one },
                        _ => one,
                    };
                    found.insert(one.conversation, one);
                }
            }
            let mut found: Vec<Deserving> = found.into_values().collect();
            found.sort_by_key(|one| keys.iter().position(|key| *key == one.key));
            Ok((found, keys))
        })
        .await?;
    let (found, keys) = found;
    if keys.is_empty() {
        return Ok(vec![]);
    }
    let now = seat.now();
    let first = seat
        .precious
        .write(move |precious| {
            let mut first = Vec::new();
            for key in keys {
                if precious::first_time(precious.connection(), &key, now)? {
                    first.push(key);
                }
            }
            Ok(first)
        })
        .await?;
    let for_me = |one: &Deserving| first.contains(&one.key) && !seat.hub.is_before_eyes(one.conversation);
    Ok(found.into_iter().filter(for_me).collect())
}

fn consider(records: &mut Records, me: domain::ids::StaffId, entry: &Entry) -> anyhow::Result<Option<Deserving>> {
    let Some(viewer) = records.staff(me)?.map(|staff| staff.viewer) else { return Ok(None) };
    let (case, why, key) = match &entry.fact {
        Fact::CaseOpened(body) => (body.case, Why::New, format!("new {}", body.case)),
        Fact::MessageReceived(body) => (body.case, Why::Wrote, format!("wrote {}", body.message)),
        Fact::CaseAssigned(body) if body.staff == Some(me) => (body.case, Why::Given, format!("given {}", entry.id)),
        _ => return Ok(None),
    };
    let Some(case) = records.case(case)? else { return Ok(None) };
    let mine = case.owner == Some(me);
    let open = case.state == CaseState::Open;
    let deserves = match why {
        Why::New => {
            open && case.owner.is_none() && viewer.teams.contains(&case.team) && may(&viewer.roles, Act::Answer)
        }
        Why::Wrote => mine,
        Why::Given => mine && open,
    };
    if !deserves {
        return Ok(None);
    }
    let Some(row) = records.row(case.conversation)? else { return Ok(None) };
    let (r#type, text) = match (&entry.fact, row.last) {
        (Fact::MessageReceived(body), _) => (body.r#type.clone(), body.text.clone()),
        (_, Some(last)) => (last.r#type, last.text),
        (_, None) => ("text".to_owned(), None),
    };
    Ok(Some(Deserving {
        key,
        why,
        conversation: case.conversation,
        contact: contact::of(records, row.contact)?,
        number: case.number,
        kind: crate::names::kind(records, &case.kind)?,
        r#type,
        text,
    }))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn one(why: Why) -> Deserving {
        Deserving {
            key: "k".into(),
            why,
            conversation: ConversationId(Uuid::from_u128(1)),
            contact: Contact { name: None, phone: None, short_code: "K7QX".into() },
            number: "MEW-2026-000184".into(),
            kind: Name { ar: "استفسار".into(), en: "Inquiry".into() },
            r#type: "text".into(),
            text: Some("متى   تنقطع\nالكهرباء؟".into()),
        }
    }

    #[test]
    fn every_text_is_whole_in_both_languages() {
        for language in [Language::Ar, Language::En] {
            let texts = Texts::of(language);
            for why in [Why::New, Why::Wrote, Why::Given] {
                for text in [Some("نص".to_owned()), None] {
                    let told = Deserving { text, ..one(why.clone()) }.notification(&texts, language, false);
                    for line in [&told.title, &told.body] {
                        assert!(!line.contains("notify-") && !line.contains('{') && !line.is_empty(), "{line}");
                    }
                }
            }
            let told = one(Why::Wrote).notification(&texts, language, false);
            assert!(told.title.contains("K7QX"), "{}", told.title);
            assert_eq!(told.body, "متى تنقطع الكهرباء؟");
            for count in [0, 2, 5, 11, 100] {
                let mut args = FluentArgs::new();
                args.set("count", count);
                for key in ["notify-many", "notify-many-body"] {
                    let text = texts.say(key, &args);
                    assert!(!text.contains("notify-") && !text.contains('{'), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_long_text_is_cut_between_words() {
        let text = "كلمة ".repeat(60);
        let short = shortened(&text);
        assert!(short.ends_with("كلمة…") && short.chars().count() <= PREVIEW + 1, "{short}");
    }
}
