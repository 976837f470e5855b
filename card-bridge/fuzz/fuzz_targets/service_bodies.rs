#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../targets/service_bodies.rs"]
mod service_bodies;

fuzz_target!(|input: &[u8]| service_bodies::run(input));
