//! Why an officer does something for a person, and how they recognised them.

use leptos::prelude::*;

use crate::{
    components::{Errors, FieldError, Fieldset, InsetText, RadioItems},
    server_fns::ra::{IdentityCheck, Reason},
    t,
};

/// The fields.
const REASON: &str = "reason";
const CHECK: &str = "check";

const REASONS: [Reason; 5] =
    [Reason::PersonAsked, Reason::CardLost, Reason::Misuse, Reason::WrongRecord, Reason::ChangeOfPost];
const CHECKS: [IdentityCheck; 4] =
    [IdentityCheck::PhotoId, IdentityCheck::CalledBack, IdentityCheck::VideoCall, IdentityCheck::SponsorConfirmed];
/// What was chosen.
#[derive(Clone, Copy)]
pub struct Grounds {
    reason: RwSignal<Option<Reason>>,
    check: RwSignal<Option<IdentityCheck>>,
}

impl Grounds {
    /// Nothing is chosen yet.
    pub fn new() -> Self {
        Self { reason: RwSignal::new(None), check: RwSignal::new(None) }
    }

    /// What was chosen, once both are.
    pub fn given(self) -> Option<(Reason, IdentityCheck)> {
        Some((self.reason.get_untracked()?, self.check.get_untracked()?))
    }

    /// What is still to be chosen.
    pub fn missing(self) -> impl Iterator<Item = FieldError> {
        let reason = self.reason.get_untracked().is_none().then_some((REASON, t::ra_reason_missing()));
        let check = self.check.get_untracked().is_none().then_some((CHECK, t::ra_check_missing()));
        let error = |(field, text): (&str, &str)| FieldError { field: Some(field.to_owned()), text: text.to_owned() };
        [reason, check].into_iter().flatten().map(error)
    }

    /// The fields, and that the person is told.
    pub fn fields(self, errors: Errors) -> impl IntoView {
        let Self { reason, check } = self;
        view! {
            <Fieldset id=REASON legend=t::ra_reason() error=errors.of(REASON)>
                <RadioItems
                    name=REASON
                    items=REASONS.map(reason_word).map(str::to_owned).to_vec()
                    on_choose=move |position: usize| reason.set(Some(REASONS[position]))
                />
            </Fieldset>
            <Fieldset id=CHECK legend=t::ra_check() error=errors.of(CHECK)>
                <RadioItems
                    name=CHECK
                    items=CHECKS.map(check_word).map(str::to_owned).to_vec()
                    on_choose=move |position: usize| check.set(Some(CHECKS[position]))
                />
            </Fieldset>
            <InsetText text=t::ra_emailed() />
        }
    }
}

pub fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::PersonAsked => t::ra_reason_person_asked(),
        Reason::CardLost => t::ra_reason_card_lost(),
        Reason::Misuse => t::ra_reason_misuse(),
        Reason::WrongRecord => t::ra_reason_wrong_record(),
        Reason::ChangeOfPost => t::ra_reason_change_of_post(),
    }
}

pub fn check_word(check: IdentityCheck) -> &'static str {
    match check {
        IdentityCheck::PhotoId => t::ra_check_photo_id(),
        IdentityCheck::CalledBack => t::ra_check_called_back(),
        IdentityCheck::VideoCall => t::ra_check_video_call(),
        IdentityCheck::SponsorConfirmed => t::ra_check_sponsor_confirmed(),
    }
}
