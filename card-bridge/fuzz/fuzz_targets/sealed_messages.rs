#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../targets/sealed_messages.rs"]
mod sealed_messages;

fuzz_target!(|input: &[u8]| sealed_messages::run(input));
