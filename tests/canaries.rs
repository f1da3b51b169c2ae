//! Words that must not come out, and every dress in which they might. The gateway's tests and the desk's share it.

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};

/// A word, its name, and its dresses.
pub(crate) struct Canaries(Vec<(String, Vec<Vec<u8>>)>);

impl Canaries {
    pub(crate) fn new<'a>(words: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(words.into_iter().map(|(name, word)| (name.to_owned(), dresses(name, word))).collect())
    }

    /// Which of them are in a text, in whatever dress; each with what stands around it.
    pub(crate) fn found_in(&self, text: &[u8]) -> Vec<String> {
        let lower = text.to_ascii_lowercase();
        // In small letters too: a username, and some encodings, are written so.
        let seek = |dress: &[u8]| {
            let dress = dress.to_ascii_lowercase();
            lower.windows(dress.len()).position(|window| window == dress)
        };
        let around = |at: usize| {
            let part = text.get(at.saturating_sub(200)..(at + 200).min(text.len())).unwrap_or_default();
            String::from_utf8_lossy(part).into_owned()
        };
        let found = self.0.iter().filter_map(|(name, dresses)| {
            dresses.iter().find_map(|dress| seek(dress)).map(|at| format!("{name}: …{}…", around(at)))
        });
        found.collect()
    }
}

fn dresses(name: &str, word: &str) -> Vec<Vec<u8>> {
    assert!(word.chars().count() >= 7, "{name}: {word:?} is too short to be looked for");
    let utf16 = |order: fn(u16) -> [u8; 2]| word.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let raw = [word.as_bytes().to_vec(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)];
    let mut dresses = raw.to_vec();
    for bytes in &raw {
        dresses.push(HEXLOWER.encode(bytes).into_bytes());
        for encoding in [&BASE64, &BASE64URL] {
            // Wherever it begins within what was encoded; the letters at its ends belong to its neighbours too.
            for before in 0..3 {
                let shifted = [vec![0; before], bytes.clone()].concat();
                let text = encoding.encode(&shifted);
                let (from, to) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
                dresses.push(text.as_bytes().get(from..to).unwrap().to_vec());
            }
        }
    }
    let percent = |all: bool| -> String {
        let byte = |byte: u8| match byte {
            plain if !all && plain.is_ascii_alphanumeric() => char::from(plain).to_string(),
            other => format!("%{other:02X}"),
        };
        word.bytes().map(byte).collect()
    };
    for text in [percent(true), percent(false)] {
        dresses.extend([text.replace("%20", "+").into_bytes(), text.into_bytes()]);
    }
    let escaped = |form: fn(u16) -> String| word.encode_utf16().map(form).collect::<String>();
    dresses.push(escaped(|unit| format!("\\u{unit:04x}")).into_bytes());
    let mixed = |unit: u16| match char::from_u32(unit.into()) {
        Some(plain) if plain.is_ascii() => plain.to_string(),
        _ => format!("\\u{unit:04x}"),
    };
    dresses.push(escaped(mixed).into_bytes());
    dresses.push(word.escape_unicode().to_string().into_bytes());
    dresses.push(word.escape_default().to_string().into_bytes());
    dresses.push(word.escape_debug().to_string().into_bytes());
    dresses.push(format!("{:?}", word.as_bytes()).trim_matches(['[', ']']).as_bytes().to_vec());
    dresses
}

#[test]
fn a_canary_is_found_in_every_dress() {
    let word = "Canary سر 96566041187";
    let canaries = Canaries::new([("word", word)]);
    let le: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let be: Vec<u8> = word.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut texts: Vec<Vec<u8>> = vec![
        word.into(),
        word.to_lowercase().into(),
        word.to_uppercase().into(),
        le.clone(),
        be.clone(),
        format!("{word:?}").into(),
        format!("{:?}", word.as_bytes()).into(),
        format!("{:?}", format!("{word:?}")).into(),
        word.escape_unicode().to_string().into(),
        "\\u0043anary".into(),
        "Canary%20%D8%B3%D8%B1%2096566041187".into(),
        "canary+%d8%b3%d8%b1+96566041187".into(),
        r"Canary \u0633\u0631 96566041187".into(),
    ];
    for before in ["", "a", "ab"] {
        let put = [before.as_bytes(), word.as_bytes(), b"after"].concat();
        texts.extend([BASE64.encode(&put).into_bytes(), HEXUPPER.encode(&put).into_bytes()]);
        texts.push(BASE64URL.encode(&[before.as_bytes(), &le].concat()).into_bytes());
        texts.push(BASE64.encode(&[before.as_bytes(), &be].concat()).into_bytes());
    }
    for (n, text) in texts.iter().enumerate() {
        let put = [b"{\"message\":\"".as_slice(), text, b"\"}"].concat();
        assert_eq!(canaries.found_in(&put).len(), usize::from(n != 9), "{}", String::from_utf8_lossy(text));
    }
    assert_eq!(canaries.found_in(b"nothing of it").len(), 0);
}
