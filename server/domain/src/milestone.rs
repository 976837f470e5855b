//! How far people get: what is counted of their unlocks, registrations and changes, and says nothing of whose they are.

use crate::{
    registration::flow::{FlowFactor, RegistrationStep},
    unlock::{EndReason, UnlockStep, service::DeadEndReason},
};

/// A stage has ended in a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Milestone {
    /// Of what.
    pub flow: FlowKind,
    /// Which stage.
    pub stage: Stage,
    /// How it ended.
    pub end: StageEnd,
}

/// What is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowKind {
    /// An unlock.
    Unlock,
    /// A registration.
    Registration,
    /// A change of a registration.
    Change,
}

/// A part of a flow, in the order in which those of a registration come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// It is to begin: passed, it was started.
    Begin,
    /// Questions are to be answered, or to be set.
    Questions,
    /// A recovery code is to be entered.
    RecoveryCode,
    /// Recovery codes are to be kept.
    Keep,
    /// An address is to be confirmed.
    Email,
    /// The code of a mail is to be entered.
    Code,
    /// A passcode is to be chosen and the card to be written: passed, the card is unlocked.
    Passcode,
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StageEnd {
    /// The person went on, after the last stage to the end.
    Passed,
    /// The person went back to an earlier one.
    WentBack,
    /// The person stopped, or somebody stopped it for them.
    Stopped,
    /// The card began another unlock, or the person another registration or change in the same session.
    Superseded,
    /// Nobody went on in its time. It is counted when another takes its place, or it is forgotten.
    Expired,
    /// Too many attempts failed, now or before.
    LockedOut,
    /// The tries of a code are used up.
    CodeTriesUsedUp,
    /// The card refused every unlock key, now or before.
    UnlockKeyRefused,
    /// Self-service is frozen.
    Frozen,
    /// The person has not registered.
    NotRegistered,
    /// The card is cancelled.
    Cancelled,
    /// There is no address to which a code could go.
    NoAddress,
}

impl FlowKind {
    /// All.
    pub const ALL: [Self; 3] = [Self::Unlock, Self::Registration, Self::Change];

    /// As figures name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unlock => "unlock",
            Self::Registration => "registration",
            Self::Change => "change",
        }
    }

    /// The stages that it can have.
    pub fn stages(self) -> &'static [Stage] {
        match self {
            Self::Unlock => &[Stage::Begin, Stage::Questions, Stage::RecoveryCode, Stage::Code, Stage::Passcode],
            Self::Registration => &[Stage::Begin, Stage::Questions, Stage::Email, Stage::Code],
            Self::Change => &[Stage::Begin, Stage::Questions, Stage::Keep, Stage::Email, Stage::Code],
        }
    }
}

impl Stage {
    /// As figures name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Questions => "questions",
            Self::RecoveryCode => "recovery-code",
            Self::Keep => "keep",
            Self::Email => "email",
            Self::Code => "code",
            Self::Passcode => "passcode",
        }
    }
}

impl StageEnd {
    /// All.
    pub const ALL: [Self; 12] = [
        Self::Passed,
        Self::WentBack,
        Self::Stopped,
        Self::Superseded,
        Self::Expired,
        Self::LockedOut,
        Self::CodeTriesUsedUp,
        Self::UnlockKeyRefused,
        Self::Frozen,
        Self::NotRegistered,
        Self::Cancelled,
        Self::NoAddress,
    ];

    /// As figures name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::WentBack => "went-back",
            Self::Stopped => "stopped",
            Self::Superseded => "superseded",
            Self::Expired => "expired",
            Self::LockedOut => "locked-out",
            Self::CodeTriesUsedUp => "code-tries-used-up",
            Self::UnlockKeyRefused => "unlock-key-refused",
            Self::Frozen => "frozen",
            Self::NotRegistered => "not-registered",
            Self::Cancelled => "cancelled",
            Self::NoAddress => "no-address",
        }
    }
}

impl From<EndReason> for StageEnd {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::Stopped => Self::Stopped,
            EndReason::Superseded => Self::Superseded,
            EndReason::LockedOut => Self::LockedOut,
            EndReason::CodeTriesUsedUp => Self::CodeTriesUsedUp,
            EndReason::UnlockKeyRefused => Self::UnlockKeyRefused,
            EndReason::Frozen => Self::Frozen,
        }
    }
}

impl From<DeadEndReason> for StageEnd {
    fn from(reason: DeadEndReason) -> Self {
        match reason {
            DeadEndReason::NotRegistered => Self::NotRegistered,
            DeadEndReason::LockedOut => Self::LockedOut,
            DeadEndReason::Frozen => Self::Frozen,
            DeadEndReason::Cancelled => Self::Cancelled,
            DeadEndReason::UnlockKeyRefused => Self::UnlockKeyRefused,
            DeadEndReason::NoAddress => Self::NoAddress,
        }
    }
}

impl Milestone {
    /// An unlock was begun.
    pub(crate) fn unlock_begun() -> Self {
        Self { flow: FlowKind::Unlock, stage: Stage::Begin, end: StageEnd::Passed }
    }

    /// A registration, or the change of one, was begun with this step.
    pub(crate) fn registration_begun(with: &RegistrationStep) -> Option<Self> {
        let (flow, _) = stage_of_registration(with)?;
        Some(Self { flow, stage: Stage::Begin, end: StageEnd::Passed })
    }

    /// A card was refused an unlock.
    pub(crate) fn refused(reason: DeadEndReason) -> Self {
        Self { flow: FlowKind::Unlock, stage: Stage::Begin, end: reason.into() }
    }

    /// An unlock goes from a step to another; nothing where it stays at the same.
    pub(crate) fn of_unlock(from: &UnlockStep, to: &UnlockStep) -> Option<Self> {
        let end = match (to, stage_of_unlock(to)) {
            (UnlockStep::Ended { reason, .. }, _) => (*reason).into(),
            (_, stage) if stage == stage_of_unlock(from) => return None,
            _ => StageEnd::Passed,
        };
        Self::unlock_ended(from, end)
    }

    /// A registration, or the change of one, goes from a step to another. It ends by itself where the tries of its code are
    /// used up.
    pub(crate) fn of_registration(from: &RegistrationStep, to: &RegistrationStep) -> Option<Self> {
        let (_, stage) = stage_of_registration(from)?;
        let end = match (to, stage_of_registration(to)) {
            (RegistrationStep::Ended, _) => StageEnd::CodeTriesUsedUp,
            (_, Some((_, then))) if then == stage => return None,
            (_, Some((_, then))) if then < stage => StageEnd::WentBack,
            _ => StageEnd::Passed,
        };
        Self::registration_ended(from, end)
    }

    /// An unlock ends at this step; nothing where it had ended.
    pub fn unlock_ended(at: &UnlockStep, end: StageEnd) -> Option<Self> {
        Some(Self { flow: FlowKind::Unlock, stage: stage_of_unlock(at)?, end })
    }

    /// A registration, or the change of one, ends at this step; nothing where it had ended.
    pub fn registration_ended(at: &RegistrationStep, end: StageEnd) -> Option<Self> {
        let (flow, stage) = stage_of_registration(at)?;
        Some(Self { flow, stage, end })
    }
}

fn stage_of_unlock(step: &UnlockStep) -> Option<Stage> {
    match step {
        UnlockStep::Questions(_) => Some(Stage::Questions),
        UnlockStep::RecoveryCode(_) => Some(Stage::RecoveryCode),
        UnlockStep::Code(_) => Some(Stage::Code),
        UnlockStep::Passcode(_) => Some(Stage::Passcode),
        UnlockStep::Completed(_) | UnlockStep::Ended { .. } => None,
    }
}

fn stage_of_registration(step: &RegistrationStep) -> Option<(FlowKind, Stage)> {
    let kind = |factor: &FlowFactor| match factor {
        FlowFactor::New(_) => FlowKind::Registration,
        FlowFactor::Kept {} => FlowKind::Change,
    };
    match step {
        RegistrationStep::Questions(_) => Some((FlowKind::Registration, Stage::Questions)),
        RegistrationStep::Email(step) => Some((kind(&step.factor), Stage::Email)),
        RegistrationStep::Code(step) => Some((kind(&step.factor), Stage::Code)),
        RegistrationStep::Factor(_) => Some((FlowKind::Change, Stage::Questions)),
        RegistrationStep::Keep(_) => Some((FlowKind::Change, Stage::Keep)),
        RegistrationStep::Completed | RegistrationStep::Ended => None,
    }
}
