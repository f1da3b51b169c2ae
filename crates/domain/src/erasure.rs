//! Erasing a person: what of a journal goes, and how that is written down without saying more than it must.
//!
//! `contact_erased` is read by every desk of the agency, also by those who never saw the person's cases and must not learn
//! of them. So it names cases and conversations by their [`mark`]: whoever holds one recognises it, and nobody else learns
//! which they were. By the same marks `verify` knows which bodies may be blank: the scope of an entry is in its chain.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    entry::{ContactErased, Fact, Scope},
    ids::Seq,
};

/// What stands for an id of a case or a conversation: recognised by whoever knows the id (74 random bits of it).
pub fn mark(id: Uuid) -> String {
    let hash = Sha256::digest(id.as_bytes());
    HEXLOWER.encode(hash.first_chunk::<16>().unwrap_or(&[0; 16]))
}

/// Entries whose bodies are blank, until the erasure that says so is met: each blank one needs a later one.
#[derive(Debug, Default)]
pub struct Blanks(BTreeMap<String, Seq>);

impl Blanks {
    /// A blank body, by the text of its entry's scope. Outside of a case none may be blank: `false`.
    pub fn meet(&mut self, seq: Seq, scope: &str) -> bool {
        let Ok(Scope::Case(case)) = scope.parse() else { return false };
        self.0.entry(mark(case.0)).or_insert(seq);
        true
    }

    /// An erasure, which covers what came before it.
    pub fn cover(&mut self, kind: &str, body: &[u8]) {
        if kind != ContactErased::KIND {
            return;
        }
        let fact = serde_json::from_slice(body).and_then(|body| Fact::read(kind, body));
        if let Ok(Fact::ContactErased(erased)) = fact {
            self.0.retain(|mark, _| !erased.cases.contains(mark));
        }
    }

    /// The first blank body that no erasure covers.
    pub fn uncovered(&self) -> Option<Seq> {
        self.0.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_blank_body_needs_a_later_erasure_of_its_case() {
        let case = |n: u128| Uuid::from_u128(n);
        let scope = |n: u128| format!("case:{}", case(n));
        let erasure = |n: u128| {
            let contact = Uuid::from_u128(9);
            json!({"contact": contact, "contacts": [contact], "conversations": [], "cases": [mark(case(n))],
                "reason": "1"})
            .to_string()
        };
        let mut blanks = Blanks::default();
        blanks.cover("contact_erased", erasure(1).as_bytes());
        assert!(blanks.meet(4, &scope(1)));
        assert_eq!(blanks.uncovered(), Some(4), "an erasure covers what came before it");
        blanks.cover("contact_erased", erasure(2).as_bytes());
        blanks.cover("note_added", erasure(1).as_bytes());
        assert_eq!(blanks.uncovered(), Some(4));
        blanks.cover("contact_erased", erasure(1).as_bytes());
        assert_eq!(blanks.uncovered(), None);
        assert!(!blanks.meet(5, "agency"));
        assert_ne!(mark(case(1)), mark(case(2)));
    }
}
