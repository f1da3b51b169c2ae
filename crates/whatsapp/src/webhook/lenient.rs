//! Reading single values: numbers where strings are promised, strings where numbers are.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use domain::ids::Millis;
use serde_json::Value;

/// A text, or a number as a text; empty and anything else is absence. NUL becomes U+FFFD, like half an emoji: neither
/// databases nor windows nor notifications take it for a character.
pub(crate) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.replace('\0', "\u{fffd}")),
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

/// The year 10000: what is said to be later is no time.
const END_OF_TIME: Millis = 253_402_300_800_000;

/// Unix seconds as milliseconds.
pub(crate) fn millis(value: Option<&Value>) -> Option<Millis> {
    integer(value)?.checked_mul(1000).filter(|at| (0..END_OF_TIME).contains(at))
}

/// A telephone number as WhatsApp's own `wa_id`: digits, without `+`.
pub(crate) fn phone(value: Option<&Value>) -> Option<String> {
    text(value).map(|phone| phone.trim_start_matches('+').to_owned()).filter(|phone| !phone.is_empty())
}

/// A SHA-256: in base64, as webhooks have it, or in hex, as Meta's other answers have it.
pub(crate) fn sha256(value: Option<&Value>) -> Option<[u8; 32]> {
    let text = text(value)?;
    let bytes = BASE64.decode(text.as_bytes()).ok().filter(|bytes| bytes.len() == 32);
    bytes.or_else(|| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok())?.try_into().ok()
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
    fn a_hash_comes_in_either_clothes() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let read = |text: &str| sha256(Some(&json!(text))).map(|hash| HEXLOWER_PERMISSIVE.encode(&hash));
        for text in [hex, &hex.to_uppercase(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="] {
            assert_eq!(read(text).as_deref(), Some(hex), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        let no_time = [json!(i64::MAX), json!(i64::MAX / 1000), json!("253402300800"), json!(-1)];
        for value in [json!("TIMESTAMP"), json!(null), json!({}), json!([1]), json!(1.5)].into_iter().chain(no_time) {
            assert_eq!(millis(Some(&value)), None, "{value}");
        }
        assert_eq!(text(Some(&json!(""))), None);
        for value in [json!("x="), json!("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hS"), json!("e3b0"), json!(7)] {
            assert_eq!(sha256(Some(&value)), None, "{value}");
        }
        assert_eq!(text(None), None);
        assert_eq!(text(Some(&json!("a\0b"))).as_deref(), Some("a\u{fffd}b"));
    }
}
