//! The twenty security questions.

use serde::{Deserialize, Serialize};

use crate::language::Language;

/// Which of the twenty: 1 to 20.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct QuestionId(u8);

/// A question that a person can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Which of the twenty.
    pub id: QuestionId,
    english: Wording,
    welsh: Wording,
}

/// A question in a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wording {
    /// The question.
    pub text: &'static str,
    /// What form of answer is wanted; may be empty.
    pub hint: &'static str,
}

impl Question {
    /// The question in a language.
    pub fn wording(&self, language: Language) -> Wording {
        match language {
            Language::English => self.english,
            Language::Welsh => self.welsh,
        }
    }
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

/// A question in both languages, each with its hint.
const fn question(id: u8, english: [&'static str; 2], welsh: [&'static str; 2]) -> Question {
    Question { id: QuestionId(id), english: wording(english), welsh: wording(welsh) }
}

const fn wording([text, hint]: [&'static str; 2]) -> Wording {
    Wording { text, hint }
}

/// All of them, in order, in English and in Welsh: things that a person remembers, that colleagues do not know, and that
/// cannot be looked up.
pub const QUESTIONS: [Question; 20] = [
    question(
        1,
        ["Who was the first person you remember playing with?", "first name and surname"],
        ["Pwy oedd y person cyntaf rydych yn cofio chwarae gydag ef neu hi?", "enw cyntaf a chyfenw"],
    ),
    question(
        2,
        ["What did you call a toy or object you kept close as a small child?", ""],
        ["Beth oedd eich enw ar degan neu wrthrych roeddech yn ei gadw’n agos pan oeddech yn blentyn bach?", ""],
    ),
    question(
        3,
        ["Which neighbour do you remember from childhood?", "surname"],
        ["Pa gymydog ydych chi’n ei gofio o’ch plentyndod?", "cyfenw"],
    ),
    question(
        4,
        ["On which street was a home you visited as a child?", "no number"],
        ["Ar ba stryd roedd cartref y byddech yn ymweld ag ef yn blentyn?", "heb rif"],
    ),
    question(
        5,
        ["What was the place you played outdoors called?", "your name for it"],
        ["Beth oedd enw’r lle roeddech yn chwarae yn yr awyr agored?", "eich enw chi arno"],
    ),
    question(
        6,
        ["Where did you first visit the sea?", "place"],
        ["Ble aethoch chi i lan y môr am y tro cyntaf?", "lle"],
    ),
    question(
        7,
        ["Where was your first trip without family?", "place"],
        ["Ble aethoch chi ar eich taith gyntaf heb eich teulu?", "lle"],
    ),
    question(8, ["Where did you once get badly lost?", "place"], ["Ble aethoch chi ar goll yn llwyr un tro?", "lle"]),
    question(
        9,
        ["What did you break as a child?", "two words, like blue vase"],
        ["Beth wnaethoch chi ei dorri yn blentyn?", "dau air, fel fâs las"],
    ),
    question(
        10,
        ["What did you buy with the first money you earned?", "one or two words"],
        ["Beth brynoch chi â’r arian cyntaf i chi ei ennill?", "un neu ddau air"],
    ),
    question(
        11,
        ["What was on the wall where you slept as a child?", "two words"],
        ["Beth oedd ar y wal lle roeddech yn cysgu yn blentyn?", "dau air"],
    ),
    question(
        12,
        ["Which shop did you spend your own money in as a child?", ""],
        ["Ym mha siop roeddech yn gwario eich arian eich hun yn blentyn?", ""],
    ),
    question(
        13,
        ["Who taught you to swim?", "first name and surname"],
        ["Pwy wnaeth eich dysgu i nofio?", "enw cyntaf a chyfenw"],
    ),
    question(
        14,
        ["Which teacher or trainer first encouraged you?", "surname"],
        ["Pa athro, athrawes neu hyfforddwr wnaeth eich annog gyntaf?", "cyfenw"],
    ),
    question(
        15,
        ["Which place of study or work did you apply to but not go to?", ""],
        ["I ba le astudio neu weithio y gwnaethoch gais, ond heb fynd yno?", ""],
    ),
    question(
        16,
        ["Who supervised your first paid or voluntary work?", "surname"],
        ["Pwy oedd yn goruchwylio eich gwaith cyflogedig neu wirfoddol cyntaf?", "cyfenw"],
    ),
    question(
        17,
        ["What is the first book you remember?", "title"],
        ["Beth yw’r llyfr cyntaf rydych yn ei gofio?", "teitl"],
    ),
    question(
        18,
        ["At which stop or station did you often wait when young?", ""],
        ["Ym mha arhosfan neu orsaf roeddech yn aros yn aml pan oeddech yn ifanc?", ""],
    ),
    question(
        19,
        ["Which show, contest or event were you in when young?", ""],
        ["Ym mha sioe, cystadleuaeth neu ddigwyddiad y buoch yn cymryd rhan pan oeddech yn ifanc?", ""],
    ),
    question(
        20,
        ["Which road did you often travel along when young?", ""],
        ["Ar hyd pa ffordd roeddech yn teithio’n aml pan oeddech yn ifanc?", ""],
    ),
];
