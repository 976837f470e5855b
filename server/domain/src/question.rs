//! The twenty security questions.

use serde::{Deserialize, Serialize};

/// Which of the twenty: 1 to 20.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct QuestionId(u8);

/// A question that a person can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Which of the twenty.
    pub id: QuestionId,
    /// The question.
    pub text: &'static str,
    /// What form of answer is wanted; may be empty.
    pub hint: &'static str,
}

/// The number of no question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are twenty questions")]
pub struct NoSuchQuestion;

impl QuestionId {
    /// The question with this id.
    pub fn question(self) -> &'static Question {
        &QUESTIONS[usize::from(self.0) - 1]
    }
}

impl TryFrom<u8> for QuestionId {
    type Error = NoSuchQuestion;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        if (1..=20).contains(&number) { Ok(Self(number)) } else { Err(NoSuchQuestion) }
    }
}

impl From<QuestionId> for u8 {
    fn from(id: QuestionId) -> Self {
        id.0
    }
}

const fn question(id: u8, text: &'static str, hint: &'static str) -> Question {
    Question { id: QuestionId(id), text, hint }
}

/// All of them, in order: things that a person remembers, that colleagues do not know, and that cannot be looked up.
pub const QUESTIONS: [Question; 20] = [
    question(1, "Who was the first person you remember playing with?", "first name and surname"),
    question(2, "What did you call a toy or object you kept close as a small child?", ""),
    question(3, "Which neighbour do you remember from childhood?", "surname"),
    question(4, "On which street was a home you visited as a child?", "no number"),
    question(5, "What was the place you played outdoors called?", "your name for it"),
    question(6, "Where did you first visit the sea?", "place"),
    question(7, "Where was your first trip without family?", "place"),
    question(8, "Where did you once get badly lost?", "place"),
    question(9, "What did you break as a child?", "two words, like blue vase"),
    question(10, "What did you buy with the first money you earned?", "one or two words"),
    question(11, "What was on the wall where you slept as a child?", "two words"),
    question(12, "Which shop did you spend your own money in as a child?", ""),
    question(13, "Who taught you to swim?", "first name and surname"),
    question(14, "Which teacher or trainer first encouraged you?", "surname"),
    question(15, "Which place of study or work did you apply to but not go to?", ""),
    question(16, "Who supervised your first paid or voluntary work?", "surname"),
    question(17, "What is the first book you remember?", "title"),
    question(18, "At which stop or station did you often wait when young?", ""),
    question(19, "Which show, contest or event were you in when young?", ""),
    question(20, "Which road did you often travel along when young?", ""),
];
