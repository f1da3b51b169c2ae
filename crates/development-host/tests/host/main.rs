//! The real program over HTTP: who may knock, and what `kill -9` leaves.
#![expect(unreachable_pub, reason = "one test program: what its modules share is public among them")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "what was counted is told")]

mod cable;
mod desk_steps;
mod doors;
mod evidence;
#[path = "../../../gateway/tests/gateway/extent.rs"]
#[expect(dead_code, reason = "shared with the gateway's own tests, which use the rest")]
mod extent;
mod gateway;
mod partition;
#[path = "../../../gateway/tests/gateway/preload.rs"]
#[expect(dead_code, reason = "shared with the gateway's own tests, which use the rest")]
mod preload;
mod program;
#[path = "../../../desk/tests/desk/standin.rs"]
#[expect(dead_code, reason = "shared with the desk's own tests, which use the rest")]
mod standin;
mod wipe;
