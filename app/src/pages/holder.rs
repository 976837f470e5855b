//! The passcode of the card, asked for to sign in or to begin a registration: card first, then cardholder.

use card_protocol::{
    CardFailure, CardProof, Challenge, Purpose,
    message::LastTry,
    passcode::{Passcode, PasscodeFault},
};
use leptos::{html, prelude::*};

use crate::{
    app::Way,
    bridge::{Bridge, Trouble},
    components::{ButtonKind, Errors, NoJavaScript, PasscodeInput, PasscodeKind, ReaderPanel, SubmitButton},
    server_fns::{
        registration::{RegistrationFault, begin_registration, confirm_registering_card, start_registration},
        session::{SessionFault, confirm_card, sign_in, start_session},
    },
    t,
    work::Work,
};

/// The field.
const PASSCODE: &str = "passcode";

/// What the passcode is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// To sign in.
    SignIn,
    /// To begin a registration.
    Register,
}

/// Why it was not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    SignedOut,
    LockedOut,
    Frozen,
    Stale,
    Refused,
    Cancelled,
    Unreachable,
    Unavailable,
}

impl From<SessionFault> for Fault {
    fn from(fault: SessionFault) -> Self {
        match fault {
            SessionFault::Stale => Self::Stale,
            SessionFault::Refused => Self::Refused,
            SessionFault::Cancelled => Self::Cancelled,
            SessionFault::Unreachable => Self::Unreachable,
            SessionFault::Unavailable => Self::Unavailable,
        }
    }
}

impl From<RegistrationFault> for Fault {
    fn from(fault: RegistrationFault) -> Self {
        match fault {
            RegistrationFault::SignedOut => Self::SignedOut,
            RegistrationFault::LockedOut => Self::LockedOut,
            RegistrationFault::Frozen => Self::Frozen,
            RegistrationFault::Stale => Self::Stale,
            RegistrationFault::Refused => Self::Refused,
            RegistrationFault::Cancelled => Self::Cancelled,
            RegistrationFault::Unreachable => Self::Unreachable,
            _ => Self::Unavailable,
        }
    }
}

impl Aim {
    /// The purpose of the cardholder's proof.
    const fn purpose(self) -> Purpose {
        match self {
            Self::SignIn => Purpose::SignIn,
            Self::Register => Purpose::Register,
        }
    }

    /// Where it leads.
    const fn destination(self) -> &'static str {
        match self {
            Self::SignIn => "/profile",
            Self::Register => "/register/questions",
        }
    }

    /// The label of the button.
    fn label(self) -> &'static str {
        match self {
            Self::SignIn => t::sign_in_submit(),
            Self::Register => t::continue_(),
        }
    }

    async fn start(self) -> Result<Challenge, Fault> {
        Ok(match self {
            Self::SignIn => start_session().await?,
            Self::Register => start_registration().await?,
        })
    }

    async fn confirm(self, proof: CardProof) -> Result<Challenge, Fault> {
        Ok(match self {
            Self::SignIn => confirm_card(proof).await?,
            Self::Register => confirm_registering_card(proof).await?,
        })
    }

    async fn finish(self, proof: CardProof) -> Result<(), Fault> {
        match self {
            Self::SignIn => sign_in(proof).await?,
            Self::Register => begin_registration(proof).await?,
        }
        Ok(())
    }
}

/// The passcode field with the reader panel.
#[component]
pub fn HolderForm(
    /// What the passcode is asked for.
    aim: Aim,
    /// What is wrong on the page.
    errors: Errors,
) -> impl IntoView {
    let work = Work::new();
    let (bridge, way) = (Bridge::of_page(), Way::of_page());
    let input = NodeRef::<html::Input>::new();
    let prove = move |last_try| {
        errors.clear();
        let typed = zeroize::Zeroizing::new(input.get_untracked().map(|input| input.value()).unwrap_or_default());
        match Passcode::parse(&typed) {
            Ok(passcode) => work.start(async move {
                match prove(aim, bridge, &passcode, last_try).await {
                    Ok(()) => way.go(aim.destination()),
                    Err(stop) => meet(&stop, errors, way, input),
                }
            }),
            Err(PasscodeFault::Empty) => errors.show_field(PASSCODE, t::passcode_missing()),
            Err(_) => errors.show_field(PASSCODE, t::passcode_digits()),
        }
    };
    let keep_last_try = Callback::new(move |()| prove(LastTry::Keep));
    let spend_last_try = Callback::new(move |()| prove(LastTry::Spend));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        keep_last_try.run(());
    };
    view! {
        <NoJavaScript />
        <form novalidate on:submit=submit>
            <PasscodeInput
                kind=PasscodeKind::Current
                id=PASSCODE
                label=t::sign_in_label()
                hint=t::sign_in_hint()
                error=errors.of(PASSCODE)
                node_ref=input
            />
            <ReaderPanel button=aim.label() on_retry=keep_last_try on_last_try=spend_last_try />
            <SubmitButton kind=ButtonKind::Primary label=aim.label() />
        </form>
        <p class="nhsuk-body">
            <a href="/unlock">{t::sign_in_locked()}</a>
        </p>
    }
}

/// Why it went no further.
enum Stop {
    /// The server said no.
    Server(Fault),
    /// The card or its bridge did; the panel shows it.
    Card(Trouble),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Server(fault)
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Card(trouble)
    }
}

/// The card proves itself and vouches for the connection; only then is the passcode sealed to that connection.
async fn prove(aim: Aim, bridge: Bridge, passcode: &Passcode, last_try: LastTry) -> Result<(), Stop> {
    bridge.connect().await?;
    let challenge = aim.start().await?;
    let card = bridge.prove_card(Purpose::Hello, challenge).await?;
    let challenge = aim.confirm(card.clone()).await?;
    let holder = bridge.prove_holder(&card, aim.purpose(), challenge, passcode, last_try).await?;
    Ok(aim.finish(holder).await?)
}

fn meet(stop: &Stop, errors: Errors, way: Way, input: NodeRef<html::Input>) {
    match stop {
        Stop::Card(Trouble::Card(CardFailure::WrongPasscode { tries_left })) => {
            if let Some(input) = input.get_untracked() {
                input.set_value("");
            }
            errors.show_field(PASSCODE, t::passcode_wrong((*tries_left).into()));
        }
        Stop::Card(_) => {}
        Stop::Server(fault) => match fault {
            Fault::SignedOut => way.go("/sign-in?over"),
            Fault::LockedOut => errors.show_general(t::dead_locked_out_text()),
            Fault::Frozen => errors.show_general(t::dead_frozen_text()),
            Fault::Stale => errors.show_general(t::fault_proof_stale()),
            Fault::Refused => errors.show_general(t::fault_proof_refused()),
            Fault::Cancelled => errors.show_general(t::dead_cancelled_title()),
            Fault::Unreachable => errors.show_general(t::fault_unreachable()),
            Fault::Unavailable => errors.show_general(t::fault_unavailable()),
        },
    }
}
