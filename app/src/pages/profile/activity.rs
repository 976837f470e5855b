//! What was done with somebody's cards, as a table.

use leptos::prelude::*;

use crate::{
    components::Table,
    moment::{Shown, Time},
    server_fns::session::{Activity, ActivityKind, ActivityOutcome},
    t,
};

/// What was done with somebody's cards.
#[component]
pub fn YourActivity(
    /// What the table is called.
    caption: &'static str,
    /// What was done, newest first.
    activity: Vec<Activity>,
) -> impl IntoView {
    if activity.is_empty() {
        return view! { <p class="nhsuk-body">{t::profile_activity_none()}</p> }.into_any();
    }
    let rows = activity
        .into_iter()
        .map(|activity| {
            vec![
                view! { <Time at=activity.at shown=Shown::DateTime /> }.into_any(),
                kind_word(activity.kind).into_any(),
                outcome_word(activity.outcome).into_any(),
            ]
        })
        .collect();
    let heads = vec![t::profile_activity_when(), t::profile_activity_what(), t::profile_activity_outcome()];
    view! { <Table caption heads rows /> }.into_any()
}

fn outcome_word(outcome: ActivityOutcome) -> &'static str {
    match outcome {
        ActivityOutcome::Done => t::outcome_done(),
        ActivityOutcome::Refused => t::outcome_refused(),
    }
}

fn kind_word(kind: ActivityKind) -> &'static str {
    match kind {
        ActivityKind::CardEnrolled => t::event_card_enrolled(),
        ActivityKind::SignedIn => t::event_signed_in(),
        ActivityKind::SignedOut => t::event_signed_out(),
        ActivityKind::RegistrationBegun => t::event_registration_begun(),
        ActivityKind::RegistrationCodeSent => t::event_registration_code_sent(),
        ActivityKind::RegistrationCodeEntered => t::event_registration_code_entered(),
        ActivityKind::Registered => t::event_registered(),
        ActivityKind::CardProofRefused => t::event_card_proof_refused(),
        ActivityKind::UnlockBegun => t::event_unlock_begun(),
        ActivityKind::QuestionsAnswered => t::event_questions_answered(),
        ActivityKind::RecoveryCodeEntered => t::event_recovery_code_entered(),
        ActivityKind::UnlockCodeSent => t::event_unlock_code_sent(),
        ActivityKind::UnlockCodeEntered => t::event_unlock_code_entered(),
        ActivityKind::SelfServiceLocked => t::event_self_service_locked(),
        ActivityKind::SelfServiceFrozen => t::event_self_service_frozen(),
        ActivityKind::MailUndelivered => t::event_mail_undelivered(),
        ActivityKind::UnlockKeyReleased => t::event_unlock_key_released(),
        ActivityKind::CardUnlocked => t::event_card_unlocked(),
        ActivityKind::UnlockKeyRefused => t::event_unlock_key_refused(),
        ActivityKind::FlowEnded => t::event_flow_ended(),
        ActivityKind::RecordOpened => t::event_record_opened(),
        ActivityKind::LockOutCleared => t::event_lock_out_cleared(),
        ActivityKind::RegistrationEnded => t::event_registration_ended(),
        ActivityKind::EmailSet => t::event_email_set(),
        ActivityKind::EmailConfirmed => t::event_email_confirmed(),
        ActivityKind::ChangeBegun => t::event_change_begun(),
        ActivityKind::QuestionsChanged => t::event_questions_changed(),
        ActivityKind::RecoveryCodesMade => t::event_recovery_codes_made(),
        ActivityKind::EmailChanged => t::event_email_changed(),
        ActivityKind::PasscodeChanged => t::event_passcode_changed(),
        ActivityKind::CardCancelled => t::event_card_cancelled(),
        ActivityKind::RoleGranted => t::event_role_granted(),
    }
}
