//! The people: each has a card and a registration, and does what the pages do.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64ct::{Base64UrlUnpadded, Encoding};
use card_protocol::{CardProof, Challenge, Purpose, ServiceKey, Slot, sealed::Sealed};
use load_generator::{
    card::SoftwareCard,
    mail_server::{self, MailServer},
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::browser::{Browser, Fault};

/// How long somebody waits for a code by e-mail.
const CODE_WITHIN: Duration = Duration::from_secs(40);

/// The questions that everybody has answered, each with the same words: what is typed makes no difference to the service.
const QUESTIONS: [u8; 4] = [1, 2, 3, 4];

fn answer(question: u64) -> String {
    format!("an answer to question {question}")
}

/// Somebody.
pub struct Person {
    number: u32,
    card: SoftwareCard,
    codes_used: HashSet<String>,
}

impl Person {
    /// The person of a number.
    pub fn number(number: u32) -> Self {
        Self { number, card: SoftwareCard::number(number), codes_used: HashSet::new() }
    }

    fn user_number(&self) -> String {
        format!("557{:09}", self.number)
    }

    fn email(&self) -> String {
        format!("person.{}@nhs.net", self.number)
    }

    /// As a demonstration's manifest has it.
    pub fn in_manifest(&self, is_registered: bool) -> Value {
        let key = |slot| Base64UrlUnpadded::encode_string(&self.card.public_key(slot));
        let answers = QUESTIONS.map(|question| json!({ "question": question, "answer": answer(question.into()) }));
        json!({
            "card": format!("person-{}", self.number),
            "user_number": self.user_number(),
            "name": format!("Person {}", self.number),
            "email": self.email(),
            "guid": base16ct::lower::encode_string(&self.card.guid.0),
            "piv_authentication_key": key(Slot::Authentication),
            "card_authentication_key": key(Slot::CardAuthentication),
            "unlock_key": base16ct::lower::encode_string(self.card.unlock_key.expose_secret()),
            "passcode": "135790",
            "locked": true,
            "registered": is_registered.then(|| json!({ "email": self.email(), "answers": answers })),
        })
    }

    /// Unlocks the card as the pages do: what they ask for, in their order.
    pub async fn unlock(&mut self, browser: &mut Browser, post: &Post, service_key: &ServiceKey) -> Result<(), Fault> {
        browser.open("/unlock").await?;
        let challenge = browser.call("unlock/start", &json!({})).await?;
        let proof = self.card.prove(browser.origin(), Purpose::Unlock, challenge);
        expect(&browser.call("unlock/identify", &json!({ "proof": proof })).await?, "Flow")?;

        let view: Value = browser.call("unlock/view", &json!({})).await?;
        let asked =
            view["Questions"]["asked"].as_array().ok_or_else(|| Fault::Other(format!("no questions: {view}")))?;
        let answers: Vec<_> = asked
            .iter()
            .filter_map(|question| question["id"].as_u64())
            .map(|id| json!({ "question": id, "answer": answer(id) }))
            .collect();
        let proof = self.prove(browser, Purpose::Attempt).await?;
        expect(&browser.call("unlock/answer", &json!({ "proof": proof, "answers": answers })).await?, "Right")?;

        browser.call::<Value>("unlock/view", &json!({})).await?;
        loop {
            let code = post.code(&self.email(), &self.codes_used).await?;
            let proof = self.prove(browser, Purpose::Attempt).await?;
            let outcome: Value = browser.call("unlock/code", &json!({ "proof": proof, "code": code })).await?;
            self.codes_used.insert(code);
            // One of an unlock before comes late.
            if outcome == "Right" {
                break;
            }
        }

        browser.call::<Value>("unlock/view", &json!({})).await?;
        let release = self.prove(browser, Purpose::Release).await?;
        let sealed: Sealed = browser.call("unlock/release", &json!({ "proof": release })).await?;
        let origin = browser.origin().to_owned();
        let completion = self.card.reset_passcode(&origin, service_key, &release, &sealed);
        let completion = completion.map_err(|fault| Fault::Other(format!("{fault:?}")))?;
        let proof = self.card.prove(&origin, Purpose::Unlocked, completion);
        browser.call::<Value>("unlock/complete", &json!({ "proof": proof })).await?;
        expect(&browser.call("unlock/view", &json!({})).await?, "Completed")
    }

    async fn prove(&self, browser: &mut Browser, purpose: Purpose) -> Result<CardProof, Fault> {
        let name = if purpose == Purpose::Release { "Release" } else { "Attempt" };
        let challenge: Challenge = browser.call("unlock/challenge", &json!({ "purpose": name })).await?;
        Ok(self.card.prove(browser.origin(), purpose, challenge))
    }

    /// Signs in.
    pub async fn sign_in(&self, browser: &mut Browser) -> Result<(), Fault> {
        let challenge = browser.call("session/start", &json!({})).await?;
        let hello = self.card.prove(browser.origin(), Purpose::Hello, challenge);
        let challenge = browser.call("session/confirm-card", &json!({ "proof": hello })).await?;
        let proof = self.card.prove(browser.origin(), Purpose::SignIn, challenge);
        browser.call("session/sign-in", &json!({ "proof": proof })).await
    }

    /// Registers as the pages do.
    pub async fn register(&mut self, browser: &mut Browser, post: &Post) -> Result<(), Fault> {
        self.sign_in(browser).await?;
        browser.call::<Value>("session/profile", &json!({})).await?;
        let challenge = browser.call("register/start", &json!({})).await?;
        let hello = self.card.prove(browser.origin(), Purpose::Hello, challenge);
        let challenge = browser.call("register/confirm-card", &json!({ "proof": hello })).await?;
        let proof = self.card.prove(browser.origin(), Purpose::Register, challenge);
        browser.call::<()>("register/begin", &json!({ "proof": proof })).await?;

        let form = form(browser, "Questions").await?;
        let answers = QUESTIONS.map(|question| (question.to_string(), answer(question.into())));
        let [first, second, third, fourth] = &answers;
        let questions = [("question_1", "answer_1", first), ("question_2", "answer_2", second)];
        let more = [("question_3", "answer_3", third), ("question_4", "answer_4", fourth)];
        let mut fields = vec![("form", form.as_str())];
        for (question, answer, (chosen, typed)) in questions.into_iter().chain(more) {
            fields.extend([(question, chosen.as_str()), (answer, typed.as_str())]);
        }
        browser.post("register/questions", &fields).await?;

        let form = self::form(browser, "Email").await?;
        browser.post("register/email", &[("form", &form), ("email", &self.email())]).await?;
        let form = self::form(browser, "Code").await?;
        let code = post.code(&self.email(), &self.codes_used).await?;
        browser.post("register/code", &[("form", &form), ("code", &code)]).await?;
        self.codes_used.insert(code);
        browser.call::<Value>("session/profile", &json!({})).await.map(drop)
    }

    /// Works at the desk for somebody else: finds them, and reads their record.
    pub async fn help(&self, browser: &mut Browser, other: &Self) -> Result<(), Fault> {
        let found: Value = browser.call("ra/find", &json!({ "text": other.user_number() })).await?;
        if found["people"].as_array().map(Vec::len) != Some(1) {
            return Err(Fault::Other(format!("found {found}")));
        }
        browser.call("ra/record", &json!({ "user_number": other.user_number() })).await.map(|_: Value| ())
    }
}

/// The name of the form of a step of a registration.
async fn form(browser: &mut Browser, step: &str) -> Result<String, Fault> {
    let view: Value = browser.call("register/view", &json!({})).await?;
    let form = view[step]["form"].as_str().map(str::to_owned);
    form.ok_or_else(|| Fault::Other(format!("not at {step}: {view}")))
}

fn expect(found: &Value, wanted: &str) -> Result<(), Fault> {
    if found == wanted { Ok(()) } else { Err(Fault::Other(format!("{found} in place of {wanted}"))) }
}

/// The codes that came by mail.
pub struct Post {
    codes: Mutex<HashMap<String, Vec<String>>>,
    came: watch::Sender<()>,
}

impl Post {
    pub fn new() -> Self {
        Self { codes: Mutex::default(), came: watch::Sender::new(()) }
    }

    /// Hands out what comes to a mail server, until the program ends.
    pub async fn deliver(&self, mail_server: &MailServer) {
        loop {
            mail_server.until_one_came().await;
            for mail in mail_server.take_all() {
                let Some(code) = mail_server::code(&mail) else { continue };
                let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
                codes.entry(mail_server::header(&mail, "To").to_owned()).or_default().push(code.to_owned());
            }
            self.came.send_replace(());
        }
    }

    /// The latest code for an address that was not used.
    async fn code(&self, address: &str, used: &HashSet<String>) -> Result<String, Fault> {
        let mut came = self.came.subscribe();
        let found = || {
            let codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
            codes.get(address)?.iter().rev().find(|code| !used.contains(*code)).cloned()
        };
        let waits = async {
            loop {
                if let Some(code) = found() {
                    return code;
                }
                // Its sender lives as long as this.
                let _ = came.changed().await;
            }
        };
        let code = tokio::time::timeout(CODE_WITHIN, waits).await;
        code.map_err(|_| Fault::Other("no code came".to_owned()))
    }
}
