//! What the desk itself says in words: notifications. The same catalogue as the window's.

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

use crate::api::Language;

const AR: &str = include_str!("../../../locales/ar.ftl");
const EN: &str = include_str!("../../../locales/en.ftl");

/// One language's texts.
pub(crate) struct Texts(FluentBundle<FluentResource>);

impl Texts {
    pub(crate) fn of(language: Language) -> Self {
        let (source, id) = match language {
            Language::Ar => (AR, "ar"),
            Language::En => (EN, "en"),
        };
        let mut bundle = FluentBundle::new_concurrent(id.parse::<LanguageIdentifier>().into_iter().collect());
        // What cannot be read of the catalogue is missed by the tests, never by a person.
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
        Self(bundle)
    }

    /// The text under `key`.
    pub(crate) fn say(&self, key: &str, args: &FluentArgs<'_>) -> String {
        self.try_say(key, args).unwrap_or_else(|| key.to_owned())
    }

    /// The text under `key`, if there is one.
    pub(crate) fn try_say(&self, key: &str, args: &FluentArgs<'_>) -> Option<String> {
        let pattern = self.0.get_message(key)?.value()?;
        let mut errors = vec![];
        let text = self.0.format_pattern(pattern, Some(args), &mut errors);
        for error in errors {
            tracing::warn!(key, %error, "A text is not whole");
        }
        Some(text.into_owned())
    }
}
