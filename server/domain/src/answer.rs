//! Answers to security questions: folded, so that what a person means counts and not how they type it.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::{
    language::Language,
    policy::QUESTIONS_SET,
    question::{QUESTIONS, QuestionId},
};

/// The fewest characters of a folded answer.
pub const MIN_CHARACTERS: usize = 2;

/// The most characters of an answer, before folding.
pub const MAX_CHARACTERS: usize = 200;

/// An answer, folded: NFKC, lower case, no accents on Latin letters, no white space, no punctuation.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer(Zeroizing<String>);

impl Answer {
    /// Folds what a person typed. The result may be empty.
    pub fn fold(typed: &str) -> Self {
        let mut folded = Zeroizing::new(String::with_capacity(typed.len()));
        let mut latin = false;
        for character in typed.chars().take(MAX_CHARACTERS).nfkc().flat_map(char::to_lowercase).nfd() {
            if unicode_normalization::char::is_combining_mark(character) {
                if !latin {
                    folded.push(character);
                }
            } else if character.is_alphanumeric() {
                latin = character.is_ascii_alphabetic();
                folded.extend(fold_letter(character).iter().filter(|letter| **letter != '\0'));
            }
        }
        Self(folded)
    }

    /// How many characters are left.
    pub fn characters(&self) -> usize {
        self.0.chars().count()
    }

    /// The folded text: for the hasher.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }

    /// Whether it is a word of the question in any language, or several in a row.
    fn stands_in(&self, question: QuestionId) -> bool {
        Language::ALL.into_iter().any(|language| self.stands_in_text(question.question().wording(language).text))
    }

    fn stands_in_text(&self, text: &str) -> bool {
        let words: Vec<Self> = text.split_whitespace().map(Self::fold).collect();
        (0..words.len()).any(|start| {
            let mut joined = String::new();
            words[start..].iter().any(|word| {
                joined.push_str(&word.0);
                joined == *self.0
            })
        })
    }
}

/// Latin letters that have no accent to take off, as they are written without it.
fn fold_letter(letter: char) -> [char; 2] {
    match letter {
        'ß' => ['s', 's'],
        'æ' => ['a', 'e'],
        'œ' => ['o', 'e'],
        'ø' => ['o', '\0'],
        'ł' => ['l', '\0'],
        'đ' | 'ð' => ['d', '\0'],
        'þ' => ['t', 'h'],
        'ı' => ['i', '\0'],
        other => [other, '\0'],
    }
}

/// Four different questions, each with an answer that follows the rules.
#[derive(Clone)]
pub struct AnswerSet([(QuestionId, Answer); QUESTIONS_SET]);

/// What is wrong with one of the four: `position` counts from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("question {position}: {fault:?}")]
pub struct AnswerSetFault {
    /// Which of the four, from 0.
    pub position: usize,
    /// What is wrong.
    pub fault: AnswerFault,
}

/// What can be wrong with a question and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFault {
    /// No question was chosen, or none of the twenty.
    NoQuestion,
    /// The question was chosen before.
    SameQuestion,
    /// There is no answer.
    Empty,
    /// Fewer than two characters are left after folding.
    TooShort,
    /// More characters than anybody can be expected to type again.
    TooLong,
    /// Another question has the same answer.
    SameAnswer,
    /// The answer is a word of the question.
    WordOfQuestion,
}

impl AnswerSet {
    /// Checks what a person chose and typed: the number of the question and the answer, four times.
    ///
    /// # Errors
    ///
    /// Every fault, at most one for each question and one for each answer, in order.
    pub fn parse(chosen: &[(Option<u8>, &str); QUESTIONS_SET]) -> Result<Self, Vec<AnswerSetFault>> {
        let mut faults = Vec::new();
        let mut good: Vec<(QuestionId, Answer)> = Vec::with_capacity(QUESTIONS_SET);
        let mut questions: Vec<QuestionId> = Vec::new();
        let mut answers: Vec<Answer> = Vec::new();
        for (position, (number, typed)) in chosen.iter().enumerate() {
            let question = number.and_then(|number| QuestionId::try_from(number).ok());
            let question_fault = match question {
                None => Some(AnswerFault::NoQuestion),
                Some(question) if questions.contains(&question) => Some(AnswerFault::SameQuestion),
                Some(_) => None,
            };
            let answer = Answer::fold(typed);
            let answer_fault = if typed.trim().is_empty() {
                Some(AnswerFault::Empty)
            } else if typed.chars().count() > MAX_CHARACTERS {
                Some(AnswerFault::TooLong)
            } else if answer.characters() < MIN_CHARACTERS {
                Some(AnswerFault::TooShort)
            } else if answers.contains(&answer) {
                Some(AnswerFault::SameAnswer)
            } else if question.is_some_and(|question| answer.stands_in(question)) {
                Some(AnswerFault::WordOfQuestion)
            } else {
                None
            };
            faults.extend(
                [question_fault, answer_fault].into_iter().flatten().map(|fault| AnswerSetFault { position, fault }),
            );
            questions.extend(question);
            answers.push(answer.clone());
            good.extend(question.map(|question| (question, answer)));
        }
        if faults.is_empty()
            && let Ok(set) = good.try_into()
        {
            return Ok(Self(set));
        }
        Err(faults)
    }

    /// The four, in the order that they were set.
    pub fn as_slice(&self) -> &[(QuestionId, Answer)] {
        &self.0
    }
}

/// Every question that can be chosen.
pub fn questions() -> &'static [crate::question::Question] {
    &QUESTIONS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(typed: &str) -> String {
        Answer::fold(typed).expose_secret().to_owned()
    }

    #[test]
    fn case_accents_spaces_and_punctuation_do_not_matter() {
        for typed in ["Saint-Étienne", "saint etienne", " SAINT  ETIENNE. ", "Saint Ｅtienne"] {
            assert_eq!(folded(typed), "saintetienne", "{typed}");
        }
        assert_eq!(folded("Straße"), "strasse");
        assert_eq!(folded("Łódź"), "lodz");
    }

    #[test]
    fn marks_of_other_scripts_do_matter() {
        assert_ne!(folded("が"), folded("か"));
        assert_ne!(folded("й"), folded("и"));
    }

    #[test]
    fn four_different_answers_to_four_different_questions_are_a_set() {
        let chosen = [(Some(1), "Tom Baker"), (Some(4), "Elm Row"), (Some(9), "blue vase"), (Some(17), "Heidi")];
        let set = AnswerSet::parse(&chosen).unwrap_or_else(|faults| panic!("{faults:?}"));
        assert_eq!(set.as_slice().len(), 4);
    }

    #[test]
    fn each_fault_is_named_where_it_is() {
        let chosen = [(Some(1), "Tom Baker"), (Some(1), "tombaker"), (None, "x"), (Some(6), "the sea")];
        let faults = AnswerSet::parse(&chosen).err().unwrap();
        assert_eq!(
            faults,
            [
                AnswerSetFault { position: 1, fault: AnswerFault::SameQuestion },
                AnswerSetFault { position: 1, fault: AnswerFault::SameAnswer },
                AnswerSetFault { position: 2, fault: AnswerFault::NoQuestion },
                AnswerSetFault { position: 2, fault: AnswerFault::TooShort },
                AnswerSetFault { position: 3, fault: AnswerFault::WordOfQuestion },
            ]
        );
    }

    #[test]
    fn punctuation_alone_is_too_short_and_nothing_is_empty() {
        let chosen = [(Some(1), " "), (Some(2), "?!"), (Some(3), "Ng"), (Some(4), "Elm")];
        let faults: Vec<_> = AnswerSet::parse(&chosen).err().unwrap().into_iter().map(|fault| fault.fault).collect();
        assert_eq!(faults, [AnswerFault::Empty, AnswerFault::TooShort]);
    }
}
