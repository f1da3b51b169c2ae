//! The gateway: between the Cloud API and the desks, and the keeper of each agency's journal.
//!
//! A message's way in: [`webhook`] → [`deliveries`] → [`intake`] → [`agency`]'s queue → [`decider`] → [`live`].
//! A reply's way out: [`commands`] → [`agency`]'s queue → [`decider`] → [`sender`] → Graph API.

pub mod agency;
pub mod alarms;
pub mod backup;
pub mod commands;
pub mod config;
pub mod connections;
pub mod decider;
pub mod deliveries;
pub mod erasure;
pub mod failure;
pub mod gateway;
pub mod heads;
pub mod home;
pub mod http;
pub mod init;
pub mod intake;
pub mod journal;
pub mod keys;
pub mod leases;
pub mod ledger;
pub mod listening;
pub mod live;
pub mod look;
pub mod media;
pub mod openapi;
pub mod orphans;
pub mod others;
pub mod pace;
pub mod passwords;
pub mod presence;
pub mod rebuild;
pub mod requests;
pub mod restore;
pub mod said;
pub mod sender;
pub mod serve;
pub mod session;
pub mod signs;
pub mod sqlite;
pub mod sync;
pub mod tls;
pub mod understanding;
pub mod uploads;
pub mod verify;
pub mod webhook;
