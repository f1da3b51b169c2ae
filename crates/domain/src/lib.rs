//! The words of Shubbak as types, who may see and do what, and every decision. No I/O, no clock, no randomness of its
//! own.

pub mod chain;
pub mod command;
pub mod decide;
pub mod entry;
pub mod erasure;
pub mod facts;
pub mod ids;
pub mod pack;
pub mod password;
pub mod permission;
pub mod schema;
pub mod visibility;
pub mod wire;
pub mod words;
