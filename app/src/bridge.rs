//! The page's side of the card bridge: a connection that is kept across pages, and what it says about reader and card.
//!
//! It compiles for both targets, so that a page is one text; on the server nothing of it runs.

mod connection;
pub mod diagnosis;
mod helper;
mod permission;
mod seal;
mod timer;

use std::rc::Rc;

use card_protocol::{
    CardFailure, CardProof, Challenge, Purpose,
    message::{CardStatus, Done, LastTry, Outcome, PasscodeUse, Readers, Verb},
    passcode::Passcode,
    sealed::Sealed,
};
use leptos::prelude::*;
use send_wrapper::SendWrapper;

use connection::Connection;
use diagnosis::Diagnosis;
use helper::Helper;
pub use timer::sleep;

/// What the page knows of bridge, reader and card: what the reader panel shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReaderState {
    /// Nothing was tried yet.
    Before,
    /// The connection is being opened.
    Connecting,
    /// The browser asks the person whether it may be opened.
    Asking,
    /// The helper window asks the person.
    AskingInHelper,
    /// The card is being used.
    Using,
    /// The card did what was asked.
    Ready,
    /// It does not go on.
    Trouble(Trouble),
}

/// Why it does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no connection.
    Bridge(Diagnosis),
    /// The card or its reader.
    Card(CardFailure),
    /// The browser cannot seal a passcode.
    NoSealing,
}

/// The card bridge of this machine.
#[derive(Clone, Copy)]
pub struct Bridge {
    state: RwSignal<ReaderState>,
    // Wrapped only where there is a connection, so in the browser: the server drops what a page holds on any thread.
    connection: StoredValue<Option<SendWrapper<Rc<Connection>>>>,
    /// The helper window, once this tab uses it.
    helper: StoredValue<Option<SendWrapper<Rc<Helper>>>>,
    reader: RwSignal<Option<String>>,
    port: u16,
}

/// How long a card may take. Cards answer within seconds; a person is not asked for anything meanwhile.
const ANSWER_SECONDS: u32 = 30;

impl Bridge {
    /// Makes the bridge's client, not connected, and provides it to all pages.
    pub fn provide(port: u16) {
        provide_context(Self {
            state: RwSignal::new(ReaderState::Before),
            connection: StoredValue::new(None),
            helper: StoredValue::new(None),
            reader: RwSignal::new(None),
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

    /// Forgets a trouble of an earlier page.
    pub fn forget_trouble(self) {
        if matches!(self.state.get_untracked(), ReaderState::Trouble(_)) {
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
        self.connection().await.map(|_| ())
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
        passcode: &Passcode,
        last_try: LastTry,
    ) -> Result<CardProof, Trouble> {
        let connection = self.connection().await?;
        let id = connection.next_id();
        let passcode = self.seal(&connection, confirmed, id, PasscodeUse::ProveHolder, passcode).await?;
        let verb = Verb::ProveHolder { reader: self.chosen_reader(), purpose, challenge, passcode, last_try };
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
        passcode: &Passcode,
        unlock_keys: Sealed,
    ) -> Result<CardProof, Trouble> {
        let connection = self.connection().await?;
        let id = connection.next_id();
        let passcode = self.seal(&connection, released, id, PasscodeUse::ResetPasscode, passcode).await?;
        let verb = Verb::ResetPasscode { reader: self.chosen_reader(), passcode, unlock_keys };
        self.proof(&connection, id, verb).await
    }

    /// Says which card is in the reader, and which version of the bridge runs.
    ///
    /// # Errors
    ///
    /// [`Trouble`]; the panel shows it already.
    pub async fn examine(self) -> Result<(String, Readers, Result<CardStatus, CardFailure>), Trouble> {
        let connection = self.connection().await?;
        let readers = match self.request(&connection, connection.next_id(), Verb::Readers).await? {
            Outcome::Done(Done::Readers(readers)) => readers,
            Outcome::Failed(failure) => return Err(self.fail(Trouble::Card(failure))),
            Outcome::Done(_) => return Err(self.fail(Trouble::Card(CardFailure::Malformed))),
        };
        let verb = Verb::CardStatus { reader: self.chosen_reader() };
        let status = match self.request(&connection, connection.next_id(), verb).await? {
            Outcome::Done(Done::CardStatus(status)) => Ok(status),
            Outcome::Failed(failure) => Err(failure),
            Outcome::Done(_) => return Err(self.fail(Trouble::Card(CardFailure::Malformed))),
        };
        self.state.set(match &status {
            Ok(_) => ReaderState::Ready,
            Err(failure) => ReaderState::Trouble(Trouble::Card(failure.clone())),
        });
        Ok((connection.hello().version.clone(), readers, status))
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
                self.connection.set_value(Some(SendWrapper::new(Rc::clone(&connection))));
                Ok(connection)
            }
            Err(diagnosis) => Err(self.fail(Trouble::Bridge(diagnosis))),
        }
    }

    async fn open(self) -> Result<Connection, Diagnosis> {
        if let Some(helper) = self.helper() {
            self.state.set(ReaderState::AskingInHelper);
            let is_ready = helper.ready(diagnosis::HELPER_WITHIN).await;
            return if is_ready { Connection::open_by_helper(&helper).await } else { Err(Diagnosis::HelperClosed) };
        }
        self.state.set(ReaderState::Connecting);
        if Helper::was_used() {
            let helper = self.listen();
            if helper.ready(diagnosis::HELPER_AGAIN_WITHIN).await {
                return Connection::open_by_helper(&helper).await;
            }
            // It was closed meanwhile: perhaps it is not needed any more.
            self.helper.set_value(None);
            Helper::forget();
        }
        Connection::open(self.port, move || self.state.set(ReaderState::Asking)).await
    }

    async fn request(self, connection: &Connection, id: u32, verb: Verb) -> Result<Outcome, Trouble> {
        self.state.set(ReaderState::Using);
        match connection.request(id, verb, ANSWER_SECONDS).await {
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
            Outcome::Failed(failure) => {
                if matches!(failure, CardFailure::SeveralCards { .. }) {
                    self.reader.set(None);
                }
                Err(self.fail(Trouble::Card(failure)))
            }
        }
    }

    async fn seal(
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
