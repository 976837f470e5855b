//! Unlocking a card, and the ways that lead nowhere.

use card_protocol::{CardProof, Challenge, Purpose, ServiceKey, sealed::Sealed};
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Fault},
    person::{Person, answer, expect},
    post::Post,
};

impl Person {
    /// Unlocks the card.
    pub async fn unlock(&mut self, browser: &mut Browser, post: &Post, service_key: &ServiceKey) -> Result<(), Fault> {
        self.reach_passcode(browser, post).await?;
        let release = self.prove(browser, Purpose::Release).await?;
        let sealed: Sealed = browser.call("unlock/release", &json!({ "proof": release })).await?;
        let origin = browser.origin().to_owned();
        let completion = self.card.reset_passcode(&origin, service_key, &release, &sealed);
        let completion = completion.map_err(|fault| Fault::Other(format!("{fault:?}")))?;
        let proof = self.card.prove(&origin, Purpose::Unlocked, completion);
        browser.call::<Value>("unlock/complete", &json!({ "proof": proof })).await?;
        expect(&browser.call("unlock/view", &json!({})).await?, "Completed")
    }

    /// Has a card refuse every unlock key that is released for it.
    pub async fn refuse_keys(&mut self, browser: &mut Browser, post: &Post) -> Result<(), Fault> {
        self.reach_passcode(browser, post).await?;
        let release = self.prove(browser, Purpose::Release).await?;
        browser.call::<Sealed>("unlock/release", &json!({ "proof": release })).await?;
        let proof = self.prove(browser, Purpose::Attempt).await?;
        browser.call::<Value>("unlock/refused", &json!({ "proof": proof })).await.map(drop)
    }

    /// Comes in with a recovery code, looks at the first page again, takes more time, asks for another code by e-mail, and
    /// gives up.
    pub async fn give_up(&mut self, browser: &mut Browser, post: &Post, recovery_code: &str) -> Result<(), Fault> {
        self.identify(browser).await?;
        let proof = self.prove(browser, Purpose::Attempt).await?;
        let entered = json!({ "proof": proof, "code": recovery_code });
        expect(&browser.call("unlock/recovery-code", &entered).await?, "Right")?;
        self.take_code(post, &self.email()).await?;
        browser.call::<Value>("unlock/running", &json!({})).await?;
        browser.call::<Option<u32>>("unlock/time-left", &json!({})).await?;
        browser.call::<()>("unlock/extend", &json!({})).await?;
        let proof = self.prove(browser, Purpose::Attempt).await?;
        expect(&browser.call("unlock/resend", &json!({ "proof": proof })).await?, "Sent")?;
        self.take_code(post, &self.email()).await?;
        browser.post("unlock/stop", &[]).await
    }

    async fn identify(&self, browser: &mut Browser) -> Result<(), Fault> {
        browser.open("/unlock").await?;
        let challenge = browser.call("unlock/start", &json!({})).await?;
        let proof = self.card.prove(browser.origin(), Purpose::Unlock, challenge);
        expect(&browser.call("unlock/identify", &json!({ "proof": proof })).await?, "Flow")
    }

    async fn reach_passcode(&mut self, browser: &mut Browser, post: &Post) -> Result<(), Fault> {
        self.identify(browser).await?;
        let view: Value = browser.call("unlock/view", &json!({})).await?;
        let asked = view["Questions"]["asked"].as_array();
        let asked = asked.ok_or_else(|| Fault::Other(format!("no questions: {view}")))?;
        let answers: Vec<_> = asked
            .iter()
            .filter_map(|question| question["id"].as_u64())
            .map(|id| json!({ "question": id, "answer": answer(id) }))
            .collect();
        let proof = self.prove(browser, Purpose::Attempt).await?;
        expect(&browser.call("unlock/answer", &json!({ "proof": proof, "answers": answers })).await?, "Right")?;

        browser.call::<Value>("unlock/view", &json!({})).await?;
        loop {
            let code = self.take_code(post, &self.email()).await?;
            let proof = self.prove(browser, Purpose::Attempt).await?;
            let outcome: Value = browser.call("unlock/code", &json!({ "proof": proof, "code": code })).await?;
            // One of an unlock before comes late.
            if outcome == "Right" {
                break;
            }
        }
        browser.call::<Value>("unlock/view", &json!({})).await.map(drop)
    }

    async fn prove(&self, browser: &mut Browser, purpose: Purpose) -> Result<CardProof, Fault> {
        let name = if purpose == Purpose::Release { "Release" } else { "Attempt" };
        let challenge: Challenge = browser.call("unlock/challenge", &json!({ "purpose": name })).await?;
        Ok(self.card.prove(browser.origin(), purpose, challenge))
    }
}
