//! What the mails say: their templates stand in `templates/email`, a folder for each.

use app::{FREEZE_PAGE, FREEZE_PARAMETER};
use askama::Template;
use domain::{
    email::EmailAddress,
    freezing::FreezeToken,
    mail::{Mail, Message},
    ra::{Deed, IdentityCheck, Reason},
    token::MailId,
};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    config::{LocalTimeZone, PublicUrl, RaSection},
    masking::masked,
};

/// A mail as it is read. Its text can hold a code.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Letter {
    /// Which mail, the same at every try.
    #[zeroize(skip)]
    pub id: MailId,
    /// To whom.
    #[zeroize(skip)]
    pub to: EmailAddress,
    /// The subject, one line. Never a code.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// What all letters of a service share.
#[derive(Clone)]
pub struct Stationery {
    /// What the service is called.
    pub service_name: String,
    /// Where its pages are.
    pub public_url: PublicUrl,
    /// In which times are told.
    pub time_zone: LocalTimeZone,
    /// Whom to contact.
    pub ra: RaSection,
}

/// What every template can say.
struct Envelope<'a> {
    stationery: &'a Stationery,
    /// On one line: no name can pretend to be a paragraph.
    name: String,
    day: String,
    time: String,
    /// The page where whoever did not do that has self-service frozen.
    freeze: Option<String>,
}

/// What the template of a code can say.
struct CodeEnvelope<'a> {
    envelope: Envelope<'a>,
    code: &'a str,
    works_until: String,
    minutes: i64,
}

/// What the template of a changed address can say.
struct ChangeEnvelope<'a> {
    envelope: Envelope<'a>,
    former: String,
    new: String,
    /// From when unlock codes go to the new address.
    day: String,
    time: String,
}

/// What the template of an officer's help can say.
struct HelpEnvelope<'a> {
    envelope: Envelope<'a>,
    /// What they did: «has …».
    what: &'static str,
    why: &'static str,
    how: &'static str,
}

impl<'a> HelpEnvelope<'a> {
    fn envelope(&self) -> &Envelope<'a> {
        &self.envelope
    }
}

impl<'a> ChangeEnvelope<'a> {
    fn envelope(&self) -> &Envelope<'a> {
        &self.envelope
    }
}

impl Envelope<'_> {
    fn envelope(&self) -> &Self {
        self
    }
}

impl<'a> CodeEnvelope<'a> {
    fn envelope(&self) -> &Envelope<'a> {
        &self.envelope
    }
}

/// Defines the three templates of a mail and the function that fills them in.
macro_rules! templates {
    ($function:ident, $context:ident, $subject:literal, $text:literal, $html:literal) => {
        fn $function(id: MailId, to: &EmailAddress, context: &$context<'_>) -> Result<Letter, askama::Error> {
            #[derive(Template)]
            #[template(path = $subject)]
            struct Subject;

            #[derive(Template)]
            #[template(path = $text)]
            struct Text<'a> {
                mail: &'a $context<'a>,
            }

            #[derive(Template)]
            #[template(path = $html)]
            struct Html<'a> {
                mail: &'a $context<'a>,
            }

            Ok(Letter {
                id,
                to: to.clone(),
                subject: one_line(&Subject.render()?),
                text: Text { mail: context }.render()?,
                html: Html { mail: context }.render()?,
            })
        }
    };
}

templates!(
    unlock_code,
    CodeEnvelope,
    "email/unlock-code/subject.txt",
    "email/unlock-code/body.txt",
    "email/unlock-code/body.html"
);
templates!(
    registration_code,
    CodeEnvelope,
    "email/registration-code/subject.txt",
    "email/registration-code/body.txt",
    "email/registration-code/body.html"
);
templates!(
    registration_complete,
    Envelope,
    "email/registration-complete/subject.txt",
    "email/registration-complete/body.txt",
    "email/registration-complete/body.html"
);
templates!(
    email_changed,
    ChangeEnvelope,
    "email/email-changed/subject.txt",
    "email/email-changed/body.txt",
    "email/email-changed/body.html"
);
templates!(
    passcode_changed,
    Envelope,
    "email/passcode-changed/subject.txt",
    "email/passcode-changed/body.txt",
    "email/passcode-changed/body.html"
);
templates!(
    questions_changed,
    Envelope,
    "email/questions-changed/subject.txt",
    "email/questions-changed/body.txt",
    "email/questions-changed/body.html"
);
templates!(
    recovery_codes_changed,
    Envelope,
    "email/recovery-codes-changed/subject.txt",
    "email/recovery-codes-changed/body.txt",
    "email/recovery-codes-changed/body.html"
);
templates!(
    registration_ended,
    Envelope,
    "email/registration-ended/subject.txt",
    "email/registration-ended/body.txt",
    "email/registration-ended/body.html"
);
templates!(
    card_enrolled,
    Envelope,
    "email/card-enrolled/subject.txt",
    "email/card-enrolled/body.txt",
    "email/card-enrolled/body.html"
);
templates!(
    card_unlocked,
    Envelope,
    "email/card-unlocked/subject.txt",
    "email/card-unlocked/body.txt",
    "email/card-unlocked/body.html"
);
templates!(
    self_service_locked,
    Envelope,
    "email/self-service-locked/subject.txt",
    "email/self-service-locked/body.txt",
    "email/self-service-locked/body.html"
);

templates!(
    unlock_key_refused,
    Envelope,
    "email/unlock-key-refused/subject.txt",
    "email/unlock-key-refused/body.txt",
    "email/unlock-key-refused/body.html"
);
templates!(
    self_service_frozen,
    Envelope,
    "email/self-service-frozen/subject.txt",
    "email/self-service-frozen/body.txt",
    "email/self-service-frozen/body.html"
);
templates!(
    ra_helped,
    HelpEnvelope,
    "email/ra-helped/subject.txt",
    "email/ra-helped/body.txt",
    "email/ra-helped/body.html"
);
templates!(
    person_erased,
    Envelope,
    "email/person-erased/subject.txt",
    "email/person-erased/body.txt",
    "email/person-erased/body.html"
);

impl Stationery {
    /// Writes a mail.
    ///
    /// # Errors
    ///
    /// When a template fails, which none does on its own.
    pub fn write(&self, id: MailId, mail: &Mail) -> Result<Letter, askama::Error> {
        let envelope = Envelope {
            stationery: self,
            name: one_line(&mail.name),
            day: self.time_zone.day(mail.at),
            time: self.time_zone.time_of_day(mail.at),
            freeze: mail.freeze.as_ref().map(|token| freeze_link(&self.public_url, token)),
        };
        match &mail.message {
            Message::UnlockCode { code, valid_until } => {
                unlock_code(id, &mail.to, &self.code(envelope, code, mail, *valid_until))
            }
            Message::RegistrationCode { code, valid_until } => {
                registration_code(id, &mail.to, &self.code(envelope, code, mail, *valid_until))
            }
            Message::EmailChanged { former, new, codes_from } => {
                let (day, time) = (self.time_zone.day(*codes_from), self.time_zone.time_of_day(*codes_from));
                let changed = ChangeEnvelope { envelope, former: masked(former), new: masked(new), day, time };
                email_changed(id, &mail.to, &changed)
            }
            Message::RegistrationComplete => registration_complete(id, &mail.to, &envelope),
            Message::PasscodeChanged => passcode_changed(id, &mail.to, &envelope),
            Message::QuestionsChanged => questions_changed(id, &mail.to, &envelope),
            Message::RecoveryCodesChanged => recovery_codes_changed(id, &mail.to, &envelope),
            Message::RegistrationEnded => registration_ended(id, &mail.to, &envelope),
            Message::CardEnrolled => card_enrolled(id, &mail.to, &envelope),
            Message::CardUnlocked => card_unlocked(id, &mail.to, &envelope),
            Message::SelfServiceLocked => self_service_locked(id, &mail.to, &envelope),
            Message::RaHelped { deed, reason, check } => {
                let (what, why, how) = (told_deed(*deed), told_reason(*reason), told_check(*check));
                ra_helped(id, &mail.to, &HelpEnvelope { envelope, what, why, how })
            }
            Message::UnlockKeyRefused => unlock_key_refused(id, &mail.to, &envelope),
            Message::SelfServiceFrozen => self_service_frozen(id, &mail.to, &envelope),
            Message::Erased => person_erased(id, &mail.to, &envelope),
        }
    }

    /// Writes a mail that only shows that mails arrive.
    pub fn write_test(&self, id: MailId, to: EmailAddress) -> Letter {
        let text = format!("This is a test of {}. Mails arrive.", self.service_name);
        let html = format!(
            "<p>{}</p>",
            askama::filters::escape(&text, askama::filters::Html).map_or(String::new(), |text| text.to_string())
        );
        Letter { id, to, subject: one_line(&format!("Test of {}", self.service_name)), text, html }
    }

    fn code<'a>(
        &self,
        envelope: Envelope<'a>,
        code: &'a str,
        mail: &Mail,
        valid_until: domain::Timestamp,
    ) -> CodeEnvelope<'a> {
        // A mail is written a moment after its code was made.
        let minutes = ((valid_until - mail.at).whole_seconds() + 59) / 60;
        CodeEnvelope { envelope, code, works_until: self.time_zone.time_of_day(valid_until), minutes }
    }
}

/// The page that freezes self-service. The letters of a token are those of an address already.
fn freeze_link(public_url: &PublicUrl, token: &FreezeToken) -> String {
    format!("{}{FREEZE_PAGE}?{FREEZE_PARAMETER}={}", public_url.origin(), token.as_str())
}

fn one_line(text: &str) -> String {
    text.split(|character: char| character.is_control() || character.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn told_deed(deed: Deed) -> &'static str {
    match deed {
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
    }
}

fn told_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::PersonAsked => "you asked for it",
        Reason::CardLost => "the Smartcard is lost, stolen or broken",
        Reason::Misuse => "somebody else may be using it",
        Reason::WrongRecord => "what was on file was wrong",
        Reason::ChangeOfPost => "you start, leave or change your post",
    }
}

fn told_check(check: IdentityCheck) -> &'static str {
    match check {
        IdentityCheck::PhotoId => "saw you and a photo ID",
        IdentityCheck::CalledBack => "called you back on the number held",
        IdentityCheck::VideoCall => "a video call with a photo ID",
        IdentityCheck::SponsorConfirmed => "your sponsor confirmed it",
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;

    const CODE: &str = "KTRW-MGBD";

    fn write(name: &str, message: Message) -> Letter {
        let stationery = Stationery {
            service_name: "Smartcard Service Centre".to_owned(),
            public_url: PublicUrl::parse("https://unlock.example.org").unwrap(),
            time_zone: LocalTimeZone::default(),
            ra: RaSection::default(),
        };
        let to = EmailAddress::parse("jane.smith@nhs.net").unwrap();
        let freeze = message.code_valid_until().is_none().then(|| FreezeToken::new("c2VhbGVk".to_owned()));
        let mail =
            Mail { to, person: None, name: name.to_owned(), at: datetime!(2026-07-01 01:59:00.2 UTC), message, freeze };
        stationery.write(MailId(Uuid::from_u128(1)), &mail).unwrap()
    }

    fn unlock_code() -> Message {
        Message::UnlockCode { code: CODE.to_owned(), valid_until: datetime!(2026-07-01 02:14 UTC) }
    }

    fn registration_code() -> Message {
        Message::RegistrationCode { code: CODE.to_owned(), valid_until: datetime!(2026-07-01 02:14 UTC) }
    }

    fn email_changed() -> Message {
        Message::EmailChanged {
            former: EmailAddress::parse("jane.smith@nhs.net").unwrap(),
            new: EmailAddress::parse("jane@mod.uk").unwrap(),
            codes_from: datetime!(2026-07-02 01:59 UTC),
        }
    }

    fn every_message() -> [Message; 15] {
        [
            email_changed(),
            unlock_code(),
            registration_code(),
            Message::RegistrationComplete,
            Message::PasscodeChanged,
            Message::QuestionsChanged,
            Message::RecoveryCodesChanged,
            Message::RegistrationEnded,
            Message::CardEnrolled,
            Message::CardUnlocked,
            Message::SelfServiceLocked,
            Message::UnlockKeyRefused,
            Message::SelfServiceFrozen,
            Message::RaHelped {
                deed: Deed::ClearLockOut,
                reason: Reason::PersonAsked,
                check: IdentityCheck::CalledBack,
            },
            Message::Erased,
        ]
    }

    #[test]
    fn an_unlock_code_stands_alone_on_a_line_and_says_until_when_it_works() {
        let letter = write("Jane Smith", unlock_code());
        insta::assert_snapshot!(letter.text, @r"
        Dear Jane Smith,

        You asked to unlock your Smartcard. Your Unlock Code is:

        KTRW-MGBD

        It works until 3:14am (15 minutes) and only once. It is not your new passcode: you choose that in the next step.

        If you found this in your Junk folder, mark it as not junk, so that you see the next one at once.

        If this was not you, contact your RA now.

        Registration Authority (RA)
        Telephone: 020 7946 0000
        Email: ra@example.org
        Monday to Friday, 8am to 6pm

        Smartcard Service Centre
        Please do not reply: nobody reads this mailbox.
        ");
    }

    #[test]
    fn every_mail_has_a_name_a_way_to_the_ra_and_no_link_or_code_where_none_belongs() {
        let link = "https://unlock.example.org/not-me?of=c2VhbGVk";
        for message in every_message() {
            let links = usize::from(message.code_valid_until().is_none());
            let letter = write("Jane Smith", message);
            for part in [&letter.text, &letter.html] {
                assert!(part.contains("Dear Jane Smith"), "{part}");
                assert!(part.contains("If this was not you, contact your RA now"), "{part}");
                assert!(part.contains(RaSection::default().telephone.as_str()), "{part}");
                let found = |text: &str| part.matches(text).count();
                assert_eq!((found("://"), found(link)), (links, links), "{part}");
                assert!(!part.to_lowercase().contains("password"), "{part}");
            }
            assert!(!letter.subject.contains(CODE));
            assert!(!letter.subject.is_empty() && !letter.subject.contains('\n'));
        }
    }

    #[test]
    fn a_changed_address_is_told_from_when_codes_go_where() {
        let letter = write("Jane Smith", email_changed());
        for part in [&letter.text, &letter.html] {
            assert!(part.contains("changed on 1 July 2026 at 2:59am"), "{part}");
            assert!(part.contains("until 2 July 2026 at 2:59am"), "{part}");
            assert!(!part.contains("jane@mod.uk") && !part.contains("jane.smith@nhs.net"), "{part}");
        }
    }

    #[test]
    fn a_code_is_in_both_parts() {
        for message in [unlock_code(), registration_code()] {
            let letter = write("Jane Smith", message);
            assert!(letter.text.lines().any(|line| line == CODE), "{}", letter.text);
            assert!(letter.html.contains(CODE));
            assert!(letter.text.contains("3:14am") && letter.text.contains("15 minutes"), "{}", letter.text);
        }
    }

    #[test]
    fn a_name_is_a_name_and_neither_markup_nor_a_paragraph() {
        let letter = write("<b>Jane</b>\r\n\r\nSend your passcode", Message::CardUnlocked);
        assert!(letter.text.starts_with("Dear <b>Jane</b> Send your passcode,"), "{}", letter.text);
        assert!(!letter.html.contains("<b>Jane"), "{}", letter.html);
    }
}
