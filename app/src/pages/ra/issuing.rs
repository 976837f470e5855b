//! Issuing a card, once the officer has ordered it: the blank card gets its secrets and keys, its certificates, and proves
//! itself. Where another authority makes the certificates, the card waits for them between the two, and another order goes on.

use card_protocol::{CardFailure, CardProof, passcode::Passcode, sealed::Sealed};
use leptos::{prelude::*, task::spawn_local};

use crate::{
    announcer::Announcer,
    bridge::{Bridge, Trouble, sleep},
    pages::holder::Stop,
    server_fns::{
        issuing::{Certificates, Certification, card_issued, card_prepared},
        ra::{DeskFault, Given},
    },
    t,
};

/// How long to wait before something is reported again, in milliseconds.
const REPORT_AGAIN_AFTER: [u32; 4] = [500, 1_500, 4_000, 10_000];

/// There is no card in another reader than the officer's.
const NO_CARD: Stop = Stop::Card(Trouble::Card(CardFailure::NoCard));

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

    /// Watches the card in another reader than the officer's: what it says that it is. Nothing where there is none or there
    /// are several; a blank card mostly says nothing of itself.
    pub fn watch_card(self, bridge: Bridge) -> RwSignal<Option<String>> {
        let card = RwSignal::new(None::<String>);
        // Only where they differ: a page that asks the bridge for two things at once is sent away.
        let others = Memo::new(move |_| bridge.other_readers());
        Effect::new(move |_| {
            card.set(None);
            // After each attempt too: a card that was cut has another GUID then.
            if self.progress.read().is_some() {
                return;
            }
            if let [reader] = others.get().as_slice() {
                let reader = reader.clone();
                spawn_local(async move {
                    if let Ok(guid) = bridge.card_in(&reader).await {
                        self.reader.set(Some(reader));
                        card.try_set(Some(guid.map(|guid| guid.to_string()).unwrap_or_default()));
                    }
                });
            }
        });
        card
    }

    /// What is being done.
    pub fn progress(self) -> Option<&'static str> {
        self.progress.get()
    }

    /// Goes on with what an order has given, for this officer's connection. Says what was done.
    pub(in crate::pages) async fn go_on(
        self,
        bridge: Bridge,
        officer: &CardProof,
        given: Given,
    ) -> Result<&'static str, Stop> {
        let done = match given {
            Given::Issuing(secrets) => self.prepare(bridge, officer, secrets).await,
            Given::Loading { sealed, certificates } => self.load(bridge, certificates, Some(sealed)).await,
            Given::Nothing | Given::Unlock => Ok(t::ra_done()),
        };
        self.progress.set(None);
        done
    }

    async fn prepare(self, bridge: Bridge, officer: &CardProof, secrets: Sealed) -> Result<&'static str, Stop> {
        let passcode = self.passcode.with_untracked(|chosen| {
            chosen.as_ref().and_then(|chosen| Passcode::parse_new(chosen.expose_secret()).ok())
        });
        let (Some(passcode), Some(reader)) = (passcode, self.reader.get_untracked()) else { return Err(NO_CARD) };
        self.say(t::prepare_making());
        let prepared = bridge.prepare_card(officer, &reader, &passcode, secrets).await?;
        match reported(|| card_prepared(prepared.clone())).await? {
            Certification::Done(certificates) => self.load(bridge, certificates, None).await,
            Certification::Requested => Ok(t::prepare_requested()),
        }
    }

    async fn load(
        self,
        bridge: Bridge,
        certificates: Certificates,
        secrets: Option<Sealed>,
    ) -> Result<&'static str, Stop> {
        let reader = self.reader.get_untracked().ok_or(NO_CARD)?;
        self.say(t::prepare_certificates());
        let proof = bridge.load_certificates(&reader, certificates, secrets).await?;
        self.say(t::prepare_finishing());
        reported(|| card_issued(proof.clone())).await?;
        Ok(t::ra_done())
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
            Err(DeskFault::Unreachable | DeskFault::Unavailable(_)) => sleep(pause).await,
            ended => return ended,
        }
    }
    report().await
}
