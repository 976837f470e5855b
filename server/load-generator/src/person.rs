//! Somebody: a card, and what is known of them to the service.

use std::collections::HashSet;

use base64ct::{Base64UrlUnpadded, Encoding};
use card_protocol::{Purpose, Slot};
use load_generator::card::SoftwareCard;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Fault},
    post::Post,
};

/// The questions that everybody has answered, each with the same words: what is typed makes no difference to the service.
pub const QUESTIONS: [u8; 4] = [1, 2, 3, 4];

pub fn answer(question: u64) -> String {
    format!("an answer to question {question}")
}

/// Somebody. What they do is in `errands`.
pub struct Person {
    number: u32,
    pub card: SoftwareCard,
    codes_used: HashSet<String>,
}

impl Person {
    /// The person of a number.
    pub fn number(number: u32) -> Self {
        Self { number, card: SoftwareCard::number(number), codes_used: HashSet::new() }
    }

    pub fn user_number(&self) -> String {
        format!("557{:09}", self.number)
    }

    /// The address that they register.
    pub fn email(&self) -> String {
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

    /// Takes the code that came last.
    pub async fn take_code(&mut self, post: &Post, email: &str) -> Result<String, Fault> {
        let code = post.code(email, &self.codes_used).await?;
        self.codes_used.insert(code.clone());
        Ok(code)
    }

    /// Signs in.
    pub async fn sign_in(&self, browser: &mut Browser) -> Result<(), Fault> {
        let challenge = browser.call("session/start", &json!({})).await?;
        let hello = self.card.prove(browser.origin(), Purpose::Hello, challenge);
        let challenge = browser.call("session/confirm-card", &json!({ "proof": hello })).await?;
        let proof = self.card.prove(browser.origin(), Purpose::SignIn, challenge);
        browser.call("session/sign-in", &json!({ "proof": proof })).await
    }
}

/// That an answer is what it was meant to be.
pub fn expect(found: &Value, wanted: &str) -> Result<(), Fault> {
    if found == wanted { Ok(()) } else { Err(Fault::Other(format!("{found} in place of {wanted}"))) }
}
