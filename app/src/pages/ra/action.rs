//! What an officer can do: each has a page of its own.

use crate::{
    server_fns::ra::{Action, Role},
    t,
};

/// Something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionPage {
    /// Lets the person help themself again.
    ClearLockOut,
    /// Freezes self-service.
    Freeze,
    /// Ends the registration.
    EndRegistration,
    /// Sets the address.
    SetEmail,
    /// Confirms it.
    ConfirmEmail,
    /// Cancels a card.
    CancelCard,
    /// Unlocks a card in front of the officer.
    UnlockCard,
    /// Gives another role.
    Appoint,
}

impl ActionPage {
    /// All.
    const ALL: [Self; 8] = [
        Self::ClearLockOut,
        Self::Freeze,
        Self::EndRegistration,
        Self::SetEmail,
        Self::ConfirmEmail,
        Self::CancelCard,
        Self::UnlockCard,
        Self::Appoint,
    ];

    /// Finds the one of an address.
    pub fn of_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.slug() == slug)
    }

    /// The last part of its address.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::ClearLockOut => "clear",
            Self::Freeze => "freeze",
            Self::EndRegistration => "end-registration",
            Self::SetEmail => "email",
            Self::ConfirmEmail => "confirm-email",
            Self::CancelCard => "cancel-card",
            Self::UnlockCard => "unlock-card",
            Self::Appoint => "role",
        }
    }

    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::ClearLockOut => t::ra_act_clear(),
            Self::Freeze => t::ra_act_freeze(),
            Self::EndRegistration => t::ra_act_end(),
            Self::SetEmail => t::ra_act_email(),
            Self::ConfirmEmail => t::ra_act_confirm_email(),
            Self::CancelCard => t::ra_act_cancel_card(),
            Self::UnlockCard => t::ra_act_unlock_card(),
            Self::Appoint => t::ra_act_role(),
        }
    }

    /// What it does to the person.
    pub fn text(self) -> &'static str {
        match self {
            Self::ClearLockOut => t::ra_act_clear_text(),
            Self::Freeze => t::ra_act_freeze_text(),
            Self::EndRegistration => t::ra_act_end_text(),
            Self::SetEmail => t::ra_act_email_text(),
            Self::ConfirmEmail => t::ra_act_confirm_email_text(),
            Self::CancelCard => t::ra_act_cancel_card_text(),
            Self::UnlockCard => t::ra_act_unlock_card_text(),
            Self::Appoint => t::ra_act_role_text(),
        }
    }

    /// The action, with what was typed or chosen for it; nothing where that is missing.
    pub fn action(self, email: String, card: String, role: Option<Role>) -> Option<Action> {
        Some(match self {
            Self::ClearLockOut => Action::ClearLockOut,
            Self::Freeze => Action::Freeze,
            Self::EndRegistration => Action::EndRegistration,
            Self::SetEmail if email.trim().is_empty() => return None,
            Self::SetEmail => Action::SetEmail(email),
            Self::ConfirmEmail => Action::ConfirmEmail,
            Self::CancelCard => Action::CancelCard(card),
            Self::UnlockCard => Action::UnlockCard(card),
            Self::Appoint => Action::Appoint(role?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_has_an_address_of_its_own() {
        for action in ActionPage::ALL {
            assert_eq!(ActionPage::of_slug(action.slug()), Some(action));
        }
        assert_eq!(ActionPage::of_slug("something"), None);
    }
}
