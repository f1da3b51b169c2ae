//! JSON as Meta writes it: ASCII only, lowercase escapes, and `\/`. A gateway that writes a body again before it checks
//! the signature fails on these, and on nothing else.

use serde_json::Value;

/// The bytes of a webhook body.
pub(crate) fn escaped(body: &Value) -> String {
    let mut out = String::new();
    for character in body.to_string().chars() {
        match character {
            // Outside of strings JSON has no slash.
            '/' => out.push_str("\\/"),
            ascii if ascii.is_ascii() => out.push(ascii),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_beyond_ascii_is_escaped_and_means_the_same() {
        let body = json!({"äöå": "فاطمة 😀 \"a/b\\\n"});
        let text = escaped(&body);
        assert!(text.is_ascii());
        assert!(text.starts_with(r#"{"\u00e4\u00f6\u00e5":"\u0641"#), "{text}");
        assert!(text.contains(r"\ud83d\ude00") && text.contains(r"a\/b"), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), body);
    }
}
