//! The body of a webhook: whatever is JSON can be read, and nothing in it is without an item.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use whatsapp::{signature, webhook};

fuzz_target!(|body: &[u8]| {
    let read = webhook::parse(body);
    assert!(read.is_ok() || serde_json::from_slice::<serde_json::Value>(body).is_err());
    assert!(signature::verify(&signature::sign(b"secret", body), body, &[b"secret"]));
    let Ok(read) = read else { return };
    for change in read.entries.iter().flat_map(|entry| &entry.changes) {
        assert!(!change.items.is_empty());
    }
    let keys = |webhook: &webhook::Webhook| webhook.items().map(|(_, item)| item.key.clone()).collect::<BTreeSet<_>>();
    assert_eq!(keys(&read), keys(&webhook::parse(body).unwrap()), "a repetition bears the same keys");
});
