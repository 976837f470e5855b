//! What the mails say. Their words stand in `templates/email`, for each language a file for each mail: the subject, an empty
//! line, and paragraphs, in which what is strong stands between `[[` and `]]`. Both parts of a mail are made of that.

mod paragraph;
mod words;

use app::{FREEZE_PAGE, FREEZE_PARAMETER};
use askama::Template;
use domain::{
    Timestamp,
    email::EmailAddress,
    freezing::FreezeToken,
    language::Language,
    mail::{Mail, Message},
    token::MailId,
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    config::{LocalTimeZone, Names, PublicUrl, RaContact},
    masking::masked,
};
use paragraph::Paragraph;
pub(crate) use words::Words;

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
    /// What service and Registration Authority are called in each language, in the order of [`Language::ALL`].
    pub names: [Names; 2],
    /// Where its pages are.
    pub public_url: PublicUrl,
    /// In which times are told.
    pub time_zone: LocalTimeZone,
}

/// A template does not begin with a subject and an empty line.
#[derive(Debug, thiserror::Error)]
#[error("the template of a mail has no subject")]
struct NoSubject;

/// Something that happened.
struct Event {
    day: String,
    time: String,
}

/// A code.
struct Code {
    letters: Zeroizing<String>,
    works_until: String,
    minutes: i64,
}

impl Code {
    fn code(&self) -> &str {
        &self.letters
    }
}

/// A changed address.
struct Change {
    day: String,
    time: String,
    former: String,
    new: String,
    /// From when unlock codes go to the new address.
    codes_from_day: String,
    codes_from_time: String,
}

/// An officer's help.
struct Help {
    day: String,
    time: String,
    /// What they did: «has …».
    what: &'static str,
    why: &'static str,
    how: &'static str,
}

/// What both parts of a mail say.
struct Content<'a> {
    words: &'a Words,
    service_name: &'a str,
    ra: &'a RaContact,
    /// On one line: no name can pretend to be a paragraph.
    name: String,
    paragraphs: Vec<Paragraph<'a>>,
    /// The page where whoever did not do that has self-service frozen.
    freeze: Option<String>,
}

#[derive(Template)]
#[template(path = "email/layout.txt")]
struct TextPart<'a> {
    content: &'a Content<'a>,
}

#[derive(Template)]
#[template(path = "email/layout.html")]
struct HtmlPart<'a> {
    content: &'a Content<'a>,
    language: Language,
    subject: &'a str,
}

/// Defines the function that fills in the templates of a mail.
macro_rules! mails {
    ($($mail:ident: $context:ty = $english:literal, $welsh:literal;)*) => {
        $(
            fn $mail(mail: &$context, language: Language) -> Result<String, askama::Error> {
                match language {
                    Language::English => {
                        #[derive(Template)]
                        #[template(path = $english)]
                        struct English<'a> {
                            mail: &'a $context,
                        }
                        English { mail }.render()
                    }
                    Language::Welsh => {
                        #[derive(Template)]
                        #[template(path = $welsh)]
                        struct Welsh<'a> {
                            mail: &'a $context,
                        }
                        Welsh { mail }.render()
                    }
                }
            }
        )*
    };
}

mails! {
    unlock_code: Code = "email/en/unlock-code.txt", "email/cy/unlock-code.txt";
    registration_code: Code = "email/en/registration-code.txt", "email/cy/registration-code.txt";
    registration_complete: Event = "email/en/registration-complete.txt", "email/cy/registration-complete.txt";
    email_changed: Change = "email/en/email-changed.txt", "email/cy/email-changed.txt";
    passcode_changed: Event = "email/en/passcode-changed.txt", "email/cy/passcode-changed.txt";
    questions_changed: Event = "email/en/questions-changed.txt", "email/cy/questions-changed.txt";
    recovery_codes_changed: Event = "email/en/recovery-codes-changed.txt", "email/cy/recovery-codes-changed.txt";
    registration_ended: Event = "email/en/registration-ended.txt", "email/cy/registration-ended.txt";
    card_enrolled: Event = "email/en/card-enrolled.txt", "email/cy/card-enrolled.txt";
    card_unlocked: Event = "email/en/card-unlocked.txt", "email/cy/card-unlocked.txt";
    self_service_locked: Event = "email/en/self-service-locked.txt", "email/cy/self-service-locked.txt";
    unlock_key_refused: Event = "email/en/unlock-key-refused.txt", "email/cy/unlock-key-refused.txt";
    self_service_frozen: Event = "email/en/self-service-frozen.txt", "email/cy/self-service-frozen.txt";
    ra_helped: Help = "email/en/ra-helped.txt", "email/cy/ra-helped.txt";
    person_erased: Event = "email/en/person-erased.txt", "email/cy/person-erased.txt";
}

impl Stationery {
    /// Writes a mail.
    ///
    /// # Errors
    ///
    /// When a template fails, which none does on its own.
    pub fn write(&self, id: MailId, mail: &Mail) -> Result<Letter, askama::Error> {
        let source = Zeroizing::new(self.fill_in(mail)?);
        let words = Words::of(mail.language);
        let (subject, body) = source.split_once("\n\n").ok_or_else(|| askama::Error::custom(NoSubject))?;
        let subject = one_line(subject);
        let Names { service_name, ra } = self.names(mail.language);
        let content = Content {
            words,
            service_name,
            ra,
            name: one_line(&mail.name),
            paragraphs: Paragraph::all(body),
            freeze: mail.freeze.as_ref().map(|token| freeze_link(&self.public_url, token)),
        };
        let text = TextPart { content: &content }.render()?;
        let html = HtmlPart { content: &content, language: mail.language, subject: &subject }.render()?;
        Ok(Letter { id, to: mail.to.clone(), subject, text, html })
    }

    /// The words of a mail: its subject, an empty line, its paragraphs.
    fn fill_in(&self, mail: &Mail) -> Result<String, askama::Error> {
        let words = Words::of(mail.language);
        let (day, time) = (self.day(mail.at, words), self.time_of_day(mail.at, words));
        let language = mail.language;
        let event = || Event { day: day.clone(), time: time.clone() };
        let code = |letters: &str, valid_until| Code {
            letters: Zeroizing::new(letters.to_owned()),
            works_until: self.time_of_day(valid_until, words),
            // A mail is written a moment after its code was made.
            minutes: ((valid_until - mail.at).whole_seconds() + 59) / 60,
        };
        match &mail.message {
            Message::UnlockCode { code: letters, valid_until } => unlock_code(&code(letters, *valid_until), language),
            Message::RegistrationCode { code: letters, valid_until } => {
                registration_code(&code(letters, *valid_until), language)
            }
            Message::EmailChanged { former, new, codes_from } => {
                let (former, new) = (masked(former), masked(new));
                let (codes_from_day, codes_from_time) =
                    (self.day(*codes_from, words), self.time_of_day(*codes_from, words));
                email_changed(&Change { day, time, former, new, codes_from_day, codes_from_time }, language)
            }
            Message::RegistrationComplete => registration_complete(&event(), language),
            Message::PasscodeChanged => passcode_changed(&event(), language),
            Message::QuestionsChanged => questions_changed(&event(), language),
            Message::RecoveryCodesChanged => recovery_codes_changed(&event(), language),
            Message::RegistrationEnded => registration_ended(&event(), language),
            Message::CardEnrolled => card_enrolled(&event(), language),
            Message::CardUnlocked => card_unlocked(&event(), language),
            Message::SelfServiceLocked => self_service_locked(&event(), language),
            Message::RaHelped { deed, reason, check } => {
                let (what, why, how) = ((words.deed)(*deed), (words.reason)(*reason), (words.check)(*check));
                ra_helped(&Help { day, time, what, why, how }, language)
            }
            Message::UnlockKeyRefused => unlock_key_refused(&event(), language),
            Message::SelfServiceFrozen => self_service_frozen(&event(), language),
            Message::Erased => person_erased(&event(), language),
        }
    }

    fn names(&self, language: Language) -> &Names {
        let [english, welsh] = &self.names;
        match language {
            Language::English => english,
            Language::Welsh => welsh,
        }
    }

    fn day(&self, at: Timestamp, words: &Words) -> String {
        self.time_zone.day(at, &words.months)
    }

    fn time_of_day(&self, at: Timestamp, words: &Words) -> String {
        self.time_zone.time_of_day(at, words.halves_of_day)
    }

    /// Writes a mail that only shows that mails arrive.
    pub fn write_test(&self, id: MailId, to: EmailAddress) -> Letter {
        let service_name = &self.names(Language::English).service_name;
        let text = format!("This is a test of {service_name}. Mails arrive.");
        let html = format!(
            "<p>{}</p>",
            askama::filters::escape(&text, askama::filters::Html).map_or(String::new(), |text| text.to_string())
        );
        Letter { id, to, subject: one_line(&format!("Test of {service_name}")), text, html }
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

#[cfg(test)]
mod tests {
    use domain::ra::{Deed, IdentityCheck, Reason};
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::config::Settings;

    const CODE: &str = "KTRW-MGBD";

    fn write(name: &str, message: Message) -> Letter {
        write_in(Language::English, name, message)
    }

    fn write_in(language: Language, name: &str, message: Message) -> Letter {
        let stationery = Stationery {
            names: Language::ALL.map(|language| Settings::default().names(language)),
            public_url: PublicUrl::parse("https://unlock.example.org").unwrap(),
            time_zone: LocalTimeZone::default(),
        };
        let to = EmailAddress::parse("jane.smith@nhs.net").unwrap();
        let freeze = message.code_valid_until().is_none().then(|| FreezeToken::new("c2VhbGVk".to_owned()));
        let (name, at) = (name.to_owned(), datetime!(2026-07-01 01:59:00.2 UTC));
        let mail = Mail { to, person: None, name, language, at, message, freeze };
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
                assert!(part.contains(crate::config::RaSection::default().telephone.as_str()), "{part}");
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
    fn each_mail_says_in_each_language_what_was_looked_at() {
        for language in Language::ALL {
            let letters = every_message().map(|message| write_in(language, "Jane Smith", message));
            let mails: Vec<String> =
                letters.iter().map(|letter| format!("Subject: {}\n\n{}\n\n", letter.subject, letter.text)).collect();
            insta::assert_snapshot!(format!("mails_{}", language.as_str()), mails.join("----\n\n"));
        }
        insta::assert_snapshot!("unlock_code_html", write("Jane Smith", unlock_code()).html);
        insta::assert_snapshot!("card_unlocked_html_cy", write_in(Language::Welsh, "Jane", Message::CardUnlocked).html);
    }

    #[test]
    fn a_welsh_mail_has_no_english_sentence_of_the_layout() {
        for message in every_message() {
            let links = usize::from(message.code_valid_until().is_none());
            let letter = write_in(Language::Welsh, "Jane Smith", message);
            for part in [&letter.text, &letter.html] {
                assert!(part.contains("Annwyl Jane Smith,"), "{part}");
                assert!(part.contains("Os nad chi wnaeth hyn, cysylltwch â’ch RA nawr."), "{part}");
                assert_eq!(part.matches("://").count(), links, "{part}");
                for english in ["Dear", "If this was not you", "Telephone", "Please do not reply", "July"] {
                    assert!(!part.contains(english), "{english} in {part}");
                }
            }
            assert!(!letter.subject.contains("Smartcard"), "{}", letter.subject);
        }
    }

    #[test]
    fn a_name_is_a_name_and_neither_markup_nor_a_paragraph() {
        let letter = write("<b>Jane</b>\r\n\r\nSend your passcode", Message::CardUnlocked);
        assert!(letter.text.starts_with("Dear <b>Jane</b> Send your passcode,"), "{}", letter.text);
        assert!(!letter.html.contains("<b>Jane"), "{}", letter.html);
    }
}
