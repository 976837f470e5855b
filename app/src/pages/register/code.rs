//! `/register/code`: the registration code from the e-mail; it completes the registration.

use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{
    super::{
        code_delivery::{self, CodeDeliveryNews},
        code_time,
    },
    Here, Place, StopForm, at_step,
    step::{failed, outcome_of, renewed_form},
};
use crate::{
    components::{
        Banner, ButtonKind, Details, ErrorSummary, FieldError, Input, InputKind, NotificationBanner, Page, SubmitButton,
    },
    moment::{Moment, Shown, Time},
    server_fns::{
        CodeDelivery,
        registration::{
            BackTo, CodeResent, EnterRegistrationCode, FlowAim, GoBack, RegistrationFault, RegistrationPage,
            ResendRegistrationCode, look_at_registration,
        },
    },
    t,
};

/// The field.
const CODE: &str = "code";

/// The last step.
#[component]
pub fn RegisterCode() -> impl IntoView {
    at_step(Place::Code, |page, here| match page {
        RegistrationPage::Code { form, resend_form, aim, sent_to, valid_until, delivery, .. } => {
            view! { <Form form resend_form aim sent_to valid_until delivery here /> }.into_any()
        }
        _ => ().into_any(),
    })
}

#[component]
fn Form(
    /// Names this rendering of the form.
    form: String,
    /// Names this rendering of the form that asks for another code.
    resend_form: String,
    /// For which registration.
    aim: FlowAim,
    /// Where the code was sent.
    sent_to: String,
    /// Until when the latest works.
    valid_until: Option<Moment>,
    /// How far its mail is.
    delivery: CodeDelivery,
    /// The step.
    here: Here,
) -> impl IntoView {
    let delivery = RwSignal::new(delivery);
    code_delivery::watch(delivery, t::register_code_refused, || async {
        match look_at_registration().await {
            Ok(RegistrationPage::Code { delivery, .. }) => Some(delivery),
            _ => None,
        }
    });
    let action = ServerAction::<EnterRegistrationCode>::new();
    let entered = failed::<EnterRegistrationCode>();
    let errors = here.errors_of(action, entered.as_ref(), words);
    code_time::announce(RwSignal::new(valid_until.clone()));
    let form = renewed_form(action, form);
    let query = use_query_map();
    let banner = move || {
        let resent = query.get().get_str("resent").is_some();
        resent.then(|| view! { <NotificationBanner kind=Banner::Success text=t::code_resent() /> })
    };
    let sent = t::register_code_sent(&sent_to);
    let submit = match aim {
        FlowAim::Registration => t::register_code_submit(),
        FlowAim::Change => t::register_change_email(),
    };
    let back = match aim {
        FlowAim::Registration => t::register_change_email(),
        FlowAim::Change => t::change_email_other(),
    };
    let value = entered.map(|entered| entered.typed(CODE)).unwrap_or_default();
    view! {
        <Page
            title=t::register_code_title()
            nostrip:step=aim.step(4)
            back="/profile"
            errors
            banner=banner.into_any()
        >
            {move || {
                let valid_until = valid_until.clone();
                delivery.get().may_arrive().then(|| {
                    view! {
                        <p class="nhsuk-body">
                            {sent.clone()} " " {valid_until.map(|at| view! { <Time at shown=Shown::Time /> ". " })}
                            <strong>{t::code_not_passcode()}</strong> " " {t::code_junk()}
                        </p>
                    }
                })
            }}
            <CodeDeliveryNews delivery refused=t::register_code_refused />
            <ActionForm action attr:novalidate=true>
                <input type="hidden" name="form" value=move || form.try_get() />
                <Input
                    kind=InputKind::Code
                    id=CODE
                    name=CODE
                    label=t::register_code_label()
                    hint=t::code_hint()
                    error=errors.of(CODE)
                    value
                />
                <SubmitButton kind=ButtonKind::Primary label=submit />
            </ActionForm>
            <Details summary=t::code_help()>
                <p class="nhsuk-body">{t::code_help_delay()}</p>
                <Resend form=resend_form here />
            </Details>
            <BackButton step=BackTo::Email label=back />
            <StopForm />
        </Page>
    }
}

#[component]
fn Resend(
    /// Names this rendering of the form.
    form: String,
    /// The step.
    here: Here,
) -> impl IntoView {
    let action = ServerAction::<ResendRegistrationCode>::new();
    let asked = failed::<ResendRegistrationCode>();
    let form = renewed_form(action, form);
    let errors = here.errors_of(action, asked.as_ref(), |_| Vec::new());
    // The redirect leads to this page, which is there already.
    let outcome = outcome_of(action);
    Effect::new(move |_| {
        if let Some(Ok(())) = outcome() {
            here.look_again();
        }
    });
    view! {
        <ErrorSummary errors />
        <ActionForm action>
            <input type="hidden" name="form" value=move || form.try_get() />
            <SubmitButton kind=ButtonKind::Secondary label=t::code_resend() />
        </ActionForm>
    }
}

/// Goes back to an earlier step.
#[component]
pub fn BackButton(
    /// Which.
    step: BackTo,
    /// What the button says.
    label: &'static str,
) -> impl IntoView {
    let action = ServerAction::<GoBack>::new();
    let value = match step {
        BackTo::Questions => "questions",
        BackTo::Email => "email",
    };
    view! {
        <ActionForm action>
            <input type="hidden" name="step" value=value />
            <SubmitButton kind=ButtonKind::Secondary label />
        </ActionForm>
    }
}

/// What is said of the faults of this form.
fn words(fault: &RegistrationFault) -> Vec<FieldError> {
    let text = match fault {
        RegistrationFault::NoCode => t::register_code_missing().to_owned(),
        RegistrationFault::NotACode => t::register_code_letters().to_owned(),
        RegistrationFault::WrongCode { tries_left } => t::register_code_wrong((*tries_left).into()),
        RegistrationFault::CodeExpired { resent: CodeResent::Yes } => t::code_expired_resent().to_owned(),
        RegistrationFault::CodeExpired { resent: CodeResent::No } => t::code_expired().to_owned(),
        _ => return Vec::new(),
    };
    vec![FieldError { field: Some(CODE.to_owned()), text }]
}
