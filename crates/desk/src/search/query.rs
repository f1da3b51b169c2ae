//! What somebody typed into the search: words, phrases in quotation marks, and operators (`from:`, `قبل:` …) in Arabic or
//! English, which may be mixed.

use domain::ids::Millis;
use jiff::{civil::Date, tz::TimeZone};
use records::search::{State, Words, folded};

/// What was understood.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) words: Words,
    pub(crate) from: Option<Who>,
    pub(crate) owner: Option<Who>,
    pub(crate) since: Option<Millis>,
    pub(crate) until: Option<Millis>,
    pub(crate) state: Option<State>,
    /// What was not, as it was typed.
    pub(crate) unclear: Vec<String>,
}

/// Whom an operator means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Me,
    Nobody,
    Called(String),
}

impl Query {
    /// Whether only names and numbers can be meant: nothing was said about messages.
    pub(crate) fn is_plain(&self) -> bool {
        let Self { words: _, from, owner, since, until, state, unclear: _ } = self;
        from.is_none() && owner.is_none() && since.is_none() && until.is_none() && state.is_none()
    }

    /// Whether nothing is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.is_plain()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    From,
    Owner,
    State,
    Before,
    After,
    Since,
    On,
}

/// Folded, as they are compared.
const OPERATORS: &[(Operator, &[&str])] = &[
    (Operator::From, &["من", "from"]),
    (Operator::Owner, &["مالك", "المالك", "owner"]),
    (Operator::State, &["حاله", "الحاله", "state"]),
    (Operator::Before, &["قبل", "before"]),
    (Operator::After, &["بعد", "after"]),
    (Operator::Since, &["منذ", "since"]),
    (Operator::On, &["يوم", "في", "on"]),
];
const STATES: &[(State, &[&str])] = &[
    (State::Open, &["مفتوح", "مفتوحه", "open"]),
    (State::Closed, &["مغلق", "مغلقه", "closed"]),
    (State::Waiting, &["بانتظار", "انتظار", "منتظر", "ينتظر", "waiting"]),
];
const ME: &[&str] = &["انا", "me"];
const NOBODY: &[&str] = &["بلا", "لا احد", "لااحد", "nobody", "none"];

/// Reads what was typed. `now` and `zone` say which day it is.
pub(crate) fn read(text: &str, now: Millis, zone: &TimeZone) -> Query {
    let mut query = Query::default();
    let (mut plain, mut phrases) = (String::new(), Vec::new());
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some((operator, named, after)) = operator(rest) {
            let (value, after) = value(after.trim_start());
            // While it is being typed there is nothing to complain of.
            if !value.is_empty() && !query.take(operator, value, now, zone) {
                query.unclear.push(format!("{named}:{value}"));
            }
            rest = after;
        } else {
            let (value, after) = value(rest);
            if rest.starts_with(QUOTES) {
                phrases.push(value);
            } else {
                plain.push(' ');
                plain.push_str(value);
            }
            rest = after;
        }
        rest = rest.trim_start();
    }
    query.words = phrases.into_iter().fold(Words::read(&plain), Words::and_phrase);
    query
}

const QUOTES: [char; 5] = ['"', '«', '“', '”', '»'];

/// The operator with which a text begins, as it was typed, and what comes after its colon.
fn operator(text: &str) -> Option<(Operator, &str, &str)> {
    let (named, after) = text.split_once(':')?;
    let name = folded(named);
    let found = OPERATORS.iter().find(|(_, names)| names.contains(&name.trim()));
    found.map(|(operator, _)| (*operator, named.trim(), after))
}

/// What stands up to the next space, or in quotation marks; and what comes after it.
fn value(text: &str) -> (&str, &str) {
    if let Some(quoted) = text.strip_prefix(QUOTES) {
        return quoted.split_once(QUOTES).unwrap_or((quoted, ""));
    }
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

impl Query {
    /// Whether it was understood.
    fn take(&mut self, operator: Operator, value: &str, now: Millis, zone: &TimeZone) -> bool {
        let known = |words: &[&str]| words.contains(&folded(value).trim());
        let who = || {
            if known(ME) {
                Who::Me
            } else if known(NOBODY) {
                Who::Nobody
            } else {
                Who::Called(value.to_owned())
            }
        };
        match operator {
            Operator::From => self.from = Some(who()),
            Operator::Owner => self.owner = Some(who()),
            Operator::State => match STATES.iter().find(|(_, names)| known(names)) {
                Some((state, _)) => self.state = Some(*state),
                None => return false,
            },
            Operator::Before | Operator::After | Operator::Since | Operator::On => {
                let Some((begins, ends)) = days(&folded(value), now, zone) else { return false };
                match operator {
                    Operator::Before => self.until = Some(begins),
                    Operator::After => self.since = Some(ends),
                    Operator::Since => self.since = Some(begins),
                    _ => (self.since, self.until) = (Some(begins), Some(ends)),
                }
            }
        }
        true
    }
}

/// When a day, a month or a year begins and ends.
fn days(value: &str, now: Millis, zone: &TimeZone) -> Option<(Millis, Millis)> {
    let today = || Some(jiff::Timestamp::from_millisecond(now).ok()?.to_zoned(zone.clone()).date());
    let start = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond());
    let day = |date: Date| Some((start(date)?, start(date.tomorrow().ok()?)?));
    match value.trim() {
        "اليوم" | "today" => return day(today()?),
        "امس" | "البارحه" | "yesterday" => return day(today()?.yesterday().ok()?),
        _ => {}
    }
    let parts: Vec<&str> = value.split(['-', '/', '.']).collect();
    let number = |text: &str| text.parse::<i16>().ok();
    let small = |text: &str| text.parse::<i8>().ok();
    let is_year = |text: &str| text.len() == 4;
    match *parts {
        [year] if is_year(year) => {
            let first = Date::new(number(year)?, 1, 1).ok()?;
            Some((start(first)?, start(first.checked_add(jiff::Span::new().years(1)).ok()?)?))
        }
        [a, b] if is_year(a) || is_year(b) => {
            let (year, month) = if is_year(a) { (a, b) } else { (b, a) };
            let first = Date::new(number(year)?, small(month)?, 1).ok()?;
            Some((start(first)?, start(first.checked_add(jiff::Span::new().months(1)).ok()?)?))
        }
        [year, month, date] if is_year(year) => day(Date::new(number(year)?, small(month)?, small(date)?).ok()?),
        // As Kuwait writes it: the day first.
        [date, month, year] if is_year(year) => day(Date::new(number(year)?, small(month)?, small(date)?).ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 22 November 2026, 23:30 in Kuwait.
    const NOW: Millis = 1_795_379_400_000;
    const DAY: Millis = 86_400_000;
    /// The beginning of that day there.
    const TODAY: Millis = 1_795_294_800_000;

    fn asked(text: &str) -> Query {
        read(text, NOW, &TimeZone::get("Asia/Kuwait").unwrap())
    }

    #[test]
    fn days_are_understood_in_both_languages_and_both_orders() {
        for text in [
            "يوم:2026-11-22",
            "on:22/11/2026",
            "في:٢٢/١١/٢٠٢٦",
            "on:today",
            "يوم:اليوم",
            "on: 22.11.2026",
            "ON:2026/11/22",
        ] {
            let query = asked(text);
            assert_eq!((query.since, query.until), (Some(TODAY), Some(TODAY + DAY)), "{text}");
        }
        assert_eq!(asked("قبل:2026-11-22").until, Some(TODAY));
        assert_eq!(asked("before:أمس").until, Some(TODAY - DAY));
        assert_eq!(asked("after:yesterday").since, Some(TODAY));
        assert_eq!(asked("بعد:أمس").since, Some(TODAY));
        assert_eq!(asked("منذ:22-11-2026").since, Some(TODAY));
        assert_eq!(asked("on:2026-11").since, asked("on:11/2026").since);
        assert_eq!(asked("on:2026-11").until, asked("since:2026-12-01").since);
        assert_eq!(asked("on:2026").until, asked("since:2027-01-01").since);
        for text in ["before:2026-13-01", "قبل:غداً", "before:31/2/2026", "before:99999", "before:1/2"] {
            let query = asked(text);
            assert_eq!((query.until, query.unclear), (None, vec![text.to_owned()]), "{text}");
        }
    }

    #[test]
    fn people_and_states_are_understood_in_both_languages() {
        let called = |name: &str| Some(Who::Called(name.to_owned()));
        assert_eq!(asked("من:فاطمة").from, called("فاطمة"));
        assert_eq!(asked("من: فاطمة").from, called("فاطمة"));
        assert_eq!(asked("from:\"سعاد العنزي\" عداد").from, called("سعاد العنزي"));
        assert_eq!(asked("from:«سعاد العنزي»").from, called("سعاد العنزي"));
        assert_eq!((asked("من:أنا").from, asked("FROM:me").from), (Some(Who::Me), Some(Who::Me)));
        assert_eq!((asked("مالك:بلا").owner, asked("owner:nobody").owner), (Some(Who::Nobody), Some(Who::Nobody)));
        for (state, texts) in [
            (State::Open, ["حالة:مفتوحة", "state:open"]),
            (State::Closed, ["حاله:مغلق", "State:Closed"]),
            (State::Waiting, ["حالة:بانتظار", "state:waiting"]),
        ] {
            for text in texts {
                assert_eq!(asked(text).state, Some(state), "{text}");
            }
        }
        assert_eq!(asked("حالة:زرقاء").unclear, ["حالة:زرقاء"]);
    }

    #[test]
    fn the_rest_are_words() {
        let query = asked("انقطاع من:فاطمة \"في السالمية\" قبل:اليوم عداد");
        assert_eq!(query.words, Words::read("انقطاع عداد").and_phrase("في السالمية"));
        assert!(query.from.is_some() && query.until.is_some() && query.unclear.is_empty());
        // A colon alone makes no operator.
        for text in ["10:30", "رقم: 5", "https://mew.gov.kw", "MEW:1"] {
            let query = asked(text);
            assert!(query.is_plain() && query.words == Words::read(text), "{text}");
        }
        // Nothing yet.
        for text in ["", "  ", "من:", "قبل: ", "\"", "«»"] {
            assert!(asked(text).is_empty() && asked(text).unclear.is_empty(), "{text}");
        }
    }
}
