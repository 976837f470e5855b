//! `/unlock/questions`: the security questions.

use leptos::{html, prelude::*};

use super::{Here, Place, StopForm, at_step};
use crate::{
    components::{
        ButtonKind, Errors, FieldError, Fieldset, Input, InputKind, InsetText, NoJavaScript, Page, ReaderPanel,
        SubmitButton, WarningCallout,
    },
    server_fns::{
        QuestionText,
        unlock::{Answered, TypedAnswer, UnlockPage, answer},
    },
    t,
};

/// The fieldset: what is wrong with the answers is wrong with all of them, and is said here.
const ANSWERS: &str = "answers";

/// The questions.
#[component]
pub fn UnlockQuestions() -> impl IntoView {
    at_step(Place::Questions, |page, here| match page {
        UnlockPage::Questions { asked, attempts_left } => view! { <Form asked attempts_left here /> }.into_any(),
        _ => ().into_any(),
    })
}

#[component]
fn Form(
    /// The questions.
    asked: Vec<QuestionText>,
    /// How many attempts are left.
    attempts_left: u8,
    /// The step.
    here: Here,
) -> impl IntoView {
    let errors = here.errors;
    let attempts_left = RwSignal::new(attempts_left);
    let fields: Vec<(u8, NodeRef<html::Input>)> = asked.iter().map(|question| (question.id, NodeRef::new())).collect();
    let inputs = asked
        .into_iter()
        .zip(&fields)
        .zip(1_u32..)
        .map(|((question, (_, node_ref)), number)| {
            let QuestionText { text, hint, .. } = question;
            let id = field(number);
            let error = errors.of(&id);
            view! { <Input kind=InputKind::Answer id label=text hint error node_ref=*node_ref /> }
        })
        .collect_view();
    let fields = StoredValue::new(fields);
    let hand_in = Callback::new(move |()| {
        let typed = typed(&fields.get_value());
        if let Some(typed) = complete(typed, errors) {
            here.work.start(hand_in(here, typed, attempts_left));
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        hand_in.run(());
    };
    view! {
        <Page title=t::questions_title() step=Place::Questions.step() back="/unlock" errors>
            <WarningCallout text=t::questions_warning() />
            {move || (attempts_left.get() == 1).then(|| view! { <InsetText text=t::questions_last() /> })}
            <form novalidate on:submit=submit>
                <Fieldset id=ANSWERS legend=t::questions_legend() error=errors.of(ANSWERS)>
                    <p class="nhsuk-hint">{t::questions_note()}</p>
                    {inputs}
                </Fieldset>
                <ReaderPanel button=t::continue_() on_retry=hand_in />
                <NoJavaScript />
                <SubmitButton kind=ButtonKind::Primary label=t::continue_() />
            </form>
            <StopForm />
        </Page>
    }
}

fn field(number: u32) -> String {
    format!("answer-{number}")
}

fn typed(fields: &[(u8, NodeRef<html::Input>)]) -> Vec<TypedAnswer> {
    fields
        .iter()
        .map(|(question, input)| {
            let answer = input.get_untracked().map(|input| input.value()).unwrap_or_default();
            TypedAnswer { question: *question, answer }
        })
        .collect()
}

/// Nothing is handed in while an answer is missing: that would be an attempt.
fn complete(typed: Vec<TypedAnswer>, errors: Errors) -> Option<Vec<TypedAnswer>> {
    let missing: Vec<FieldError> = typed
        .iter()
        .zip(1_u32..)
        .filter(|(typed, _)| typed.answer.trim().is_empty())
        .map(|(_, number)| FieldError { field: Some(field(number)), text: t::questions_missing(number) })
        .collect();
    let complete = missing.is_empty();
    errors.show(missing);
    complete.then_some(typed)
}

async fn hand_in(here: Here, typed: Vec<TypedAnswer>, attempts_left: RwSignal<u8>) {
    let all = typed.iter().map(|typed| typed.answer.as_str()).collect::<Vec<_>>().join("\n");
    let Some(answered) = here.hand_in(all.into(), async |proof| answer(proof, typed.clone()).await).await else {
        return;
    };
    match answered {
        Ok(Answered::Right) => here.way.go(Place::Code.path()),
        Ok(Answered::RightAndLast) => here.way.go(Place::Passcode.path()),
        Ok(Answered::Wrong { attempts_left: left }) => {
            attempts_left.set(left);
            here.errors.show_field(ANSWERS, t::questions_wrong(left.into()));
        }
        Ok(Answered::LockedOut(end)) => here.dead_end.set(Some(end)),
        Err(fault) => here.meet(&fault),
    }
}
