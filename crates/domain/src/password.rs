//! Passwords as they are compared: at the gateway, which hashes them, and on desks, whose files they open.

use icu_normalizer::ComposingNormalizerBorrowed;

/// A password in its one form (NFKC), so that the same letters, typed or pasted on whichever system, are the same
/// password. (NIST SP 800-63B asks for it where Unicode is taken; nothing else is changed, spaces neither.)
pub fn normal(password: &str) -> String {
    ComposingNormalizerBorrowed::new_nfkc().normalize(password).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_password_however_it_was_put_in() {
        // Composed and decomposed; a presentation form of lam-alef as an old PDF has it; full-width letters.
        assert_eq!(normal("e\u{301}t\u{e9}"), normal("\u{e9}te\u{301}"));
        assert_eq!(normal("ا\u{653}"), "آ");
        assert_eq!(normal("\u{fefb}"), "لا");
        assert_eq!(normal("ｐａｓｓ"), "pass");
        for same in ["سبعة جمال على الجسر", " two  spaces ", "🐪🐪", "٣٤٥"] {
            assert_eq!(normal(same), same);
        }
    }
}
