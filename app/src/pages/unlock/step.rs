//! What the steps of an unlock have in common: each asks the server where the unlock is, and shows that.

use card_protocol::{CardProof, Purpose};
use leptos::prelude::*;
use leptos_router::components::Redirect;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    super::{
        more_time::{Idle, MoreTime},
        unavailable::Unavailable,
    },
    DeadEndPage, StopForm,
};
use crate::{
    app::Way,
    bridge::Bridge,
    components::{Errors, Step},
    config::{PolicyProfile, facts},
    server_fns::Referred,
    server_fns::unlock::{ChallengeFor, DeadEnd, Ended, UnlockFault, UnlockPage, look_at_unlock, unlock_challenge},
    t,
    work::Work,
};

/// A step of an unlock, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// The questions.
    Questions,
    /// A recovery code, before the code by e-mail.
    RecoveryCode,
    /// The code.
    Code,
    /// A recovery code, after it.
    LastRecoveryCode,
    /// The passcode.
    Passcode,
    /// It is done.
    Done,
}

impl Place {
    /// Where an unlock is; nowhere before it began and after it ended.
    pub fn of(page: &UnlockPage) -> Option<Self> {
        match page {
            UnlockPage::Questions { .. } => Some(Self::Questions),
            UnlockPage::Code { .. } => Some(Self::Code),
            UnlockPage::RecoveryCode { after_code: false, .. } => Some(Self::RecoveryCode),
            UnlockPage::RecoveryCode { after_code: true, .. } => Some(Self::LastRecoveryCode),
            UnlockPage::Passcode | UnlockPage::PasscodeAgain => Some(Self::Passcode),
            UnlockPage::Completed => Some(Self::Done),
            UnlockPage::NotBegun | UnlockPage::Ended(_) | UnlockPage::DeadEnd(_) => None,
        }
    }

    /// The address of its page.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Questions => "/unlock/questions",
            Self::RecoveryCode => "/unlock/recovery-code",
            Self::LastRecoveryCode => "/unlock/last-recovery-code",
            Self::Code => "/unlock/code",
            Self::Passcode => "/unlock/passcode",
            Self::Done => "/unlock/done",
        }
    }
}

impl Place {
    /// Which of the steps it is that this installation asks for.
    pub fn step(self) -> Step {
        let steps: &[Self] = match facts().profile {
            PolicyProfile::Classic => &[Self::Questions, Self::Code, Self::Passcode],
            PolicyProfile::CodeOnly => &[Self::Code, Self::Passcode],
            PolicyProfile::Strict => &[Self::Code, Self::LastRecoveryCode, Self::Passcode],
        };
        // A recovery code stands where the questions do.
        let place = if self == Self::RecoveryCode { Self::Questions } else { self };
        let before = steps.iter().take_while(|step| **step != place).count();
        let count = |steps: usize| u32::try_from(steps).unwrap_or_default();
        Step { number: count(before) + 1, of: count(steps.len()) }
    }
}

/// What a step works with.
#[derive(Clone, Copy)]
pub struct Here {
    /// What is wrong on the page.
    pub errors: Errors,
    /// What is being done.
    pub work: Work,
    /// The way on.
    pub way: Way,
    /// The card bridge.
    pub bridge: Bridge,
    /// Where self-service ended.
    pub dead_end: RwSignal<Option<DeadEnd>>,
    /// What was handed in last without an answer from the server, and the proof that went with it.
    unanswered: StoredValue<Option<(Zeroizing<String>, CardProof)>>,
    page: Resource<Result<UnlockPage, UnlockFault>>,
}

impl Here {
    fn new() -> Self {
        Self {
            errors: Errors::new(Vec::new()),
            work: Work::new(),
            way: Way::of_page(),
            bridge: Bridge::of_page(),
            dead_end: RwSignal::new(None),
            unanswered: StoredValue::new(None),
            page: Resource::new(|| (), |()| look_at_unlock()),
        }
    }

    /// Has the card prove itself for the next request; nothing where it cannot, which is shown already.
    pub async fn prove(self, what_for: ChallengeFor) -> Option<CardProof> {
        self.bridge.connect().await.ok()?;
        let challenge = match unlock_challenge(what_for).await {
            Ok(challenge) => challenge,
            Err(fault) => {
                self.meet(&fault);
                return None;
            }
        };
        let purpose = match what_for {
            ChallengeFor::Attempt => Purpose::Attempt,
            ChallengeFor::Release => Purpose::Release,
        };
        self.bridge.prove_card(purpose, challenge).await.ok()
    }

    /// Hands in what was typed, with a proof of the card. Where no answer came, the same again goes with the same proof:
    /// the server answers it as it did or would have done, and does not count it twice. Nothing where the card cannot
    /// prove itself, which is shown already.
    pub async fn hand_in<T>(
        self,
        typed: Zeroizing<String>,
        send: impl AsyncFn(CardProof) -> Result<T, UnlockFault>,
    ) -> Option<Result<T, UnlockFault>> {
        if let Some((_, proof)) = self.unanswered.get_value().filter(|(earlier, _)| *earlier == typed) {
            let answer = send(proof).await;
            if is_unanswered(&answer) {
                return Some(answer);
            }
            self.unanswered.set_value(None);
            // It never arrived, and the challenge is too old by now.
            if !matches!(answer, Err(UnlockFault::Stale)) {
                return Some(answer);
            }
        }
        let proof = self.prove(ChallengeFor::Attempt).await?;
        let answer = send(proof.clone()).await;
        if is_unanswered(&answer) {
            self.unanswered.set_value(Some((typed, proof)));
        }
        Some(answer)
    }

    /// Does what a fault asks for.
    pub fn meet(self, fault: &UnlockFault) {
        match fault {
            UnlockFault::NoFlow => self.way.go("/unlock?over"),
            UnlockFault::OtherStep => self.page.refetch(),
            UnlockFault::DeadEnd(end) => self.dead_end.set(Some(end.clone())),
            UnlockFault::Stale => self.errors.show_general(t::fault_proof_stale()),
            UnlockFault::Refused(reference) => self.errors.show_general(reference.quoted(t::fault_proof_refused())),
            UnlockFault::Unavailable(_) | UnlockFault::Busy => self.errors.show_general(fault.unavailable()),
            UnlockFault::Unreachable => self.errors.show_general(t::fault_unreachable()),
            UnlockFault::TooOften { .. }
            | UnlockFault::AnswersMissing
            | UnlockFault::NoCode
            | UnlockFault::NotACode
            | UnlockFault::NoRecoveryCode
            | UnlockFault::NotARecoveryCode => self.errors.show_general(t::fault_unavailable()),
        }
    }
}

/// Whether it may have been handled without the answer having come back.
fn is_unanswered<T>(answer: &Result<T, UnlockFault>) -> bool {
    matches!(answer, Err(UnlockFault::Unreachable | UnlockFault::Unavailable(_)))
}

/// Shows a step, or goes where the unlock is.
pub fn at_step(
    place: Place,
    show: impl Fn(UnlockPage, Here) -> AnyView + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let here = Here::new();
    move || {
        match here.dead_end.get() {
        Some(end) => view! { <DeadEndPage end /> }.into_any(),
        None => view! {
            <Suspense fallback=|| ()>
                {move || Suspend::new(async move {
                    match here.page.await {
                        Ok(page) if Place::of(&page) == Some(place) => view! {
                            {show(page, here)}
                            {(place != Place::Done).then(|| view! { <MoreTime of=Idle::Unlock><StopForm /></MoreTime> })}
                        }
                        .into_any(),
                        Ok(page) => elsewhere(place, &page, here.way),
                        Err(fault) => {
                            view! { <Unavailable title=t::unlock_title() back="/unlock" text=fault.unavailable() /> }.into_any()
                        }
                    }
                })}
            </Suspense>
        }
        .into_any(),
    }
    }
}

fn elsewhere(here: Place, page: &UnlockPage, way: Way) -> AnyView {
    if let Some(place) = Place::of(page) {
        if here < place {
            way.leave_notice(t::already_done());
        }
        return view! { <Redirect path=place.path() /> }.into_any();
    }
    let start = |path| view! { <Redirect path=path /> }.into_any();
    match page {
        UnlockPage::DeadEnd(end) => view! { <DeadEndPage end=end.clone() /> }.into_any(),
        UnlockPage::Ended(Ended::Stopped) => start("/unlock?stopped"),
        UnlockPage::Ended(Ended::Superseded) => start("/unlock?superseded"),
        UnlockPage::Ended(Ended::CodeTriesUsedUp) => start("/unlock?tries"),
        _ => start("/unlock?over"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_its_page_and_they_follow_each_other() {
        assert_eq!(Place::of(&UnlockPage::PasscodeAgain), Some(Place::Passcode));
        assert_eq!(Place::of(&UnlockPage::Ended(Ended::Stopped)), None);
        assert!(Place::Questions < Place::Code && Place::Code < Place::Passcode && Place::Passcode < Place::Done);
    }
}
