//! The gateway over real HTTP: one binary, since each one costs a link.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod accounts;
mod alarms;
mod alike;
mod attacks;
mod bad_input;
#[path = "../../../../tests/canaries.rs"]
mod canaries;
mod clocks;
mod commands;
mod configuration;
mod crash;
mod disk;
mod disk_faults;
mod disorder;
mod endpoints;
mod erasing;
mod extent;
mod graph;
mod homes;
mod house;
mod intake;
mod load;
mod logs;
mod many;
mod matrix;
mod media;
mod media_storms;
mod openapi;
mod outbound;
mod pace;
mod papers;
mod people;
mod postgres;
mod postgres_tls;
mod power;
mod preload;
mod presence;
mod program;
mod refused;
mod restoring;
mod revoking;
mod rot;
mod s3;
mod sending;
mod several;
mod several_killed;
mod sight;
mod signs;
mod slow;
mod steps;
mod tampering;
mod tls;
mod understanding;
mod unknown;
mod upgrade;
