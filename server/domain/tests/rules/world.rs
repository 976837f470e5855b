//! A service with people and cards, and the steps that a test takes in it.

use std::sync::Arc;

use card_protocol::{CardProof, Challenge, Purpose, Slot, sealed::ServiceSecret};
use domain::{
    Environment, Services,
    challenge::{Binding, ChallengeKey},
    code::Code,
    email::EmailAddress,
    enrolment::{NewCard, NewHolder},
    issuance::IssuingTerms,
    language::Language,
    mail::{Mail, Message},
    person::UserNumber,
    policy::Policy,
    ports::Clock,
    question::QuestionId,
    registration::{
        RegistrationView,
        service::{CodeEntered, RegistrationCodeOutcome},
    },
    sign_in::{HolderPurpose, SignedIn},
    token::{FormId, Token},
    trail::{TrailEntry, TrailKey},
    unlock::service::{AnswerOutcome, CodeOutcome, FlowPurpose, Identified, UnlockError, UnlockView},
};
use time::Duration;

use crate::{
    fakes::{OneKeyVault, PaperCertifier, QuickHasher, SeededDice, StandingClock, UniversalDays},
    memory_store::MemoryStore,
    software_card::SoftwareCard,
};

pub const ORIGIN: &str = "https://service.test";
pub const TRAIL_KEY: [u8; 32] = [3; 32];

/// The questions that [`World::register`] sets, with their answers.
pub const ANSWERS: [(u8, &str); 4] = [(1, "Tom Baker"), (4, "Elm Row"), (9, "blue vase"), (17, "Heidi")];

pub struct World {
    pub services: Services,
    pub store: MemoryStore,
    pub clock: Arc<StandingClock>,
    pub dice: Arc<SeededDice>,
    pub hasher: Arc<QuickHasher>,
    environment: Environment,
}

pub fn service_secret() -> ServiceSecret {
    ServiceSecret::new([5; 32])
}

impl World {
    /// A service that nobody knows yet.
    pub fn empty() -> Self {
        Self::under(Policy::default())
    }

    /// The same with another policy.
    pub fn under(policy: Policy) -> Self {
        Self::on_terms(policy, IssuingTerms::default())
    }

    /// The same with other terms of issuing, too.
    pub fn on_terms(policy: Policy, issuing: IssuingTerms) -> Self {
        let store = MemoryStore::default();
        let clock = Arc::new(StandingClock::new());
        let dice = Arc::new(SeededDice::new());
        let hasher = Arc::new(QuickHasher::default());
        let environment = Environment {
            store: Arc::new(store.clone()),
            clock: Arc::clone(&clock) as Arc<_>,
            calendar: Arc::new(UniversalDays),
            randomness: Arc::clone(&dice) as Arc<_>,
            vault: Arc::new(OneKeyVault),
            certifier: Arc::new(PaperCertifier),
            issuing,
            hasher: Arc::clone(&hasher) as Arc<_>,
            policy,
            origin: ORIGIN.to_owned(),
            challenge_key: Arc::new(ChallengeKey::new([4; 32])),
            trail_key: Arc::new(TrailKey::new(TRAIL_KEY)),
            service_secret: Arc::new(service_secret()),
            officers_seen: Arc::default(),
        };
        Self { services: Services::new(environment.clone()), store, clock, dice, hasher, environment }
    }

    /// Another server on the same store: a person's requests there do not wait for those here.
    pub fn another_server(&self) -> Services {
        let hasher = Arc::new(QuickHasher::default());
        Services::new(Environment { hasher, officers_seen: Arc::default(), ..self.environment.clone() })
    }

    /// A service with one person, Jane, and her card.
    pub async fn with_card() -> (Self, SoftwareCard) {
        Self::with_card_under(Policy::default()).await
    }

    /// The same with another policy.
    pub async fn with_card_under(policy: Policy) -> (Self, SoftwareCard) {
        let world = Self::under(policy);
        let card = SoftwareCard::new(1, ORIGIN);
        world.services.enrolment.enrol(&new_card(&card, "1001")).await.unwrap();
        (world, card)
    }

    /// A service with Jane, who has registered.
    pub async fn registered() -> (Self, SoftwareCard) {
        let (world, card) = Self::with_card().await;
        let signed_in = world.sign_in(&card).await;
        world.register(&signed_in, &card).await;
        world.clock.advance(Duration::hours(2));
        (world, card)
    }

    pub fn token(&self) -> Token {
        Token::generate(&*self.dice)
    }

    pub async fn sign_in(&self, card: &SoftwareCard) -> SignedIn {
        self.sign_in_speaking(card, Language::English).await
    }

    /// Signs in on a page of this language.
    pub async fn sign_in_speaking(&self, card: &SoftwareCard, language: Language) -> SignedIn {
        let browser = self.token();
        let hello = card.prove(Purpose::Hello, self.services.sign_in.challenge(Binding::Browser(&browser)));
        let challenge = self
            .services
            .sign_in
            .confirm_card(Binding::Browser(&browser), &hello, HolderPurpose::SignIn)
            .await
            .unwrap();
        let proof = card.prove(Purpose::SignIn, challenge);
        let token = self.services.sign_in.sign_in(&browser, &proof, language).await.unwrap();
        self.services.sign_in.session(&token).await.unwrap().unwrap()
    }

    /// Proves the passcode again, as the first step of a registration does.
    pub async fn begin_registration(&self, signed_in: &SignedIn, card: &SoftwareCard) {
        let binding = Binding::Session(signed_in.session.id);
        let hello = card.prove(Purpose::Hello, self.services.sign_in.challenge(binding));
        let challenge = self.services.sign_in.confirm_card(binding, &hello, HolderPurpose::Register).await.unwrap();
        let proof = card.prove(Purpose::Register, challenge);
        self.services.registration.begin(signed_in, &proof).await.unwrap();
    }

    pub async fn form(&self, signed_in: &SignedIn) -> FormId {
        match self.services.registration.view(signed_in).await.unwrap() {
            RegistrationView::Questions { form, .. }
            | RegistrationView::Email { form, .. }
            | RegistrationView::Code { form, .. } => form,
            other => panic!("no form in {other:?}"),
        }
    }

    pub async fn set_questions(&self, signed_in: &SignedIn) {
        let form = self.form(signed_in).await;
        let chosen = ANSWERS.map(|(number, answer)| (Some(number), answer));
        self.services.registration.set_questions(&signed_in.session, form, &chosen).await.unwrap();
    }

    pub async fn confirm_email(&self, signed_in: &SignedIn, email: &str) {
        let form = self.form(signed_in).await;
        self.services.registration.confirm_email(signed_in, form, email).await.unwrap();
    }

    pub async fn enter_registration_code(&self, signed_in: &SignedIn, code: &str) -> CodeEntered {
        let form = self.form(signed_in).await;
        self.services.registration.enter_code(signed_in, form, code).await.unwrap()
    }

    pub async fn register(&self, signed_in: &SignedIn, card: &SoftwareCard) {
        self.begin_registration(signed_in, card).await;
        self.set_questions(signed_in).await;
        self.confirm_email(signed_in, "jane.smith@nhs.net").await;
        let code = self.last_code().await;
        let entered = self.enter_registration_code(signed_in, &code).await;
        assert!(matches!(entered.outcome, RegistrationCodeOutcome::Registered));
    }

    /// Every mail that was put into the outbox, in order.
    pub async fn mails(&self) -> Vec<Mail> {
        self.store.tables().await.outbox.iter().map(|mail| mail.open(&OneKeyVault).unwrap()).collect()
    }

    /// Every entry of the trail, in order.
    pub async fn trail(&self) -> Vec<TrailEntry> {
        let tables = self.store.tables().await;
        tables.trail.iter().map(|record| serde_json::from_str(&record.entry).unwrap()).collect()
    }

    pub async fn last_code(&self) -> String {
        let codes = self.mails().await.into_iter().rev().find_map(|mail| match mail.message {
            Message::RegistrationCode { code, .. } | Message::UnlockCode { code, .. } => Some(code),
            _ => None,
        });
        codes.expect("a code was mailed")
    }

    pub async fn identify(&self, card: &SoftwareCard) -> Identified {
        let browser = self.token();
        let proof = card.prove(Purpose::Unlock, self.services.unlock.start(&browser).unwrap());
        self.services.unlock.identify(&browser, &proof, Language::English).await.unwrap()
    }

    pub async fn begin_unlock(&self, card: &SoftwareCard) -> Token {
        match self.identify(card).await {
            Identified::Flow(token) => token,
            Identified::DeadEnd(end) => panic!("{end:?}"),
        }
    }

    pub async fn flow_challenge(&self, token: &Token, purpose: FlowPurpose) -> Challenge {
        self.services.unlock.challenge(token, purpose).await.unwrap()
    }

    pub async fn attempt(&self, token: &Token, card: &SoftwareCard) -> CardProof {
        card.prove(Purpose::Attempt, self.flow_challenge(token, FlowPurpose::Attempt).await)
    }

    /// The right answers to what is asked.
    pub async fn right_answers(&self, token: &Token) -> Vec<(QuestionId, String)> {
        let UnlockView::Questions { asked, .. } = self.services.unlock.view(token).await.unwrap() else {
            panic!("no questions are asked");
        };
        let answer = |question: &QuestionId| {
            let (_, answer) = ANSWERS.iter().find(|(number, _)| *number == u8::from(*question)).unwrap();
            (*question, (*answer).to_owned())
        };
        asked.iter().map(answer).collect()
    }

    pub async fn wrong_answers(&self, token: &Token) -> Vec<(QuestionId, String)> {
        let mut answers = self.right_answers(token).await;
        "something else".clone_into(&mut answers[0].1);
        answers
    }

    pub async fn answer(
        &self,
        token: &Token,
        card: &SoftwareCard,
        answers: &[(QuestionId, String)],
    ) -> Result<AnswerOutcome, UnlockError> {
        let proof = self.attempt(token, card).await;
        self.services.unlock.answer(token, &proof, answers).await
    }

    pub async fn answer_wrong(&self, token: &Token, card: &SoftwareCard) -> AnswerOutcome {
        let answers = self.wrong_answers(token).await;
        self.answer(token, card, &answers).await.unwrap()
    }

    pub async fn answer_right(&self, token: &Token, card: &SoftwareCard) {
        let answers = self.right_answers(token).await;
        assert_eq!(self.answer(token, card, &answers).await.unwrap(), AnswerOutcome::Right);
    }

    pub async fn enter_code(&self, token: &Token, card: &SoftwareCard, code: &str) -> Result<CodeOutcome, UnlockError> {
        let proof = self.attempt(token, card).await;
        self.services.unlock.enter_code(token, &proof, code).await
    }

    /// Goes from nothing to the choice of the passcode.
    pub async fn reach_passcode(&self, card: &SoftwareCard) -> Token {
        let token = self.begin_unlock(card).await;
        self.answer_right(&token, card).await;
        let code = self.last_code().await;
        assert_eq!(self.enter_code(&token, card, &code).await.unwrap(), CodeOutcome::Right);
        token
    }

    pub fn now(&self) -> domain::Timestamp {
        self.clock.now()
    }
}

/// What is enrolled of a card.
pub fn new_card(card: &SoftwareCard, user_number: &str) -> NewCard {
    NewCard {
        holder: NewHolder {
            user_number: UserNumber::parse(user_number).unwrap(),
            name: "Jane Smith".to_owned(),
            email: Some(EmailAddress::parse("jane.smith@nhs.net").unwrap()),
            organisation: None,
        },
        guid: card.guid,
        authentication_key: card.public_key(Slot::Authentication),
        card_authentication_key: card.public_key(Slot::CardAuthentication),
        unlock_key: card.unlock_key.clone(),
    }
}

/// A code that nobody was sent.
pub fn wrong_code() -> String {
    Code::parse("BBBBBBBB").unwrap().display().to_string()
}
