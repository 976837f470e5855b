//! Command APDUs of the PIV card application (SP 800-73-4 part 2, clause 3) and how they are written to bytes.
//!
//! Sending them, and following the chains of answers, is [`exchange`](crate::exchange())'s business.

use std::fmt;

use iso7816::command::CommandBuilder;
use iso7816::command::class::{Class, ZERO_CLA};
pub use iso7816::command::instruction::Instruction;
use zeroize::Zeroizing;

use crate::management::ManagementAlgorithm;
use crate::objects::ObjectId;
use crate::secrets::{Passcode, UnlockKey};
use crate::slot::{Algorithm, Slot};
use crate::tlv;

/// The application identifier of PIV without its version (SP 800-73-4 part 1, 2.2).
const PIV_AID: [u8; 9] = [0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00];
/// Its first five bytes, the identifier of its issuer: some cards know the application by no more.
const PIV_RID: [u8; 5] = [0xA0, 0x00, 0x00, 0x03, 0x08];
/// Key reference of the passcode, the PIV card application PIN (SP 800-73-4 part 1, table 4b).
const PASSCODE_REFERENCE: u8 = 0x80;
/// Key reference of the unlock key, the PIN unblocking key.
const UNLOCK_KEY_REFERENCE: u8 = 0x81;
/// Key reference of the management key, the PIV card application administration key.
const MANAGEMENT_KEY_REFERENCE: u8 = 0x9B;
/// A passcode's place, all padding (SP 800-73-4 part 2, 2.4.3).
const BLANK_PASSCODE: [u8; 8] = [0xFF; 8];
/// With `Le` = 00 a card may answer with up to 256 bytes.
const ANY_LENGTH: u16 = 256;

/// One command, before it is cut into APDUs.
///
/// Its data is wiped when it goes: it may hold a passcode. Its `Debug` shows the header only.
#[derive(Clone)]
pub struct Command {
    class: Class,
    instruction: Instruction,
    p1: u8,
    p2: u8,
    data: Zeroizing<Vec<u8>>,
    expected: u16,
}

impl Command {
    /// A command of the interindustry class without data that expects no data back.
    pub fn new(instruction: Instruction, p1: u8, p2: u8) -> Self {
        Self { class: ZERO_CLA, instruction, p1, p2, data: Zeroizing::default(), expected: 0 }
    }

    /// The same with `data`; more than 255 bytes travel as a chain.
    ///
    /// # Panics
    ///
    /// When `data` is longer than 65535 bytes.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = Zeroizing::new(data.into());
        assert!(u16::try_from(self.data.len()).is_ok(), "no command holds so much");
        self
    }

    /// The same, expecting data back (`Le` = 00).
    #[must_use]
    pub fn expecting_data(self) -> Self {
        self.expecting(ANY_LENGTH)
    }

    /// The same with an exact `Le`, as a card asks for with 6CXX: 0 stands for 256.
    #[must_use]
    pub(crate) fn expecting_exactly(self, length: u8) -> Self {
        self.expecting(if length == 0 { ANY_LENGTH } else { u16::from(length) })
    }

    fn expecting(mut self, expected: u16) -> Self {
        self.expected = expected;
        self
    }

    /// Whether an answer with data is expected.
    pub fn expects_data(&self) -> bool {
        self.expected > 0
    }

    /// The APDUs that carry this command, in short form: one, or a chain (ISO 7816-4, 5.3.3).
    pub fn apdus(&self) -> Vec<Zeroizing<Vec<u8>>> {
        CommandBuilder::new_non_extended(
            self.class,
            self.instruction,
            self.p1,
            self.p2,
            &self.data,
            self.expected,
            None,
        )
        .map(|part| serialize(&part))
        .collect()
    }

    /// SELECT the PIV application by its full identifier without version.
    pub fn select() -> Self {
        Self::new(Instruction::Select, 0x04, 0x00).with_data(PIV_AID).expecting_data()
    }

    /// SELECT the PIV application by its first five bytes.
    pub fn select_truncated() -> Self {
        Self::new(Instruction::Select, 0x04, 0x00).with_data(PIV_RID).expecting_data()
    }

    /// GET DATA of one object.
    pub fn get_data(object: ObjectId) -> Self {
        Self::new(Instruction::GetData, 0x3F, 0xFF).with_data(tlv::encode(0x5C, object.tag())).expecting_data()
    }

    /// PUT DATA: `content` becomes the value of the object.
    pub fn put_data(object: ObjectId, content: &[u8]) -> Self {
        let mut data = tlv::encode(0x5C, object.tag());
        data.extend(tlv::encode(0x53, content));
        Self::new(Instruction::PutData, 0x3F, 0xFF).with_data(data)
    }

    /// VERIFY the passcode.
    pub fn verify(passcode: &Passcode) -> Self {
        Self::new(Instruction::Verify, 0x00, PASSCODE_REFERENCE).with_data(*passcode.padded())
    }

    /// VERIFY with FF in place of a passcode, which the reader's PIN pad fills in.
    pub(crate) fn verify_blank() -> Self {
        Self::new(Instruction::Verify, 0x00, PASSCODE_REFERENCE).with_data(BLANK_PASSCODE)
    }

    /// RESET RETRY COUNTER with FF in place of the new passcode.
    pub(crate) fn reset_retry_counter_blank(unlock_key: &UnlockKey) -> Self {
        Self::new(Instruction::ResetRetryCounter, 0x00, PASSCODE_REFERENCE)
            .with_data([*unlock_key.bytes(), BLANK_PASSCODE].concat())
    }

    /// VERIFY without data: asks for the tries left and spends none.
    pub fn passcode_state() -> Self {
        Self::new(Instruction::Verify, 0x00, PASSCODE_REFERENCE)
    }

    /// CHANGE REFERENCE DATA of the passcode.
    pub fn change_passcode(current: &Passcode, new: &Passcode) -> Self {
        Self::new(Instruction::ChangeReferenceData, 0x00, PASSCODE_REFERENCE)
            .with_data([*current.padded(), *new.padded()].concat())
    }

    /// CHANGE REFERENCE DATA of the unlock key.
    pub fn change_unlock_key(current: &UnlockKey, new: &UnlockKey) -> Self {
        Self::new(Instruction::ChangeReferenceData, 0x00, UNLOCK_KEY_REFERENCE)
            .with_data([*current.bytes(), *new.bytes()].concat())
    }

    /// RESET RETRY COUNTER: a new passcode by the unlock key.
    pub fn reset_retry_counter(unlock_key: &UnlockKey, new: &Passcode) -> Self {
        Self::new(Instruction::ResetRetryCounter, 0x00, PASSCODE_REFERENCE)
            .with_data([*unlock_key.bytes(), *new.padded()].concat())
    }

    /// GENERAL AUTHENTICATE with the `content` of its dynamic authentication template (7C). `algorithm` and `key` are
    /// the references of SP 800-78-4, tables 6-2 and 6-1.
    pub fn general_authenticate(algorithm: u8, key: u8, content: &[u8]) -> Self {
        Self::new(Instruction::GeneralAuthenticate, algorithm, key)
            .with_data(tlv::encode(0x7C, content))
            .expecting_data()
    }

    /// GENERATE ASYMMETRIC KEY PAIR; the answer is read by [`PublicKey::parse`](crate::PublicKey::parse).
    pub fn generate_key_pair(slot: Slot, algorithm: Algorithm) -> Self {
        let mechanism = tlv::encode(0x80, &[algorithm.reference()]);
        Self::new(Instruction::GenerateAsymmetricKeyPair, 0x00, slot.reference())
            .with_data(tlv::encode(0xAC, &mechanism))
            .expecting_data()
    }

    /// GENERAL AUTHENTICATE: asks for the challenge that the management key is to answer.
    pub(crate) fn ask_management(algorithm: ManagementAlgorithm) -> Self {
        Self::general_authenticate(algorithm.reference(), MANAGEMENT_KEY_REFERENCE, &tlv::encode(0x81, &[]))
    }

    /// GENERAL AUTHENTICATE: answers it.
    pub(crate) fn answer_management(algorithm: ManagementAlgorithm, response: &[u8]) -> Self {
        Self::general_authenticate(algorithm.reference(), MANAGEMENT_KEY_REFERENCE, &tlv::encode(0x82, response))
    }

    /// SET MANAGEMENT KEY, without a touch: a command of `YubiKeys` that other makers have taken over (Yubico SDK manual, PIV
    /// application, «Set management key»).
    pub(crate) fn set_management_key(algorithm: ManagementAlgorithm, key: &[u8]) -> Self {
        let mut data = Zeroizing::new(vec![algorithm.reference()]);
        data.extend(tlv::encode(MANAGEMENT_KEY_REFERENCE.into(), key));
        Self::new(Instruction::Unknown(0xFF), 0xFF, 0xFF).with_data(&data[..])
    }

    /// GET METADATA of a slot's key, a command of `YubiKeys` since firmware 5.3 (Yubico SDK manual, PIV application, «Get
    /// metadata»).
    pub fn get_metadata(slot: Slot) -> Self {
        Self::new(Instruction::Unknown(0xF7), 0x00, slot.reference()).expecting_data()
    }

    /// GET RESPONSE for `length` bytes; 0 stands for 256.
    pub(crate) fn get_response(length: u8) -> Self {
        Self::new(Instruction::GetResponse, 0x00, 0x00).expecting_exactly(length)
    }
}

fn serialize(part: &CommandBuilder<&[u8]>) -> Zeroizing<Vec<u8>> {
    let mut apdu = Zeroizing::new(vec![0; part.required_len()]);
    let mut rest: &mut [u8] = &mut apdu;
    part.serialize_into(&mut rest).expect("the buffer has the length that was asked for");
    apdu
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("instruction", &self.instruction)
            .field("p1", &format_args!("{:02X}", self.p1))
            .field("p2", &format_args!("{:02X}", self.p2))
            .finish_non_exhaustive()
    }
}
