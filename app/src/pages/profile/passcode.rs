//! `/profile/passcode`: another passcode, by whoever knows the one that the card has. The server gets the card's proof that it
//! was changed, and no passcode.

use card_protocol::{
    CardFailure, CardProof, Purpose,
    message::{Keypad, LastTry},
    passcode::{Passcode, PasscodeFault},
};
use leptos::{html, prelude::*};
use leptos_router::components::Redirect;

use super::{
    super::{
        more_time::{Idle, MoreTime},
        new_passcode::{NewPasscode, empty, typed},
    },
    SignOutForm,
};
use crate::{
    app::Way,
    bridge::{Bridge, Trouble, diagnosis::Diagnosis, sleep},
    components::{
        Button, ButtonKind, Errors, InsetText, NoJavaScript, Page, PasscodeInput, PasscodeKind, ReaderPanel,
        SubmitButton,
    },
    server_fns::{
        changes::{OwnChange, carry_out_change, confirm_changing_card, start_change},
        registration::RegistrationFault,
        session::session_time_left,
    },
    t,
    work::Work,
};

/// The field of the passcode that the card has.
const CURRENT: &str = "current-passcode";

/// How long to wait before the change is reported again, in milliseconds.
const REPORT_AGAIN_AFTER: [u32; 4] = [500, 1_500, 4_000, 10_000];

/// Another passcode.
#[component]
pub fn ProfilePasscode() -> impl IntoView {
    let left = Resource::new(|| (), |()| session_time_left());
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                if matches!(left.await, Ok(None)) {
                    view! { <Redirect path="/sign-in?over" /> }.into_any()
                } else {
                    view! {
                        <Form />
                        <MoreTime of=Idle::Session>
                            <SignOutForm />
                        </MoreTime>
                    }
                        .into_any()
                }
            })}
        </Suspense>
    }
}

/// What the page works with.
#[derive(Clone, Copy)]
struct Here {
    bridge: Bridge,
    way: Way,
    errors: Errors,
    current: NodeRef<html::Input>,
    new: NewPasscode,
    /// The card has changed its passcode, and the server may not know.
    unreported: RwSignal<Option<CardProof>>,
    /// There was no answer that says whether it has.
    unknown: RwSignal<bool>,
}

#[component]
fn Form() -> impl IntoView {
    let errors = Errors::new(Vec::new());
    let here = Here {
        bridge: Bridge::of_page(),
        way: Way::of_page(),
        errors,
        current: NodeRef::new(),
        new: NewPasscode::new(errors),
        unreported: RwSignal::new(None),
        unknown: RwSignal::new(false),
    };
    let work = Work::new();
    let begin = move |last_try| {
        errors.clear();
        if let Some(proof) = here.unreported.get_untracked() {
            work.start(here.report(proof));
        } else if let Some(passcodes) = here.chosen() {
            work.start(here.change(passcodes, last_try));
        }
    };
    let keep_last_try = Callback::new(move |()| begin(LastTry::Keep));
    let spend_last_try = Callback::new(move |()| begin(LastTry::Spend));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        keep_last_try.run(());
    };
    let fields = move || {
        view! {
            <form novalidate on:submit=submit>
                <PasscodeInput
                    kind=PasscodeKind::Current
                    id=CURRENT
                    label=t::change_passcode_current()
                    hint=t::sign_in_hint()
                    error=errors.of(CURRENT)
                    node_ref=here.current
                />
                {here.new.fields()}
                <SubmitButton kind=ButtonKind::Primary label=t::change_passcode_submit() />
            </form>
        }
    };
    let has_keys = Memo::new(move |_| here.bridge.keypad() != Keypad::None);
    view! {
        <Page title=t::change_passcode_title() back="/profile" errors>
            <p class="nhsuk-body">{t::change_passcode_lead()}</p>
            {move || has_keys.get().then(|| view! { <InsetText text=t::change_passcode_keypad() /> })}
            {move || here.unknown.get().then(|| view! { <InsetText text=t::change_passcode_unknown() /> })}
            <NoJavaScript />
            <ReaderPanel button=t::change_passcode_submit() on_retry=keep_last_try on_last_try=spend_last_try />
            {move || match here.unreported.get() {
                Some(_) => {
                    view! {
                        <InsetText text=t::change_passcode_report() />
                        <Button kind=ButtonKind::Primary label=t::reader_try_again() on_press=keep_last_try />
                    }
                        .into_any()
                }
                None => fields().into_any(),
            }}
            {move || work.is_going_on().then(|| view! { <p class="nhsuk-body">{t::change_passcode_writing()}</p> })}
            <p class="nhsuk-body">
                <a href="/unlock">{t::sign_in_locked()}</a>
            </p>
        </Page>
    }
}

impl Here {
    /// The passcodes as typed: the one that the card has, and the one that it shall have. What is wrong is shown.
    fn chosen(self) -> Option<[Passcode; 2]> {
        let current = match Passcode::parse(&typed(self.current)) {
            Ok(current) => current,
            Err(PasscodeFault::Empty) => {
                self.errors.show_field(CURRENT, t::change_passcode_missing());
                return None;
            }
            Err(_) => {
                self.errors.show_field(CURRENT, t::passcode_digits());
                return None;
            }
        };
        let new = self.new.chosen()?;
        if new.expose_secret() == current.expose_secret() {
            self.new.refuse_same();
            return None;
        }
        Some([current, new])
    }

    async fn change(self, [current, new]: [Passcode; 2], last_try: LastTry) {
        self.unknown.set(false);
        let (card, challenge) = match self.confirm_card().await {
            Ok(confirmed) => confirmed,
            Err(Some(fault)) => return self.meet(&fault),
            // The panel shows it.
            Err(None) => return,
        };
        match self.bridge.change_passcode(&card, challenge, &current, &new, last_try).await {
            Ok(proof) => {
                self.unreported.set(Some(proof.clone()));
                self.report(proof).await;
            }
            Err(Trouble::Card(CardFailure::WrongPasscode { tries_left })) => {
                empty(self.current);
                self.errors.show_field(CURRENT, t::passcode_wrong(tries_left.into()));
            }
            // The panel says which passcode the card has now.
            Err(Trouble::Card(CardFailure::ChangeNotProved { .. })) => self.empty(),
            Err(Trouble::Card(CardFailure::CardSilent) | Trouble::Bridge(Diagnosis::Lost | Diagnosis::Hung)) => {
                self.empty();
                self.unknown.set(true);
            }
            // Nothing was changed.
            Err(_) => {}
        }
    }

    /// The card proves itself and vouches for the connection; only then are passcodes sealed to that connection.
    async fn confirm_card(self) -> Result<(CardProof, card_protocol::Challenge), Option<RegistrationFault>> {
        self.bridge.connect().await.map_err(|_| None)?;
        let challenge = start_change().await?;
        let card = self.bridge.prove_card(Purpose::Hello, challenge).await.map_err(|_| None)?;
        let challenge = confirm_changing_card(card.clone(), OwnChange::Passcode).await?;
        Ok((card, challenge))
    }

    /// Reports that the passcode was changed, again and again if need be: it is whether this arrives or not.
    async fn report(self, proof: CardProof) {
        let mut pauses = REPORT_AGAIN_AFTER.iter();
        loop {
            match carry_out_change(proof.clone(), OwnChange::Passcode).await {
                Ok(()) => return self.way.go("/profile?passcode-changed"),
                Err(RegistrationFault::Unreachable | RegistrationFault::Unavailable) => match pauses.next() {
                    Some(pause) => sleep(*pause).await,
                    None => return self.errors.show_general(t::fault_unreachable()),
                },
                // Its answer was lost, or the session has ended meanwhile.
                Err(RegistrationFault::SignedOut) => {
                    self.way.leave_notice(t::change_passcode_signed_out());
                    return self.way.go("/sign-in?over");
                }
                Err(_) => {
                    self.unreported.set(None);
                    self.empty();
                    return self.errors.show_general(t::change_passcode_unreported());
                }
            }
        }
    }

    fn empty(self) {
        empty(self.current);
        self.new.empty();
    }

    fn meet(self, fault: &RegistrationFault) {
        match fault {
            RegistrationFault::SignedOut => self.way.go("/sign-in?over"),
            RegistrationFault::Stale => self.errors.show_general(t::fault_proof_stale()),
            RegistrationFault::Refused => self.errors.show_general(t::fault_proof_refused()),
            RegistrationFault::Cancelled => self.errors.show_general(t::dead_cancelled_title()),
            RegistrationFault::Unreachable => self.errors.show_general(t::fault_unreachable()),
            _ => self.errors.show_general(t::fault_unavailable()),
        }
    }
}
