//! The address of a registration and its code; the right code completes it.

use super::{
    super::{
        FormerAddress, Registration, RegistrationFlow, RegistrationStep, Standing,
        flow::{ConfirmEmail, EnterCode, FlowFactor},
    },
    CodeEntered, RegistrationCodeOutcome, RegistrationError, RegistrationService, refuse_closed,
};
use crate::{
    Timestamp,
    code::{Code, CodeMatch, IssuedCode},
    comparisons::Comparisons,
    email::EmailAddress,
    environment::retry_on_conflict,
    mail::Message,
    person::Person,
    policy::Policy,
    ports::{StoreError, Transaction},
    sign_in::{SignedIn, renew_session},
    token::FormId,
    trail::{Event, Outcome},
};

impl RegistrationService {
    /// Confirms the address and mails a code there.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`].
    pub async fn confirm_email(
        &self,
        signed_in: &SignedIn,
        form: FormId,
        typed: &str,
    ) -> Result<(), RegistrationError> {
        let environment = &self.environment;
        let email = EmailAddress::parse(typed)?;
        if !environment.policy.approved_domains.approve(&email) {
            return Err(RegistrationError::DomainNotApproved);
        }
        let hashing = environment.hasher.enter(&signed_in.session.person).await?;
        // Hashing is dear: not for whoever gets no code.
        if self.email_form(&mut *environment.store.begin().await?, signed_in, form, &email).await?.is_none() {
            return Ok(());
        }
        let (code, issued) = environment.make_code(&*hashing).await?;
        retry_on_conflict!(async {
            let mut transaction = environment.store.begin().await?;
            let Some((flow, step)) = self.email_form(&mut *transaction, signed_in, form, &email).await? else {
                return Ok(());
            };
            transaction.insert_handled_form(flow.id, form, "").await?;
            let issued = self.send_code(&mut *transaction, signed_in, &email, &code, issued.clone()).await?;
            let step = RegistrationStep::Code(step.confirm(email.clone(), issued, &environment.policy));
            self.go_on(&mut *transaction, flow, step).await?;
            Ok::<_, RegistrationError>(transaction.commit().await?)
        })
    }

    /// The step of a form with an address, where a code may be mailed there now; nothing where the form was handled.
    async fn email_form(
        &self,
        transaction: &mut dyn Transaction,
        signed_in: &SignedIn,
        form: FormId,
        email: &EmailAddress,
    ) -> Result<Option<(RegistrationFlow, ConfirmEmail)>, RegistrationError> {
        let flow = self.flow(transaction, &signed_in.session).await?;
        if transaction.handled_form(flow.id, form).await?.is_some() {
            return Ok(None);
        }
        let RegistrationStep::Email(step) = flow.step.clone() else {
            return Err(RegistrationError::WrongStep);
        };
        let registration = transaction.registration(&flow.person).await?;
        if step.factor == (FlowFactor::Kept {}) && registration.is_some_and(|found| found.email == *email) {
            return Err(RegistrationError::SameEmail);
        }
        match self.environment.next_code_at(transaction, &flow.person, None).await? {
            Some(at) => Err(RegistrationError::TooEarly { at }),
            None => Ok(Some((flow, step))),
        }
    }

    /// Checks the code; the right one completes the registration.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`]; then no try was spent.
    pub async fn enter_code(
        &self,
        signed_in: &SignedIn,
        form: FormId,
        typed: &str,
    ) -> Result<CodeEntered, RegistrationError> {
        let code = Code::parse(typed)?;
        let mut comparisons = Comparisons::new(&self.environment.hasher);
        retry_on_conflict!(self.try_enter_code(signed_in, form, &code, &mut comparisons))
    }

    async fn try_enter_code(
        &self,
        signed_in: &SignedIn,
        form: FormId,
        code: &Code,
        comparisons: &mut Comparisons,
    ) -> Result<CodeEntered, RegistrationError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let flow = self.flow(&mut *transaction, &signed_in.session).await?;
        if let Some(outcome) = transaction.handled_form(flow.id, form).await? {
            let outcome = serde_json::from_str(&outcome).map_err(|_| RegistrationError::WrongStep)?;
            return Ok(CodeEntered { outcome, token: None });
        }
        drop(transaction);
        let RegistrationStep::Code(step) = flow.step.clone() else {
            return Err(RegistrationError::WrongStep);
        };
        let comparisons = comparisons.enter::<RegistrationError>(&flow.person).await?;
        let compared = step.codes.compare(code, comparisons, environment.now()).await?;
        let another = if compared == CodeMatch::Expired {
            Some(environment.make_code(comparisons.hashing()).await?)
        } else {
            None
        };

        let mut transaction = environment.store.begin().await?;
        let how = if compared == CodeMatch::Right { Outcome::Done } else { Outcome::Refused };
        environment.record(&mut *transaction, Event::RegistrationCodeEntered, how, &flow.person, flow.card).await?;
        let id = flow.id;
        let mut token = None;
        let outcome = match compared {
            CodeMatch::Right => {
                token = Some(renew_session(environment, &mut *transaction, &signed_in.session).await?);
                self.complete(&mut *transaction, signed_in, flow, step).await?
            }
            CodeMatch::Expired => {
                let wait = environment.next_code_at(&mut *transaction, &flow.person, None).await?;
                let mut step = step;
                let mut resent = false;
                if let Some((code, issued)) = another.filter(|_| wait.is_none()) {
                    let to = step.email.clone();
                    step = step.resent(self.send_code(&mut *transaction, signed_in, &to, &code, issued).await?);
                    resent = true;
                }
                self.go_on(&mut *transaction, flow, RegistrationStep::Code(step)).await?;
                RegistrationCodeOutcome::Expired { resent }
            }
            CodeMatch::Wrong => {
                let step = step.wrong();
                let outcome = match &step {
                    RegistrationStep::Code(step) => {
                        RegistrationCodeOutcome::Wrong { tries_left: step.codes.tries_left }
                    }
                    _ => RegistrationCodeOutcome::TriesUsedUp,
                };
                self.go_on(&mut *transaction, flow, step).await?;
                outcome
            }
        };
        let stored = serde_json::to_string(&outcome).map_err(|fault| StoreError::Unavailable(Box::new(fault)))?;
        transaction.insert_handled_form(id, form, &stored).await?;
        transaction.commit().await?;
        Ok(CodeEntered { outcome, token })
    }

    /// Mails another code.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`].
    pub async fn resend_code(&self, signed_in: &SignedIn, form: FormId) -> Result<(), RegistrationError> {
        let environment = &self.environment;
        let hashing = environment.hasher.enter(&signed_in.session.person).await?;
        // Hashing is dear: not for whoever gets no code.
        if self.resend_form(&mut *environment.store.begin().await?, signed_in, form).await?.is_none() {
            return Ok(());
        }
        let (code, issued) = environment.make_code(&*hashing).await?;
        retry_on_conflict!(async {
            let mut transaction = environment.store.begin().await?;
            let Some((flow, step)) = self.resend_form(&mut *transaction, signed_in, form).await? else {
                return Ok(());
            };
            transaction.insert_handled_form(flow.id, form, "").await?;
            let issued = self.send_code(&mut *transaction, signed_in, &step.email, &code, issued.clone()).await?;
            let step = RegistrationStep::Code(step.resent(issued));
            self.go_on(&mut *transaction, flow, step).await?;
            Ok::<_, RegistrationError>(transaction.commit().await?)
        })
    }

    /// The step of a form that asks for another code, where one may be mailed now; nothing where the form was handled.
    async fn resend_form(
        &self,
        transaction: &mut dyn Transaction,
        signed_in: &SignedIn,
        form: FormId,
    ) -> Result<Option<(RegistrationFlow, EnterCode)>, RegistrationError> {
        let flow = self.flow(transaction, &signed_in.session).await?;
        if transaction.handled_form(flow.id, form).await?.is_some() {
            return Ok(None);
        }
        let RegistrationStep::Code(step) = flow.step.clone() else {
            return Err(RegistrationError::WrongStep);
        };
        let sent_at = step.codes.sent_at();
        match self.environment.next_code_at(transaction, &flow.person, sent_at).await? {
            Some(at) => Err(RegistrationError::TooEarly { at }),
            None => Ok(Some((flow, step))),
        }
    }

    /// Makes the registration what was set up, or gives it the other address. Failed attempts of an earlier one stay.
    async fn complete(
        &self,
        transaction: &mut dyn Transaction,
        signed_in: &SignedIn,
        flow: RegistrationFlow,
        step: EnterCode,
    ) -> Result<RegistrationCodeOutcome, RegistrationError> {
        let environment = &self.environment;
        let earlier = transaction.registration(&flow.person).await?;
        refuse_closed(earlier.as_ref())?;
        let person = &signed_in.person;
        let now = environment.now();
        let former = former_address(&step.email, person, earlier.as_ref(), &environment.policy, now);
        let (registration, event, outcome) = match step.factor {
            FlowFactor::New(factor) => {
                let registration = Registration {
                    person: flow.person.clone(),
                    email: step.email,
                    former,
                    answers: Vec::new(),
                    recovery_codes: Vec::new(),
                    asked: Vec::new(),
                    standing: earlier
                        .as_ref()
                        .map_or(Standing::Open { failed_attempts: 0 }, |earlier| earlier.standing),
                    registered_at: now,
                    ended_at: None,
                    version: earlier.as_ref().map_or(0, |earlier| earlier.version),
                };
                let registration = registration.with_factor(factor, &environment.policy, &*environment.randomness);
                (registration, Event::Registered, RegistrationCodeOutcome::Registered)
            }
            FlowFactor::Kept {} => {
                let standing = earlier.clone().filter(|earlier| earlier.ended_at.is_none());
                let standing = standing.ok_or(RegistrationError::NotRegistered)?;
                let registration = Registration { email: step.email, former, ..standing };
                (registration, Event::EmailChanged, RegistrationCodeOutcome::EmailChanged)
            }
        };
        match &earlier {
            None => transaction.insert_registration(&registration).await?,
            Some(_) => transaction.save_registration(&registration).await?,
        }
        if event == Event::Registered {
            environment.post(transaction, person, &registration.email, Message::RegistrationComplete).await?;
        }
        self.tell_of_address(transaction, person, &registration, earlier).await?;
        environment.record(transaction, event, Outcome::Done, &flow.person, flow.card).await?;
        self.go_on(transaction, flow, RegistrationStep::Completed).await?;
        Ok(outcome)
    }

    /// Tells every address concerned that another is on file, where it is.
    async fn tell_of_address(
        &self,
        transaction: &mut dyn Transaction,
        person: &Person,
        registration: &Registration,
        earlier: Option<Registration>,
    ) -> Result<(), StoreError> {
        let environment = &self.environment;
        let now = environment.now();
        let before = earlier.map(|earlier| earlier.email).filter(|before| *before != registration.email);
        let (former, codes_from) = match (registration.pending_former(now), &before) {
            (Some(former), _) => (former.email.clone(), former.until),
            // Taken back before the codes went elsewhere.
            (None, Some(before)) => (before.clone(), now),
            (None, None) => return Ok(()),
        };
        let changed = Message::EmailChanged { former, new: registration.email.clone(), codes_from };
        environment.tell(transaction, person, Some(registration), &changed).await?;
        // An address that was on file for less than a day is told too.
        let between = before.filter(|before| registration.addresses(now).all(|told| told != before));
        if let Some(between) = between {
            environment.post(transaction, person, &between, changed).await?;
        }
        Ok(())
    }

    async fn send_code(
        &self,
        transaction: &mut dyn Transaction,
        signed_in: &SignedIn,
        to: &EmailAddress,
        code: &Code,
        mut issued: IssuedCode,
    ) -> Result<IssuedCode, StoreError> {
        let environment = &self.environment;
        let person = &signed_in.person;
        let valid_until = issued.valid_until;
        let message = Message::RegistrationCode { code: code.display().to_string(), valid_until };
        issued.mail = Some(environment.post(transaction, person, to, message).await?);
        transaction.insert_code_mail(&person.user_number, issued.sent_at).await?;
        let event = Event::RegistrationCodeSent;
        environment.record(transaction, event, Outcome::Done, &person.user_number, signed_in.session.card).await?;
        Ok(issued)
    }
}

/// The address that still receives the codes once a registration with another one is complete: the one that received
/// them before, or, for a first registration, the one that the RA holds.
fn former_address(
    new: &EmailAddress,
    person: &Person,
    earlier: Option<&Registration>,
    policy: &Policy,
    now: Timestamp,
) -> Option<FormerAddress> {
    let before = match earlier {
        // The address did not change: what is settling goes on settling.
        Some(earlier) if earlier.email == *new => return earlier.pending_former(now).cloned(),
        Some(earlier) => Some(earlier.code_address(now)),
        None => person.email.as_ref(),
    };
    let email = before.filter(|before| *before != new)?.clone();
    Some(FormerAddress { email, until: now + policy.address_settles })
}
