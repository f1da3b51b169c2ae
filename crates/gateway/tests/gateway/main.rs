//! The gateway over real HTTP: one binary, since each one costs a link.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod accounts;
mod attacks;
mod bad_input;
mod commands;
mod configuration;
mod crash;
mod disk;
mod endpoints;
mod graph;
mod house;
mod intake;
mod logs;
mod pace;
mod papers;
mod program;
mod restoring;
mod sending;
mod sight;
mod slow;
mod tampering;
mod tls;
