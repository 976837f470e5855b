//! Issuing a card, once the officer has ordered it: the blank card gets its secrets and keys, its certificates, and proves
//! itself.

use card_protocol::{CardProof, passcode::Passcode, sealed::Sealed};
use leptos::prelude::*;

use crate::{
    announcer::Announcer,
    bridge::{Bridge, Trouble, sleep},
    pages::holder::Stop,
    server_fns::ra::{DeskFault, card_issued, card_prepared},
    t,
};

/// How long to wait before something is reported again, in milliseconds.
const REPORT_AGAIN_AFTER: [u32; 4] = [500, 1_500, 4_000, 10_000];

/// What is known before the order: the passcode that the person has chosen, and where the blank card is.
#[derive(Clone, Copy)]
pub struct Issuing {
    passcode: RwSignal<Option<Passcode>>,
    reader: RwSignal<Option<String>>,
    progress: RwSignal<Option<&'static str>>,
    announcer: Announcer,
}

impl Issuing {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self {
            passcode: RwSignal::new(None),
            reader: RwSignal::new(None),
            progress: RwSignal::new(None),
            announcer: expect_context(),
        }
    }

    /// The person has chosen a passcode; nothing where they want to choose another.
    pub fn choose_passcode(self, passcode: Option<Passcode>) {
        self.passcode.set(passcode);
    }

    /// Whether they have.
    pub fn has_passcode(self) -> bool {
        self.passcode.with(Option::is_some)
    }

    /// The blank card is in this reader.
    pub fn use_reader(self, reader: String) {
        self.reader.set(Some(reader));
    }

    /// What is being done.
    pub fn progress(self) -> Option<&'static str> {
        self.progress.get()
    }

    /// Issues the card with the secrets that the server has sealed for this officer's connection.
    pub(in crate::pages) async fn issue(
        self,
        bridge: Bridge,
        officer: &CardProof,
        secrets: Sealed,
    ) -> Result<(), Stop> {
        let issued = self.go(bridge, officer, secrets).await;
        self.progress.set(None);
        issued
    }

    async fn go(self, bridge: Bridge, officer: &CardProof, secrets: Sealed) -> Result<(), Stop> {
        let passcode = self.passcode.with_untracked(|chosen| {
            chosen.as_ref().and_then(|chosen| Passcode::parse_new(chosen.expose_secret()).ok())
        });
        let (Some(passcode), Some(reader)) = (passcode, self.reader.get_untracked()) else {
            return Err(Stop::Card(Trouble::Card(card_protocol::CardFailure::NoCard)));
        };
        self.say(t::prepare_making());
        let prepared = bridge.prepare_card(officer, &reader, &passcode, secrets).await?;
        self.say(t::prepare_certificates());
        let certificates = reported(|| card_prepared(prepared.clone())).await?;
        let (authentication, card_authentication) = (certificates.authentication, certificates.card_authentication);
        let challenge = certificates.challenge;
        let proof = bridge.load_certificates(&reader, authentication, card_authentication, challenge).await?;
        self.say(t::prepare_finishing());
        Ok(reported(|| card_issued(proof.clone())).await?)
    }

    fn say(self, words: &'static str) {
        self.progress.set(Some(words));
        self.announcer.say(words);
    }
}

/// Reports what a card has done, again and again if need be: it has done so whether this arrives or not.
async fn reported<T, F: Future<Output = Result<T, DeskFault>>>(report: impl Fn() -> F) -> Result<T, DeskFault> {
    for pause in REPORT_AGAIN_AFTER {
        match report().await {
            Err(DeskFault::Unreachable | DeskFault::Unavailable) => sleep(pause).await,
            ended => return ended,
        }
    }
    report().await
}
