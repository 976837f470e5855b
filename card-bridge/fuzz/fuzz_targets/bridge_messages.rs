#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../targets/bridge_messages.rs"]
mod bridge_messages;

fuzz_target!(|input: &[u8]| bridge_messages::run(input));
