//! How much of a fault is injected: a little in every run of the tests, all of it where `cargo xtask faults` says so.
//!
//! What chance decides comes of one seed, which is printed: with `SHUBBAK_SEED` the same choices are made again.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::Value;

fn said(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// How often: shortened, at full length, or in a long run.
pub(crate) fn times(short: usize, full: usize, long: usize) -> usize {
    match said("SHUBBAK_FAULTS").as_deref() {
        None => short,
        Some("full") => full,
        Some("long") => long,
        Some(other) => panic!("SHUBBAK_FAULTS is {other:?}, and can be full or long"),
    }
}

/// Chance, by a seed that can be given.
pub(crate) fn chance() -> fastrand::Rng {
    let seed = said("SHUBBAK_SEED").map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("SHUBBAK_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

/// What was done, for whoever counts.
#[expect(clippy::needless_pass_by_value, reason = "`json!` makes it where it is handed over")]
pub(crate) fn counted(counts: Value) {
    println!("COUNTED {counts}");
}

/// Counts what panics anywhere in this process from now on.
pub(crate) fn count_panics() -> Arc<AtomicUsize> {
    let panics = Arc::new(AtomicUsize::new(0));
    let (count, before) = (Arc::clone(&panics), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        count.fetch_add(1, Ordering::SeqCst);
        before(info);
    }));
    panics
}
