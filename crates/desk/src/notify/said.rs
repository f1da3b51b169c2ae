//! How a notification is said: in words of the catalogue, in the language and with the discretion that were chosen.

use domain::ids::ConversationId;
use fluent_bundle::FluentArgs;

use crate::{
    api::{Contact, Language, Name, Settings, Sound},
    texts::Texts,
};

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
    /// Whether it stays in the background.
    pub quiet: bool,
    /// What it sounds like.
    pub sound: Sound,
}

/// Why something deserves a notification.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Why {
    New,
    Wrote,
    Given,
    Closing,
}

impl Why {
    /// Whether it appears in quiet hours too.
    pub(super) fn is_urgent(self) -> bool {
        matches!(self, Why::Given | Why::Closing)
    }
}

/// One thing that deserves a notification.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Deserving {
    pub(super) key: String,
    pub(super) why: Why,
    pub(super) conversation: ConversationId,
    pub(super) contact: Contact,
    pub(super) number: String,
    pub(super) kind: Name,
    pub(super) r#type: String,
    pub(super) text: Option<String>,
}

impl Deserving {
    pub(super) fn notification(self, texts: &Texts, settings: &Settings) -> Notification {
        let mut args = FluentArgs::new();
        args.set("number", self.number.clone());
        let (title, body) = if settings.private_notifications {
            let title = match self.why {
                Why::New | Why::Wrote => "notify-private",
                Why::Given => "notify-private-given",
                Why::Closing => "notify-private-closing",
            };
            (texts.say(title, &args), texts.say("notify-private-body", &args))
        } else {
            let name = self.contact.name.clone().or_else(|| self.contact.phone.clone());
            args.set("name", name.unwrap_or_else(|| self.code(texts)));
            args.set(
                "kind",
                if settings.language == Language::Ar { self.kind.ar.clone() } else { self.kind.en.clone() },
            );
            let title = match self.why {
                Why::New => "notify-new",
                Why::Wrote => "notify-wrote",
                Why::Given => "notify-given",
                Why::Closing => "notify-closing",
            };
            (texts.say(title, &args), self.content(texts))
        };
        let conversation = Some(self.conversation);
        Notification { key: self.key, title, body, conversation, quiet: false, sound: settings.sound }
    }

    fn code(&self, texts: &Texts) -> String {
        let mut args = FluentArgs::new();
        args.set("code", self.contact.short_code.clone());
        texts.say("contact-code", &args)
    }

    fn content(&self, texts: &Texts) -> String {
        if let Some(text) = &self.text {
            return shortened(text);
        }
        let mut args = FluentArgs::new();
        args.set("type", self.r#type.clone());
        let known = texts.try_say(&format!("type-{}", self.r#type), &args);
        args.set("type", known.unwrap_or_else(|| self.r#type.clone()));
        texts.say("notify-not-text", &args)
    }
}

/// Several at once: how many, and nothing of any.
pub(super) fn many(key: String, count: usize, texts: &Texts) -> Notification {
    let mut args = FluentArgs::new();
    args.set("count", count);
    gathered(key, texts.say("notify-many", &args), texts)
}

/// So many that nobody has counted them.
pub(crate) fn missed(settings: &Settings) -> Notification {
    let texts = Texts::of(settings.language);
    gathered("missed".to_owned(), texts.say("notify-missed", &FluentArgs::new()), &texts)
}

fn gathered(key: String, title: String, texts: &Texts) -> Notification {
    let body = texts.say("notify-many-body", &FluentArgs::new());
    Notification { key, title, body, conversation: None, quiet: true, sound: Sound::Off }
}

/// One to be tried out: of nobody, and as the next one will be.
pub(crate) fn trial(settings: &Settings) -> Notification {
    let texts = Texts::of(settings.language);
    let args = FluentArgs::new();
    let title = if settings.private_notifications { "notify-private" } else { "notify-trial" };
    Notification {
        key: "trial".to_owned(),
        title: texts.say(title, &args),
        body: texts.say("notify-trial-body", &args),
        conversation: None,
        quiet: false,
        sound: settings.sound,
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const ALL: [Why; 4] = [Why::New, Why::Wrote, Why::Given, Why::Closing];

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

    fn is_whole(told: &Notification) {
        for line in [&told.title, &told.body] {
            assert!(!line.contains("notify-") && !line.contains('{') && !line.is_empty(), "{line}");
        }
    }

    #[test]
    fn every_text_is_whole_in_both_languages() {
        for language in [Language::Ar, Language::En] {
            let texts = Texts::of(language);
            for private_notifications in [false, true] {
                let settings = Settings { language, private_notifications, ..Settings::default() };
                for why in ALL {
                    for text in [Some("نص".to_owned()), None] {
                        is_whole(&Deserving { text, ..one(why) }.notification(&texts, &settings));
                    }
                }
                is_whole(&missed(&settings));
                is_whole(&trial(&settings));
            }
            let told = one(Why::Wrote).notification(&texts, &Settings { language, ..Settings::default() });
            assert!(told.title.contains("K7QX"), "{}", told.title);
            assert_eq!(told.body, "متى تنقطع الكهرباء؟");
            for count in [0, 2, 5, 11, 100] {
                is_whole(&many(String::new(), count, &texts));
            }
        }
    }

    #[test]
    fn in_private_there_is_neither_name_nor_kind_nor_text() {
        for language in [Language::Ar, Language::En] {
            let settings = Settings { language, private_notifications: true, ..Settings::default() };
            for why in ALL {
                let contact =
                    Contact { name: Some("سعاد".into()), phone: Some("+965 5".into()), ..one(why).contact };
                let told = Deserving { contact, ..one(why) }.notification(&Texts::of(language), &settings);
                let shown = format!("{} {}", told.title, told.body);
                for secret in ["سعاد", "+965", "K7QX", "استفسار", "Inquiry", "الكهرباء"] {
                    assert!(!shown.contains(secret), "{shown}");
                }
                assert!(shown.contains("MEW-2026-000184"), "{shown}");
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
