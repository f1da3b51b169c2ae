//! A citizen as the desk shows them.

use domain::{
    entry::IdentifierKind,
    ids::{ContactId, Millis},
};
use records::Records;

use crate::api::Contact;

/// A contact, aliases resolved.
pub(crate) fn of(records: &Records, contact: ContactId) -> anyhow::Result<Contact> {
    let facts = records.contact(contact)?;
    let id = facts.as_ref().map_or(contact, |facts| facts.id);
    let current = |facts: &domain::facts::ContactFacts| {
        let held = facts.identifiers.iter().filter(|one| one.kind == IdentifierKind::Phone);
        held.max_by_key(|one| one.to.unwrap_or(Millis::MAX)).filter(|one| one.to.is_none()).map(|one| phone(&one.value))
    };
    Ok(Contact {
        phone: facts.as_ref().and_then(current),
        name: facts.and_then(|facts| facts.name),
        short_code: id.short_code(),
    })
}

/// A `wa_id` as people write it: `+965 6604 1187`.
pub(crate) fn phone(digits: &str) -> String {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits.to_owned();
    }
    let (code, rest) = split(digits);
    // Kuwait, and its neighbours with eight digits, write them in fours; others read well in threes with a longer end.
    let group = if rest.len() == 8 { 4 } else { 3 };
    let mut text = format!("+{code}");
    let digits: Vec<char> = rest.chars().collect();
    let groups: Vec<String> = digits.chunks(group).map(|group| group.iter().collect()).collect();
    for (place, group) in groups.iter().enumerate() {
        if place == 0 || group.len() > 1 {
            text.push(' ');
        }
        text.push_str(group);
    }
    text
}

/// A country's code and the rest. One digit for North America and Russia's zone, two or three elsewhere (ITU E.164).
fn split(digits: &str) -> (&str, &str) {
    const TWO: &[&str] = &[
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
        "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84",
        "86", "90", "91", "92", "93", "94", "95", "98",
    ];
    let length = match digits.get(..2) {
        _ if digits.starts_with(['1', '7']) => 1,
        Some(two) if TWO.contains(&two) => 2,
        _ => 3,
    };
    digits.split_at_checked(length).unwrap_or((digits, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_as_people_write_them() {
        for (digits, wanted) in [
            ("96566041187", "+965 6604 1187"),
            ("97333123456", "+973 3312 3456"),
            ("966501234567", "+966 501 234 567"),
            ("201001234567", "+20 100 123 4567"),
            ("16505551234", "+1 650 555 1234"),
            ("919876543210", "+91 987 654 3210"),
            ("96", "+96 "),
            ("KW.123", "KW.123"),
        ] {
            assert_eq!(phone(digits).trim_end(), wanted.trim_end(), "{digits}");
        }
    }
}
