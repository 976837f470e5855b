//! The websocket messages between page and bridge: JSON text, at most [`MAX_MESSAGE`](crate::MAX_MESSAGE) bytes.
//!
//! The bridge speaks first, with [`Hello`]. Then the page sends a [`Request`] at a time and gets one [`Reply`] with
//! the same id; an [`Event`] may come between. Unknown fields are ignored and new ones are optional, so that a page and
//! a bridge of neighbouring versions understand each other.

use serde::{Deserialize, Serialize};

use crate::{CardFailure, CardProof, Challenge, ConnectionKey, Der, Guid, Purpose, sealed::Sealed};

/// What the bridge sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromBridge {
    /// The first message of a connection.
    Hello(Hello),
    /// The answer to a request.
    Reply(Reply),
    /// Something happened at the readers.
    Event(Event),
}

/// The first message of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The version of the bridge.
    pub version: String,
    /// The public key that this connection's sealed messages are for.
    pub connection_key: ConnectionKey,
    /// The readers now.
    pub readers: Readers,
}

/// What is connected to the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "service", rename_all = "snake_case")]
pub enum Readers {
    /// The smartcard service (PC/SC) is not running.
    Stopped,
    /// The service runs, and these readers are connected.
    Running {
        /// In the order of the service; may be empty.
        readers: Vec<Reader>,
    },
}

/// One reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    /// The name by which the smartcard service knows it.
    pub name: String,
    /// What is in it.
    pub card: CardPresence,
    /// What can be typed on it.
    #[serde(default, skip_serializing_if = "Keypad::is_none")]
    pub keypad: Keypad,
}

/// The passcodes that can be typed on the keys of a reader (PC/SC part 10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keypad {
    /// None.
    #[default]
    None,
    /// A passcode, to be verified.
    Current,
    /// That, and a new passcode.
    CurrentAndNew,
}

impl Keypad {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// Whether a reader holds a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardPresence {
    /// It is empty.
    Absent,
    /// It holds a card, of whatever kind.
    Present,
}

/// Something that happened without being asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A reader or a card came or went; these are the readers now.
    Readers {
        /// The readers now.
        readers: Readers,
    },
}

/// What a page asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the page, higher with each request of a connection; also bound into sealed passcodes.
    pub id: u32,
    /// What to do.
    #[serde(rename = "do")]
    pub verb: Verb,
}

/// What the bridge can do. Each is one card transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Verb {
    /// List the readers.
    Readers,
    /// Say which card is in the reader and how many passcode tries it still gives.
    CardStatus {
        /// The reader to use; needed only where several hold a card.
        #[serde(default)]
        reader: Option<String>,
    },
    /// Look at the parts of the card that the service needs.
    ExamineCard {
        /// The reader to use; needed only where several hold a card.
        #[serde(default)]
        reader: Option<String>,
    },
    /// Sign with the card authentication key: purposes `hello`, `unlock`, `attempt`, `release`.
    ProveCard {
        /// The reader to use; needed only where several hold a card.
        #[serde(default)]
        reader: Option<String>,
        /// What the proof is for.
        purpose: Purpose,
        /// The server's challenge.
        challenge: Challenge,
    },
    /// Verify the passcode and sign with the PIV authentication key: purposes `sign-in`, `register`, `change`, `ra-action`.
    ProveHolder {
        /// The reader to use; needed only where several hold a card.
        #[serde(default)]
        reader: Option<String>,
        /// What the proof is for.
        purpose: Purpose,
        /// The server's challenge.
        challenge: Challenge,
        /// The passcode, sealed for [`PasscodeUse::ProveHolder`]; none where it is to be typed on the reader.
        #[serde(default)]
        passcode: Option<Sealed>,
        /// What to do when the card gives one try only.
        #[serde(default)]
        last_try: LastTry,
    },
    /// Replace the passcode by another, both typed on the screen, and sign with the PIV authentication key (purpose `change`).
    ChangePasscode {
        /// The reader to use; needed only where several hold a card.
        #[serde(default)]
        reader: Option<String>,
        /// The card that the passcodes are for: they go to no other.
        guid: Guid,
        /// The server's challenge.
        challenge: Challenge,
        /// The passcode that the card has, sealed for [`PasscodeUse::ChangeCurrent`].
        current: Sealed,
        /// The passcode that it shall have, sealed for [`PasscodeUse::ChangeNew`].
        new: Sealed,
        /// What to do when the card gives one try only.
        #[serde(default)]
        last_try: LastTry,
    },
    /// Unlock the card: set a new passcode by the unlock keys of the release proof made on this connection.
    ResetPasscode {
        /// The reader to use; needed only where several hold a card.
        #[serde(default)]
        reader: Option<String>,
        /// The new passcode, sealed for [`PasscodeUse::ResetPasscode`]; none where it is to be typed on the reader.
        #[serde(default)]
        passcode: Option<Sealed>,
        /// The unlock keys, sealed by the server.
        unlock_keys: Sealed,
    },
    /// Make a blank card somebody's, at the desk of a Registration Authority: secrets, passcode, keys.
    PrepareCard {
        /// The reader that holds it: the officer's card is in another.
        #[serde(default)]
        reader: Option<String>,
        /// The passcode that its holder has chosen, sealed for [`PasscodeUse::PrepareCard`].
        passcode: Sealed,
        /// All else that it is to get, sealed by the server for the `ra-action` proof made on this connection.
        secrets: Sealed,
    },
    /// Write the certificates of the card that was prepared: on this connection, or before, where its secrets come along.
    LoadCertificates {
        /// The reader that holds it.
        #[serde(default)]
        reader: Option<String>,
        /// Of the PIV authentication key.
        authentication: Der,
        /// Of the card authentication key.
        card_authentication: Der,
        /// The secrets that the card has, sealed by the server for the `ra-action` proof made on this connection; none
        /// where it was prepared on it.
        #[serde(default)]
        secrets: Option<Sealed>,
    },
}

/// What to do when the card gives one more try only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastTry {
    /// Leave it: fail with [`CardFailure::LastTry`].
    #[default]
    Keep,
    /// Spend it: the person said so.
    Spend,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The id of the request.
    pub id: u32,
    /// How it went.
    pub outcome: Outcome,
}

/// How a request went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done(Done),
    /// It was not.
    Failed(CardFailure),
}

/// What a request that was done gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// For [`Verb::Readers`].
    Readers(Readers),
    /// For [`Verb::CardStatus`].
    CardStatus(CardStatus),
    /// For [`Verb::ExamineCard`].
    CardExamination(CardExamination),
    /// For [`Verb::ProveCard`], [`Verb::ProveHolder`] and [`Verb::ChangePasscode`]; for [`Verb::ResetPasscode`] the
    /// completion proof.
    Proof(CardProof),
    /// For [`Verb::PrepareCard`].
    Prepared(PreparedCard),
    /// For [`Verb::LoadCertificates`].
    CertificatesLoaded,
}

/// A card that has keys, but no certificates yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedCard {
    /// The key of slot 9A, a `SubjectPublicKeyInfo`.
    pub authentication_key: Der,
    /// The key of slot 9E, likewise.
    pub card_authentication_key: Der,
    /// The card's word that it is done, signed with the first of them (purpose `prepared`).
    pub proof: CardProof,
    /// Its requests for certificates, where the secrets named its holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<CertificateRequests>,
}

/// What a card asks a certification authority for (PKCS #10, RFC 2986): each signed by the key that it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRequests {
    /// For the PIV authentication key, in the name of its holder.
    pub authentication: Der,
    /// For the card authentication key, in the name of the card.
    pub card_authentication: Der,
}

/// The card in the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardStatus {
    /// Which card.
    pub guid: Guid,
    /// How many passcode tries it still gives: 0 is a locked card; none where the card doesn't say.
    pub tries_left: Option<u8>,
}

/// How far a card has what the service needs: each part is looked at only where the one before is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardExamination {
    /// It has no PIV application.
    NoApplication,
    /// It has, but doesn't say which card it is.
    NoIdentity,
    /// It says so, but a certificate that the service needs is missing, or is for a kind of key that is not known.
    NoKeys,
    /// Nothing is missing.
    Complete {
        /// How many passcode tries it still gives: 0 is a locked card; none where the card doesn't say.
        tries_left: Option<u8>,
    },
}

/// What a sealed passcode is for: the verb, and where it takes two, which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasscodeUse {
    /// [`Verb::ProveHolder`].
    ProveHolder,
    /// [`Verb::ResetPasscode`].
    ResetPasscode,
    /// [`Verb::ChangePasscode`]: the passcode that the card has.
    ChangeCurrent,
    /// [`Verb::ChangePasscode`]: the passcode that it shall have.
    ChangeNew,
    /// [`Verb::PrepareCard`].
    PrepareCard,
}

impl PasscodeUse {
    /// The additional data of a sealed passcode: the request's id (4 bytes) and the verb's name, after a slash which of two
    /// passcodes it is, so that they can't be exchanged for each other.
    pub fn additional_data(self, request_id: u32) -> Vec<u8> {
        let verb = match self {
            Self::ProveHolder => "prove_holder",
            Self::ResetPasscode => "reset_passcode",
            Self::ChangeCurrent => "change_passcode/current",
            Self::ChangeNew => "change_passcode/new",
            Self::PrepareCard => "prepare_card",
        };
        [&request_id.to_be_bytes()[..], verb.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_as_documented() {
        let json = r#"{"id":7,"do":{"verb":"prove_card","purpose":"unlock","challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","later":1}}"#;
        let request: Request = serde_json::from_str(json).unwrap();
        assert_eq!(
            request,
            Request {
                id: 7,
                verb: Verb::ProveCard { reader: None, purpose: Purpose::Unlock, challenge: Challenge([0; 32]) },
            }
        );
    }

    #[test]
    fn a_failure_reads_as_documented() {
        let reply =
            FromBridge::Reply(Reply { id: 7, outcome: Outcome::Failed(CardFailure::WrongPasscode { tries_left: 2 }) });
        assert_eq!(
            serde_json::to_string(&reply).unwrap(),
            r#"{"type":"reply","id":7,"outcome":{"failed":{"kind":"wrong_passcode","tries_left":2}}}"#
        );
    }

    /// The JSON of the README's examples, shortened values made whole.
    fn examples() -> Vec<String> {
        let bytes = "A".repeat(43);
        include_str!("../README.md")
            .split("```json\n")
            .skip(1)
            .filter_map(|block| block.split_once("```").map(|(json, _)| json))
            .flat_map(str::lines)
            .map(|line| {
                line.replace("pJ3…", &bytes)
                    .replace("AAAA…", &bytes)
                    .replace("\"encapsulated_key\":\"…\"", &format!("\"encapsulated_key\":\"{bytes}\""))
                    .replace("MEUC…", "MEUC")
                    .replace("0a1b…", &"0a".repeat(16))
                    .replace('…', "AAAA")
            })
            .collect()
    }

    #[test]
    fn the_examples_of_the_readme_are_messages_and_written_as_the_bridge_writes_them() {
        let examples = examples();
        assert_eq!(examples.len(), 23);
        for example in examples {
            if example.contains(r#""do""#) {
                serde_json::from_str::<Request>(&example).unwrap_or_else(|error| panic!("{example}: {error}"));
                continue;
            }
            let message: FromBridge =
                serde_json::from_str(&example).unwrap_or_else(|error| panic!("{example}: {error}"));
            assert_eq!(serde_json::to_string(&message).unwrap(), example);
        }
    }

    #[test]
    fn the_last_try_is_kept_unless_the_request_says_otherwise() {
        let json = r#"{"id":1,"do":{"verb":"prove_holder","purpose":"sign-in","challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","passcode":{"encapsulated_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","ciphertext":""}}}"#;
        let request: Request = serde_json::from_str(json).unwrap();
        assert!(matches!(request.verb, Verb::ProveHolder { last_try: LastTry::Keep, .. }));
    }
}
