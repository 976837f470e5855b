//! `/profile/passcode`: another passcode, by whoever knows the one that the card has. The server gets the card's proof that it
//! was changed, and no passcode.

use card_protocol::{
    CardFailure, CardProof, Challenge, PasscodeNow, Purpose,
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
    bridge::{Bridge, Entry, Trouble, diagnosis::Diagnosis, sleep},
    components::{
        Button, ButtonKind, Errors, InsetText, NoJavaScript, Page, PasscodeInput, PasscodeKind, ReaderPanel,
        SubmitButton, focus_when_there,
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

/// The field of the passcode that a change that was cut may have set.
const TRIED: &str = "tried-passcode";

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
    tried: NodeRef<html::Input>,
    stage: RwSignal<Stage>,
}

/// How far the change is.
#[derive(Clone, PartialEq, Eq)]
enum Stage {
    /// The passcodes are to be typed.
    Change,
    /// The change was cut: the new passcode is to be tried.
    TryNew(PasscodeNow),
    /// The card has changed its passcode, and the server may not know.
    Report(CardProof),
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
        tried: NodeRef::new(),
        stage: RwSignal::new(Stage::Change),
    };
    let work = Work::new();
    let begin = move |last_try| {
        errors.clear();
        match here.stage.get_untracked() {
            Stage::Report(proof) => work.start(here.report(proof)),
            Stage::Change => {
                if let Some(passcodes) = here.chosen() {
                    work.start(here.change(passcodes, last_try));
                }
            }
            Stage::TryNew(known) => {
                if let Some(passcode) = here.typed(here.tried, TRIED, t::passcode_new_missing()) {
                    work.start(here.try_new(passcode, known, last_try));
                }
            }
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
    let field = move |known| {
        let text = match known {
            PasscodeNow::New => t::change_passcode_confirm(),
            PasscodeNow::NewOrFormer => t::change_passcode_unknown(),
        };
        // The fields that had the focus are gone.
        let told = NodeRef::<html::Div>::new();
        Effect::new(move |_| {
            if let Some(told) = told.get() {
                focus_when_there(told);
            }
        });
        view! {
            <form novalidate on:submit=submit>
                <div tabindex="-1" node_ref=told>
                    <InsetText text />
                </div>
                <PasscodeInput
                    kind=PasscodeKind::Current
                    id=TRIED
                    label=t::passcode_new_label()
                    hint=t::sign_in_hint()
                    error=errors.of(TRIED)
                    node_ref=here.tried
                />
                <SubmitButton kind=ButtonKind::Primary label=t::change_passcode_try() />
            </form>
        }
    };
    let has_keys = Memo::new(move |_| here.bridge.keypad() != Keypad::None);
    view! {
        <Page title=t::change_passcode_title() back="/profile" errors>
            <p class="nhsuk-body">{t::change_passcode_lead()}</p>
            {move || has_keys.get().then(|| view! { <InsetText text=t::change_passcode_keypad() /> })}
            <NoJavaScript />
            <ReaderPanel button=t::change_passcode_submit() on_retry=keep_last_try on_last_try=spend_last_try />
            {move || match here.stage.get() {
                Stage::Change => fields().into_any(),
                Stage::TryNew(known) => field(known).into_any(),
                Stage::Report(_) => {
                    view! {
                        <Show when=move || !work.is_going_on() fallback=|| ()>
                            <InsetText text=t::change_passcode_report() />
                            <Button kind=ButtonKind::Primary label=t::reader_try_again() on_press=keep_last_try />
                        </Show>
                    }
                        .into_any()
                }
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
        let current = self.typed(self.current, CURRENT, t::change_passcode_missing())?;
        let new = self.new.chosen()?;
        if new.expose_secret() == current.expose_secret() {
            self.new.refuse_same();
            return None;
        }
        Some([current, new])
    }

    /// The passcode that the card has or may have, as typed. What is wrong is shown.
    fn typed(self, input: NodeRef<html::Input>, field: &'static str, missing: &'static str) -> Option<Passcode> {
        let fault = match Passcode::parse(&typed(input)) {
            Ok(passcode) => return Some(passcode),
            Err(PasscodeFault::Empty) => missing,
            Err(_) => t::passcode_digits(),
        };
        self.errors.show_field(field, fault);
        None
    }

    async fn change(self, [current, new]: [Passcode; 2], last_try: LastTry) {
        let Some((card, challenge)) = self.confirm_card().await else { return };
        match self.bridge.change_passcode(&card, challenge, &current, &new, last_try).await {
            Ok(proof) => self.report(proof).await,
            Err(Trouble::Card(CardFailure::WrongPasscode { tries_left })) => {
                empty(self.current);
                self.errors.show_field(CURRENT, t::passcode_wrong(tries_left.into()));
            }
            Err(Trouble::Card(CardFailure::ChangeNotProved { passcode })) => self.stage.set(Stage::TryNew(passcode)),
            Err(Trouble::Card(CardFailure::CardSilent) | Trouble::Bridge(Diagnosis::Lost | Diagnosis::Hung)) => {
                self.stage.set(Stage::TryNew(PasscodeNow::NewOrFormer));
            }
            // Nothing was changed.
            Err(_) => {}
        }
    }

    /// Whether the card has the new passcode: then its holder proves the change by that.
    async fn try_new(self, passcode: Passcode, known: PasscodeNow, last_try: LastTry) {
        let Some((card, challenge)) = self.confirm_card().await else { return };
        let entry = Entry::Screen(&passcode);
        match self.bridge.prove_holder(&card, Purpose::Change, challenge, entry, last_try).await {
            Ok(proof) => self.report(proof).await,
            Err(Trouble::Card(CardFailure::WrongPasscode { tries_left })) => match known {
                PasscodeNow::New => {
                    empty(self.tried);
                    self.errors.show_field(TRIED, t::passcode_wrong(tries_left.into()));
                }
                PasscodeNow::NewOrFormer => {
                    self.stage.set(Stage::Change);
                    self.errors.show_general(t::change_passcode_not_changed(tries_left.into()));
                }
            },
            Err(_) => {}
        }
    }

    /// The card proves itself and vouches for the connection; only then are passcodes sealed to that connection. Nothing
    /// where it does not come so far: the page says why.
    async fn confirm_card(self) -> Option<(CardProof, Challenge)> {
        self.bridge.connect().await.ok()?;
        let challenge = start_change().await.map_err(|fault| self.meet(&fault)).ok()?;
        let card = self.bridge.prove_card(Purpose::Hello, challenge).await.ok()?;
        let confirmed = confirm_changing_card(card.clone(), OwnChange::Passcode).await;
        let challenge = confirmed.map_err(|fault| self.meet(&fault)).ok()?;
        Some((card, challenge))
    }

    /// Reports that the passcode was changed, again and again if need be: it is whether this arrives or not.
    async fn report(self, proof: CardProof) {
        self.stage.set(Stage::Report(proof.clone()));
        let mut pauses = REPORT_AGAIN_AFTER.iter();
        loop {
            match carry_out_change(proof.clone(), OwnChange::Passcode).await {
                Ok(()) => return self.way.go("/profile?passcode-changed"),
                Err(RegistrationFault::Unreachable | RegistrationFault::Unavailable(_)) => match pauses.next() {
                    Some(pause) => sleep(*pause).await,
                    None => return self.errors.show_general(t::fault_unreachable()),
                },
                // Its answer was lost, or the session has ended meanwhile.
                Err(RegistrationFault::SignedOut) => {
                    self.way.leave_notice(t::change_passcode_signed_out());
                    return self.way.go("/sign-in?over");
                }
                Err(_) => {
                    self.stage.set(Stage::Change);
                    return self.errors.show_general(t::change_passcode_unreported());
                }
            }
        }
    }

    fn meet(self, fault: &RegistrationFault) {
        match fault {
            RegistrationFault::SignedOut => self.way.go("/sign-in?over"),
            RegistrationFault::Stale => self.errors.show_general(t::fault_proof_stale()),
            RegistrationFault::Refused(reference) => {
                self.errors.show_general(reference.quoted(t::fault_proof_refused()));
            }
            RegistrationFault::Cancelled => self.errors.show_general(t::dead_cancelled_title()),
            RegistrationFault::Unreachable => self.errors.show_general(t::fault_unreachable()),
            RegistrationFault::Unavailable(reference) => {
                self.errors.show_general(reference.quoted(t::fault_unavailable()));
            }
            _ => self.errors.show_general(t::fault_unavailable()),
        }
    }
}
