//! A link out of a message. The window never goes anywhere: it asks the desk, and the desk asks the system's browser.
//!
//! What is asked for is not believed. The address is read here once more, and its host has to be the one that the person
//! was shown: where two programs read an address differently, it is not opened.

use reqwest::Url;

use crate::{
    api::{CallError, ErrorCode},
    failure::call_error,
};

/// Longer ones are handed on by no system for certain.
const LONGEST: usize = 2_000;

/// The address to open, if it is one of a site, and of this one. What stands before an `@` is left out: it names nobody.
pub(crate) fn checked(written: &str, host: &str) -> Result<Url, CallError> {
    // Not what it is: a text of a citizen's stands in no log.
    let bad = |why: &str| call_error(ErrorCode::BadLink, why);
    if written.len() > LONGEST {
        return Err(bad("The link is too long"));
    }
    if written.chars().any(|one| one.is_control() || one.is_whitespace() || is_unseen(one)) {
        return Err(bad("The link has characters in it that no address has"));
    }
    let bare = written.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("www."));
    let whole = if bare { format!("https://{written}") } else { written.to_owned() };
    let mut url = Url::parse(&whole).map_err(|_| bad("The link is no address"))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(bad("The link leads to no site"));
    }
    if url.host_str() != Some(host) {
        return Err(bad("The link leads to another host than the person was shown"));
    }
    if url.set_username("").and_then(|()| url.set_password(None)).is_err() {
        return Err(bad("The link has no host"));
    }
    Ok(url)
}

/// Marks of direction, and what has no width: they make one address look like another.
fn is_unseen(one: char) -> bool {
    matches!(one, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_opened_where_it_is_the_one_that_was_shown() {
        for (written, host, wanted) in [
            ("https://mew.gov.kw/pay?a=1&b=%20#c", "mew.gov.kw", "https://mew.gov.kw/pay?a=1&b=%20#c"),
            ("HTTP://MEW.gov.kw:8080", "mew.gov.kw", "http://mew.gov.kw:8080/"),
            ("www.mew.gov.kw", "www.mew.gov.kw", "https://www.mew.gov.kw/"),
            ("Www.mew.gov.kw/x", "www.mew.gov.kw", "https://www.mew.gov.kw/x"),
            ("https://mew.gov.kw:443@pay.example/login", "pay.example", "https://pay.example/login"),
            ("https://موقع.شركة/دفع", "xn--4gbrim.xn--ogbpi5d", "https://xn--4gbrim.xn--ogbpi5d/%D8%AF%D9%81%D8%B9"),
            ("https://m\u{435}w.gov.kw/", "xn--mw-nlc.gov.kw", "https://xn--mw-nlc.gov.kw/"),
            // Nothing of it reaches the command line of the system as a word of its own.
            ("https://a.example/\"&calc|x", "a.example", "https://a.example/%22&calc|x"),
        ] {
            assert_eq!(checked(written, host).map(String::from).unwrap(), wanted, "{written}");
        }
    }

    #[test]
    fn nothing_else_is_opened() {
        for (written, host) in [
            ("https://mew.gov.kw@evil.example/", "mew.gov.kw"),
            ("https://mew.gov.kw.evil.example/", "mew.gov.kw"),
            ("https://evil.example\\@mew.gov.kw/", "mew.gov.kw"),
            ("https://m\u{435}w.gov.kw/", "m\u{435}w.gov.kw"),
            ("https://mew.gov.kw/", ""),
            ("https:///", ""),
            ("javascript:alert(1)", ""),
            ("javascript://mew.gov.kw/%0aalert(1)", "mew.gov.kw"),
            ("data:text/html,x", ""),
            ("file:///etc/passwd", ""),
            ("file://mew.gov.kw/etc/passwd", "mew.gov.kw"),
            ("ftp://mew.gov.kw/", "mew.gov.kw"),
            ("ms-settings:privacy", ""),
            ("tauri://localhost/", "localhost"),
            ("shubbak://mew.gov.kw/", "mew.gov.kw"),
            ("//mew.gov.kw/", "mew.gov.kw"),
            ("mew.gov.kw", "mew.gov.kw"),
            ("--version", ""),
            ("", ""),
            (" https://mew.gov.kw/", "mew.gov.kw"),
            ("https://mew.gov.kw/\n--x", "mew.gov.kw"),
            ("https://mew.gov.kw/\0", "mew.gov.kw"),
            ("https://mew.gov.kw/\u{202e}fdp.exe", "mew.gov.kw"),
            ("https://mew\u{200b}.gov.kw/", "mew.gov.kw"),
        ] {
            assert_eq!(checked(written, host).map_err(|error| error.code), Err(ErrorCode::BadLink), "{written}");
        }
        let long = format!("https://mew.gov.kw/{}", "a".repeat(LONGEST));
        assert!(checked(&long, "mew.gov.kw").is_err());
    }
}
