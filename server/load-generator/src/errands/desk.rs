//! The RA's desk: an officer who looks people up, and a manager who does all that can be done for somebody.

use card_protocol::{CardProof, Challenge, Purpose, ServiceKey, Slot, message::PreparedCard, sealed::Sealed};
use load_generator::card::SoftwareCard;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Fault},
    person::Person,
    post::Post,
};

/// The first number of the cards that are issued: nobody else's.
const FIRST_ISSUED: u32 = 50_000_000;

/// A manager, and whom they help.
pub struct Desk {
    manager: Person,
    helped: Person,
    issued: u32,
}

/// The certificates of a card that was prepared, as far as they matter here.
#[derive(Deserialize)]
enum Certification {
    Done { challenge: Challenge },
}

impl Person {
    /// Finds somebody, and reads their record.
    pub async fn look_up(&self, browser: &mut Browser, other: &Self) -> Result<(), Fault> {
        let found: Value = browser.call("ra/find", &json!({ "text": other.user_number() })).await?;
        if found["people"].as_array().map(Vec::len) != Some(1) {
            return Err(Fault::Other(format!("found {found}")));
        }
        browser.call("ra/record", &json!({ "user_number": other.user_number() })).await.map(|_: Value| ())
    }
}

impl Desk {
    pub fn new(manager: Person, helped: Person) -> Self {
        Self { manager, helped, issued: 0 }
    }

    /// Somebody is frozen, says that it was not them, is let in again each time, and gets a new card in place of theirs; that
    /// one refuses its unlock keys. The manager reads what has happened, and is about to import.
    pub async fn do_all(
        &mut self,
        browser: &mut Browser,
        others: [&mut Browser; 2],
        post: &Post,
        service_key: &ServiceKey,
    ) -> Result<(), Fault> {
        self.manager.sign_in(browser).await?;
        let [at_home, at_card] = others;
        self.order(browser, &json!("Freeze")).await?;
        self.order(browser, &json!("ClearLockOut")).await?;
        // What was done is told with a link; any of them works.
        let token = post.take_freeze_token(&self.helped.email()).await?;
        at_home.call::<Value>("freezing/look", &json!({ "token": token })).await?;
        at_home.post("freezing/freeze", &[("token", &token)]).await?;
        self.order(browser, &json!("ClearLockOut")).await?;
        self.issue(browser, service_key).await?;
        self.helped.refuse_keys(at_card, post).await?;

        let nothing = json!({ "parameters": {} });
        browser.call::<Value>("ra/report", &nothing).await?;
        browser.call::<Value>("ra/trail", &nothing).await?;
        browser.call::<Value>("ra/imports", &json!({})).await?;
        browser.call::<Value>("ra/import/facts", &json!({})).await?;
        let challenge = browser.call("ra/start", &json!({})).await?;
        let hello = self.manager.card.prove(browser.origin(), Purpose::Hello, challenge);
        let files = json!({ "people": "0".repeat(64), "cards": "0".repeat(64), "extent": "each-row" });
        let confirmed = json!({ "proof": hello, "order": files });
        browser.call::<Challenge>("ra/import/confirm-card", &confirmed).await.map(drop)
    }

    /// Gives the card of the person that is helped another one in its place.
    async fn issue(&mut self, browser: &mut Browser, service_key: &ServiceKey) -> Result<(), Fault> {
        let action = json!({ "IssueCard": { "card": null, "replaces": self.helped.card.guid } });
        let (given, order) = self.order(browser, &action).await?;
        let sealed: Sealed = serde_json::from_value(given["Issuing"].clone())
            .map_err(|fault| Fault::Other(format!("{fault}: {given}")))?;
        let blank = SoftwareCard::number(FIRST_ISSUED + self.issued);
        self.issued += 1;
        let issued = blank.issue(&self.manager.card, browser.origin(), service_key, &order, &sealed);
        let (card, completion) = issued.map_err(|fault| Fault::Other(format!("{fault:?}")))?;

        let key = |slot| card_protocol::Der(card.public_key(slot));
        let prepared = PreparedCard {
            authentication_key: key(Slot::Authentication),
            card_authentication_key: key(Slot::CardAuthentication),
            proof: card.prove(browser.origin(), Purpose::Prepared, completion),
            requests: None,
        };
        let certified = browser.call("ra/card-prepared", &json!({ "prepared": prepared })).await?;
        let Certification::Done { challenge } = certified;
        let proof = card.prove(browser.origin(), Purpose::Hello, challenge);
        browser.call::<()>("ra/card-issued", &json!({ "proof": proof })).await?;
        self.helped.card = card;
        Ok(())
    }

    /// Orders something for the person that is helped; gives what came of it, and what the manager's card has signed.
    async fn order(&self, browser: &mut Browser, action: &Value) -> Result<(Value, CardProof), Fault> {
        let order = json!({
            "person": self.helped.user_number(),
            "action": action,
            "reason": "PersonAsked",
            "check": "PhotoId",
        });
        let card = &self.manager.card;
        let challenge = browser.call("ra/start", &json!({})).await?;
        let hello = card.prove(browser.origin(), Purpose::Hello, challenge);
        let challenge = browser.call("ra/confirm-card", &json!({ "proof": hello, "order": order })).await?;
        let proof = card.prove(browser.origin(), Purpose::RaAction, challenge);
        let given = browser.call("ra/act", &json!({ "proof": proof, "order": order })).await?;
        Ok((given, proof))
    }
}
