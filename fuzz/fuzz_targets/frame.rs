//! A frame of the live socket, down (as a desk reads it) and up (as the gateway does): what is read is written alike.
#![no_main]

use domain::wire::{Line, Up};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|frame: &[u8]| {
    if let Ok(line) = serde_json::from_slice::<Line>(frame) {
        let written = serde_json::to_vec(&line).unwrap();
        assert_eq!(serde_json::from_slice::<Line>(&written).unwrap(), line);
    }
    if let Ok(up) = serde_json::from_slice::<Up>(frame) {
        let written = serde_json::to_vec(&up).unwrap();
        assert_eq!(serde_json::from_slice::<Up>(&written).unwrap(), up);
    }
});
