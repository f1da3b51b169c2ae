//! Tamper evidence: each entry's digest over its salt and body, and the chain over all before it.
//!
//! `digest = SHA-256(salt ‖ body)` and `chain = SHA-256(previous chain ‖ digest ‖ header)`. Erasing a body and its
//! salt leaves the digest, so the chain still verifies, and without the salt a guess at the body cannot be checked.

use sha2::{Digest, Sha256};

use crate::entry::Entry;

/// A SHA-256.
pub type Hash = [u8; 32];

/// The chain before the first entry of a journal: nothing but zeros.
pub const START: Hash = [0; 32];

/// The digest of a body, as the bytes that are stored.
pub fn digest(salt: &[u8; 16], body: &[u8]) -> Hash {
    Sha256::new().chain_update(salt).chain_update(body).finalize().into()
}

/// An entry's header as the texts that are stored: `seq, id, at, actor, scope, subject, cause, kind, version`.
pub type Header = [String; 9];

/// The chain after an entry.
pub fn next(before: &Hash, digest: &Hash, entry: &Entry) -> Hash {
    let header = [
        entry.seq.to_string(),
        entry.id.to_string(),
        entry.at.to_string(),
        entry.actor.to_string(),
        entry.scope.to_string(),
        entry.subject.to_string(),
        entry.cause.map(|cause| cause.to_string()).unwrap_or_default(),
        entry.fact.kind().to_owned(),
        entry.version.to_string(),
    ];
    link(before, digest, &header)
}

/// The chain after an entry of which nothing is known but what is stored, be it sense or not. The header's fields are
/// joined by a unit separator, which occurs in none of them.
pub fn link(before: &Hash, digest: &Hash, header: &Header) -> Hash {
    Sha256::new().chain_update(before).chain_update(digest).chain_update(header.join("\u{1f}")).finalize().into()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        entry::{Actor, LineChanged, Scope, Subject},
        ids::EntryId,
    };

    #[test]
    fn any_change_shows() {
        let entry = Entry {
            seq: 1,
            id: EntryId(Uuid::from_u128(1)),
            at: 5,
            scope: Scope::Agency,
            subject: Subject::Line("1".into()),
            actor: Actor::System,
            cause: None,
            version: 1,
            fact: LineChanged { line: "1".into(), display_number: "2".into() }.into(),
        };
        let body = digest(&[7; 16], b"body");
        let whole = next(&START, &body, &entry);
        assert_ne!(whole, next(&START, &digest(&[7; 16], b"bodx"), &entry));
        assert_ne!(whole, next(&START, &digest(&[8; 16], b"body"), &entry));
        assert_ne!(whole, next(&[1; 32], &body, &entry));
        assert_ne!(whole, next(&START, &body, &Entry { at: 6, ..entry }));
    }
}
