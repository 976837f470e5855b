//! Registering.

use card_protocol::Purpose;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Fault},
    person::{Person, QUESTIONS, answer},
    post::Post,
};

impl Person {
    /// Signs in and registers.
    pub async fn register(&mut self, browser: &mut Browser, post: &Post) -> Result<(), Fault> {
        self.sign_in(browser).await?;
        browser.call::<Value>("session/profile", &json!({})).await?;
        self.begin_to_register(browser).await?;
        self.set_questions(browser).await?;
        self.confirm_email(browser, &self.email()).await?;
        self.enter_code(browser, post, &self.email()).await?;
        browser.call::<Value>("session/profile", &json!({})).await.map(drop)
    }

    /// The same with all the ways back: begins and stops, has another code sent, goes back and confirms the address again.
    pub async fn register_hesitantly(&mut self, browser: &mut Browser, post: &Post) -> Result<(), Fault> {
        self.sign_in(browser).await?;
        self.begin_to_register(browser).await?;
        browser.post("register/stop", &[]).await?;
        self.begin_to_register(browser).await?;
        browser.call::<Option<u32>>("session/time-left", &json!({})).await?;
        browser.call::<()>("session/extend", &json!({})).await?;
        self.set_questions(browser).await?;
        self.confirm_email(browser, &self.email()).await?;
        self.take_code(post, &self.email()).await?;
        let form = form(browser, "Code", "resend_form").await?;
        browser.post("register/resend", &[("form", &form)]).await?;
        self.take_code(post, &self.email()).await?;
        browser.post("register/back", &[("step", "email")]).await?;
        self.confirm_email(browser, &self.email()).await?;
        self.enter_code(browser, post, &self.email()).await
    }

    async fn begin_to_register(&self, browser: &mut Browser) -> Result<(), Fault> {
        let challenge = browser.call("register/start", &json!({})).await?;
        let hello = self.card.prove(browser.origin(), Purpose::Hello, challenge);
        let challenge = browser.call("register/confirm-card", &json!({ "proof": hello })).await?;
        let proof = self.card.prove(browser.origin(), Purpose::Register, challenge);
        browser.call::<()>("register/begin", &json!({ "proof": proof })).await
    }

    async fn set_questions(&self, browser: &mut Browser) -> Result<(), Fault> {
        let form = form(browser, "Questions", "form").await?;
        let answers = QUESTIONS.map(|question| (question.to_string(), answer(question.into())));
        let [first, second, third, fourth] = &answers;
        let questions = [("question_1", "answer_1", first), ("question_2", "answer_2", second)];
        let more = [("question_3", "answer_3", third), ("question_4", "answer_4", fourth)];
        let mut fields = vec![("form", form.as_str())];
        for (question, answer, (chosen, typed)) in questions.into_iter().chain(more) {
            fields.extend([(question, chosen.as_str()), (answer, typed.as_str())]);
        }
        browser.post("register/questions", &fields).await
    }

    /// Has a code sent to an address.
    pub async fn confirm_email(&self, browser: &mut Browser, email: &str) -> Result<(), Fault> {
        let form = form(browser, "Email", "form").await?;
        browser.post("register/email", &[("form", &form), ("email", email)]).await
    }

    /// Enters the code that was sent last.
    pub async fn enter_code(&mut self, browser: &mut Browser, post: &Post, email: &str) -> Result<(), Fault> {
        let form = form(browser, "Code", "form").await?;
        let code = self.take_code(post, email).await?;
        browser.post("register/code", &[("form", &form), ("code", &code)]).await
    }
}

/// The name of a form of a step of a registration.
async fn form(browser: &mut Browser, step: &str, field: &str) -> Result<String, Fault> {
    let view: Value = browser.call("register/view", &json!({})).await?;
    let form = view[step][field].as_str().map(str::to_owned);
    form.ok_or_else(|| Fault::Other(format!("not at {step}: {view}")))
}
