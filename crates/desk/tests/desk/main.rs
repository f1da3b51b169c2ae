//! The desk against a stand-in gateway that speaks the contract.
#![expect(unreachable_pub, reason = "one test program: what its modules share is public among them")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod bridge;
#[path = "../../../../tests/canaries.rs"]
mod canaries;
mod encryption;
mod logs;
mod notifications;
mod outbox;
mod people;
mod presence;
mod rot;
mod search;
mod session;
mod standin;
mod sync;
mod thread;
mod ways;
mod workplace;
