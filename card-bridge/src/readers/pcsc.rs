//! Readers behind PC/SC.
//!
//! A card is connected shared and held by a PC/SC transaction, so that programs that are merely connected are no
//! hindrance and still can't send anything in between. Each transaction has a context for itself: contexts are not
//! shared between threads. One that has served is kept for the next, since to establish one takes the service as long as a
//! signature takes a fast card.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use card_protocol::message::{CardPresence, Keypad, Reader, Readers};
use card_protocol::{CardFailure, HeldCard};
use pcsc::{Context, Disposition, Error, Protocol, Protocols, ReaderState, Scope, ShareMode, State};
use piv::pin_pad::{Entry, Features, GET_FEATURE_REQUEST, PinPad};
use piv::{Application, CardError, Slot, TransportError};
use tokio::sync::watch;

use super::monitor::{self, Monitor};
use super::{Afterwards, CardSource, Insertion, Transaction};
use crate::programs;

/// Room for the answer to a short APDU, 258 bytes, and for a reader that does not keep to it.
const ANSWER_ROOM: usize = 4096;
/// How often a card that another program keeps resetting is reconnected.
const MOST_RECONNECTIONS: usize = 3;
/// Room for the name of a reader: PC/SC lite's have 128 bytes.
const NAME_ROOM: usize = 1024;

/// The readers that PC/SC knows.
pub struct PcscReaders {
    readers: watch::Receiver<Readers>,
    service: Arc<AtomicU64>,
    kept: Mutex<Option<Kept>>,
    _stop: mpsc::Sender<()>,
}

/// A context that no transaction uses at the moment.
struct Kept {
    context: Context,
    /// Which run of the smartcard service it is of.
    service: u64,
}

/// Whether a context still has a connection to a card.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Connection {
    Ended,
    Unclear,
}

impl PcscReaders {
    /// Starts to watch the readers.
    ///
    /// # Errors
    ///
    /// When the operating system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        let (sender, readers) = watch::channel(Readers::Stopped);
        let (stop, stopped) = mpsc::channel();
        let service = Arc::new(AtomicU64::new(0));
        let monitor = Monitor::new(sender, Arc::clone(&service), stopped);
        std::thread::Builder::new().name("monitor".to_owned()).spawn(|| monitor.run())?;
        Ok(Self { readers, service, kept: Mutex::default(), _stop: stop })
    }

    /// The kept context, if the service has not ended since.
    fn take(&self, service: u64) -> Option<Context> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.filter(|kept| kept.service == service).map(|kept| kept.context)
    }

    /// Keeps a context that has no connection any more.
    fn keep(&self, context: Context, service: u64, connection: Connection) {
        if connection == Connection::Ended {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Kept { context, service });
        }
    }

    /// The reader that holds the only card, or the named one, as far as the monitor knows.
    fn only_card(&self, wanted: Option<&str>) -> Option<CString> {
        let Readers::Running { readers } = &*self.readers.borrow() else { return None };
        let mut with_card = readers.iter().filter(|reader| reader.card == CardPresence::Present);
        let found = match wanted {
            Some(wanted) => with_card.find(|reader| reader.name == wanted),
            None => with_card.next().filter(|_| with_card.next().is_none()),
        };
        found.and_then(|reader| CString::new(reader.name.clone()).ok())
    }
}

impl CardSource for PcscReaders {
    fn readers(&self) -> watch::Receiver<Readers> {
        self.readers.clone()
    }

    fn hold(&self, reader: Option<&str>, transaction: &mut Transaction<'_>) -> Result<(), CardFailure> {
        let service = self.service.load(Ordering::SeqCst);
        if let (Some(context), Some(reader)) = (self.take(service), self.only_card(reader)) {
            match hold(&context, &reader, service, transaction) {
                Ok(connection) => {
                    self.keep(context, service, connection);
                    return Ok(());
                }
                // What is known of the readers, or the context itself, is out of date: look.
                Err(CardFailure::NoService | CardFailure::NoReader | CardFailure::NoCard) => {}
                Err(failure) => return Err(failure),
            }
        }
        let context = Context::establish(Scope::User).map_err(failure)?;
        let connection = hold(&context, &choose(&context, reader)?, service, transaction)?;
        self.keep(context, service, connection);
        Ok(())
    }
}

/// The readers that PC/SC knows, looked at once and not watched.
pub struct PcscSnapshot(watch::Receiver<Readers>);

impl PcscSnapshot {
    /// Looks at the readers as they are now.
    pub fn take() -> Self {
        let readers = match survey() {
            Ok(readers) => Readers::Running { readers },
            Err(error) => {
                tracing::debug!(%error, "the smartcard service is not there");
                Readers::Stopped
            }
        };
        Self(watch::channel(readers).1)
    }
}

impl CardSource for PcscSnapshot {
    fn readers(&self) -> watch::Receiver<Readers> {
        self.0.clone()
    }

    fn hold(&self, reader: Option<&str>, transaction: &mut Transaction<'_>) -> Result<(), CardFailure> {
        let context = Context::establish(Scope::User).map_err(failure)?;
        hold(&context, &choose(&context, reader)?, 0, transaction).map(drop)
    }
}

fn survey() -> Result<Vec<Reader>, Error> {
    let context = Context::establish(Scope::User)?;
    let names = monitor::list(&context)?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut states: Vec<_> = names.into_iter().map(|name| ReaderState::new(name, State::UNAWARE)).collect();
    context.get_status_change(Duration::ZERO, &mut states)?;
    Ok(states.iter().filter_map(|state| monitor::describe(state, keypad(&context, state.name()))).collect())
}

/// What can be typed on a reader. It is asked without its card, so that this disturbs nobody; a reader that another program
/// has for itself alone tells nothing.
pub fn keypad(context: &Context, reader: &CStr) -> Keypad {
    let Ok(reader) = context.connect(reader, ShareMode::Direct, Protocols::UNDEFINED) else { return Keypad::None };
    let features = features(&reader, &mut [0; ANSWER_ROOM]);
    let takes = |entry| features.control_code(entry).is_some();
    if let Err((_, error)) = reader.disconnect(Disposition::LeaveCard) {
        tracing::debug!(%error, "the reader could not be disconnected");
    }
    match (takes(Entry::Verify), takes(Entry::Modify)) {
        (true, true) => Keypad::CurrentAndNew,
        (true, false) => Keypad::Current,
        (false, _) => Keypad::None,
    }
}

/// The features of a reader; one that doesn't know the question has none.
fn features(reader: &pcsc::Card, answer: &mut [u8]) -> Features {
    let asked = reader.control(pcsc::ctl_code(GET_FEATURE_REQUEST.into()), &[], answer);
    asked.map(Features::parse).unwrap_or_default()
}

fn hold(
    context: &Context,
    reader: &CString,
    service: u64,
    transaction: &mut Transaction<'_>,
) -> Result<Connection, CardFailure> {
    let ((), connection) = with_transaction(context, reader, |card| {
        let state = state(context, reader)?;
        let insertion = Insertion { reader: monitor::name(reader), service, count: state.event_count().into() };
        card.learn(state.atr());
        Ok(((), transaction(card, insertion)))
    })?;
    Ok(connection)
}

/// The named reader, or the only one that holds a PIV card.
fn choose(context: &Context, wanted: Option<&str>) -> Result<CString, CardFailure> {
    let readers = monitor::list(context).map_err(failure)?;
    if readers.is_empty() {
        return Err(CardFailure::NoReader);
    }
    let mut states: Vec<_> = readers.into_iter().map(|name| ReaderState::new(name, State::UNAWARE)).collect();
    context.get_status_change(Duration::ZERO, &mut states).map_err(failure)?;
    if let Some(wanted) = wanted {
        let state = states.iter().find(|state| monitor::name(state.name()) == wanted).ok_or(CardFailure::NoReader)?;
        return if monitor::holds_card(state.event_state()) {
            Ok(state.name().to_owned())
        } else {
            Err(CardFailure::NoCard)
        };
    }
    let mut with_card: Vec<_> = states
        .iter()
        .filter(|state| monitor::holds_card(state.event_state()))
        .map(|state| state.name().to_owned())
        .collect();
    match with_card.len() {
        0 => Err(CardFailure::NoCard),
        1 => Ok(with_card.remove(0)),
        _ => only_piv(context, with_card),
    }
}

/// Of several readers with a card the one whose card has the PIV application.
fn only_piv(context: &Context, readers: Vec<CString>) -> Result<CString, CardFailure> {
    let mut found = Vec::new();
    for reader in readers {
        let selected = with_transaction(context, &reader, |card| {
            Ok((Application::select(card).map(|mut application| holder(&mut application)), Afterwards::Leave))
        });
        match selected {
            // Nobody can tell what a card is that is in use or mute: the person decides.
            Ok((Ok(holder), _)) => found.push((reader, holder)),
            Err(CardFailure::CardInUse { .. } | CardFailure::CardSilent) => found.push((reader, None)),
            Ok((Err(CardError::NotPiv), _)) => {}
            Ok((Err(_), _)) | Err(_) => tracing::debug!(?reader, "the card does not answer"),
        }
    }
    match found.len() {
        0 => Err(CardFailure::UnsupportedCard),
        1 => Ok(found.remove(0).0),
        _ => {
            let held = |(reader, holder): (CString, _)| HeldCard { reader: monitor::name(&reader), holder };
            Err(CardFailure::SeveralCards { cards: found.into_iter().map(held).collect() })
        }
    }
}

/// The name on the certificate of the PIV authentication key, which names the holder.
fn holder(application: &mut Application) -> Option<String> {
    application.certificate(Slot::PivAuthentication).ok()?.common_name().ok()?
}

/// Connects, begins a transaction, acts, and ends it as the action says; where it was cut short, with a reset.
fn with_transaction<T>(
    context: &Context,
    reader: &CString,
    act: impl FnOnce(&mut PcscCard) -> Result<(T, Afterwards), CardFailure>,
) -> Result<(T, Connection), CardFailure> {
    let mut card = context.connect(reader, ShareMode::Shared, Protocols::ANY).map_err(failure)?;
    let transaction = begin(&mut card).map_err(failure)?;
    let acted = act(&mut PcscCard::new(context, &transaction));
    let afterwards = acted.as_ref().map_or(Afterwards::Reset, |(_, afterwards)| *afterwards);
    let ended = transaction.end(disposition(afterwards)).map_err(|(_, error)| error);
    // What the transaction's end did not reset is reset now; a card that was taken out needs neither.
    let left = if ended.is_ok() { Disposition::LeaveCard } else { disposition(afterwards) };
    let connection = match card.disconnect(left) {
        Ok(()) => Connection::Ended,
        Err((_, error)) => {
            tracing::debug!(%error, "the card could not be disconnected");
            Connection::Unclear
        }
    };
    acted.map(|(value, _)| (value, connection))
}

fn disposition(afterwards: Afterwards) -> Disposition {
    match afterwards {
        Afterwards::Leave => Disposition::LeaveCard,
        Afterwards::Reset => Disposition::ResetCard,
    }
}

/// Begins a transaction, also when another program has just reset the card.
fn begin(card: &mut pcsc::Card) -> Result<pcsc::Transaction<'_>, Error> {
    let mut card = card;
    for _ in 0..MOST_RECONNECTIONS {
        match card.transaction2() {
            Ok(transaction) => return Ok(transaction),
            Err((reset, Error::ResetCard)) => {
                reset.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::LeaveCard)?;
                card = reset;
            }
            Err((_, error)) => return Err(error),
        }
    }
    Err(Error::SharingViolation)
}

fn state(context: &Context, reader: &CString) -> Result<ReaderState, CardFailure> {
    let mut state = ReaderState::new(reader.clone(), State::UNAWARE);
    context.get_status_change(Duration::ZERO, std::slice::from_mut(&mut state)).map_err(failure)?;
    Ok(state)
}

/// A card that is held by a transaction.
struct PcscCard<'a> {
    context: &'a Context,
    card: &'a pcsc::Card,
    /// What is spoken with it, once that is known.
    protocol: OnceCell<Option<Protocol>>,
    answer: Vec<u8>,
    /// What can be typed on the reader, once it was asked.
    features: Option<Features>,
}

impl<'a> PcscCard<'a> {
    fn new(context: &'a Context, card: &'a pcsc::Card) -> Self {
        Self { context, card, protocol: OnceCell::new(), answer: vec![0; ANSWER_ROOM], features: None }
    }

    /// Learns from the card's answer to reset what is spoken with it, if it leaves no choice: then nobody need be asked.
    fn learn(&mut self, answer_to_reset: &[u8]) {
        if let Some(protocol) = only_protocol(answer_to_reset) {
            self.protocol = OnceCell::from(Some(protocol));
        }
    }

    fn protocol(&self) -> Option<Protocol> {
        *self.protocol.get_or_init(|| {
            let (mut names, mut answer_to_reset) = ([0; NAME_ROOM], [0; pcsc::MAX_ATR_SIZE]);
            self.card.status2(&mut names, &mut answer_to_reset).ok()?.protocol2()
        })
    }

    fn features(&mut self) -> Features {
        *self.features.get_or_insert_with(|| features(self.card, &mut self.answer))
    }

    fn transport_error(&self, error: Error) -> TransportError {
        match error {
            Error::RemovedCard
            | Error::NoSmartcard
            | Error::ReaderUnavailable
            | Error::UnknownReader
            | Error::UnpoweredCard
            | Error::UnresponsiveCard => TransportError::Removed,
            Error::ResetCard => TransportError::Reset,
            Error::SharingViolation => TransportError::InUse,
            Error::Timeout => TransportError::TimedOut,
            _ if self.context.is_valid().is_err() || is_service_gone(error) => TransportError::ServiceStopped,
            _ => TransportError::Fault,
        }
    }
}

impl piv::Card for PcscCard<'_> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let command = match self.protocol() {
            Some(Protocol::T0) => for_t0(command),
            _ => Cow::Borrowed(command),
        };
        let answered = self.card.transmit(&command, &mut self.answer).map(<[u8]>::to_vec);
        answered.map_err(|error| {
            tracing::debug!(%error, "the card did not answer");
            self.transport_error(error)
        })
    }

    fn pin_pad(&mut self) -> Option<&mut dyn PinPad> {
        if self.features() == Features::default() { None } else { Some(self) }
    }
}

impl PinPad for PcscCard<'_> {
    fn takes(&mut self, entry: Entry) -> bool {
        self.features().control_code(entry).is_some()
    }

    fn enter(&mut self, entry: Entry, structure: &[u8]) -> Result<Vec<u8>, TransportError> {
        let code = self.features().control_code(entry).ok_or(TransportError::Fault)?;
        let answered = self.card.control(code.into(), structure, &mut self.answer).map(<[u8]>::to_vec);
        answered.map_err(|error| {
            tracing::debug!(%error, "the reader did not answer");
            self.transport_error(error)
        })
    }
}

/// The protocol of a card whose answer to reset offers no other (ISO 7816-3, 8.2.3): each TD byte names one in its low half,
/// and says in its high half which bytes follow, the fourth being the next TD.
fn only_protocol(answer_to_reset: &[u8]) -> Option<Protocol> {
    let mut offered = Vec::new();
    let (mut at, mut interface) = (1, *answer_to_reset.get(1)?);
    while interface & 0x80 != 0 {
        at += (interface >> 4).count_ones() as usize;
        interface = *answer_to_reset.get(at)?;
        offered.push(interface & 0x0F);
    }
    // 15 is no protocol: global bytes follow.
    offered.retain(|protocol| *protocol != 15);
    match offered.as_slice() {
        all if all.iter().all(|protocol| *protocol == 0) => Some(Protocol::T0),
        all if all.iter().all(|protocol| *protocol == 1) => Some(Protocol::T1),
        _ => None,
    }
}

/// A short APDU as it is sent with T=0, where a command has either data or an expected length, and always one of them
/// (ISO 7816-3, 12.2).
fn for_t0(command: &[u8]) -> Cow<'_, [u8]> {
    match command {
        [_, _, _, _] => Cow::Owned([command, &[0]].concat()),
        [_, _, _, _, length, _, ..] if *length > 0 && command.len() == usize::from(*length) + 6 => {
            Cow::Borrowed(&command[..command.len() - 1])
        }
        _ => Cow::Borrowed(command),
    }
}

/// Why there is no card to hold.
fn failure(error: Error) -> CardFailure {
    match error {
        Error::NoSmartcard => CardFailure::NoCard,
        Error::UnknownReader | Error::ReaderUnavailable | Error::NoReadersAvailable => CardFailure::NoReader,
        Error::RemovedCard => CardFailure::CardRemoved,
        Error::UnpoweredCard | Error::UnresponsiveCard | Error::UnsupportedCard | Error::ProtoMismatch => {
            CardFailure::UnsupportedCard
        }
        error if is_service_gone(error) => CardFailure::NoService,
        Error::SharingViolation => programs::card_in_use(),
        error => {
            tracing::warn!(%error, "the reader gives no card");
            CardFailure::CardSilent
        }
    }
}

fn is_service_gone(error: Error) -> bool {
    matches!(
        error,
        Error::NoService | Error::ServiceStopped | Error::Shutdown | Error::InvalidHandle | Error::CommError
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_reset_that_offers_one_protocol_tells_it() {
        for (answer_to_reset, protocol) in [
            (&[0x3B, 0x80, 0x01, 0x81][..], Some(Protocol::T1)),
            // A YubiKey 5, by USB.
            (&[0x3B, 0xFD, 0x13, 0, 0, 0x81, 0x31, 0xFE, 0x15, 0x80, 0x73, 0xC0], Some(Protocol::T1)),
            // No TD byte: T=0.
            (&[0x3B, 0x65, 0, 0, 0, 0, 0, 0, 0], Some(Protocol::T0)),
            // TD1 T=0, TD2 T=1: both.
            (&[0x3B, 0x80, 0x80, 0x01, 0x01], None),
            // TD1 T=1, TD2 T=15: no second protocol.
            (&[0x3B, 0x80, 0x81, 0x1F, 0x03], Some(Protocol::T1)),
            // Cut off, and none.
            (&[0x3B, 0x80], None),
            (&[], None),
        ] {
            assert_eq!(only_protocol(answer_to_reset), protocol, "{answer_to_reset:02X?}");
        }
    }

    #[test]
    fn with_t0_a_command_has_data_or_an_expected_length() {
        assert_eq!(for_t0(&[0, 0x20, 0, 0x80])[..], [0, 0x20, 0, 0x80, 0]);
        assert_eq!(for_t0(&[0, 0xC0, 0, 0, 7])[..], [0, 0xC0, 0, 0, 7]);
        assert_eq!(for_t0(&[0, 0xDB, 0, 0, 2, 1, 1])[..], [0, 0xDB, 0, 0, 2, 1, 1]);
        assert_eq!(for_t0(&[0, 0xCB, 0, 0, 2, 1, 1, 0])[..], [0, 0xCB, 0, 0, 2, 1, 1]);
    }
}
