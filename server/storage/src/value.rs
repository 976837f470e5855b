//! How the domain's values stand in columns, alike on both databases: times as milliseconds since 1970, GUIDs as UUIDs
//! (which is what they are), steps and lists as JSON text.

use card_protocol::Guid;
use domain::{Timestamp, person::UserNumber, ports::StoreError};
use uuid::Uuid;

use crate::error::unreadable;

pub(crate) fn milliseconds(time: Timestamp) -> i64 {
    time.unix_timestamp() * 1000 + i64::from(time.millisecond())
}

pub(crate) fn read_time(milliseconds: i64, column: &'static str) -> Result<Timestamp, StoreError> {
    Timestamp::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000).map_err(unreadable(column))
}

pub(crate) fn uuid(guid: &Guid) -> Uuid {
    Uuid::from_bytes(guid.0)
}

pub(crate) fn read_guid(uuid: Uuid) -> Guid {
    Guid(uuid.into_bytes())
}

pub(crate) fn read_user_number(text: &str, column: &'static str) -> Result<UserNumber, StoreError> {
    UserNumber::parse(text).map_err(unreadable(column))
}

pub(crate) fn read_bytes<const N: usize>(bytes: Vec<u8>, column: &'static str) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| unreadable(column)(crate::error::UnknownValue))
}

pub(crate) fn read_version(version: i64, column: &'static str) -> Result<u32, StoreError> {
    u32::try_from(version).map_err(unreadable(column))
}

pub(crate) fn json(value: &impl serde::Serialize, column: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(unreadable(column))
}

pub(crate) fn read_json<T: serde::de::DeserializeOwned>(text: &str, column: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(unreadable(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_to_the_millisecond_before_and_after_1970() {
        for time in [-1, 0, 1, -62_000_000_123, 1_795_000_000_999] {
            assert_eq!(milliseconds(read_time(time, "t").unwrap()), time);
        }
    }
}
