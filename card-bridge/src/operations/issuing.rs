//! Issuing a card at the desk of a Registration Authority. The officer's card is in one reader, the blank one in another; what
//! the officer's card has signed lets the bridge open the secrets of the blank one.

use std::sync::atomic::Ordering;
use std::time::Duration;

use card_protocol::issuing::FirstTried;
use card_protocol::message::PreparedCard;
use card_protocol::passcode::Passcode as TypedPasscode;
use card_protocol::proof::KeyAlgorithm;
use card_protocol::sealed::Sealed;
use card_protocol::{CardFailure, Der, Purpose};
use piv::issuance::{self, IssuanceError, Preparation, TransportKeys};
use piv::{Algorithm, Certificate, ManagementKey, Passcode};

use super::{Session, card_failure, unlock_key};
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
    management_keys: [ManagementKey; 2],
    /// Of slots 9A and 9E, each a `SubjectPublicKeyInfo`.
    public_keys: [Vec<u8>; 2],
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
        let life = self.worker.limits().release;
        let order = self.order.take().filter(|order| order.made.until(Moment::now()) < life);
        let order = order.ok_or(CardFailure::Malformed)?;
        let open = |key| self.secret.open_issuing(key, &order.digest, secrets).ok();
        let secrets = self.origin.service_keys.iter().find_map(open).ok_or(CardFailure::Malformed)?;
        let guid = piv::Guid::new(secrets.guid.0).ok_or(CardFailure::Malformed)?;
        let management_key = ManagementKey::new(secrets.management_key.expose_secret());
        let transport_key = ManagementKey::new(secrets.transport_management_key.expose_secret());
        let statement = self.statement(Purpose::Prepared, secrets.completion);
        let algorithm = algorithm(secrets.algorithm);

        let prepare = {
            let (management_key, transport_key) = (management_key.clone(), transport_key.clone());
            let statement = statement.clone();
            let (unlocks, begun) = (self.worker.unlocks(), order.unlocks);
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
                    digest: &|guid, algorithm| statement.digest(guid, algorithm),
                };
                issuance::prepare(card, &preparation).map_err(issuance_failure)
            }
        };
        let prepared = self.worker.carry_out_slowly(MAKING_KEYS, reader, Afterwards::Reset, prepare).await?;
        let keys = [&prepared.authentication_key, &prepared.card_authentication_key];
        let public_keys = keys.map(|key| key.to_public_key_info(algorithm));
        let [authentication_key, card_authentication_key] = public_keys.clone().map(Der);
        let management_keys = [management_key, transport_key];
        self.issuing = Some(Issuing { made: Moment::now(), guid, management_keys, public_keys });
        Ok(PreparedCard { authentication_key, card_authentication_key, proof: statement.signed(prepared.proof) })
    }

    /// Writes the certificates of the card that was prepared before.
    pub(super) async fn load_certificates(
        &mut self,
        reader: Option<String>,
        authentication: Der,
        card_authentication: Der,
    ) -> Result<(), CardFailure> {
        let life = self.worker.limits().release;
        let issuing = self.issuing.as_ref().filter(|issuing| issuing.made.until(Moment::now()) < life);
        let Issuing { guid, management_keys, public_keys, .. } = issuing.ok_or(CardFailure::Malformed)?;
        // A card with a certificate of another key proves nothing any more.
        let is_for =
            |der: &Der, key: &Vec<u8>| Certificate::of(&der.0).public_key_info().is_ok_and(|found| found == *key);
        if !is_for(&authentication, &public_keys[0]) || !is_for(&card_authentication, &public_keys[1]) {
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
