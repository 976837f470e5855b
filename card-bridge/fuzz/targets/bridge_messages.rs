//! What a page sends to the bridge and what a bridge sends to the page: whatever the text, it is read or refused, and
//! what was read is written as a text that is read as the same.

use std::fmt::Debug;

use card_protocol::message::{FromBridge, Request};
use serde::{Serialize, de::DeserializeOwned};

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    read_back::<Request>(text);
    read_back::<FromBridge>(text);
}

fn read_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) {
    let Ok(message) = serde_json::from_str::<T>(text) else { return };
    let written = serde_json::to_string(&message).expect("a message can be written");
    assert_eq!(serde_json::from_str::<T>(&written).ok(), Some(message), "{written}");
}
