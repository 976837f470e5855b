//! What a `YubiKey` tells of a key (Yubico SDK manual, PIV application, «Get metadata», table 1).

use crate::tlv;

/// Tag of the policy: a byte for the passcode, a byte for the touch.
const POLICY: u32 = 0x02;
/// Each signature wants a touch.
const ALWAYS: u8 = 0x02;
/// Each signature wants a touch, but for those within the 15 seconds after one.
const CACHED: u8 = 0x03;

/// Whether the key wants a touch; nonsense says that it does not.
pub(crate) fn wants_touch(metadata: &[u8]) -> bool {
    matches!(tlv::find(metadata, POLICY), Ok(Some([_, ALWAYS | CACHED])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_touch_is_the_second_byte_of_the_policy() {
        let metadata =
            |policy: &[u8]| [&[0x01, 0x01, 0x11][..], &tlv::encode(POLICY, policy), &[0x03, 0x01, 0x01]].concat();
        assert!(wants_touch(&metadata(&[0x01, 0x02])));
        assert!(wants_touch(&metadata(&[0x02, 0x03])));
        for policy in [&[0x02, 0x01][..], &[0x03, 0x00], &[0x02], &[0x02, 0x02, 0x02], &[]] {
            assert!(!wants_touch(&metadata(policy)), "{policy:?}");
        }
        assert!(!wants_touch(&[]));
        assert!(!wants_touch(&[0x02, 0x05, 0x01, 0x02]));
    }
}
