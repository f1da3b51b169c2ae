//! What a file is, by its first bytes.
//!
//! Names and headers are what somebody says; the content is what a program that opens the file will go by. So the type
//! comes from the content alone, and what was said is only held against it.

use std::str;

/// So many of a file's first bytes are looked at.
pub const HEAD: usize = 8 << 10;
/// What nobody recognises.
const UNKNOWN: &str = "application/octet-stream";
/// What is recognised by nothing but that it can be read.
const TEXT: &str = "text/plain; charset=utf-8";

/// What somebody else's program would do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Look,
    /// One container holds sound or films.
    Play,
    Open,
}

/// The type of the file that begins like this.
pub fn of(head: &[u8]) -> &'static str {
    match infer::get(head) {
        Some(found) => found.mime_type(),
        None if is_text(head) => TEXT,
        None => UNKNOWN,
    }
}

/// Whether a file of this type may be said to be what a header says of it.
pub fn fits(kind: &str, said: Option<&str>) -> bool {
    let said = said.and_then(|said| said.split(';').next()).map(|said| said.trim().to_ascii_lowercase());
    said.filter(|said| !said.is_empty() && said != UNKNOWN).is_none_or(|said| purpose(&said) == purpose(kind))
}

fn purpose(kind: &str) -> Use {
    match kind.split_once('/') {
        // A document, which may bring scripts.
        Some(("image", "svg+xml")) => Use::Open,
        Some(("image", _)) => Use::Look,
        Some(("audio" | "video", _)) => Use::Play,
        _ => Use::Open,
    }
}

/// Whether this is the beginning of a text, which may be cut within its last character.
fn is_text(head: &[u8]) -> bool {
    let whole = match str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && head.len() == HEAD,
    };
    whole && !head.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_says_what_it_is() {
        let ogg = [b"OggS\0\x02".as_slice(), &[0; 22], b"OpusHead"].concat();
        for (head, kind) in [
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
            (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
            (b"%PDF-1.7\n", "application/pdf"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video/mp4"),
            (&ogg, "audio/opus"),
            (b"MZ\x90\0\x03\0\0\0", "application/vnd.microsoft.portable-executable"),
            (b"  <html ><script>", "text/html"),
            (b"<?xml version='1.0'?><svg/>", "text/xml"),
            ("<svg onload='x()'/>".as_bytes(), TEXT),
            ("السلام عليكم\n".as_bytes(), TEXT),
            (b"\x01\x02\x03", UNKNOWN),
            (b"ab\0c", UNKNOWN),
            (b"\xff\xfeabc", UNKNOWN),
        ] {
            assert_eq!(of(head), kind, "{head:?}");
        }
        let long = "ع".repeat(HEAD);
        assert_eq!(of(&long.as_bytes()[..HEAD]), TEXT);
        let cut = format!("a{long}");
        assert_eq!(of(&cut.as_bytes()[..HEAD]), TEXT, "cut within a character");
        assert_eq!(of(&cut.as_bytes()[..HEAD - 1]), TEXT);
        assert_eq!(of(&cut.as_bytes()[..10]), UNKNOWN, "broken off within a character");
    }

    #[test]
    fn what_is_said_is_held_against_it() {
        let exe = "application/vnd.microsoft.portable-executable";
        for (kind, said) in [
            ("image/png", None),
            ("image/png", Some("")),
            ("image/png", Some("application/octet-stream")),
            ("image/jpeg", Some("image/JPG")),
            ("audio/opus", Some("audio/ogg; codecs=opus")),
            ("video/mp4", Some("audio/mp4")),
            ("application/zip", Some("application/vnd.ms-excel")),
            (TEXT, Some("text/csv")),
            (TEXT, Some("image/svg+xml")),
            (exe, Some("application/x-msdownload")),
        ] {
            assert!(fits(kind, said), "{kind} {said:?}");
        }
        for (kind, said) in [
            (exe, "image/png"),
            (TEXT, "image/png"),
            ("text/html", "image/jpeg"),
            ("text/html", "audio/ogg"),
            (UNKNOWN, "video/mp4"),
            ("image/png", "application/pdf"),
            ("image/png", "nonsense"),
        ] {
            assert!(!fits(kind, Some(said)), "{kind} {said}");
        }
    }

    #[test]
    fn no_bytes_are_too_odd() {
        let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        };
        let begun = [b"PK\x03\x04".as_slice(), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"RIFF", b"\0\0\0\x18ftyp", b""];
        for n in 0..20_000 {
            let mut head = begun[n % begun.len()].to_vec();
            while head.len() < n % 700 {
                head.extend(random());
            }
            if n % 3 == 0 && head.len() > 60 {
                head.splice(30..49, *b"[Content_Types].xml");
            }
            of(&head);
        }
    }
}
