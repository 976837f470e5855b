//! The report of a check: plain text for whoever helps, without the card's identity or anything secret.

use std::fmt;

use js_sys::Date;

use super::stages::Finding;

/// What was found, when and where.
pub struct Report<'a> {
    /// The website.
    website: String,
    /// The time, in the browser's words for machines (ISO 8601, UTC).
    at: String,
    /// The browser.
    browser: String,
    /// Of all stages.
    findings: &'a [Finding],
}

impl<'a> Report<'a> {
    /// Of this page in this browser, now.
    pub fn of_browser(findings: &'a [Finding]) -> Self {
        let window = leptos::prelude::window();
        Self {
            website: window.location().origin().unwrap_or_default(),
            at: Date::new_0().to_iso_string().into(),
            browser: window.navigator().user_agent().unwrap_or_default(),
            findings,
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}\n", self.website, self.at, self.browser)?;
        for Finding { stage, verdict, told, advice } in self.findings {
            write!(f, "{}: {}", stage.name(), verdict.word())?;
            for text in [told.as_str(), advice] {
                if !text.is_empty() {
                    write!(f, ". {}", text.trim_end_matches('.'))?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::check_reader::stages::{Stage, Verdict};

    #[test]
    fn a_report_reads_line_by_line() {
        let findings = [
            Finding {
                stage: Stage::Port,
                verdict: Verdict::Works,
                told: "Version 1.2.3 at port 24787".to_owned(),
                advice: "",
            },
            Finding {
                stage: Stage::Card,
                verdict: Verdict::Fails,
                told: "Insert your Smartcard.".to_owned(),
                advice: "Push it in chip first until it stops.",
            },
            Finding::not_checked(Stage::Keys),
        ];
        let report = Report {
            website: "https://service.test".to_owned(),
            at: "2026-11-28T09:00:00.000Z".to_owned(),
            browser: "Browser/1".to_owned(),
            findings: &findings,
        };
        assert_eq!(
            report.to_string(),
            "https://service.test\n2026-11-28T09:00:00.000Z\nBrowser/1\n\n\
             Card Bridge: Works. Version 1.2.3 at port 24787\n\
             Smartcard: Does not work. Insert your Smartcard. Push it in chip first until it stops\n\
             Keys and passcode: Not checked\n"
        );
    }
}
