//! Mends bodies that are JSON but for their texts.
//!
//! A name that was cut in the middle of an emoji leaves half a surrogate pair (`\ud83d`), which no strict reader
//! accepts, and one such name would cost the whole batch: each half, and each byte that is no UTF-8, becomes U+FFFD.

/// The same body with every lone surrogate and every invalid byte replaced.
pub(super) fn repaired(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let mut rest: &str = &text;
    let mut out = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        rest = match escape(after) {
            Some((first, tail)) if (0xD800..0xDC00).contains(&first) => {
                match tail.strip_prefix('\\').and_then(escape) {
                    Some((second, end)) if (0xDC00..0xE000).contains(&second) => {
                        out.push_str(&format!("\\u{first:04x}\\u{second:04x}"));
                        end
                    }
                    _ => {
                        out.push_str("\\ufffd");
                        tail
                    }
                }
            }
            Some((first, tail)) if (0xDC00..0xE000).contains(&first) => {
                out.push_str("\\ufffd");
                tail
            }
            _ => {
                // Not a `\uXXXX` of interest: keep the backslash and what it escapes, which may itself be a backslash.
                out.push('\\');
                let mut chars = after.chars();
                out.extend(chars.next());
                chars.as_str()
            }
        };
    }
    out.push_str(rest);
    out
}

/// The code unit of `uXXXX` and what follows it.
fn escape(text: &str) -> Option<(u32, &str)> {
    let digits = text.strip_prefix('u')?;
    let (hex, tail) = digits.split_at_checked(4)?;
    Some((u32::from_str_radix(hex, 16).ok()?, tail))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(raw: &[u8]) -> Value {
        serde_json::from_str(&repaired(raw)).unwrap()
    }

    #[test]
    fn half_an_emoji_costs_one_character() {
        assert_eq!(
            read(br#"["a\ud83d", "\ude00b", "\ud83d\ud83d\ude00"]"#),
            json!(["a\u{fffd}", "\u{fffd}b", "\u{fffd}😀"])
        );
    }

    #[test]
    fn what_is_right_stays() {
        assert_eq!(
            read(br#"["\u0634\ud83d\ude00", "\\ud83d", "\"\/\n", "\\\\"]"#),
            json!(["ش😀", "\\ud83d", "\"/\n", "\\\\"])
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(read(b"[\"a\xff\"]"), json!(["a\u{fffd}"]));
    }
}
