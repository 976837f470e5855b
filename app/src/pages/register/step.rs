//! What the steps of a registration have in common: each asks the server where the registration is, and shows that.

use js_sys::{Function, Reflect};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::components::Redirect;
use wasm_bindgen::JsCast;

use super::{
    super::{
        more_time::{Idle, MoreTime},
        unavailable::Unavailable,
    },
    StopForm,
};
use crate::{
    app::Way,
    components::{Errors, FieldError, Step},
    resubmitted::{self, Failed},
    server_fns::Referred,
    server_fns::registration::{FlowAim, RegistrationFault, RegistrationPage, look_at_registration},
    t,
};

/// A step of a registration after the passcode, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The questions.
    Questions,
    /// The address.
    Email,
    /// The code.
    Code,
}

impl Place {
    fn of(page: &RegistrationPage) -> Option<Self> {
        match page {
            RegistrationPage::Questions { .. } => Some(Self::Questions),
            RegistrationPage::Email { .. } => Some(Self::Email),
            RegistrationPage::Code { .. } => Some(Self::Code),
            RegistrationPage::SignedOut
            | RegistrationPage::NotBegun
            | RegistrationPage::Completed
            | RegistrationPage::Ended => None,
        }
    }

    /// The address of its page.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Questions => "/register/questions",
            Self::Email => "/register/email",
            Self::Code => "/register/code",
        }
    }
}

impl FlowAim {
    /// Which step of a registration it is; a change has no steps to count.
    pub fn step(self, number: u32) -> Option<Step> {
        match self {
            Self::Registration => Some(Step { number, of: 4 }),
            Self::Change => None,
        }
    }
}

/// What a step works with.
#[derive(Clone, Copy)]
pub struct Here {
    way: Way,
    page: Resource<Result<RegistrationPage, RegistrationFault>>,
}

impl Here {
    /// Asks the server again where the registration is.
    pub fn look_again(self) {
        self.page.refetch();
    }

    /// What is wrong with a form of this page: on the server from a POST that failed, in the browser from the action.
    /// `words` says it for the faults that are about the fields; the others have their own way on.
    pub fn errors_of<S>(
        self,
        action: ServerAction<S>,
        failed: Option<&Failed<RegistrationFault>>,
        words: impl Fn(&RegistrationFault) -> Vec<FieldError> + Copy + Send + Sync + 'static,
    ) -> Errors
    where
        S: ServerFn<Error = RegistrationFault, Output = ()> + Clone + Send + Sync + 'static,
    {
        let said = move |fault: &RegistrationFault| {
            let said = words(fault);
            if said.is_empty() { general(fault) } else { said }
        };
        let errors = Errors::new(failed.map(|failed| said(&failed.error)).unwrap_or_default());
        let outcome = outcome_of(action);
        Effect::new(move |_| match outcome() {
            Some(Err(RegistrationFault::SignedOut)) => self.way.go("/sign-in?over"),
            Some(Err(RegistrationFault::NotBegun)) => self.way.go("/profile?over"),
            Some(Err(RegistrationFault::OtherStep)) => self.page.refetch(),
            Some(Err(fault)) => errors.show(said(&fault)),
            Some(Ok(())) => errors.clear(),
            None => {}
        });
        errors
    }
}

/// What is said of a fault that is of no field.
fn general(fault: &RegistrationFault) -> Vec<FieldError> {
    let text = match fault {
        RegistrationFault::TooEarly => t::code_resend_wait(),
        RegistrationFault::LockedOut => t::dead_locked_out_text(),
        RegistrationFault::Frozen => t::dead_frozen_text(),
        RegistrationFault::Unreachable => t::fault_unreachable(),
        RegistrationFault::OtherStep => t::already_done(),
        RegistrationFault::NotRegistered | RegistrationFault::NotOffered => t::fault_not_registered(),
        RegistrationFault::SignedOut | RegistrationFault::NotBegun => t::fault_over(),
        fault => return vec![FieldError { field: None, text: fault.unavailable() }],
    };
    vec![FieldError { field: None, text: text.to_owned() }]
}

/// The failed POST of a form of this page, if this is the answer to one.
pub fn failed<S: ServerFn<Error = RegistrationFault>>() -> Option<Failed<RegistrationFault>> {
    resubmitted::failed(S::PATH)
}

/// What came of a form. Nothing where the form is gone: an effect may run once more while its page is made anew.
pub fn outcome_of<S>(action: ServerAction<S>) -> impl Fn() -> Option<Result<(), RegistrationFault>>
where
    S: ServerFn<Error = RegistrationFault, Output = ()> + Clone + Send + Sync + 'static,
{
    let value = action.value();
    move || value.try_get().flatten()
}

/// A form's id that is new after each answer: the same id again would get the same answer.
pub fn renewed_form<S>(action: ServerAction<S>, form: String) -> RwSignal<String>
where
    S: ServerFn<Error = RegistrationFault, Output = ()> + Clone + Send + Sync + 'static,
{
    let form = RwSignal::new(form);
    let outcome = outcome_of(action);
    Effect::new(move |_| {
        if let Some(Err(_)) = outcome()
            && let Some(id) = random_id()
        {
            form.set(id);
        }
    });
    form
}

/// A random UUID of the browser (RFC 9562, 5.4).
fn random_id() -> Option<String> {
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into()).ok()?;
    let random_id: Function = Reflect::get(&crypto, &"randomUUID".into()).ok()?.dyn_into().ok()?;
    random_id.call0(&crypto).ok()?.as_string()
}

/// Shows a step, or goes where the registration is.
pub fn at_step(
    place: Place,
    show: impl Fn(RegistrationPage, Here) -> AnyView + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let here = Here { way: Way::of_page(), page: Resource::new(|| (), |()| look_at_registration()) };
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match here.page.await {
                    Ok(page) if Place::of(&page) == Some(place) => view! {
                        {show(page, here)}
                        <MoreTime of=Idle::Session><StopForm /></MoreTime>
                    }
                    .into_any(),
                    Ok(page) => elsewhere(place, &page, here.way),
                    Err(fault) => {
                        view! { <Unavailable title=t::profile_register() back="/profile" text=fault.unavailable() /> }.into_any()
                    }
                }
            })}
        </Suspense>
    }
}

fn elsewhere(here: Place, page: &RegistrationPage, way: Way) -> AnyView {
    if let Some(place) = Place::of(page) {
        if here < place {
            way.leave_notice(t::already_done());
        }
        return view! { <Redirect path=place.path() /> }.into_any();
    }
    let path = match page {
        RegistrationPage::SignedOut => "/sign-in?over",
        RegistrationPage::NotBegun => "/register/passcode",
        RegistrationPage::Ended => "/profile?ended",
        _ => "/profile",
    };
    view! { <Redirect path /> }.into_any()
}
