//! A point in time as whole milliseconds since 1970, for `#[serde(with)]`.
//!
//! The `time` crate's own goes through `i128`, which serde cannot hold inside a tagged enum.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::Timestamp;

pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    let milliseconds = at.unix_timestamp() * 1000 + i64::from(at.millisecond());
    milliseconds.serialize(serializer)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let milliseconds = i64::deserialize(deserializer)?;
    Timestamp::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000).map_err(D::Error::custom)
}
