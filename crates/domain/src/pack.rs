//! A pack: the file that describes one agency's desk.
//!
//! Loading one appends `pack_changed` with its text; processes and desks read it from that entry, never from the file.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{Millis, Team};

/// A name in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// Arabic.
    pub ar: String,
    /// English.
    pub en: String,
}

/// A named slug: a team, a kind of case, an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Stable; stands in entries.
    pub slug: String,
    /// For people.
    pub name: Name,
}

/// One agency's desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// What the agency is called.
    pub name: Name,
    /// The first part of its case numbers: `MEW` of `MEW-2026-000184`.
    pub case_prefix: String,
    /// IANA name, by which every date and the year of a case number go.
    pub time_zone: String,
    /// The team that a new case belongs to.
    pub default_team: Team,
    /// The kind that a new case has.
    pub default_kind: String,
    /// For so long after a closing, a new message goes to the closed case.
    #[serde(default = "twelve")]
    pub grace_hours: u32,
    /// A reply that is older than this, while the citizen wrote again, is refused as stale.
    #[serde(default = "sixty")]
    pub stale_minutes: u32,
    /// For so long a desk opens without the gateway.
    #[serde(default = "fourteen")]
    pub lease_days: u32,
    /// Desks and departments.
    #[serde(rename = "team")]
    pub teams: Vec<Named>,
    /// Kinds of case.
    #[serde(rename = "kind")]
    pub kinds: Vec<Named>,
    /// How a case may end.
    #[serde(rename = "outcome")]
    pub outcomes: Vec<Named>,
}

fn twelve() -> u32 {
    12
}
fn sixty() -> u32 {
    60
}
fn fourteen() -> u32 {
    14
}

/// What is wrong with a pack, with line and column where a line is to blame.
#[derive(Debug, thiserror::Error)]
pub enum BadPack {
    /// The text is not TOML, or a field is missing, unknown or of the wrong type. The message carries line and column.
    #[error("{0}")]
    Unreadable(#[from] toml::de::Error),
    /// The fields contradict each other.
    #[error("{0}")]
    Contradiction(String),
}

impl Pack {
    /// Reads and checks a pack.
    pub fn read(content: &str) -> Result<Self, BadPack> {
        let pack: Self = toml::from_str(content)?;
        let wrong = |text: String| Err(BadPack::Contradiction(text));
        for (what, list) in [("team", &pack.teams), ("kind", &pack.kinds), ("outcome", &pack.outcomes)] {
            let mut seen = BTreeSet::new();
            for item in list {
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
                if item.slug.is_empty() || !item.slug.chars().all(plain) {
                    return wrong(format!("The {what} {:?} needs a slug of a–z, 0–9, - and _", item.slug));
                }
                if !seen.insert(&item.slug) {
                    return wrong(format!("The {what} {:?} stands twice", item.slug));
                }
            }
            if list.is_empty() {
                return wrong(format!("A pack needs at least one [[{what}]]"));
            }
        }
        if pack.team(&pack.default_team).is_none() {
            return wrong(format!("default_team {:?} is no [[team]]", pack.default_team));
        }
        if pack.kind(&pack.default_kind).is_none() {
            return wrong(format!("default_kind {:?} is no [[kind]]", pack.default_kind));
        }
        if pack.case_prefix.is_empty() || !pack.case_prefix.chars().all(|c| c.is_ascii_uppercase()) {
            return wrong(format!("case_prefix {:?} is not made of A–Z", pack.case_prefix));
        }
        if jiff::tz::TimeZone::get(&pack.time_zone).is_err() {
            return wrong(format!("time_zone {:?} is not a time zone's IANA name", pack.time_zone));
        }
        Ok(pack)
    }

    /// A team by its slug.
    pub fn team(&self, slug: &str) -> Option<&Named> {
        self.teams.iter().find(|team| team.slug == slug)
    }

    /// A kind of case by its slug.
    pub fn kind(&self, slug: &str) -> Option<&Named> {
        self.kinds.iter().find(|kind| kind.slug == slug)
    }

    /// An outcome by its slug.
    pub fn outcome(&self, slug: &str) -> Option<&Named> {
        self.outcomes.iter().find(|outcome| outcome.slug == slug)
    }

    /// The day at the agency, by its time zone.
    pub fn date(&self, now: Millis) -> Option<jiff::civil::Date> {
        let zone = jiff::tz::TimeZone::get(&self.time_zone).ok()?;
        Some(jiff::Timestamp::from_millisecond(now).ok()?.to_zoned(zone).date())
    }

    /// The number after `last`, the last one given out: dense for an agency and year.
    pub fn next_case_number(&self, last: Option<&str>, now: Millis) -> String {
        let year = self.date(now).map_or(0, |date| date.year());
        let series = format!("{}-{year}-", self.case_prefix);
        let ordinal = last.and_then(|last| last.strip_prefix(&series)).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        format!("{series}{:06}", ordinal + 1)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const PACK: &str = r#"
        case_prefix = "MEW"
        time_zone = "Asia/Kuwait"
        default_team = "desk"
        default_kind = "inquiry"
        name = { ar = "وزارة الكهرباء والماء", en = "Ministry of Electricity and Water" }
        [[team]]
        slug = "desk"
        name = { ar = "المكتب", en = "Desk" }
        [[team]]
        slug = "faults"
        name = { ar = "الأعطال", en = "Faults" }
        [[kind]]
        slug = "inquiry"
        name = { ar = "استفسار", en = "Inquiry" }
        [[outcome]]
        slug = "done"
        name = { ar = "منجز", en = "Done" }
    "#;

    #[test]
    fn case_numbers_are_dense_for_a_year_of_the_agency() {
        let pack = Pack::read(PACK).unwrap();
        let new_year_in_kuwait = 1_798_750_800_000; // 2026-12-31T21:00:00Z
        assert_eq!(pack.next_case_number(None, new_year_in_kuwait - 1), "MEW-2026-000001");
        assert_eq!(pack.next_case_number(Some("MEW-2026-000184"), new_year_in_kuwait - 1), "MEW-2026-000185");
        assert_eq!(pack.next_case_number(Some("MEW-2026-000184"), new_year_in_kuwait), "MEW-2027-000001");
        assert_eq!(pack.next_case_number(Some("MEW-2026-999999"), 1_795_358_400_000), "MEW-2026-1000000");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let error = Pack::read(&PACK.replace("default_team = \"desk\"", "default_team = 7")).unwrap_err().to_string();
        assert!(error.contains("line 4"), "{error}");
        for (from, to) in [
            ("default_team = \"desk\"", "default_team = \"moon\""),
            ("default_kind = \"inquiry\"", "default_kind = \"moon\""),
            ("slug = \"faults\"", "slug = \"desk\""),
            ("slug = \"faults\"", "slug = \"Faults!\""),
            ("Asia/Kuwait", "Asia/Moon"),
            ("\"MEW\"", "\"mew\""),
            ("case_prefix", "colour = 1\ncase_prefix"),
        ] {
            assert!(Pack::read(&PACK.replace(from, to)).is_err(), "{to}");
        }
    }
}
