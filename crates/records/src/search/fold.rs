//! A text as it is compared, and the words in it.
//!
//! People write one Arabic word in many ways: with and without vowel signs, hamza, the dots of ya and ta marbuta, with
//! Persian letters of another keyboard, with either kind of digits, and glued to the words before it (وبالطلب). SQLite's
//! own tokenizers know none of this, so a text is folded here, for the index and for a question alike, and SQLite is
//! given words that it only has to take apart at spaces.
//!
//! A word has several *forms*: as it stands, and without the small words that Arabic writes together with the next (و ف
//! ب ك ل ال). The index holds all forms. A question drops only what is certainly such a word (ال and what stands before
//! it): «بطاقة» asked for is not «طاقة», but «طاقة» finds «بطاقة» too. `ui/src/lib/format/fold.ts` folds alike, for the
//! palette; `folding.json` holds both to it.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Changes with whatever changes what words a text has: an index of another version is built anew.
pub(super) const VERSION: u32 = 1;

/// A word longer than this is cut: nobody types more of one.
const LONGEST: usize = 48;
/// What is left of a word without what was glued to it has at least so many letters.
const STEM: usize = 3;
/// A number that people write in groups has between so many digits.
const GROUPED: std::ops::RangeInclusive<usize> = 7..=17;

/// A text in the form in which it is compared.
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|letter| fold(letter, |folded| out.push(folded)));
    out
}

/// One letter, folded: none, one, or several.
fn fold(letter: char, mut take: impl FnMut(char)) {
    match letter {
        '\0'..='\x7f' => take(letter.to_ascii_lowercase()),
        'ء' | 'ا'..='غ' | 'ف'..='ه' | 'و' | 'ي' if letter != 'ة' => take(letter),
        _ => decompose_compatible(letter, |part| match part {
            // Tatweel.
            'ـ' => {}
            'ٱ' => take('ا'),
            'ى' | 'ی' => take('ي'),
            'ة' | 'ۃ' | 'ە' | 'ہ' | 'ھ' => take('ه'),
            'ک' => take('ك'),
            '٠'..='٩' | '۰'..='۹' => take(char::from(b'0' + (u32::from(part) & 15).to_le_bytes()[0])),
            _ if is_combining_mark(part) || is_format(part) => {}
            _ => part.to_lowercase().for_each(&mut take),
        }),
    }
}

/// Marks that steer how a text is set and are no part of it (Unicode's category Cf, as far as texts have it).
fn is_format(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{e0001}'..='\u{e007f}')
}

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// It, and what it is without what is glued to it.
    pub(super) forms: Vec<String>,
    /// Where it begins in the text, in bytes.
    pub(super) from: usize,
    /// Where it ends.
    pub(super) to: usize,
    /// How many words before this one it takes together: a number written in groups.
    pub(super) groups: usize,
}

/// The words of a text, in order; after a number written in groups (6604 1187) the number as one.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut word, mut from, mut to) = (String::new(), 0, 0);
    let mut run = Run::default();
    let mut end = |word: &mut String, from, to, tokens: &mut Vec<Token>| {
        if word.is_empty() {
            return;
        }
        let mut word = std::mem::take(word);
        if let Some((cut, _)) = word.char_indices().nth(LONGEST) {
            word.truncate(cut);
        }
        run.take(text, &word, from, to, tokens);
        tokens.push(Token { forms: forms(&word), from, to, groups: 0 });
    };
    for (at, letter) in text.char_indices() {
        let mut apart = false;
        let begins = word.is_empty();
        fold(letter, |folded| if folded.is_alphanumeric() { word.push(folded) } else { apart = true });
        if apart {
            end(&mut word, from, to, &mut tokens);
        } else if !word.is_empty() {
            if begins {
                from = at;
            }
            to = at + letter.len_utf8();
        }
    }
    end(&mut word, from, to, &mut tokens);
    run.close(&mut tokens);
    tokens
}

/// A number written in groups, while it is being read.
#[derive(Default)]
struct Run {
    digits: String,
    groups: usize,
    from: usize,
    to: usize,
}

impl Run {
    /// The next word, before it is kept: it goes on with the number, or ends it.
    fn take(&mut self, text: &str, word: &str, from: usize, to: usize, tokens: &mut Vec<Token>) {
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        let between = text.get(self.to..from).unwrap_or_default();
        let goes_on = between.chars().count() <= 3 && between.chars().all(|c| " \u{a0}\u{202f}-–/().+".contains(c));
        if self.groups > 0 && !(is_number && goes_on) {
            self.close(tokens);
        }
        if is_number {
            if self.groups == 0 {
                self.from = from;
            }
            self.digits.push_str(word);
            self.groups += 1;
            self.to = to;
        }
    }

    fn close(&mut self, tokens: &mut Vec<Token>) {
        let Run { digits, groups, from, to } = std::mem::take(self);
        if groups > 1 && GROUPED.contains(&digits.len()) {
            tokens.push(Token { forms: numbers(&digits), from, to, groups });
        }
    }
}

/// The forms of a word: it first.
fn forms(word: &str) -> Vec<String> {
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return numbers(word);
    }
    let mut forms = vec![word.to_owned()];
    let mut rest = word;
    if let Some(bare) = left(word, &["و", "ف"]) {
        forms.push(bare.to_owned());
        rest = bare;
    }
    let glued = left(rest, &["ال", "بال", "كال", "لل"]).or_else(|| left(rest, &["ب", "ك", "ل"]));
    forms.extend(glued.map(str::to_owned));
    forms
}

/// A number, without the country's code or what is dialled before it, and without the noughts before a case's number.
fn numbers(digits: &str) -> Vec<String> {
    let mut forms = vec![digits.to_owned()];
    let national = digits.strip_prefix("00").unwrap_or(digits).strip_prefix("965").filter(|rest| rest.len() == 8);
    let bare = digits.trim_start_matches('0');
    if let Some(national) = national {
        forms.push(national.to_owned());
    }
    if !bare.is_empty() && bare != digits {
        forms.push(bare.to_owned());
    }
    forms
}

/// What is left of a word after one of these, if it is enough to be a word.
fn left<'a>(word: &'a str, glued: &[&str]) -> Option<&'a str> {
    let rest = glued.iter().find_map(|one| word.strip_prefix(one))?;
    (rest.chars().count() >= STEM).then_some(rest)
}

/// What a word is asked for by: without an article, and without the hamza at the end of a longer one, which many leave
/// out. Whatever has the word as it stands has this too, as one of its forms or as its beginning.
pub(super) fn asked(word: &str) -> &str {
    let conjunction = word.strip_prefix(['و', 'ف']).unwrap_or(word);
    let bare = [word, conjunction].into_iter().find_map(|word| left(word, &["ال", "بال", "كال", "لل"]));
    let bare = bare.unwrap_or(word);
    // «ماء» is not «ما».
    bare.strip_suffix('ء').filter(|rest| rest.chars().count() > STEM).unwrap_or(bare)
}

/// Whether a form of a word is what is asked for: it begins so. Of one letter alone it has to be the whole, since nearly
/// everything begins with some letter.
pub(super) fn is_asked(form: &str, word: &str) -> bool {
    if is_begun(word) { form.starts_with(word) } else { form == word }
}

/// Whether a word asked for may be the beginning of one.
pub(super) fn is_begun(word: &str) -> bool {
    word.chars().nth(1).is_some()
}

/// A number as it is asked for: without +965 or 00965, since the index has it without, too.
pub(super) fn asked_number(digits: &str, dialled: bool) -> String {
    // Two noughts begin a number abroad, and more of them a case's number.
    let abroad = digits.strip_prefix("00").filter(|rest| rest.len() >= 3 && !rest.starts_with('0'));
    let rest = abroad.unwrap_or(digits);
    match rest.strip_prefix("965") {
        Some(national) if national.len() == 8 => national.to_owned(),
        Some(begun) if (dialled || abroad.is_some()) && !begun.is_empty() => begun.to_owned(),
        _ => rest.to_owned(),
    }
}
