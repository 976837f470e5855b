//! What the bridge does for a page: each verb of the protocol as one card transaction.
//!
//! A sealed message is opened, and what is in it checked, before a card is touched. The bridge signs for nothing but
//! the purposes that a verb is there for, and always over the origin that the browser named.

mod issuing;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use card_protocol::message::{CardExamination, CardStatus, Done, LastTry, Outcome, PasscodeUse, Request, Verb};
use card_protocol::passcode::Passcode as TypedPasscode;
use card_protocol::proof::{KeyAlgorithm, ProofMessage};
use card_protocol::sealed::{Candidates, ConnectionSecret, Sealed};
use card_protocol::{
    CardFailure, CardProof, Challenge, ConnectionKey, ENTRY_SECONDS, Guid, MOST_ENTRIES, NotEntered, PasscodeNow,
    Purpose, Signature, Slot,
};
use piv::pin_pad::NotSent;
use piv::transaction::{self, Change, ChangeError, Proof, Unlock, UnlockError};
use piv::{Algorithm, CardError, Passcode, PasscodeSource, TransportError, UnlockKey, VerifyError};

use crate::config::AllowedOrigin;
use crate::examination::{examine, tries_left};
use crate::moment::Moment;
use crate::programs::card_in_use;
use crate::readers::{Afterwards, Insertion};
use crate::worker::Worker;
use issuing::{Issuing, Order};

/// What lasts for one connection of one page.
pub struct Session {
    origin: Arc<AllowedOrigin>,
    worker: Worker,
    secret: ConnectionSecret,
    key: ConnectionKey,
    release: Option<Release>,
    order: Option<Order>,
    issuing: Option<Issuing>,
    /// The last request whose sealed passcode was opened: who has seen one go by can't have it used again.
    last_opened: Option<u32>,
}

/// Where the passcode of a request comes from.
enum Entry {
    /// It came with the request.
    Page(Passcode),
    /// It is to be typed on the reader.
    Reader,
}

impl Entry {
    fn source(&self) -> PasscodeSource<'_> {
        match self {
            Self::Page(passcode) => PasscodeSource::Known(passcode),
            Self::Reader => PasscodeSource::Reader { seconds: ENTRY_SECONDS },
        }
    }

    /// How often the person may be asked for it where it is typed on the reader.
    fn times(&self, on_reader: u8) -> u8 {
        match self {
            Self::Page(_) => 0,
            Self::Reader => on_reader,
        }
    }
}

/// A `release` proof: unlock keys that are sealed for it will be opened, once.
struct Release {
    made: Moment,
    guid: piv::Guid,
    insertion: Insertion,
    /// How many unlocks had been begun by then.
    unlocks: u64,
    digest: Vec<u8>,
}

impl Session {
    /// For a page of `origin`, with a fresh connection key.
    pub fn new(origin: Arc<AllowedOrigin>, worker: Worker) -> Self {
        let secret = ConnectionSecret::generate();
        let key = secret.public();
        Self { origin, worker, secret, key, release: None, order: None, issuing: None, last_opened: None }
    }

    /// The public half of the connection key.
    pub fn connection_key(&self) -> ConnectionKey {
        self.key
    }

    /// Does what the page asks for.
    pub async fn carry_out(&mut self, request: Request) -> Outcome {
        let id = request.id;
        let done = match request.verb {
            Verb::Readers => Ok(Done::Readers(self.worker.readers().borrow().clone())),
            Verb::CardStatus { reader } => self.card_status(reader).await.map(Done::CardStatus),
            Verb::ExamineCard { reader } => self.examine_card(reader).await.map(Done::CardExamination),
            Verb::ProveCard { reader, purpose, challenge } => {
                self.prove_card(reader, purpose, challenge).await.map(Done::Proof)
            }
            Verb::ProveHolder { reader, purpose, challenge, passcode, last_try } => {
                let passcode = self.open_passcode(PasscodeUse::ProveHolder, id, passcode.as_ref());
                self.prove_holder(reader, purpose, challenge, passcode, last_try).await.map(Done::Proof)
            }
            Verb::ChangePasscode { reader, guid, challenge, current, new, last_try } => {
                let passcodes = [(PasscodeUse::ChangeCurrent, &current), (PasscodeUse::ChangeNew, &new)];
                let passcodes = self.open_passcodes(id, passcodes);
                self.change_passcode(reader, guid, challenge, passcodes, last_try).await.map(Done::Proof)
            }
            Verb::ResetPasscode { reader, passcode, unlock_keys } => {
                let passcode = self.open_passcode(PasscodeUse::ResetPasscode, id, passcode.as_ref());
                self.reset_passcode(reader, passcode, &unlock_keys).await.map(Done::Proof)
            }
            Verb::PrepareCard { reader, passcode, secrets } => {
                let passcode = self.open_passcode(PasscodeUse::PrepareCard, id, Some(&passcode));
                self.prepare_card(reader, passcode, &secrets).await.map(Done::Prepared)
            }
            Verb::LoadCertificates { reader, authentication, card_authentication, secrets } => {
                let certificates = [authentication, card_authentication];
                let loaded = self.load_certificates(reader, certificates, secrets.as_ref()).await;
                loaded.map(|()| Done::CertificatesLoaded)
            }
        };
        match done {
            Ok(done) => Outcome::Done(done),
            Err(failure) => Outcome::Failed(failure),
        }
    }

    async fn card_status(&self, reader: Option<String>) -> Result<CardStatus, CardFailure> {
        let look = |card: &mut dyn piv::Card, _| transaction::look(card).map_err(card_failure);
        let (guid, state) = self.worker.carry_out(reader, Afterwards::Leave, look).await?;
        Ok(CardStatus { guid: Guid(*guid.bytes()), tries_left: tries_left(state) })
    }

    async fn examine_card(&self, reader: Option<String>) -> Result<CardExamination, CardFailure> {
        let look = |card: &mut dyn piv::Card, _| examine(card).map_err(card_failure);
        self.worker.carry_out(reader, Afterwards::Leave, look).await
    }

    async fn prove_card(
        &mut self,
        reader: Option<String>,
        purpose: Purpose,
        challenge: Challenge,
    ) -> Result<CardProof, CardFailure> {
        if purpose.slot() != Slot::CardAuthentication {
            return Err(CardFailure::Malformed);
        }
        let statement = self.statement(purpose, challenge);
        let unlocks = self.worker.unlocks();
        let (proof, insertion, unlocks) = self
            .worker
            .carry_out(reader, Afterwards::Leave, {
                let statement = statement.clone();
                move |card, insertion| {
                    let proof = transaction::prove_card(card, &|guid, algorithm| statement.digest(guid, algorithm));
                    Ok((proof.map_err(card_failure)?, insertion, unlocks.load(Ordering::SeqCst)))
                }
            })
            .await?;
        if purpose == Purpose::Release {
            let digest = statement.digest(proof.guid, proof.algorithm);
            self.release = Some(Release { made: Moment::now(), guid: proof.guid, insertion, unlocks, digest });
        }
        Ok(statement.signed(proof))
    }

    async fn prove_holder(
        &mut self,
        reader: Option<String>,
        purpose: Purpose,
        challenge: Challenge,
        passcode: Result<Option<TypedPasscode>, CardFailure>,
        last_try: LastTry,
    ) -> Result<CardProof, CardFailure> {
        if !matches!(purpose, Purpose::SignIn | Purpose::Register | Purpose::Change | Purpose::RaAction) {
            return Err(CardFailure::Malformed);
        }
        let passcode = entry(passcode?.as_ref())?;
        let entries = passcode.times(1);
        let unlocks = self.worker.unlocks();
        let (last_try, statement) = (tries(last_try), self.statement(purpose, challenge));
        let prove = {
            let statement = statement.clone();
            move |card: &mut dyn piv::Card, _| {
                let digest = |guid, algorithm| statement.digest(guid, algorithm);
                transaction::prove_holder(card, passcode.source(), last_try, &digest).map_err(verify_failure)
            }
        };
        let proof = self.worker.carry_out_with_entries(entries, reader, Afterwards::Reset, prove).await?;
        if purpose == Purpose::RaAction {
            let digest = statement.digest(proof.guid, proof.algorithm);
            self.order = Some(Order::now(digest, unlocks.load(Ordering::SeqCst)));
        }
        Ok(statement.signed(proof))
    }

    async fn change_passcode(
        &self,
        reader: Option<String>,
        guid: Guid,
        challenge: Challenge,
        passcodes: Result<[TypedPasscode; 2], CardFailure>,
        last_try: LastTry,
    ) -> Result<CardProof, CardFailure> {
        let [current, new] = passcodes?;
        let unchanged = current.expose_secret() == new.expose_secret();
        // As for an unlock; and where nothing is changed, nobody is to be told of a change.
        if unchanged || TypedPasscode::parse_new(new.expose_secret()).is_err() {
            return Err(CardFailure::Malformed);
        }
        let (current, new) = (card_passcode(&current)?, card_passcode(&new)?);
        let guid = piv::Guid::new(guid.0).ok_or(CardFailure::Malformed)?;
        let (last_try, statement) = (tries(last_try), self.statement(Purpose::Change, challenge));
        self.worker
            .carry_out(reader, Afterwards::Reset, move |card, _| {
                let digest = |guid, algorithm| statement.digest(guid, algorithm);
                let change = Change { guid, current: &current, new: &new, last_try, digest: &digest };
                Ok(statement.signed(transaction::change_passcode(card, &change).map_err(change_failure)?))
            })
            .await
    }

    async fn reset_passcode(
        &mut self,
        reader: Option<String>,
        passcode: Result<Option<TypedPasscode>, CardFailure>,
        unlock_keys: &Sealed,
    ) -> Result<CardProof, CardFailure> {
        let passcode = passcode?;
        // The page has checked it, but a script in the page may not have. What is typed on the reader nobody can check.
        if let Some(passcode) = &passcode {
            TypedPasscode::parse_new(passcode.expose_secret()).map_err(|_| CardFailure::Malformed)?;
        }
        let passcode = entry(passcode.as_ref())?;

        let life = self.worker.limits().release;
        let release = self.release.take().filter(|release| release.made.until(Moment::now()) < life);
        let release = release.ok_or(CardFailure::Malformed)?;
        let open = |key| self.secret.open_unlock_keys(key, &release.digest, unlock_keys).ok();
        let keys = self.origin.service_keys.iter().find_map(open).ok_or(CardFailure::Malformed)?;
        let statement = self.statement(Purpose::Unlocked, keys.completion);

        let reader = reader.or_else(|| Some(release.insertion.reader.clone()));
        let unlocks = self.worker.unlocks();
        self.worker
            .carry_out_with_entries(passcode.times(MOST_ENTRIES), reader, Afterwards::Reset, move |card, insertion| {
                if insertion != release.insertion {
                    let (guid, _) = transaction::look(card).map_err(card_failure)?;
                    let same = guid == release.guid;
                    return Err(if same { CardFailure::CardRemoved } else { CardFailure::CardChanged });
                }
                // Keys from before another unlock may no longer fit, and would cost tries of the unlock key for nothing.
                let begun = release.unlocks;
                if unlocks.compare_exchange(begun, begun + 1, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                    return Err(CardFailure::Busy);
                }
                let (candidate, second_candidate) = match &keys.candidates {
                    Candidates::One(key) => (unlock_key(key), None),
                    Candidates::Two(first, second) => (unlock_key(first), Some(unlock_key(second))),
                };
                let unlock = Unlock {
                    guid: release.guid,
                    passcode: passcode.source(),
                    candidate: &candidate,
                    second_candidate: second_candidate.as_ref(),
                    next: &unlock_key(&keys.next),
                    digest: &|guid, algorithm| statement.digest(guid, algorithm),
                };
                Ok(statement.signed(transaction::unlock(card, &unlock).map_err(unlock_failure)?))
            })
            .await
    }

    /// The passcode that came with the request, if one did.
    fn open_passcode(
        &mut self,
        used_for: PasscodeUse,
        request_id: u32,
        sealed: Option<&Sealed>,
    ) -> Result<Option<TypedPasscode>, CardFailure> {
        let Some(sealed) = sealed else { return Ok(None) };
        self.open_passcodes(request_id, [(used_for, sealed)]).map(|[passcode]| Some(passcode))
    }

    /// The passcodes that came with the request.
    fn open_passcodes<const N: usize>(
        &mut self,
        request_id: u32,
        sealed: [(PasscodeUse, &Sealed); N],
    ) -> Result<[TypedPasscode; N], CardFailure> {
        let open = |(used_for, sealed): (PasscodeUse, &Sealed)| {
            self.secret.open_passcode(&used_for.additional_data(request_id), sealed).ok()
        };
        let opened: Option<Vec<_>> = sealed.into_iter().map(open).collect();
        let passcodes = opened.and_then(|opened| opened.try_into().ok()).ok_or(CardFailure::Malformed)?;
        let is_later = self.last_opened.is_none_or(|last| request_id > last);
        self.last_opened = self.last_opened.max(Some(request_id));
        if is_later { Ok(passcodes) } else { Err(CardFailure::Malformed) }
    }

    fn statement(&self, purpose: Purpose, challenge: Challenge) -> Statement {
        Statement { origin: Arc::clone(&self.origin), purpose, challenge, connection_key: self.key }
    }
}

/// What a card is made to sign, but for which card it is.
#[derive(Clone)]
struct Statement {
    origin: Arc<AllowedOrigin>,
    purpose: Purpose,
    challenge: Challenge,
    connection_key: ConnectionKey,
}

impl Statement {
    fn digest(&self, guid: piv::Guid, algorithm: Algorithm) -> Vec<u8> {
        let guid = Guid(*guid.bytes());
        let origin = self.origin.url.as_str();
        let message = ProofMessage::new(origin, self.purpose, &self.challenge, &guid, &self.connection_key);
        message.digest(key_algorithm(algorithm))
    }

    fn signed(&self, proof: Proof) -> CardProof {
        CardProof {
            purpose: self.purpose,
            challenge: self.challenge,
            guid: Guid(*proof.guid.bytes()),
            connection_key: self.connection_key,
            signature: Signature(proof.signature),
        }
    }
}

fn key_algorithm(algorithm: Algorithm) -> KeyAlgorithm {
    match algorithm {
        Algorithm::P256 => KeyAlgorithm::P256,
        Algorithm::P384 => KeyAlgorithm::P384,
        Algorithm::Rsa2048 => KeyAlgorithm::Rsa2048,
    }
}

fn entry(passcode: Option<&TypedPasscode>) -> Result<Entry, CardFailure> {
    let Some(passcode) = passcode else { return Ok(Entry::Reader) };
    card_passcode(passcode).map(Entry::Page)
}

/// A passcode in the form that a card takes.
fn card_passcode(passcode: &TypedPasscode) -> Result<Passcode, CardFailure> {
    Passcode::from_digits(passcode.expose_secret()).map_err(|_| CardFailure::Malformed)
}

fn tries(last_try: LastTry) -> piv::LastTry {
    match last_try {
        LastTry::Keep => piv::LastTry::Keep,
        LastTry::Spend => piv::LastTry::Spend,
    }
}

fn unlock_key(key: &card_protocol::UnlockKey) -> UnlockKey {
    UnlockKey::new(*key.expose_secret())
}

fn card_failure(error: CardError) -> CardFailure {
    tracing::info!(%error, "the card gave no result");
    match error {
        CardError::Transport(TransportError::ServiceStopped) => CardFailure::NoService,
        CardError::Transport(TransportError::InUse | TransportError::Reset) => card_in_use(),
        CardError::Transport(TransportError::TimedOut) => CardFailure::CardSilent,
        CardError::NotTouched => CardFailure::NotTouched,
        CardError::Transport(TransportError::Removed | TransportError::Fault) | CardError::CutOff => {
            CardFailure::CardRemoved
        }
        CardError::NotPiv | CardError::Unsuitable | CardError::Garbled | CardError::Endless | CardError::Refused(_) => {
            CardFailure::UnsupportedCard
        }
    }
}

fn verify_failure(error: VerifyError) -> CardFailure {
    match error {
        // A card that doesn't count might lock at the next.
        VerifyError::Wrong { tries_left } => CardFailure::WrongPasscode { tries_left: tries_left.unwrap_or(1) },
        VerifyError::LastTry => CardFailure::LastTry,
        VerifyError::Blocked => CardFailure::PasscodeBlocked,
        VerifyError::NotSent(reason) => CardFailure::NotEntered { reason: not_entered(reason) },
        VerifyError::Card(error) => card_failure(error),
    }
}

fn change_failure(error: ChangeError) -> CardFailure {
    let not_proved = |error: CardError, passcode| {
        tracing::info!(%error, "the card gave no proof of its new passcode");
        CardFailure::ChangeNotProved { passcode }
    };
    match error {
        ChangeError::CardChanged => CardFailure::CardChanged,
        ChangeError::NotChanged(error) => verify_failure(error),
        ChangeError::Unknown(error) => not_proved(error, PasscodeNow::NewOrFormer),
        ChangeError::NotProved(error) => not_proved(error, PasscodeNow::New),
    }
}

fn unlock_failure(error: UnlockError) -> CardFailure {
    match error {
        UnlockError::CardChanged => CardFailure::CardChanged,
        UnlockError::UnlockKeyRefused => CardFailure::UnlockKeyRefused,
        UnlockError::NotSent(reason) => CardFailure::NotEntered { reason: not_entered(reason) },
        UnlockError::NotConfirmed(reason) => CardFailure::NotConfirmed { reason: not_entered(reason) },
        UnlockError::Card(error) => card_failure(error),
    }
}

fn not_entered(reason: NotSent) -> NotEntered {
    match reason {
        NotSent::TimedOut => NotEntered::TimedOut,
        NotSent::Cancelled => NotEntered::Cancelled,
        NotSent::Differ => NotEntered::Differ,
        NotSent::WrongLength => NotEntered::WrongLength,
        NotSent::NoKeys => NotEntered::NoKeypad,
    }
}
