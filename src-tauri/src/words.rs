//! The few words that the shell says itself, from the one catalogue.

use desk::{
    Desk,
    api::{Handler, Language, Nothing},
};
use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};

/// The language that is chosen on this workstation.
pub(crate) async fn language(desk: &Desk) -> Language {
    desk.start(Nothing {}).await.map_or(Language::Ar, |start| start.settings.language)
}

/// A message of the catalogue; `count` where it speaks of a number.
pub(crate) fn say(language: Language, key: &str, count: Option<u32>) -> String {
    let (locale, source) = match language {
        Language::Ar => (unic_langid::langid!("ar"), include_str!("../../locales/ar.ftl")),
        Language::En => (unic_langid::langid!("en"), include_str!("../../locales/en.ftl")),
    };
    // What a catalogue gets wrong is found by its tests; here the rest of it is still good.
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
    let mut bundle = FluentBundle::new(vec![locale]);
    bundle.add_resource_overriding(resource);
    bundle.set_use_isolating(false);
    let arguments = count.map(|count| FluentArgs::from_iter([("count", count)]));
    bundle
        .get_message(key)
        .and_then(|message| message.value())
        .map(|pattern| bundle.format_pattern(pattern, arguments.as_ref(), &mut Vec::new()).into_owned())
        .unwrap_or_else(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_has_every_word_of_the_shell() {
        for language in [Language::Ar, Language::En] {
            for key in ["tray-open", "tray-quit", "tray-waiting", "notification-open"] {
                assert_ne!(say(language, key, Some(3)), key, "{language:?}");
            }
        }
    }

    #[test]
    fn arabic_counts_in_its_six_forms() {
        let forms: std::collections::BTreeSet<_> = [0, 1, 2, 3, 11, 100]
            .map(|count| say(Language::Ar, "tray-waiting", Some(count)).replace(|c: char| c.is_numeric(), ""))
            .into();
        assert!(forms.len() >= 5, "{forms:?}");
    }
}
