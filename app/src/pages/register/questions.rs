//! `/register/questions`: four questions and their answers, visible, so that no check page is needed.

use leptos::{form::ActionForm, prelude::*};
use leptos_router::components::Redirect;

use super::{Here, Place, StopForm, at_step, step::failed};
use crate::{
    components::{ButtonKind, Errors, FieldError, Fieldset, Input, InputKind, Page, Select, SubmitButton},
    config::{PolicyProfile, facts},
    resubmitted::Failed,
    server_fns::{
        QuestionText,
        registration::{AnswerFault, AnswerFaultAt, FlowAim, RegistrationFault, RegistrationPage, SetQuestions},
    },
    t,
};

/// The second step.
#[component]
pub fn RegisterQuestions() -> impl IntoView {
    if facts().profile == PolicyProfile::Strict {
        return view! { <Redirect path="/register/recovery-codes" /> }.into_any();
    }
    at_step(Place::Questions, |page, here| match page {
        RegistrationPage::Questions { form, aim, questions } => view! { <Form form aim questions here /> }.into_any(),
        _ => ().into_any(),
    })
    .into_any()
}

#[component]
fn Form(
    /// Names this rendering of the form.
    form: String,
    /// For which registration.
    aim: FlowAim,
    /// All that can be chosen.
    questions: Vec<QuestionText>,
    /// The step.
    here: Here,
) -> impl IntoView {
    let action = ServerAction::<SetQuestions>::new();
    let failed = failed::<SetQuestions>();
    let errors = here.errors_of(action, failed.as_ref(), words);
    let groups = (1..=4).map(|number| group(number, &questions, failed.as_ref(), errors)).collect_view();
    view! {
        <Page title=t::register_questions_title() nostrip:step=aim.step(2) back="/profile" errors>
            <p class="nhsuk-body">{t::register_questions_text()}</p>
            <p class="nhsuk-body">
                {t::recovery_instead_text()} " " <a href="/register/recovery-codes">{t::recovery_instead()}</a>
            </p>
            <ActionForm action attr:novalidate=true>
                <input type="hidden" name="form" value=form />
                {groups}
                <SubmitButton kind=ButtonKind::Primary label=t::continue_() />
            </ActionForm>
            <StopForm />
        </Page>
    }
}

/// The fields of one of the four.
fn group(
    number: u8,
    questions: &[QuestionText],
    failed: Option<&Failed<RegistrationFault>>,
    errors: Errors,
) -> impl IntoView + use<> {
    let (question, answer) = (question_field(number), answer_field(number));
    let typed = |name: &str| failed.map(|failed| failed.typed(name)).unwrap_or_default();
    let (chosen, value) = (typed(&question), typed(&answer));
    let options = questions
        .iter()
        .map(|question| {
            let hint = if question.hint.is_empty() { String::new() } else { [" [", &question.hint, "]"].concat() };
            (question.id.to_string(), [&question.text, hint.as_str()].concat())
        })
        .collect();
    let legend = match number {
        1 => t::register_question_legend_1(),
        2 => t::register_question_legend_2(),
        3 => t::register_question_legend_3(),
        _ => t::register_question_legend_4(),
    };
    view! {
        <Fieldset id=format!("set-{number}") legend error=Signal::stored(None)>
            <Select
                id=question.as_str()
                name=question.as_str()
                label=t::register_question_label()
                nothing=t::register_question_choose()
                options
                chosen
                error=errors.of(question.as_str())
            />
            <Input
                kind=InputKind::Answer
                id=answer.as_str()
                name=answer.as_str()
                label=t::register_answer_label()
                hint=t::questions_note()
                error=errors.of(answer.as_str())
                value
            />
        </Fieldset>
    }
}

fn question_field(number: u8) -> String {
    format!("question_{number}")
}

fn answer_field(number: u8) -> String {
    format!("answer_{number}")
}

/// What is said of the faults of this form.
fn words(fault: &RegistrationFault) -> Vec<FieldError> {
    match fault {
        RegistrationFault::Answers(faults) => faults.iter().copied().map(word).collect(),
        _ => Vec::new(),
    }
}

fn word(AnswerFaultAt { position, fault }: AnswerFaultAt) -> FieldError {
    let number = position + 1;
    let (field, text) = match fault {
        AnswerFault::NoQuestion => (question_field(number), no_question(number).to_owned()),
        AnswerFault::SameQuestion => (question_field(number), t::register_same_question().to_owned()),
        AnswerFault::Empty => (answer_field(number), t::register_answer_missing(number.into())),
        AnswerFault::TooShort => (answer_field(number), t::register_answer_short().to_owned()),
        AnswerFault::TooLong => (answer_field(number), t::register_answer_long().to_owned()),
        AnswerFault::SameAnswer => (answer_field(number), t::register_answer_same().to_owned()),
        AnswerFault::WordOfQuestion => (answer_field(number), t::register_answer_word().to_owned()),
    };
    FieldError { field: Some(field), text }
}

fn no_question(number: u8) -> &'static str {
    match number {
        1 => t::register_no_question_1(),
        2 => t::register_no_question_2(),
        3 => t::register_no_question_3(),
        _ => t::register_no_question_4(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_stands_at_its_own_field() {
        let fault = RegistrationFault::Answers(vec![
            AnswerFaultAt { position: 0, fault: AnswerFault::NoQuestion },
            AnswerFaultAt { position: 3, fault: AnswerFault::Empty },
        ]);
        let said = words(&fault);
        assert_eq!(said[0].field.as_deref(), Some("question_1"));
        assert_eq!(said[0].text, "Select your first security question");
        assert_eq!(said[1].field.as_deref(), Some("answer_4"));
        assert_eq!(said[1].text, "Enter your answer to question 4");
    }
}
