//! The paragraphs of a mail.

use std::borrow::Cow;

use domain::code;

/// Before and behind what is strong.
const MARKS: [&str; 2] = ["[[", "]]"];

/// A paragraph: lines, in which what is strong stands between `[[` and `]]`. No value that is filled in has these.
pub struct Paragraph<'a>(&'a str);

/// A piece of a line.
pub struct Span<'a> {
    pub text: &'a str,
    pub is_strong: bool,
}

impl<'a> Paragraph<'a> {
    /// The paragraphs of a text, between which empty lines stand.
    pub fn all(text: &'a str) -> Vec<Self> {
        text.split("\n\n").map(|text| Self(text.trim())).filter(|paragraph| !paragraph.0.is_empty()).collect()
    }

    /// As it stands in a text part. A code is not copied.
    pub fn text(&self) -> Cow<'a, str> {
        if MARKS.iter().any(|mark| self.0.contains(mark)) {
            Cow::Owned(self.0.replace(MARKS[0], "").replace(MARKS[1], ""))
        } else {
            Cow::Borrowed(self.0)
        }
    }

    /// Its lines, piece by piece.
    pub fn lines(&self) -> Vec<Vec<Span<'a>>> {
        self.0.lines().map(spans).collect()
    }

    /// Whether it is nothing but a code, as codes are shown.
    pub fn is_code(&self) -> bool {
        let is_letter = |byte| code::ALPHABET.contains(&byte);
        self.0.split('-').all(|group| group.len() == 4 && group.bytes().all(is_letter))
    }
}

fn spans(line: &str) -> Vec<Span<'_>> {
    let [before, behind] = MARKS;
    let pieces = line.split(before).enumerate().flat_map(|(at, piece)| {
        let (strong, text) = piece.split_once(behind).filter(|_| at > 0).unwrap_or(("", piece));
        [Span { text: strong, is_strong: true }, Span { text, is_strong: false }]
    });
    pieces.filter(|span| !span.text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_strong_is_told_from_what_is_not() {
        let paragraphs = Paragraph::all("A code:\n\nKTRW-MGBD\n\n[[Not]] this,\nbut **[[that]].\n");
        assert_eq!(paragraphs.iter().map(Paragraph::is_code).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(paragraphs[2].text(), "Not this,\nbut **that.");
        let spans: Vec<Vec<(&str, bool)>> = paragraphs[2]
            .lines()
            .into_iter()
            .map(|line| line.into_iter().map(|span| (span.text, span.is_strong)).collect())
            .collect();
        assert_eq!(
            spans,
            [vec![("Not", true), (" this,", false)], vec![("but **", false), ("that", true), (".", false)]]
        );
    }
}
