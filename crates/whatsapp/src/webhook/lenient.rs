//! Reading single values: numbers where strings are promised, strings where numbers are.

use domain::ids::Millis;
use serde_json::Value;

/// A text, or a number as a text; empty and anything else is absence.
pub(crate) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A whole number, or a text of digits.
pub(crate) fn integer(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Unix seconds as milliseconds.
pub(crate) fn millis(value: Option<&Value>) -> Option<Millis> {
    integer(value)?.checked_mul(1000)
}

/// A telephone number as WhatsApp's own `wa_id`: digits, without `+`.
pub(crate) fn phone(value: Option<&Value>) -> Option<String> {
    text(value).map(|phone| phone.trim_start_matches('+').to_owned()).filter(|phone| !phone.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn strings_and_numbers_stand_for_each_other() {
        for value in [json!("1795358400"), json!(1_795_358_400_i64)] {
            assert_eq!(millis(Some(&value)), Some(1_795_358_400_000));
            assert_eq!(text(Some(&value)).as_deref(), Some("1795358400"));
        }
        assert_eq!(phone(Some(&json!("+96550000101"))).as_deref(), Some("96550000101"));
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        for value in [json!("TIMESTAMP"), json!(null), json!({}), json!([1]), json!(1.5), json!(i64::MAX)] {
            assert_eq!(millis(Some(&value)), None, "{value}");
        }
        assert_eq!(text(Some(&json!(""))), None);
        assert_eq!(text(None), None);
    }
}
