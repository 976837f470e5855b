//! What somebody does with a registration that is there, once or twice in years.

use card_protocol::Purpose;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Fault},
    person::Person,
    post::Post,
};

impl Person {
    /// Registers, changes all that can be changed, and ends the registration, so that they can do it again.
    pub async fn change_all(
        &mut self,
        browser: &mut Browser,
        other_browser: &mut Browser,
        post: &Post,
    ) -> Result<(), Fault> {
        self.register_hesitantly(browser, post).await?;
        self.change(browser, "passcode").await?;

        self.change(browser, "factor").await?;
        let codes: Vec<String> = browser.call("register/recovery-codes", &json!({})).await?;
        browser.call::<()>("register/recovery-codes-kept", &json!({})).await?;
        let code = codes.first().ok_or_else(|| Fault::Other("no recovery codes".to_owned()))?;
        self.give_up(other_browser, post, code).await?;

        self.change(browser, "email").await?;
        let other = format!("other.{}", self.email());
        self.confirm_email(browser, &other).await?;
        self.enter_code(browser, post, &other).await?;
        browser.post("session/card-removed", &[]).await?;

        self.sign_in(browser).await?;
        self.change(browser, "end-registration").await?;
        browser.call::<Value>("session/profile", &json!({})).await?;
        browser.post("session/sign-out", &[]).await
    }

    async fn change(&self, browser: &mut Browser, change: &str) -> Result<(), Fault> {
        let challenge = browser.call("change/start", &json!({})).await?;
        let hello = self.card.prove(browser.origin(), Purpose::Hello, challenge);
        let confirmed = json!({ "proof": hello, "change": change });
        let challenge = browser.call("change/confirm-card", &confirmed).await?;
        let proof = self.card.prove(browser.origin(), Purpose::Change, challenge);
        browser.call("change/carry-out", &json!({ "proof": proof, "change": change })).await
    }
}
