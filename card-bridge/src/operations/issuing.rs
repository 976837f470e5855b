//! Issuing a card at the desk of a Registration Authority. The officer's card is in one reader, the blank one in another; what
//! the officer's card has signed lets the bridge open the secrets of the blank one.

use std::sync::atomic::Ordering;
use std::time::Duration;

use card_protocol::issuing::{FirstTried, IssuingSecrets};
use card_protocol::message::{CertificateRequests, PreparedCard};
use card_protocol::passcode::Passcode as TypedPasscode;
use card_protocol::proof::KeyAlgorithm;
use card_protocol::sealed::Sealed;
use card_protocol::{CardFailure, Der, Purpose};
use piv::issuance::{self, IssuanceError, Preparation, RequestTerms, TransportKeys};
use piv::{Algorithm, Certificate, ManagementKey, Passcode};

use super::{Session, card_failure, key_algorithm, unlock_key};
use crate::moment::Moment;
use crate::readers::Afterwards;

/// How much longer than other transactions one may take in which a card makes two keys: of RSA some take many seconds.
const MAKING_KEYS: Duration = Duration::from_secs(90);

/// An officer's order: issuing secrets that are sealed for it will be opened, once.
pub(super) struct Order {
    made: Moment,
    digest: Vec<u8>,
    /// How many unlocks and preparations had been begun by then.
    unlocks: u64,
}

/// A card that was prepared: its certificates will be written, as often as they come.
pub(super) struct Issuing {
    made: Moment,
    guid: piv::Guid,
    /// The card's own, and the one with which it came: some keep that.
    management_keys: [ManagementKey; 2],
    /// Which certificates are written: a card with others proves nothing any more.
    expected: Expected,
}

/// Which certificates a card is to have, of slots 9A and 9E.
enum Expected {
    /// Those of these keys, each a `SubjectPublicKeyInfo`, which the card has made on this connection.
    Keys([Vec<u8>; 2]),
    /// Those that the officer has signed for: SHA-256 of both, one after the other.
    Digest([u8; 32]),
}

impl Expected {
    fn are(&self, certificates: [&Der; 2]) -> bool {
        match self {
            Self::Keys(keys) => certificates.iter().zip(keys).all(|(certificate, key)| {
                Certificate::of(&certificate.0).public_key_info().is_ok_and(|found| found == *key)
            }),
            Self::Digest(digest) => {
                KeyAlgorithm::P256.digest(&certificates.map(|certificate| certificate.0.as_slice()).concat()) == digest
            }
        }
    }
}

impl Issuing {
    /// The card that has these secrets.
    fn now(secrets: &IssuingSecrets) -> Result<Self, CardFailure> {
        let guid = piv::Guid::new(secrets.guid.0).ok_or(CardFailure::Malformed)?;
        let keys = [&secrets.management_key, &secrets.transport_management_key];
        let management_keys = keys.map(|key| ManagementKey::new(key.expose_secret()));
        Ok(Self { made: Moment::now(), guid, management_keys, expected: Expected::Digest(secrets.completion.0) })
    }
}

impl Order {
    /// Given now, by the proof of this digest.
    pub(super) fn now(digest: Vec<u8>, unlocks: u64) -> Self {
        Self { made: Moment::now(), digest, unlocks }
    }
}

impl Session {
    /// Makes a blank card somebody's, with the secrets that the server has sealed for the officer's order.
    pub(super) async fn prepare_card(
        &mut self,
        reader: Option<String>,
        passcode: Result<Option<TypedPasscode>, CardFailure>,
        secrets: &Sealed,
    ) -> Result<PreparedCard, CardFailure> {
        let passcode = passcode?.ok_or(CardFailure::Malformed)?;
        let passcode = TypedPasscode::parse_new(passcode.expose_secret()).map_err(|_| CardFailure::Malformed)?;
        let passcode = Passcode::from_digits(passcode.expose_secret()).map_err(|_| CardFailure::Malformed)?;
        let (secrets, begun) = self.open_secrets(secrets)?;
        let issuing = Issuing::now(&secrets)?;
        let guid = issuing.guid;
        let statement = self.statement(Purpose::Prepared, secrets.completion);
        let algorithm = algorithm(secrets.algorithm);

        let prepare = {
            let [management_key, transport_key] = issuing.management_keys.clone();
            let statement = statement.clone();
            let unlocks = self.worker.unlocks();
            move |card: &mut dyn piv::Card, _| {
                // Secrets from before another preparation may be those of a card that is issued by now.
                if unlocks.compare_exchange(begun, begun + 1, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                    return Err(CardFailure::Busy);
                }
                let preparation = Preparation {
                    guid,
                    expires: secrets.expires,
                    algorithm: &|_| algorithm,
                    transport: TransportKeys {
                        management_key: &transport_key,
                        unlock_key: &unlock_key(&secrets.transport_unlock_key),
                    },
                    management_key: &management_key,
                    unlock_key: &unlock_key(&secrets.unlock_key),
                    first: match secrets.first {
                        FirstTried::Transport => issuance::FirstTried::Transport,
                        FirstTried::Own => issuance::FirstTried::Own,
                    },
                    passcode: &passcode,
                    requests: secrets.holder.as_deref().map(|holder| RequestTerms {
                        holder,
                        digest: |algorithm, message| key_algorithm(algorithm).digest(message),
                    }),
                    digest: &|guid, algorithm| statement.digest(guid, algorithm),
                };
                issuance::prepare(card, &preparation).map_err(issuance_failure)
            }
        };
        let prepared = self.worker.carry_out_slowly(MAKING_KEYS, reader, Afterwards::Reset, prepare).await?;
        let keys = [&prepared.authentication_key, &prepared.card_authentication_key];
        let public_keys = keys.map(|key| key.to_public_key_info(algorithm));
        let [authentication_key, card_authentication_key] = public_keys.clone().map(Der);
        self.issuing = Some(Issuing { made: Moment::now(), expected: Expected::Keys(public_keys), ..issuing });
        Ok(PreparedCard {
            authentication_key,
            card_authentication_key,
            proof: statement.signed(prepared.proof),
            requests: prepared.requests.map(|requests| CertificateRequests {
                authentication: Der(requests.authentication),
                card_authentication: Der(requests.card_authentication),
            }),
        })
    }

    /// Writes the certificates of the card that was prepared before, or of the one whose secrets come along.
    pub(super) async fn load_certificates(
        &mut self,
        reader: Option<String>,
        [authentication, card_authentication]: [Der; 2],
        secrets: Option<&Sealed>,
    ) -> Result<(), CardFailure> {
        if let Some(secrets) = secrets {
            self.issuing = Some(Issuing::now(&self.open_secrets(secrets)?.0)?);
        }
        let life = self.worker.limits().release;
        let issuing = self.issuing.as_ref().filter(|issuing| issuing.made.until(Moment::now()) < life);
        let Issuing { guid, management_keys, expected, .. } = issuing.ok_or(CardFailure::Malformed)?;
        if !expected.are([&authentication, &card_authentication]) {
            return Err(CardFailure::Malformed);
        }
        let (guid, management_keys) = (*guid, management_keys.clone());
        let load = move |card: &mut dyn piv::Card, _| {
            let [own, transport] = &management_keys;
            issuance::load_certificates(card, guid, &[own, transport], &authentication.0, &card_authentication.0)
                .map_err(issuance_failure)
        };
        self.worker.carry_out(reader, Afterwards::Reset, load).await
    }

    /// Opens what the server has sealed for the officer's order, which is used up by that. Says how many unlocks and
    /// preparations had been begun by then.
    fn open_secrets(&mut self, sealed: &Sealed) -> Result<(IssuingSecrets, u64), CardFailure> {
        let life = self.worker.limits().release;
        let order = self.order.take().filter(|order| order.made.until(Moment::now()) < life);
        let order = order.ok_or(CardFailure::Malformed)?;
        let open = |key| self.secret.open_issuing(key, &order.digest, sealed).ok();
        let secrets = self.origin.service_keys.iter().find_map(open).ok_or(CardFailure::Malformed)?;
        Ok((secrets, order.unlocks))
    }
}

fn algorithm(algorithm: KeyAlgorithm) -> Algorithm {
    match algorithm {
        KeyAlgorithm::P256 => Algorithm::P256,
        KeyAlgorithm::P384 => Algorithm::P384,
        KeyAlgorithm::Rsa2048 => Algorithm::Rsa2048,
    }
}

fn issuance_failure(error: IssuanceError) -> CardFailure {
    match error {
        IssuanceError::NotBlank => CardFailure::NotBlank,
        IssuanceError::ForeignKeys => CardFailure::ForeignKeys,
        IssuanceError::FactoryKeyStays => CardFailure::FactoryKeyStays,
        IssuanceError::Card(error) => card_failure(error),
    }
}
