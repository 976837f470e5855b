//! The report: what was found at each stage, as text to read and copy, or as JSON.

use std::fmt;

use serde::Serialize;

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// PC/SC.
    Service,
    /// Whether a reader is connected.
    Reader,
    /// Whether a card is in it.
    Card,
    /// Whether the card has the PIV application and an identity.
    Applet,
    /// Whether it has the certificates of both keys, and passcode tries.
    Keys,
    /// Who has the bridge's port.
    Port,
    /// Which websites may use the bridge.
    Origin,
    /// Whether browsers let those websites reach the bridge without asking.
    BrowserPolicy,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Service => "Smartcard service",
            Self::Reader => "Card reader",
            Self::Card => "Card",
            Self::Applet => "Card application",
            Self::Keys => "Keys and passcode",
            Self::Port => "Card Bridge",
            Self::Origin => "Websites",
            Self::BrowserPolicy => "Browsers",
        })
    }
}

/// How a stage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Well,
    /// Somebody has to do something.
    Wrong,
    /// An earlier stage stood in the way.
    NotLookedAt,
}

/// What was found at one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The stage.
    pub stage: Stage,
    /// How it stands.
    pub verdict: Verdict,
    /// What was seen.
    pub told: String,
    /// What to do about it, where it is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    pub(super) fn well(stage: Stage, told: &str) -> Self {
        Self { stage, verdict: Verdict::Well, told: told.to_owned(), advice: None }
    }

    pub(super) fn wrong(stage: Stage, told: &str, advice: &str) -> Self {
        Self { stage, verdict: Verdict::Wrong, told: told.to_owned(), advice: Some(advice.to_owned()) }
    }

    pub(super) fn not_looked_at(stage: Stage, told: &str) -> Self {
        Self { stage, verdict: Verdict::NotLookedAt, told: told.to_owned(), advice: None }
    }
}

/// What was found at all stages. It displays as text of at most 100 columns, and is JSON by `serde`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The version of the bridge.
    pub version: &'static str,
    /// The operating system.
    pub system: &'static str,
    /// In the order in which a page needs them.
    pub findings: Vec<Finding>,
}

/// Where the sentences begin.
const INDENT: usize = 28;
/// Where they are broken.
const WIDTH: usize = 100;

impl Report {
    pub(super) fn new(findings: Vec<Finding>) -> Self {
        Self { version: env!("CARGO_PKG_VERSION"), system: std::env::consts::OS, findings }
    }

    /// Whether nobody has to do anything, and everything was looked at.
    pub fn is_all_well(&self) -> bool {
        self.findings.iter().all(|finding| finding.verdict == Verdict::Well)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Card Bridge {} on {}\n", self.version, self.system)?;
        for finding in &self.findings {
            let mark = match finding.verdict {
                Verdict::Well => "ok",
                Verdict::Wrong => "WRONG",
                Verdict::NotLookedAt => "-",
            };
            write!(f, "{mark:<7} {:<20}", finding.stage)?;
            writeln!(f, "{}", wrap(&finding.told))?;
            if let Some(advice) = &finding.advice {
                writeln!(f, "{:INDENT$}{}", "", wrap(&format!("What to do: {advice}")))?;
            }
        }
        let end = if self.is_all_well() { "All is well." } else { "Not all is well: see above." };
        writeln!(f, "\n{end}")
    }
}

/// Breaks a text into lines that begin at the indent, except the first.
fn wrap(text: &str) -> String {
    let mut wrapped = String::new();
    let mut column = INDENT;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > INDENT && column + 1 + length > WIDTH {
            wrapped.push('\n');
            wrapped.push_str(&" ".repeat(INDENT));
            column = INDENT;
        } else if column > INDENT {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += length;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(findings: Vec<Finding>) -> Report {
        Report { version: "1.2.3", system: "linux", findings }
    }

    #[test]
    fn a_report_reads_as_it_is_shown() {
        let findings = vec![
            Finding::well(Stage::Service, "It is running."),
            Finding::wrong(Stage::Card, "No card is in the reader.", &"Put it in. ".repeat(8)),
            Finding::not_looked_at(Stage::Applet, "There is no card to look at."),
        ];
        let expected = "\
Card Bridge 1.2.3 on linux

ok      Smartcard service   It is running.
WRONG   Card                No card is in the reader.
                            What to do: Put it in. Put it in. Put it in. Put it in. Put it in. Put
                            it in. Put it in. Put it in.
-       Card application    There is no card to look at.

Not all is well: see above.
";
        assert_eq!(report(findings).to_string(), expected);
    }

    #[test]
    fn all_is_well_only_where_everything_was_looked_at() {
        let well = Finding::well(Stage::Service, "It is running.");
        assert!(report(vec![well.clone()]).is_all_well());
        assert!(!report(vec![well.clone(), Finding::not_looked_at(Stage::Card, "No.")]).is_all_well());
        assert!(!report(vec![well, Finding::wrong(Stage::Card, "No.", "Do.")]).is_all_well());
    }
}
