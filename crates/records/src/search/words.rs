//! What is asked for, as words, and where a text has them.

use std::ops::Range;

use super::fold::{asked, asked_number, is_asked, is_begun, tokens};

/// Words that all have to stand in what is found. Each stands for whatever begins with it, so that half a name will do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(Vec<Word>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    /// Any of these will do, and each is words of which all have to be there.
    any: Vec<Vec<String>>,
    /// Whether they have to follow each other, as given.
    in_order: bool,
}

impl Words {
    /// The words of what somebody typed.
    pub fn read(text: &str) -> Self {
        let mut words: Vec<Word> = Vec::new();
        for token in tokens(text) {
            let Some(word) = token.forms.first() else { continue };
            let dialled = text.get(..token.from).is_some_and(|before| before.trim_end().ends_with('+'));
            let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
            let word = if is_number { asked_number(word, dialled) } else { asked(word).to_owned() };
            let mut any = vec![vec![word]];
            if token.groups > 0 {
                let groups = words.split_off(words.len().saturating_sub(token.groups));
                any.push(groups.into_iter().flat_map(|group| group.any).flatten().collect());
            }
            words.push(Word { any, in_order: false });
        }
        Self(words)
    }

    /// Adds words that have to follow each other just so.
    pub fn and_phrase(mut self, text: &str) -> Self {
        let words = tokens(text).into_iter().filter(|token| token.groups == 0);
        let all: Vec<String> = words.filter_map(|token| token.forms.into_iter().next()).collect();
        if !all.is_empty() {
            self.0.push(Word { any: vec![all], in_order: true });
        }
        self
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As FTS5 is asked. The words are letters and digits alone, so nothing in them has a meaning there.
    pub(super) fn matching(&self) -> String {
        let all = |all: &Vec<String>| {
            let all: Vec<_> =
                all.iter().map(|word| format!("\"{word}\"{}", if is_begun(word) { "*" } else { "" })).collect();
            format!("({})", all.join(" AND "))
        };
        let any = |word: &Word| format!("({})", word.any.iter().map(all).collect::<Vec<_>>().join(" OR "));
        self.0.iter().map(any).collect::<Vec<_>>().join(" AND ")
    }

    /// Whether there is something that the index cannot tell, and the text has to be looked into.
    pub(super) fn has_phrase(&self) -> bool {
        self.0.iter().any(|word| word.in_order && word.any.iter().any(|all| all.len() > 1))
    }

    /// Whether a text has all the words, and each phrase as it is given.
    pub fn stand_in(&self, text: &str) -> bool {
        let tokens = tokens(text);
        let has = |word: &String| tokens.iter().any(|token| token.forms.iter().any(|form| is_asked(form, word)));
        self.0.iter().all(|word| {
            word.any.iter().any(|all| match word.in_order {
                false => all.iter().all(has),
                true => {
                    let single: Vec<_> = tokens.iter().filter(|token| token.groups == 0).collect();
                    single.windows(all.len()).any(|window| {
                        let last = all.len() - 1;
                        window.iter().zip(all).enumerate().all(|(place, (token, word))| {
                            token.forms.iter().any(|form| form == word || place == last && is_asked(form, word))
                        })
                    })
                }
            })
        })
    }

    /// Where a text has them, in bytes: whole words, in order, none within another.
    pub fn places_in(&self, text: &str) -> Vec<Range<usize>> {
        let wanted: Vec<&String> = self.0.iter().flat_map(|word| word.any.iter().flatten()).collect();
        let mut places: Vec<Range<usize>> = tokens(text)
            .into_iter()
            .filter(|token| token.forms.iter().any(|form| wanted.iter().any(|word| is_asked(form, word))))
            .map(|token| token.from..token.to)
            .collect();
        places.sort_by_key(|place| (place.start, std::cmp::Reverse(place.end)));
        places.dedup_by(|later, earlier| later.start < earlier.end);
        places
    }
}
