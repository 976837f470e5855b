//! The passcode of the card, asked for to sign in, to begin a registration or to change something: card first, then
//! cardholder.

use card_protocol::{
    CardFailure, CardProof, Challenge, Purpose,
    message::{Keypad, LastTry},
    passcode::{Passcode, PasscodeFault},
};
use leptos::{html, oco::Oco, prelude::*};

use super::ra::Issuing;
use crate::{
    app::Way,
    bridge::{Bridge, Entry, Trouble},
    components::{ButtonKind, Errors, NoJavaScript, OnReader, PasscodeInput, PasscodeKind, ReaderPanel, SubmitButton},
    config::{PolicyProfile, facts},
    server_fns::{
        LogReference,
        changes::{OwnChange, carry_out_change, confirm_changing_card, start_change},
        importing::confirm_importing_card,
        ra::{DeskFault, Given, OrderText, carry_out, confirm_ordering_card, start_order},
        registration::{RegistrationFault, begin_registration, confirm_registering_card, start_registration},
        session::{SessionFault, confirm_card, sign_in, start_session},
    },
    t,
    upload::ImportForm,
    work::Work,
};

/// The field.
const PASSCODE: &str = "passcode";

/// What the passcode is asked for.
#[derive(Clone, Copy)]
pub enum Aim {
    /// To sign in.
    SignIn,
    /// To begin a registration.
    Register,
    /// To begin a change of what is registered.
    Change(Wanted),
    /// To end the registration.
    EndRegistration,
    /// To do something for somebody, at the RA's desk.
    Order(RwSignal<Option<OrderText>>),
    /// To take people and cards in out of files, there.
    Import(ImportForm),
}

/// What a person wants to change of what they have registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Other questions.
    Questions,
    /// Recovery codes.
    RecoveryCodes,
    /// Another address.
    Email,
}

impl Wanted {
    const ALL: [Self; 3] = [Self::Questions, Self::RecoveryCodes, Self::Email];

    /// Where the passcode is asked for it.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Questions => "/register/passcode?change=questions",
            Self::RecoveryCodes => "/register/passcode?change=recovery-codes",
            Self::Email => "/register/passcode?change=email",
        }
    }

    /// What an address names.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wanted| wanted.path().split_once('=').is_some_and(|(_, it)| it == name))
    }

    fn change(self) -> OwnChange {
        match self {
            Self::Questions | Self::RecoveryCodes => OwnChange::Factor,
            Self::Email => OwnChange::Email,
        }
    }
}

/// Why it was not reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    SignedOut,
    LockedOut,
    Frozen,
    NotRegistered,
    Stale,
    Refused(LogReference),
    Cancelled,
    Unreachable,
    Unavailable(LogReference),
    Busy,
    /// Of the RA's desk.
    Desk(DeskFault),
}

impl From<DeskFault> for Fault {
    fn from(fault: DeskFault) -> Self {
        match fault {
            DeskFault::SignedOut => Self::SignedOut,
            fault => Self::Desk(fault),
        }
    }
}

impl From<SessionFault> for Fault {
    fn from(fault: SessionFault) -> Self {
        match fault {
            SessionFault::Stale => Self::Stale,
            SessionFault::Refused(reference) => Self::Refused(reference),
            SessionFault::Cancelled => Self::Cancelled,
            SessionFault::Unreachable => Self::Unreachable,
            SessionFault::Unavailable(reference) => Self::Unavailable(reference),
        }
    }
}

impl From<RegistrationFault> for Fault {
    fn from(fault: RegistrationFault) -> Self {
        match fault {
            RegistrationFault::SignedOut => Self::SignedOut,
            RegistrationFault::LockedOut => Self::LockedOut,
            RegistrationFault::Frozen => Self::Frozen,
            RegistrationFault::NotRegistered | RegistrationFault::NotOffered => Self::NotRegistered,
            RegistrationFault::Stale => Self::Stale,
            RegistrationFault::Refused(reference) => Self::Refused(reference),
            RegistrationFault::Cancelled => Self::Cancelled,
            RegistrationFault::Unreachable => Self::Unreachable,
            RegistrationFault::Unavailable(reference) => Self::Unavailable(reference),
            RegistrationFault::Busy => Self::Busy,
            _ => Self::Unavailable(LogReference::default()),
        }
    }
}

impl Aim {
    /// The purpose of the cardholder's proof.
    fn purpose(self) -> Purpose {
        match self {
            Self::SignIn => Purpose::SignIn,
            Self::Register => Purpose::Register,
            Self::Change(_) | Self::EndRegistration => Purpose::Change,
            Self::Order(_) | Self::Import(_) => Purpose::RaAction,
        }
    }

    /// Where it leads.
    fn destination(self) -> Oco<'static, str> {
        match self {
            Self::SignIn => "/profile".into(),
            Self::Register if facts().profile == PolicyProfile::Strict => "/register/recovery-codes".into(),
            Self::Register | Self::Change(Wanted::Questions) => "/register/questions".into(),
            Self::Change(Wanted::RecoveryCodes) => "/register/recovery-codes".into(),
            Self::Change(Wanted::Email) => "/register/email".into(),
            Self::EndRegistration => "/profile?registration-ended".into(),
            Self::Order(order) => {
                let person = order.with_untracked(|order| order.as_ref().map(|order| order.person.clone()));
                ["/ra/people/", &person.unwrap_or_default()].concat().into()
            }
            Self::Import(_) => "/ra/imports".into(),
        }
    }

    /// What was ordered.
    fn order(self) -> Option<OrderText> {
        if let Self::Order(order) = self { order.get_untracked() } else { None }
    }

    /// What the page that it leads to says.
    fn notice(self) -> Option<&'static str> {
        match self {
            Self::SignIn | Self::Register | Self::Change(_) | Self::EndRegistration => None,
            Self::Order(_) => Some(t::ra_done()),
            Self::Import(_) => Some(t::import_sent()),
        }
    }

    /// The label of the button.
    fn label(self) -> &'static str {
        match self {
            Self::SignIn => t::sign_in_submit(),
            Self::Register | Self::Change(_) => t::continue_(),
            Self::EndRegistration => t::end_submit(),
            Self::Order(_) | Self::Import(_) => t::ra_act_submit(),
        }
    }

    async fn start(self) -> Result<Challenge, Fault> {
        Ok(match self {
            Self::SignIn => start_session().await?,
            Self::Register => start_registration().await?,
            Self::Change(_) | Self::EndRegistration => start_change().await?,
            Self::Order(_) => start_order().await?,
            Self::Import(form) => {
                form.digest().await?;
                start_order().await?
            }
        })
    }

    async fn confirm(self, proof: CardProof) -> Result<Challenge, Fault> {
        Ok(match self {
            Self::SignIn => confirm_card(proof).await?,
            Self::Register => confirm_registering_card(proof).await?,
            Self::Change(wanted) => confirm_changing_card(proof, wanted.change()).await?,
            Self::EndRegistration => confirm_changing_card(proof, OwnChange::EndRegistration).await?,
            Self::Order(order) => confirm_ordering_card(proof, ordered(order)?).await?,
            Self::Import(form) => confirm_importing_card(proof, form.order()?).await?,
        })
    }

    /// Hands the proof in. What comes of it is more than that it is done only at the RA's desk.
    async fn finish(self, proof: CardProof) -> Result<Given, Fault> {
        match self {
            Self::SignIn => sign_in(proof).await?,
            Self::Register => begin_registration(proof).await?,
            Self::Change(wanted) => carry_out_change(proof, wanted.change()).await?,
            Self::EndRegistration => carry_out_change(proof, OwnChange::EndRegistration).await?,
            Self::Order(order) => return Ok(carry_out(proof, ordered(order)?).await?),
            Self::Import(form) => form.send(&proof).await?,
        }
        Ok(Given::Nothing)
    }
}

/// The order that the page has prepared.
fn ordered(order: RwSignal<Option<OrderText>>) -> Result<OrderText, Fault> {
    order.get_untracked().ok_or_else(|| Fault::Unavailable(LogReference::default()))
}

/// The passcode field with the reader panel.
#[component]
pub fn HolderForm(
    /// What the passcode is asked for.
    aim: Aim,
    /// What is wrong on the page.
    errors: Errors,
    /// Makes ready what is to be done, and says whether that is complete; where it is not, it shows what is wrong.
    #[prop(optional, into)]
    prepare: Option<Callback<(), bool>>,
    /// What is done where a card may be issued, or its certificates loaded.
    #[prop(optional)]
    issuing: Option<Issuing>,
) -> impl IntoView {
    let work = Work::new();
    let (bridge, way) = (Bridge::of_page(), Way::of_page());
    // So that the field stays while readers come and go.
    let keypad = Memo::new(move |_| bridge.keypad());
    let input = NodeRef::<html::Input>::new();
    let prove = move |last_try| {
        errors.clear();
        if prepare.is_some_and(|prepare| !prepare.run(())) {
            return;
        }
        let typed = zeroize::Zeroizing::new(input.get_untracked().map(|input| input.value()).unwrap_or_default());
        let typed = Passcode::parse(&typed);
        if matches!(typed, Err(PasscodeFault::Digits)) {
            return errors.show_field(PASSCODE, t::passcode_digits());
        }
        work.start(async move {
            let done = match prove(aim, bridge, typed.ok(), last_try).await {
                Ok((_, Given::Unlock)) => return super::ra::to_unlock(bridge, way, aim.order()).await,
                Ok((card, given)) => match issuing {
                    Some(issuing) => issuing.go_on(bridge, &card, given).await.map(Some),
                    None => Ok(aim.notice()),
                },
                Err(stop) => Err(stop),
            };
            match done {
                Ok(notice) => {
                    if let Some(notice) = notice {
                        way.leave_notice(notice);
                    }
                    way.go(aim.destination());
                }
                Err(stop) => meet(&stop, bridge, errors, way, input),
            }
        });
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
            {move || match keypad.get() {
                Keypad::None => {
                    view! {
                        <PasscodeInput
                            kind=PasscodeKind::Current
                            id=PASSCODE
                            label=t::sign_in_label()
                            hint=t::sign_in_hint()
                            error=errors.of(PASSCODE)
                            node_ref=input
                        />
                    }
                        .into_any()
                }
                Keypad::Current | Keypad::CurrentAndNew => {
                    view! { <OnReader text=t::reader_keypad_current() /> }.into_any()
                }
            }}
            <ReaderPanel button=aim.label() on_retry=keep_last_try on_last_try=spend_last_try />
            <SubmitButton kind=ButtonKind::Primary label=aim.label() />
        </form>
        {matches!(aim, Aim::SignIn | Aim::Register)
            .then(|| {
                view! {
                    <p class="nhsuk-body">
                        <a href="/unlock">{t::sign_in_locked()}</a>
                    </p>
                }
            })}
    }
}

/// Why it went no further.
pub(super) enum Stop {
    /// There is no passcode, neither typed nor keys to type it on.
    NoPasscode,
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

impl From<DeskFault> for Stop {
    fn from(fault: DeskFault) -> Self {
        Self::Server(fault.into())
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Card(trouble)
    }
}

/// The card proves itself and vouches for the connection; only then is the passcode sealed to that connection. Where the
/// reader has keys it is typed there, and whatever was typed here before that was known goes nowhere.
async fn prove(
    aim: Aim,
    bridge: Bridge,
    passcode: Option<Passcode>,
    last_try: LastTry,
) -> Result<(CardProof, Given), Stop> {
    bridge.connect().await?;
    let entry = match (untrack(|| bridge.keypad()), &passcode) {
        (Keypad::Current | Keypad::CurrentAndNew, _) => Entry::Reader,
        (Keypad::None, Some(passcode)) => Entry::Screen(passcode),
        (Keypad::None, None) => return Err(Stop::NoPasscode),
    };
    let challenge = aim.start().await?;
    let card = bridge.prove_card(Purpose::Hello, challenge).await?;
    let challenge = aim.confirm(card.clone()).await?;
    let holder = bridge.prove_holder(&card, aim.purpose(), challenge, entry, last_try).await?;
    let given = aim.finish(holder).await?;
    Ok((card, given))
}

fn meet(stop: &Stop, bridge: Bridge, errors: Errors, way: Way, input: NodeRef<html::Input>) {
    match stop {
        Stop::NoPasscode => {
            bridge.settle();
            errors.show_field(PASSCODE, t::passcode_missing());
        }
        Stop::Card(Trouble::Card(CardFailure::WrongPasscode { tries_left })) => {
            let wrong = t::passcode_wrong((*tries_left).into());
            match input.get_untracked() {
                Some(input) => {
                    input.set_value("");
                    errors.show_field(PASSCODE, wrong);
                }
                None => errors.show_general(wrong),
            }
        }
        Stop::Card(_) => {}
        Stop::Server(fault) => match fault {
            Fault::SignedOut => way.go("/sign-in?over"),
            Fault::LockedOut => errors.show_general(t::dead_locked_out_text()),
            Fault::Frozen => errors.show_general(t::dead_frozen_text()),
            Fault::NotRegistered => errors.show_general(t::fault_not_registered()),
            Fault::Stale => errors.show_general(t::fault_proof_stale()),
            Fault::Refused(reference) => errors.show_general(reference.quoted(t::fault_proof_refused())),
            Fault::Cancelled => errors.show_general(t::dead_cancelled_title()),
            Fault::Unreachable => errors.show_general(t::fault_unreachable()),
            Fault::Unavailable(reference) => errors.show_general(reference.quoted(t::fault_unavailable())),
            Fault::Busy => errors.show_general(t::fault_busy()),
            Fault::Desk(fault) => super::ra::show(fault, errors),
        },
    }
}
