//! The words of mails that stand in no template of their own.

use domain::{
    language::Language,
    ra::{Deed, IdentityCheck, Reason},
};

/// The words of a language.
pub struct Words {
    /// Before the name.
    pub dear: &'static str,
    pub not_you: &'static str,
    /// Why self-service is frozen, before `freeze_here` or `freeze_link`.
    pub freeze: &'static str,
    /// Before an address on a line of its own.
    pub freeze_here: &'static str,
    /// The words of a link.
    pub freeze_link: &'static str,
    pub telephone: &'static str,
    /// Before the number to call while the Registration Authority is closed.
    pub out_of_hours: &'static str,
    pub email: &'static str,
    pub no_reply: &'static str,
    pub months: [&'static str; 12],
    /// Behind a time of the morning, and of the afternoon.
    pub halves_of_day: [&'static str; 2],
    /// What an officer did, behind «your Registration Authority».
    pub deed: fn(Deed) -> &'static str,
    pub reason: fn(Reason) -> &'static str,
    pub check: fn(IdentityCheck) -> &'static str,
}

impl Words {
    /// Those of a language.
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Welsh => &WELSH,
        }
    }
}

const ENGLISH: Words = Words {
    dear: "Dear",
    not_you: "If this was not you, contact your RA now.",
    freeze: "So that nobody can go on in your name until they have helped you,",
    freeze_here: "freeze Smartcard Unlock here",
    freeze_link: "freeze Smartcard Unlock",
    telephone: "Telephone",
    out_of_hours: "When it is closed",
    email: "Email",
    no_reply: "Please do not reply: nobody reads this mailbox.",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    halves_of_day: ["am", "pm"],
    deed: |deed| match deed {
        Deed::OpenRecord => "has looked at your record",
        Deed::ClearLockOut => "has let you use Smartcard Unlock again",
        Deed::Freeze => "has frozen Smartcard Unlock and your registration",
        Deed::EndRegistration => "has ended your Self Service registration",
        Deed::SetEmail => "has changed your email address. Unlock codes go to the new one after 24 hours",
        Deed::ConfirmEmail => "has confirmed your new email address. Unlock codes go to it from now on",
        Deed::CancelCard => "has cancelled one of your Smartcards",
        Deed::IssueCard => "has issued a Smartcard to you",
        Deed::UnlockCard => "let you choose a new passcode for your Smartcard in front of them",
        Deed::Appoint => "has changed what you may do at the Registration Authority's desk",
    },
    reason: |reason| match reason {
        Reason::PersonAsked => "you asked for it",
        Reason::CardLost => "the Smartcard is lost, stolen or broken",
        Reason::Misuse => "somebody else may be using it",
        Reason::WrongRecord => "what was on file was wrong",
        Reason::ChangeOfPost => "you start, leave or change your post",
    },
    check: |check| match check {
        IdentityCheck::PhotoId => "saw you and a photo ID",
        IdentityCheck::CalledBack => "called you back on the number held",
        IdentityCheck::VideoCall => "a video call with a photo ID",
        IdentityCheck::SponsorConfirmed => "your sponsor confirmed it",
    },
};

/// Made by a machine: no speaker of Welsh has read them yet, nor the templates.
const WELSH: Words = Words {
    dear: "Annwyl",
    not_you: "Os nad chi wnaeth hyn, cysylltwch â’ch RA nawr.",
    freeze: "Fel na all neb barhau yn eich enw chi nes iddynt eich helpu,",
    freeze_here: "rhewch y gwasanaeth Datgloi Cerdyn Clyfar yma",
    freeze_link: "rhewch y gwasanaeth Datgloi Cerdyn Clyfar",
    telephone: "Ffôn",
    out_of_hours: "Pan fydd ar gau",
    email: "E-bost",
    no_reply: "Peidiwch ag ateb y neges hon: nid oes neb yn darllen y blwch post hwn.",
    months: [
        "Ionawr",
        "Chwefror",
        "Mawrth",
        "Ebrill",
        "Mai",
        "Mehefin",
        "Gorffennaf",
        "Awst",
        "Medi",
        "Hydref",
        "Tachwedd",
        "Rhagfyr",
    ],
    halves_of_day: ["yb", "yp"],
    // Behind «fe wnaeth», so with soft mutation.
    deed: |deed| match deed {
        Deed::OpenRecord => "edrych ar eich cofnod",
        Deed::ClearLockOut => "adael i chi ddefnyddio’r gwasanaeth Datgloi Cerdyn Clyfar eto",
        Deed::Freeze => "rewi’r gwasanaeth Datgloi Cerdyn Clyfar a’ch cofrestriad",
        Deed::EndRegistration => "ddod â’ch cofrestriad Hunanwasanaeth i ben",
        Deed::SetEmail => "newid eich cyfeiriad e-bost. Bydd codau datgloi’n mynd i’r un newydd ar ôl 24 awr",
        Deed::ConfirmEmail => "gadarnhau eich cyfeiriad e-bost newydd. Bydd codau datgloi’n mynd iddo o hyn ymlaen",
        Deed::CancelCard => "ganslo un o’ch Cardiau Clyfar",
        Deed::IssueCard => "ddyroddi Cerdyn Clyfar i chi",
        Deed::UnlockCard => "adael i chi ddewis cod pas newydd ar gyfer eich Cerdyn Clyfar o’u blaen",
        Deed::Appoint => "newid yr hyn y cewch ei wneud wrth ddesg yr Awdurdod Cofrestru",
    },
    reason: |reason| match reason {
        Reason::PersonAsked => "gwnaethoch ofyn am hyn",
        Reason::CardLost => "mae’r Cerdyn Clyfar ar goll, wedi’i ddwyn neu wedi torri",
        Reason::Misuse => "efallai fod rhywun arall yn ei ddefnyddio",
        Reason::WrongRecord => "roedd yr hyn a oedd ar gofnod yn anghywir",
        Reason::ChangeOfPost => "rydych yn dechrau, yn gadael neu’n newid eich swydd",
    },
    check: |check| match check {
        IdentityCheck::PhotoId => "gwelsant chi ac ID â llun",
        IdentityCheck::CalledBack => "gwnaethant eich ffonio’n ôl ar y rhif sydd ar gofnod",
        IdentityCheck::VideoCall => "galwad fideo gydag ID â llun",
        IdentityCheck::SponsorConfirmed => "cadarnhaodd eich noddwr hynny",
    },
};
