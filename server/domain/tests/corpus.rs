//! What fuzzing has found to be of interest in the bodies of server functions, once more, on stable Rust and without a
//! sanitizer: `card-bridge/fuzz/corpus/service_bodies`.

use std::fs;

#[path = "../../../card-bridge/fuzz/targets/service_bodies.rs"]
mod service_bodies;

#[test]
fn the_corpus_of_service_bodies_passes() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../card-bridge/fuzz/corpus/service_bodies");
    let inputs: Vec<_> = fs::read_dir(corpus).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(inputs.len() > 10, "the corpus is not there");
    for input in inputs {
        // The name of the last one stands before the panic.
        println!("{}", input.display());
        service_bodies::run(&fs::read(&input).unwrap());
    }
}
