//! What fuzzing has found to be of interest, once more, on stable Rust and without a sanitizer: `fuzz/corpus`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

#[path = "../fuzz/targets/bridge_messages.rs"]
mod bridge_messages;
#[path = "../fuzz/targets/card_answers.rs"]
mod card_answers;
#[path = "../fuzz/targets/sealed_messages.rs"]
mod sealed_messages;

fn replay(target: &str, run: impl Fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let inputs: Vec<_> = fs::read_dir(corpus).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(inputs.len() > 10, "the corpus is not there");
    for input in inputs {
        // The name of the last one stands before the panic.
        println!("{}", input.display());
        run(&fs::read(&input).unwrap());
    }
}

#[test]
fn the_corpus_of_card_answers_passes() {
    replay("card_answers", card_answers::run);
}

#[test]
fn the_corpus_of_bridge_messages_passes() {
    replay("bridge_messages", bridge_messages::run);
}

#[test]
fn the_corpus_of_sealed_messages_passes() {
    replay("sealed_messages", sealed_messages::run);
}
