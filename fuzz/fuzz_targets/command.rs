//! A command of a desk: read, or refused with a code and words.
#![no_main]

use domain::{command::Command, ids::CommandId};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use uuid::Uuid;

fuzz_target!(|body: &[u8]| {
    let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(body) else { return };
    let id = CommandId(Uuid::from_u128(0x019e_4ee4_0776_7555_a8df_4ceb_fd14_8dc6));
    if let Err(refusal) = Command::read(id, fields) {
        assert!(!refusal.code.as_str().is_empty() && !refusal.message.is_empty());
    }
});
