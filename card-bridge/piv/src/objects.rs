//! Data objects (SP 800-73-4 part 1, table 3 and annex A): their names, and the card's identity, the GUID of its CHUID.

use crate::error::CardError;
use crate::slot::Slot;
use crate::tlv;

/// The tag by which GET DATA and PUT DATA name an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectId([u8; 3]);

impl ObjectId {
    /// Card Capability Container.
    pub const CAPABILITY_CONTAINER: Self = Self([0x5F, 0xC1, 0x07]);
    /// Card Holder Unique Identifier.
    pub const CHUID: Self = Self([0x5F, 0xC1, 0x02]);
    /// X.509 certificate of the PIV authentication key.
    pub const PIV_AUTHENTICATION_CERTIFICATE: Self = Self([0x5F, 0xC1, 0x05]);
    /// X.509 certificate of the card authentication key.
    pub const CARD_AUTHENTICATION_CERTIFICATE: Self = Self([0x5F, 0xC1, 0x01]);

    /// The certificate of a slot.
    pub fn certificate(slot: Slot) -> Self {
        match slot {
            Slot::PivAuthentication => Self::PIV_AUTHENTICATION_CERTIFICATE,
            Slot::CardAuthentication => Self::CARD_AUTHENTICATION_CERTIFICATE,
        }
    }

    /// The tag's bytes.
    pub fn tag(&self) -> &[u8; 3] {
        &self.0
    }
}

/// The Global Unique Identifier of a card: never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Guid([u8; 16]);

impl Guid {
    /// Takes the bytes; `None` when they are all zero, as on cards that were never given one.
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Finds the GUID in the content of a CHUID object (tag 34).
    ///
    /// # Errors
    ///
    /// [`CardError::Garbled`] when the object is malformed, [`CardError::Unsuitable`] when it holds no GUID or zero.
    pub fn from_chuid(content: &[u8]) -> Result<Self, CardError> {
        let found = tlv::find(content, 0x34)?.ok_or(CardError::Unsuitable)?;
        let bytes = found.try_into().map_err(|_| CardError::Garbled)?;
        Self::new(bytes).ok_or(CardError::Unsuitable)
    }
}
