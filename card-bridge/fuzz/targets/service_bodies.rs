//! What browsers send to the server's functions: a proof, answers, a code, an address, as JSON. Whatever the text, it is
//! read or refused, nothing in it is a proof by a pinned key, and an address that was read is stored and read again as
//! the same.

use card_protocol::{CardProof, Guid};
use domain::{
    answer::{Answer, AnswerSet, MAX_CHARACTERS},
    card::{Card, CardPublicKey, CardState},
    code::{Code, LETTERS},
    email::EmailAddress,
    person::UserNumber,
    question::QuestionId,
    token::Token,
};
use serde::Deserialize;

const ORIGIN: &str = "https://service.test";
/// The private halves are not kept.
const PINNED: [&[u8]; 3] = [
    include_bytes!("../../piv/tests/certificates/p256.spki.der"),
    include_bytes!("../../piv/tests/certificates/p384.spki.der"),
    include_bytes!("../../piv/tests/certificates/rsa2048.spki.der"),
];

/// The arguments of all server functions; each takes some of them.
#[derive(Deserialize)]
struct Body {
    proof: Option<CardProof>,
    #[serde(default)]
    answers: Vec<TypedAnswer>,
    code: Option<String>,
    email: Option<String>,
    token: Option<String>,
}

#[derive(Deserialize)]
struct TypedAnswer {
    question: u8,
    answer: String,
}

pub fn run(input: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Body>(input) else { return };
    if let Some(proof) = body.proof {
        for key in PINNED {
            assert!(!card(proof.guid, key).signed(&proof, ORIGIN), "a proof was forged");
        }
    }
    for typed in &body.answers {
        let _ = QuestionId::try_from(typed.question);
        // A character gives at most 18 by NFKC.
        assert!(Answer::fold(&typed.answer).characters() <= MAX_CHARACTERS * 20);
    }
    if let [first, second, third, fourth, ..] = &body.answers[..] {
        let chosen = [first, second, third, fourth].map(|typed| (Some(typed.question), typed.answer.as_str()));
        let _ = AnswerSet::parse(&chosen);
    }
    if let Some(code) = body.code.as_deref().and_then(|typed| Code::parse(typed).ok()) {
        assert_eq!(code.display().len(), LETTERS + 1);
    }
    if let Some(address) = body.email.as_deref().and_then(|typed| EmailAddress::parse(typed).ok()) {
        assert_eq!(EmailAddress::parse(address.as_str()).as_ref(), Ok(&address));
        assert!(!address.as_str().contains(|character: char| character.is_control() || character.is_whitespace()));
        let masked = address.masked();
        assert!(masked.end.ends_with(address.domain()) && !masked.start.contains('@'));
    }
    if let Some(token) = body.token.as_deref().and_then(Token::parse) {
        assert_eq!(Some(token.expose_secret()), body.token);
    }
}

fn card(guid: Guid, key: &[u8]) -> Card {
    let key = CardPublicKey::from_der(key).expect("a supported key");
    let holder = UserNumber::parse("1").expect("a user number");
    Card {
        guid,
        holder,
        authentication_key: key.clone(),
        card_authentication_key: key,
        state: CardState::Active,
        version: 1,
    }
}
