//! Why there is no connection to the bridge, told apart by what the websocket did and what the browser allows.
//!
//! | seen | meaning |
//! | --- | --- |
//! | closed with 1006, permission denied | the browser blocks it |
//! | closed with 1006 otherwise | nothing listens there |
//! | still connecting, the browser may ask | the person has a question to answer |
//! | still connecting otherwise; open and silent | the bridge hangs |
//! | open, then 4403, 4400, 4401, 4426 | the bridge refuses this page |
//! | open, then 4503 | the person has paused the bridge |
//! | open, then 4429 | the bridge has too many connections, so it hangs |
//! | an error and no close, or refused at once | the browser does not let any page do this |

use card_protocol::close_code;

/// Why there is no connection to the bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// Nothing listens at the bridge's port.
    NotRunning,
    /// The browser's question was denied, or a policy denies it.
    Blocked,
    /// The browser does not let a page of this kind do it at all.
    NotInThisBrowser,
    /// The bridge does not answer.
    Hung,
    /// The bridge does not list this page's origin, or was reached by another name than its own.
    NotTrusted,
    /// The bridge belongs to another user of the machine.
    OtherUser,
    /// Page and bridge do not speak the same version.
    Version,
    /// The person has paused the bridge.
    Paused,
    /// The connection broke.
    Lost,
    /// The browser did not open the helper window.
    HelperStopped,
    /// The helper window was closed, or nobody has allowed this website in it.
    HelperClosed,
    /// Nothing of the bridge's came from the helper window: it shows an error of the browser's, or says why itself.
    HelperSilent,
}

/// What the browser says about reaching this machine's own services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Allowed, or not asked for: the page itself is on loopback.
    Granted,
    /// Denied.
    Denied,
    /// The browser asks, or allows without a word.
    Prompt,
    /// This browser knows no such permission.
    Unknown,
}

/// How long a connection may stay in the making before the person is told of the browser's question.
pub const ASKING_AFTER: u32 = 700;

/// How long a bridge that is there may take to say hello.
pub const HELLO_WITHIN: u32 = 5_000;

/// How long the person may take over the browser's question.
pub const ANSWER_WITHIN: u32 = 120_000;

/// How long the person may take to allow this website in the helper window.
pub const HELPER_WITHIN: u32 = 120_000;

/// How long a helper window may take to be there at all.
pub const HELPER_THERE_WITHIN: u32 = 8_000;

/// How long a helper window of before a reload may take to speak.
pub const HELPER_AGAIN_WITHIN: u32 = 2_500;

/// How long a close may follow an error.
pub const CLOSE_AFTER_ERROR: u32 = 300;

/// What a close before the bridge's hello means.
pub fn of_close(code: u16, permission: Permission) -> Diagnosis {
    match code {
        close_code::ORIGIN | close_code::HOST => Diagnosis::NotTrusted,
        close_code::USER => Diagnosis::OtherUser,
        close_code::VERSION => Diagnosis::Version,
        close_code::PAUSED => Diagnosis::Paused,
        // It has as many connections as it takes, and they are not this page's: to a person it does not answer.
        close_code::FULL => Diagnosis::Hung,
        _ if permission == Permission::Denied => Diagnosis::Blocked,
        _ => Diagnosis::NotRunning,
    }
}

/// Whether a connection that stays in the making means that the browser asks the person.
pub fn may_be_asking(permission: Permission) -> bool {
    match permission {
        Permission::Prompt => true,
        Permission::Granted | Permission::Denied | Permission::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_that_refuses_is_told_from_one_that_is_not_there() {
        assert_eq!(of_close(1006, Permission::Granted), Diagnosis::NotRunning);
        assert_eq!(of_close(1006, Permission::Unknown), Diagnosis::NotRunning);
        assert_eq!(of_close(4403, Permission::Prompt), Diagnosis::NotTrusted);
        assert_eq!(of_close(4400, Permission::Prompt), Diagnosis::NotTrusted);
        assert_eq!(of_close(4401, Permission::Prompt), Diagnosis::OtherUser);
        assert_eq!(of_close(4426, Permission::Prompt), Diagnosis::Version);
        assert_eq!(of_close(4503, Permission::Prompt), Diagnosis::Paused);
        assert_eq!(of_close(4429, Permission::Prompt), Diagnosis::Hung);
    }

    #[test]
    fn a_denied_permission_explains_an_abnormal_close_and_no_other() {
        assert_eq!(of_close(1006, Permission::Denied), Diagnosis::Blocked);
        assert_eq!(of_close(4403, Permission::Denied), Diagnosis::NotTrusted);
    }

    #[test]
    fn a_person_is_told_of_a_question_only_where_the_browser_may_ask_one() {
        assert!(may_be_asking(Permission::Prompt));
        assert!(!may_be_asking(Permission::Granted));
    }
}
