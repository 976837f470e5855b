//! The rules by which operators are alerted: what they ask for is there.

use std::collections::BTreeSet;

use card_protocol::Purpose;
use serde_json::json;

use crate::{
    admin::scrape,
    browser::Browser,
    card::Card,
    test_app::TestApp,
    unlock::{registered, unlock},
};

const RULES: &str = include_str!("../../package/alerts.yml");

/// What promtool tries them with.
const TRIALS: &str = include_str!("../../package/alerts-test.yml");

/// A figure that the rules speak of, with the labels that they want to have a certain value.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted<'a> {
    name: &'a str,
    labels: Vec<&'a str>,
}

/// All that is named anywhere in the rules, also where they say what to look at.
fn wanted(rules: &str) -> BTreeSet<Wanted<'_>> {
    let starts = rules.match_indices("service_centre_").map(|(at, _)| at);
    starts
        .map(|at| {
            let rest = &rules[at..];
            let end = rest.find(|char: char| !char.is_ascii_lowercase() && char != '_').unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            let selectors = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(inner, _)| inner);
            // What matches a pattern, and the status of answers that did not fail here, need not be there.
            let labels = selectors.split(',').filter(|label| label.contains("=\"") && !label.starts_with("status="));
            Wanted { name, labels: labels.collect() }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_that_a_rule_asks_for_is_there() {
    let app = TestApp::start().await;
    let mut card = registered(&app).await;
    unlock(&app, &mut card).await;
    let mut browser = Browser::new(&app);
    let hello = browser.challenge("unlock/start").await;
    let stranger = Card::number(2).prove(Purpose::Unlock, hello);
    assert_eq!(browser.call("unlock/identify", &json!({ "proof": stranger })).await.fault(), "Refused");

    let figures = scrape(&app).await;
    let wanted = wanted(RULES);
    assert!(wanted.len() > 10, "{wanted:?}");
    for Wanted { name, labels } in &wanted {
        let is_it = |figure: &str| {
            // Of times there are a count, a sum and steps.
            let found = figure.split('{').next().unwrap_or_default();
            let is_named = found == *name || found.strip_suffix("_count") == Some(name);
            is_named && labels.iter().all(|label| figure.contains(label))
        };
        assert!(figures.keys().any(|figure| is_it(figure)), "{name} {labels:?}");
    }
}

#[test]
fn every_rule_says_what_to_do_and_is_tried() {
    let rules: Vec<&str> = RULES.split("- alert: ").skip(1).collect();
    assert!(rules.len() > 10);
    for rule in rules {
        for part in ["expr: ", "severity: ", "summary: ", "action: "] {
            assert_eq!(rule.matches(part).count(), 1, "{part}: {rule}");
        }
        let name = rule.lines().next().unwrap();
        assert!(TRIALS.contains(&format!("alertname=\"{name}\"")), "{name}");
    }
}
