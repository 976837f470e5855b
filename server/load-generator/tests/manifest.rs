//! The program, as measurements and the package's test run it.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

#[test]
fn the_manifest_has_everybody_once_and_newcomers_without_a_registration() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_load-generator"));
    let printed = program.args(["manifest", "--people", "3", "--newcomers", "2"]).output().unwrap().stdout;
    let manifest: Value = serde_json::from_slice(&printed).unwrap();
    let cards = manifest["cards"].as_array().unwrap();
    let numbers: BTreeSet<_> = cards.iter().map(|card| card["user_number"].as_str().unwrap()).collect();
    assert_eq!((cards.len(), numbers.len()), (5, 5), "{manifest}");
    let registered = cards.iter().filter(|card| !card["registered"].is_null()).count();
    assert_eq!(registered, 3, "{manifest}");
}
