//! The stages between the page and the card, in the order in which they depend on each other, and what is found at each.

use card_protocol::{
    CardFailure,
    message::{CardExamination, CardPresence, Readers},
};

use crate::{
    bridge::{
        Examined, Trouble,
        diagnosis::{Diagnosis, Permission},
    },
    t,
};

/// A stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Whether the browser lets the page reach this machine.
    Browser,
    /// Whether the bridge answers at its port.
    Port,
    /// Whether it serves this website.
    Origin,
    /// Whether the smartcard service runs.
    Service,
    /// Whether a reader is connected.
    Reader,
    /// Whether a card is in it, and answers.
    Card,
    /// Whether the card has the PIV application, and an identity.
    Applet,
    /// Whether it has its keys, and passcode tries.
    Keys,
}

impl Stage {
    /// All, in their order.
    pub const ALL: [Self; 8] =
        [Self::Browser, Self::Port, Self::Origin, Self::Service, Self::Reader, Self::Card, Self::Applet, Self::Keys];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Browser => t::check_browser(),
            Self::Port => t::check_bridge(),
            Self::Origin => t::check_origin(),
            Self::Service => t::check_service(),
            Self::Reader => t::check_reader(),
            Self::Card => t::check_card(),
            Self::Applet => t::check_applet(),
            Self::Keys => t::check_keys(),
        }
    }
}

/// How a stage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not looked at, or an earlier one stands in the way.
    NotChecked,
    /// As it should be.
    Works,
    /// Somebody has to do something.
    Fails,
}

impl Verdict {
    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotChecked => t::check_unknown(),
            Self::Works => t::check_works(),
            Self::Fails => t::check_fails(),
        }
    }
}

/// What was found at a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stage.
    pub stage: Stage,
    /// How it stands.
    pub verdict: Verdict,
    /// What was seen; may be empty.
    pub told: String,
    /// What to do; empty where nothing is.
    pub advice: &'static str,
}

impl Finding {
    /// Nothing is known.
    pub fn not_checked(stage: Stage) -> Self {
        Self { stage, verdict: Verdict::NotChecked, told: String::new(), advice: "" }
    }
}

/// What stands in the way: at which stage, what was seen and what to do.
type Obstacle = (Stage, String, &'static str);

/// What was found, of all stages in their order.
pub fn look(examined: &Result<Examined, Trouble>, port: u16, permission: Permission) -> Vec<Finding> {
    let obstacle = match examined {
        Err(trouble) => Some(on_the_way(trouble)),
        Ok(examined) => at_the_card(examined),
    };
    let fails_at = obstacle.as_ref().map(|(stage, ..)| *stage);
    let mut reached = true;
    Stage::ALL
        .map(|stage| match &obstacle {
            Some((fails, told, advice)) if *fails == stage => {
                reached = false;
                Finding { stage, verdict: Verdict::Fails, told: told.clone(), advice }
            }
            _ if !reached => Finding::not_checked(stage),
            // Of a bridge that can't be reached nobody knows whether it is the browser's doing, unless it says so.
            _ if stage == Stage::Browser && fails_at == Some(Stage::Port) && permission == Permission::Prompt => {
                Finding { told: t::check_browser_may_ask().to_owned(), ..Finding::not_checked(stage) }
            }
            _ => Finding { stage, verdict: Verdict::Works, told: seen(stage, examined, port), advice: "" },
        })
        .to_vec()
}

/// What keeps the page from the bridge.
fn on_the_way(trouble: &Trouble) -> Obstacle {
    let (stage, told, advice) = match trouble {
        Trouble::Bridge(diagnosis) => match diagnosis {
            Diagnosis::Blocked => (Stage::Browser, t::reader_blocked(), t::check_blocked_advice()),
            Diagnosis::NotInThisBrowser => (Stage::Browser, t::reader_no_close(), t::check_helper_advice()),
            Diagnosis::HelperStopped => (Stage::Browser, t::reader_helper_stopped(), t::reader_helper_stopped_help()),
            Diagnosis::HelperClosed => (Stage::Browser, t::reader_helper_closed(), t::reader_helper_closed_help()),
            Diagnosis::HelperSilent => (Stage::Port, t::reader_helper_silent(), t::reader_helper_silent_help()),
            Diagnosis::NotRunning => (Stage::Port, t::reader_not_running(), t::reader_not_running_help()),
            Diagnosis::Hung => (Stage::Port, t::reader_hung(), t::reader_hung_help()),
            Diagnosis::OtherUser => (Stage::Port, t::reader_user(), t::reader_user_help()),
            Diagnosis::Version => (Stage::Port, t::reader_version(), t::reader_version_help()),
            Diagnosis::Paused => (Stage::Port, t::reader_paused(), t::reader_paused_help()),
            Diagnosis::Lost => (Stage::Port, t::reader_lost(), t::reader_lost_help()),
            Diagnosis::NotTrusted => (Stage::Origin, t::reader_origin(), t::reader_origin_help()),
        },
        Trouble::NoSealing => (Stage::Browser, t::reader_no_sealing(), t::reader_no_sealing_help()),
        Trouble::Card(_) => (Stage::Port, t::reader_malformed(), t::reader_version_help()),
    };
    (stage, told.to_owned(), advice)
}

/// What keeps the bridge from the card, or is wrong with that.
fn at_the_card(Examined { readers, card, .. }: &Examined) -> Option<Obstacle> {
    let (stage, told, advice) = match card {
        _ if *readers == Readers::Stopped => (Stage::Service, t::reader_no_service(), t::reader_no_service_help()),
        Ok(CardExamination::Complete { tries_left: Some(0) }) => {
            (Stage::Keys, t::check_locked(), t::check_locked_advice())
        }
        Ok(CardExamination::Complete { .. }) => return None,
        Ok(CardExamination::NoApplication) => (Stage::Applet, t::check_no_applet(), t::check_ask_ra()),
        Ok(CardExamination::NoIdentity) => (Stage::Applet, t::check_no_identity(), t::check_ask_ra()),
        Ok(CardExamination::NoKeys) => (Stage::Keys, t::check_no_keys(), t::check_ask_ra()),
        Err(failure) => match failure {
            CardFailure::NoService => (Stage::Service, t::reader_no_service(), t::reader_no_service_help()),
            CardFailure::NoReader => (Stage::Reader, t::reader_no_reader(), t::reader_no_reader_help()),
            CardFailure::NoCard => (Stage::Card, t::reader_no_card(), t::reader_no_card_help()),
            CardFailure::SeveralCards { .. } => (Stage::Card, t::reader_several_cards(), ""),
            CardFailure::CardInUse { programs } => {
                let told = match programs.as_slice() {
                    [] => t::reader_card_in_use().to_owned(),
                    programs => {
                        [t::reader_card_in_use(), " ", &t::reader_card_in_use_by(&programs.join(", "))].concat()
                    }
                };
                return Some((Stage::Card, told, t::reader_card_in_use_help()));
            }
            CardFailure::CardSilent => (Stage::Card, t::reader_card_silent(), t::reader_card_silent_help()),
            CardFailure::Busy => (Stage::Card, t::reader_busy(), t::reader_busy_help()),
            CardFailure::CardRemoved => (Stage::Card, t::reader_card_removed(), t::reader_no_card_help()),
            // Several readers hold a card, and none of them is one of ours.
            CardFailure::UnsupportedCard => (Stage::Applet, t::check_no_applet(), t::check_ask_ra()),
            _ => (Stage::Card, t::reader_malformed(), ""),
        },
    };
    Some((stage, told.to_owned(), advice))
}

/// What is to be told of a stage that works.
fn seen(stage: Stage, examined: &Result<Examined, Trouble>, port: u16) -> String {
    let Ok(Examined { version, by_helper, readers, card }) = examined else { return String::new() };
    match stage {
        Stage::Browser if *by_helper => t::check_by_helper().to_owned(),
        Stage::Port => t::check_version(version, &port.to_string()),
        Stage::Reader => names(readers, |_| true),
        Stage::Card => names(readers, |card| card == CardPresence::Present),
        Stage::Keys => match card {
            Ok(CardExamination::Complete { tries_left: Some(tries) }) => t::check_tries((*tries).into()),
            _ => String::new(),
        },
        Stage::Browser | Stage::Origin | Stage::Service | Stage::Applet => String::new(),
    }
}

/// The names of readers.
fn names(readers: &Readers, which: impl Fn(CardPresence) -> bool) -> String {
    let Readers::Running { readers } = readers else { return String::new() };
    let names: Vec<_> = readers.iter().filter(|reader| which(reader.card)).map(|reader| reader.name.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use card_protocol::message::{Keypad, Reader};

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as the client of the bridge answers")]
    fn examined(card: Result<CardExamination, CardFailure>) -> Result<Examined, Trouble> {
        let reader = Reader { name: "Reader 00".to_owned(), card: CardPresence::Present, keypad: Keypad::None };
        let readers = Readers::Running { readers: vec![reader] };
        Ok(Examined { version: "1.2.3".to_owned(), by_helper: false, readers, card })
    }

    fn looked(examined: &Result<Examined, Trouble>) -> Vec<Finding> {
        look(examined, 24787, Permission::Granted)
    }

    #[test]
    fn a_card_that_lacks_nothing_works_at_every_stage() {
        let findings = looked(&examined(Ok(CardExamination::Complete { tries_left: Some(3) })));
        assert!(findings.iter().all(|finding| finding.verdict == Verdict::Works && finding.advice.is_empty()));
        assert_eq!(findings.iter().map(|finding| finding.stage).collect::<Vec<_>>(), Stage::ALL);
        assert_eq!(findings[4].told, "Reader 00");
        assert_eq!(findings[7].told, "3 passcode tries left");
    }

    #[test]
    fn each_trouble_fails_at_its_stage_with_advice_and_nothing_after_it_is_known() {
        let bridge = |diagnosis| Err(Trouble::Bridge(diagnosis));
        for (examined, stage) in [
            (bridge(Diagnosis::Blocked), Stage::Browser),
            (bridge(Diagnosis::NotInThisBrowser), Stage::Browser),
            (bridge(Diagnosis::NotRunning), Stage::Port),
            (bridge(Diagnosis::Paused), Stage::Port),
            (bridge(Diagnosis::NotTrusted), Stage::Origin),
            (examined(Err(CardFailure::NoService)), Stage::Service),
            (examined(Err(CardFailure::NoReader)), Stage::Reader),
            (examined(Err(CardFailure::NoCard)), Stage::Card),
            (examined(Err(CardFailure::CardSilent)), Stage::Card),
            (examined(Err(CardFailure::CardInUse { programs: vec!["scdaemon".to_owned()] })), Stage::Card),
            (examined(Ok(CardExamination::NoApplication)), Stage::Applet),
            (examined(Ok(CardExamination::NoIdentity)), Stage::Applet),
            (examined(Ok(CardExamination::NoKeys)), Stage::Keys),
            (examined(Ok(CardExamination::Complete { tries_left: Some(0) })), Stage::Keys),
        ] {
            let findings = looked(&examined);
            let position = Stage::ALL.iter().position(|known| *known == stage).unwrap();
            for (at, finding) in findings.iter().enumerate() {
                let expected = match at.cmp(&position) {
                    std::cmp::Ordering::Less => Verdict::Works,
                    std::cmp::Ordering::Equal => Verdict::Fails,
                    std::cmp::Ordering::Greater => Verdict::NotChecked,
                };
                assert_eq!(finding.verdict, expected, "{examined:?}: {finding:?}");
            }
            assert!(!findings[position].told.is_empty() && !findings[position].advice.is_empty(), "{examined:?}");
        }
    }

    #[test]
    fn a_browser_that_may_have_asked_is_not_said_to_work() {
        let findings = look(&Err(Trouble::Bridge(Diagnosis::NotRunning)), 24787, Permission::Prompt);
        assert_eq!(findings[0].verdict, Verdict::NotChecked);
        assert!(!findings[0].told.is_empty());
        assert_eq!(findings[1].verdict, Verdict::Fails);
    }
}
