//! The WhatsApp Cloud API: webhook bodies, their signature, and a client of the Graph API.
//!
//! This crate knows nothing of agencies, cases or staff. It reads what Meta sends as tolerantly as it can, because a
//! webhook that is refused is lost after some days, and it tells the outcomes of a send apart as strictly as it can,
//! because the API has no idempotency key and a second POST is a second message on somebody's telephone.

pub mod client;
mod error;
pub mod signature;
pub mod webhook;

pub use error::MetaError;
