//! The page's side of the card bridge: a connection that is kept across pages, and what it says about reader and card.
//!
//! It compiles for both targets, so that a page is one text; on the server nothing of it runs.

mod connection;
pub mod diagnosis;
mod helper;
mod permission;
mod seal;
mod state;
mod timer;

use std::rc::Rc;

use card_protocol::{
    CardFailure, CardProof, Challenge, ENTRY_SECONDS, Guid, MOST_ENTRIES, Purpose,
    message::{
        CardExamination, CardPresence, Done, Keypad, LastTry, Outcome, PasscodeUse, PreparedCard, Readers, Verb,
    },
    passcode::Passcode,
    sealed::Sealed,
};
use leptos::prelude::*;
use send_wrapper::SendWrapper;

use connection::Connection;
use diagnosis::Diagnosis;
use helper::Helper;
pub use permission::permission as permission_of_browser;
pub use state::{ReaderState, Trouble};
pub use timer::sleep;

use crate::server_fns::issuing::Certificates;

/// The card bridge of this machine.
#[derive(Clone, Copy)]
pub struct Bridge {
    state: RwSignal<ReaderState>,
    // Wrapped only where there is a connection, so in the browser: the server drops what a page holds on any thread.
    connection: StoredValue<Option<SendWrapper<Rc<Connection>>>>,
    /// The helper window, once this tab uses it.
    helper: StoredValue<Option<SendWrapper<Rc<Helper>>>>,
    reader: RwSignal<Option<String>>,
    surroundings: RwSignal<Surroundings>,
    port: u16,
}

/// How long the bridge may take: its own limits, for its turn, the card and the transaction, end before that.
const ANSWER_SECONDS: u32 = 40;

/// How much longer it may take where a card makes keys, of which some take many seconds.
const MAKING_KEYS_SECONDS: u32 = 100;

/// What is around the bridge.
struct Surroundings {
    /// What is connected, for as long as the bridge tells.
    readers: Option<Readers>,
    /// Where a passcode is typed if the reader has keys.
    typing: Typing,
}

/// Where a passcode is typed if the reader has keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Typing {
    /// On those.
    OnReader,
    /// On the screen: the person wants it.
    OnScreen,
}

/// Where the passcode of a request comes from.
#[derive(Clone, Copy)]
pub enum Entry<'a> {
    /// It was typed on the screen.
    Screen(&'a Passcode),
    /// It is to be typed on the reader.
    Reader,
}

/// What was found on the way to the card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// The version of the bridge.
    pub version: String,
    /// Whether the helper window was needed.
    pub by_helper: bool,
    /// What is connected.
    pub readers: Readers,
    /// What the card shows of itself.
    pub card: Result<CardExamination, CardFailure>,
}

impl Bridge {
    /// Makes the bridge's client, not connected, and provides it to all pages.
    pub fn provide(port: u16) {
        provide_context(Self {
            state: RwSignal::new(ReaderState::Before),
            connection: StoredValue::new(None),
            helper: StoredValue::new(None),
            reader: RwSignal::new(None),
            surroundings: RwSignal::new(Surroundings { readers: None, typing: Typing::OnReader }),
            port,
        });
    }

    /// The client that was provided.
    pub fn of_page() -> Self {
        expect_context()
    }

    /// What the reader panel shows.
    pub fn state(self) -> ReaderState {
        self.state.get()
    }

    /// Forgets a trouble of an earlier page, and that a connection was made to which nothing was asked.
    pub fn settle(self) {
        if matches!(
            self.state.get_untracked(),
            ReaderState::Trouble(_) | ReaderState::Connecting | ReaderState::Asking | ReaderState::AskingInHelper
        ) {
            self.state.set(ReaderState::Before);
        }
    }

    /// The port, for the bridge's own pages.
    pub fn port(self) -> u16 {
        self.port
    }

    /// Chooses between readers where several hold a card.
    pub fn choose_reader(self, name: String) {
        self.reader.set(Some(name));
    }

    /// What can be typed on the reader, as far as it is known, unless the person wants to type on the screen.
    pub fn keypad(self) -> Keypad {
        match &*self.surroundings.read() {
            Surroundings { typing: Typing::OnReader, readers: Some(readers) } => {
                self.reader.with(|chosen| state::keypad(readers, chosen.as_deref()))
            }
            _ => Keypad::None,
        }
    }

    /// Has the person type on the screen from now on, whatever the reader has.
    pub fn type_on_screen(self) {
        self.surroundings.update(|surroundings| surroundings.typing = Typing::OnScreen);
        self.settle();
    }

    /// The readers that hold a card; nothing while there is no connection.
    pub fn readers_with_card(self) -> Option<Vec<String>> {
        match &self.surroundings.read().readers {
            None => None,
            Some(Readers::Stopped) => Some(Vec::new()),
            Some(Readers::Running { readers }) => {
                let holding = readers.iter().filter(|reader| reader.card == CardPresence::Present);
                Some(holding.map(|reader| reader.name.clone()).collect())
            }
        }
    }

    /// The reader of the card that is used: the chosen one, or the only one that holds a card.
    pub fn own_reader(self, holding: &[String]) -> Option<String> {
        let only = || if let [only] = holding { Some(only.clone()) } else { None };
        self.chosen_reader().filter(|chosen| holding.contains(chosen)).or_else(only)
    }

    /// The readers that hold another card than the one that is used.
    pub fn other_readers(self) -> Vec<String> {
        let holding = self.readers_with_card().unwrap_or_default();
        let own = self.reader.get();
        holding.into_iter().filter(|reader| Some(reader) != own.as_ref()).collect()
    }

    /// Forgets which reader was chosen.
    pub fn forget_reader(self) {
        self.reader.set(None);
    }

    /// Opens the helper window: from now on this tab reaches the bridge through it. Only in answer to a click.
    pub fn open_helper(self) {
        let helper = self.helper().unwrap_or_else(|| self.listen());
        if helper.open() {
            self.connection.set_value(None);
            self.state.set(ReaderState::AskingInHelper);
        } else {
            self.fail(Trouble::Bridge(Diagnosis::HelperStopped));
        }
    }

    /// Whether the helper window is waited for.
    pub fn awaits_helper(self) -> bool {
        self.state.get_untracked() == ReaderState::AskingInHelper
    }

    fn helper(self) -> Option<Rc<Helper>> {
        self.helper.get_value().map(SendWrapper::take)
    }

    fn listen(self) -> Rc<Helper> {
        let helper = Rc::new(Helper::listen(self.port));
        self.helper.set_value(Some(SendWrapper::new(Rc::clone(&helper))));
        helper
    }

    /// Connects, unless it is connected already.
    ///
    /// # Errors
    ///
    /// [`Trouble`]; the panel shows it already.
    pub async fn connect(self) -> Result<(), Trouble> {
        self.connection().await?;
        self.settle();
        Ok(())
    }

    /// Has the card prove itself: purposes `hello`, `unlock`, `attempt`, `release`.
    ///
    /// # Errors
    ///
    /// [`Trouble`]; the panel shows it already.
    pub async fn prove_card(self, purpose: Purpose, challenge: Challenge) -> Result<CardProof, Trouble> {
        let connection = self.connection().await?;
        let verb = Verb::ProveCard { reader: self.chosen_reader(), purpose, challenge };
        self.proof(&connection, connection.next_id(), verb).await
    }

    /// Has the cardholder prove themself: purposes `sign-in`, `register`. `confirmed` is the proof of the card that the
    /// server has confirmed: the passcode is sealed to the connection that it vouches for, and goes to no other.
    ///
    /// # Errors
    ///
    /// [`Trouble`]; the panel shows it already, unless it is the passcode's.
    pub async fn prove_holder(
        self,
        confirmed: &CardProof,
        purpose: Purpose,
        challenge: Challenge,
        entry: Entry<'_>,
        last_try: LastTry,
    ) -> Result<CardProof, Trouble> {
        let connection = self.connection().await?;
        let id = connection.next_id();
        let passcode = self.seal(&connection, confirmed, id, PasscodeUse::ProveHolder, entry).await?;
        let verb = Verb::ProveHolder { reader: self.chosen_reader(), purpose, challenge, passcode, last_try };
        self.proof(&connection, id, verb).await
    }

    /// Has the card change its passcode, both typed on the screen, and its holder prove it (purpose `change`). `confirmed` is
    /// as for [`Self::prove_holder`]; the passcodes are for that card.
    ///
    /// # Errors
    ///
    /// [`Trouble`]; the panel shows it already, unless it is the passcode's.
    pub async fn change_passcode(
        self,
        confirmed: &CardProof,
        challenge: Challenge,
        current: &Passcode,
        new: &Passcode,
        last_try: LastTry,
    ) -> Result<CardProof, Trouble> {
        let connection = self.connection().await?;
        let id = connection.next_id();
        let current = self.seal_typed(&connection, confirmed, id, PasscodeUse::ChangeCurrent, current).await?;
        let new = self.seal_typed(&connection, confirmed, id, PasscodeUse::ChangeNew, new).await?;
        let (reader, guid) = (self.chosen_reader(), confirmed.guid);
        let verb = Verb::ChangePasscode { reader, guid, challenge, current, new, last_try };
        self.proof(&connection, id, verb).await
    }

    /// Unlocks the card. `released` is the `release` proof for which the server sealed the unlock keys.
    ///
    /// # Errors
    ///
    /// [`Trouble`]; the panel shows it already.
    pub async fn reset_passcode(
        self,
        released: &CardProof,
        entry: Entry<'_>,
        unlock_keys: Sealed,
    ) -> Result<CardProof, Trouble> {
        let connection = self.connection().await?;
        let id = connection.next_id();
        let passcode = self.seal(&connection, released, id, PasscodeUse::ResetPasscode, entry).await?;
        let verb = Verb::ResetPasscode { reader: self.chosen_reader(), passcode, unlock_keys };
        self.proof(&connection, id, verb).await
    }

    /// Which card another reader holds; nothing where it does not say so, as blank ones may not. What the panel shows stays.
    ///
    /// # Errors
    ///
    /// [`Trouble`].
    pub async fn card_in(self, reader: &str) -> Result<Option<Guid>, Trouble> {
        let connection = self.connection().await?;
        let verb = Verb::CardStatus { reader: Some(reader.to_owned()) };
        match connection.request(connection.next_id(), verb, ANSWER_SECONDS).await.map_err(Trouble::Bridge)? {
            Outcome::Done(Done::CardStatus(status)) => Ok(Some(status.guid)),
            Outcome::Failed(CardFailure::UnsupportedCard) => Ok(None),
            Outcome::Done(_) => Err(Trouble::Card(CardFailure::Malformed)),
            Outcome::Failed(failure) => Err(Trouble::Card(failure)),
        }
    }

    /// Makes the blank card in another reader somebody's, with the passcode that they have chosen. `officer` is the proof of
    /// the officer's card that the server has confirmed.
    ///
    /// # Errors
    ///
    /// [`Trouble`]; the panel shows it already.
    pub async fn prepare_card(
        self,
        officer: &CardProof,
        reader: &str,
        passcode: &Passcode,
        secrets: Sealed,
    ) -> Result<PreparedCard, Trouble> {
        let connection = self.connection().await?;
        let id = connection.next_id();
        let sealed = self.seal(&connection, officer, id, PasscodeUse::PrepareCard, Entry::Screen(passcode)).await?;
        let Some(passcode) = sealed else { return Err(self.fail(Trouble::NoSealing)) };
        let verb = Verb::PrepareCard { reader: Some(reader.to_owned()), passcode, secrets };
        match self.request(&connection, id, verb).await? {
            Outcome::Done(Done::Prepared(prepared)) => {
                self.state.set(ReaderState::Ready);
                Ok(prepared)
            }
            Outcome::Done(_) => Err(self.fail(Trouble::Card(CardFailure::Malformed))),
            Outcome::Failed(failure) => Err(Trouble::Card(self.card_failure(failure))),
        }
    }

    /// Writes the certificates of the card that was prepared, on this connection or, with its sealed secrets, before; and has
    /// it prove itself with them (purpose `hello`).
    ///
    /// # Errors
    ///
    /// [`Trouble`]; the panel shows it already.
    pub async fn load_certificates(
        self,
        reader: &str,
        Certificates { authentication, card_authentication, challenge }: Certificates,
        secrets: Option<Sealed>,
    ) -> Result<CardProof, Trouble> {
        let connection = self.connection().await?;
        let reader = Some(reader.to_owned());
        let verb = Verb::LoadCertificates { reader: reader.clone(), authentication, card_authentication, secrets };
        match self.request(&connection, connection.next_id(), verb).await? {
            Outcome::Done(Done::CertificatesLoaded) => {}
            Outcome::Done(_) => return Err(self.fail(Trouble::Card(CardFailure::Malformed))),
            Outcome::Failed(failure) => return Err(Trouble::Card(self.card_failure(failure))),
        }
        let verb = Verb::ProveCard { reader, purpose: Purpose::Hello, challenge };
        self.proof(&connection, connection.next_id(), verb).await
    }

    /// Looks at everything on the way to the card, and at the card.
    ///
    /// # Errors
    ///
    /// [`Trouble`]; the panel shows it already.
    pub async fn examine(self) -> Result<Examined, Trouble> {
        let connection = self.connection().await?;
        let readers = match self.request(&connection, connection.next_id(), Verb::Readers).await? {
            Outcome::Done(Done::Readers(readers)) => readers,
            Outcome::Failed(failure) => return Err(self.fail(Trouble::Card(failure))),
            Outcome::Done(_) => return Err(self.fail(Trouble::Card(CardFailure::Malformed))),
        };
        let verb = Verb::ExamineCard { reader: self.chosen_reader() };
        let card = match self.request(&connection, connection.next_id(), verb).await? {
            Outcome::Done(Done::CardExamination(examination)) => Ok(examination),
            Outcome::Failed(failure) => Err(self.card_failure(failure)),
            Outcome::Done(_) => return Err(self.fail(Trouble::Card(CardFailure::Malformed))),
        };
        match card {
            Ok(CardExamination::Complete { .. }) => self.state.set(ReaderState::Ready),
            Ok(_) => drop(self.fail(Trouble::Card(CardFailure::UnsupportedCard))),
            Err(_) => {}
        }
        let version = connection.hello().version.clone();
        Ok(Examined { version, by_helper: self.helper().is_some(), readers, card })
    }

    fn chosen_reader(self) -> Option<String> {
        self.reader.get_untracked()
    }

    async fn connection(self) -> Result<Rc<Connection>, Trouble> {
        if let Some(connection) = self.connection.get_value().filter(|connection| connection.is_open()) {
            return Ok(connection.take());
        }
        match self.open().await {
            Ok(connection) => {
                let connection = Rc::new(connection);
                connection.listen(move |readers| self.follow(readers));
                self.connection.set_value(Some(SendWrapper::new(Rc::clone(&connection))));
                Ok(connection)
            }
            Err(diagnosis) => Err(self.fail(Trouble::Bridge(diagnosis))),
        }
    }

    async fn open(self) -> Result<Connection, Diagnosis> {
        if let Some(helper) = self.helper() {
            self.state.set(ReaderState::AskingInHelper);
            helper.ready(diagnosis::HELPER_WITHIN).await?;
            return Connection::open_by_helper(&helper).await;
        }
        self.state.set(ReaderState::Connecting);
        if Helper::was_used() {
            let helper = self.listen();
            if helper.ready(diagnosis::HELPER_AGAIN_WITHIN).await.is_ok() {
                return Connection::open_by_helper(&helper).await;
            }
            // It was closed meanwhile: perhaps it is not needed any more.
            self.helper.set_value(None);
            Helper::forget();
        }
        Connection::open(self.port, move || self.state.set(ReaderState::Asking)).await
    }

    /// These are the readers now; nothing where the connection has ended.
    fn follow(self, readers: Option<&Readers>) {
        // The page may have been left meanwhile.
        let Some(state) = self.state.try_get_untracked() else { return };
        self.surroundings.update(|surroundings| surroundings.readers = readers.cloned());
        if let Some(next) = readers.and_then(|readers| state::after(&state, readers)) {
            self.state.set(next);
        }
    }

    async fn request(self, connection: &Connection, id: u32, verb: Verb) -> Result<Outcome, Trouble> {
        let entries = match &verb {
            Verb::ProveHolder { passcode: None, .. } => 1,
            Verb::ResetPasscode { passcode: None, .. } => MOST_ENTRIES,
            _ => 0,
        };
        let keys = if matches!(verb, Verb::PrepareCard { .. }) { MAKING_KEYS_SECONDS } else { 0 };
        self.state.set(if entries == 0 { ReaderState::Using } else { ReaderState::TypingOnReader });
        let seconds = ANSWER_SECONDS + keys + u32::from(entries) * u32::from(ENTRY_SECONDS);
        match connection.request(id, verb, seconds).await {
            Ok(outcome) => Ok(outcome),
            Err(diagnosis) => {
                self.connection.set_value(None);
                Err(self.fail(Trouble::Bridge(diagnosis)))
            }
        }
    }

    async fn proof(self, connection: &Connection, id: u32, verb: Verb) -> Result<CardProof, Trouble> {
        match self.request(connection, id, verb).await? {
            Outcome::Done(Done::Proof(proof)) if proof.connection_key == connection.hello().connection_key => {
                self.state.set(ReaderState::Ready);
                Ok(proof)
            }
            Outcome::Done(_) => Err(self.fail(Trouble::Card(CardFailure::Malformed))),
            Outcome::Failed(failure) => Err(Trouble::Card(self.card_failure(failure))),
        }
    }

    fn card_failure(self, failure: CardFailure) -> CardFailure {
        if matches!(failure, CardFailure::SeveralCards { .. }) {
            self.reader.set(None);
        }
        self.fail(Trouble::Card(failure.clone()));
        failure
    }

    /// The passcode, sealed to the connection that the card has vouched for; none where it is typed on the reader.
    async fn seal(
        self,
        connection: &Connection,
        vouched: &CardProof,
        id: u32,
        passcode_use: PasscodeUse,
        entry: Entry<'_>,
    ) -> Result<Option<Sealed>, Trouble> {
        match entry {
            Entry::Screen(passcode) => self.seal_typed(connection, vouched, id, passcode_use, passcode).await.map(Some),
            Entry::Reader => Ok(None),
        }
    }

    async fn seal_typed(
        self,
        connection: &Connection,
        vouched: &CardProof,
        id: u32,
        passcode_use: PasscodeUse,
        passcode: &Passcode,
    ) -> Result<Sealed, Trouble> {
        if vouched.connection_key != connection.hello().connection_key {
            return Err(self.fail(Trouble::Bridge(Diagnosis::Lost)));
        }
        seal::seal_passcode(&vouched.connection_key, &passcode_use.additional_data(id), passcode)
            .await
            .map_err(|_| self.fail(Trouble::NoSealing))
    }

    fn fail(self, trouble: Trouble) -> Trouble {
        self.state.set(ReaderState::Trouble(trouble.clone()));
        trouble
    }
}
