#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../targets/card_answers.rs"]
mod card_answers;

fuzz_target!(|input: &[u8]| card_answers::run(input));
