//! The words of Shubbak as types, who may see and do what, and every decision. No I/O, no clock, no randomness of its
//! own.

pub mod entry;
pub mod ids;
pub mod words;
