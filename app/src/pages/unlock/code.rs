//! `/unlock/code`: the unlock code from the e-mail.

use leptos::{html, prelude::*};
use zeroize::Zeroizing;

use super::{
    super::{
        code_delivery::{self, CodeDeliveryNews},
        code_time,
    },
    Here, Place, StopForm, at_step,
};
use crate::{
    announcer::Announcer,
    components::{
        Button, ButtonKind, Details, Input, InputKind, InsetText, NoJavaScript, Page, RaContact, ReaderPanel,
        SubmitButton,
    },
    moment::{Moment, Shown, Time},
    server_fns::{
        CodeDelivery,
        registration::CodeResent,
        unlock::{CodeEntered, Resent, UnlockFault, UnlockPage, enter_code, look_at_unlock, resend_code},
    },
    t,
};

/// The field.
const CODE: &str = "code";

/// The code.
#[component]
pub fn UnlockCode() -> impl IntoView {
    at_step(Place::Code, |page, here| match page {
        UnlockPage::Code { start, end, valid_until, delivery, .. } => {
            view! { <Form start end valid_until delivery here /> }.into_any()
        }
        _ => ().into_any(),
    })
}

#[component]
fn Form(
    /// The first letters of the address.
    start: String,
    /// The end of the address.
    end: String,
    /// Until when the latest code works.
    valid_until: Option<Moment>,
    /// How far its mail is.
    delivery: CodeDelivery,
    /// The step.
    here: Here,
) -> impl IntoView {
    let errors = here.errors;
    let latest = LatestCode { valid_until: RwSignal::new(valid_until), delivery: RwSignal::new(delivery) };
    code_time::announce(latest.valid_until);
    code_delivery::watch(latest.delivery, t::code_refused, || async { look().await.map(|(_, delivery)| delivery) });
    let news = RwSignal::new(None::<String>);
    let announcer = expect_context::<Announcer>();
    let input = NodeRef::<html::Input>::new();
    let enter = Callback::new(move |()| {
        news.set(None);
        errors.clear();
        let typed = input.get_untracked().map(|input| input.value()).unwrap_or_default();
        if typed.trim().is_empty() {
            errors.show_field(CODE, t::code_missing());
        } else {
            here.work.start(enter(here, typed, latest));
        }
    });
    let resend = Callback::new(move |()| {
        news.set(None);
        errors.clear();
        here.work.start(resend(here, announcer, news, latest));
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        enter.run(());
    };
    let sent = move || match latest.valid_until.get() {
        Some(at) => {
            let sent = t::code_sent(&start, &end);
            view! { {sent} " " <Time at shown=Shown::Time /> ". " }.into_any()
        }
        None => view! { {t::code_not_sent()} " " }.into_any(),
    };
    view! {
        <Page title=t::code_title() step=Place::Code.step() back="/unlock" errors>
            {move || {
                latest.delivery.get().may_arrive().then(|| {
                    view! {
                        <p class="nhsuk-body">
                            {sent()} <strong>{t::code_not_passcode()}</strong> " " {t::code_junk()}
                        </p>
                    }
                })
            }}
            <CodeDeliveryNews delivery=latest.delivery refused=t::code_refused />
            {move || news.get().map(|text| view! { <InsetText text /> })}
            <form novalidate on:submit=submit>
                <Input
                    kind=InputKind::Code
                    id=CODE
                    label=t::code_label()
                    hint=t::code_hint()
                    error=errors.of(CODE)
                    node_ref=input
                />
                <ReaderPanel button=t::continue_() on_retry=enter />
                <NoJavaScript />
                <SubmitButton kind=ButtonKind::Primary label=t::continue_() />
            </form>
            <Details summary=t::code_help()>
                <p class="nhsuk-body">{t::code_help_delay()}</p>
                <Button kind=ButtonKind::Secondary label=t::code_resend() on_press=resend />
                <p class="nhsuk-body">{t::code_help_address()}</p>
                <RaContact reference=None />
            </Details>
            <StopForm />
        </Page>
    }
}

async fn enter(here: Here, typed: String, latest: LatestCode) {
    let Some(entered) = here.hand_in(typed.clone().into(), async |proof| enter_code(proof, typed.clone()).await).await
    else {
        return;
    };
    match entered {
        Ok(CodeEntered::Right) => here.way.go(Place::Passcode.path()),
        Ok(CodeEntered::Wrong { tries_left }) => here.errors.show_field(CODE, t::code_wrong(tries_left.into())),
        Ok(CodeEntered::Expired(resent)) => {
            let text = match resent {
                CodeResent::Yes => t::code_expired_resent(),
                CodeResent::No => t::code_expired(),
            };
            here.errors.show_field(CODE, text);
            latest.look_again().await;
        }
        Ok(CodeEntered::TriesUsedUp) => here.way.go("/unlock?tries"),
        Ok(CodeEntered::LockedOut(end)) => here.dead_end.set(Some(end)),
        Err(UnlockFault::NoCode) => here.errors.show_field(CODE, t::code_missing()),
        Err(UnlockFault::NotACode) => here.errors.show_field(CODE, t::code_letters()),
        Err(fault) => here.meet(&fault),
    }
}

async fn resend(here: Here, announcer: Announcer, news: RwSignal<Option<String>>, latest: LatestCode) {
    let Some(resent) = here.hand_in(Zeroizing::default(), async |proof| resend_code(proof).await).await else {
        return;
    };
    let text = match resent {
        Ok(Resent::Sent) => {
            latest.look_again().await;
            t::code_resent().to_owned()
        }
        Ok(Resent::TooEarly(at)) => t::code_resend_seconds(at.seconds_from_now()),
        Err(fault) => return here.meet(&fault),
    };
    announcer.say(text.clone());
    news.set(Some(text));
}

/// What is known of the latest code.
#[derive(Clone, Copy)]
struct LatestCode {
    /// Until when it works.
    valid_until: RwSignal<Option<Moment>>,
    /// How far its mail is.
    delivery: RwSignal<CodeDelivery>,
}

impl LatestCode {
    /// Asks the server. What was typed stays, since the page is not made anew.
    async fn look_again(self) {
        if let Some((valid_until, delivery)) = look().await {
            self.valid_until.set(valid_until);
            self.delivery.set(delivery);
        }
    }
}

async fn look() -> Option<(Option<Moment>, CodeDelivery)> {
    match look_at_unlock().await {
        Ok(UnlockPage::Code { valid_until, delivery, .. }) => Some((valid_until, delivery)),
        _ => None,
    }
}
