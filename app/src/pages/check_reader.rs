//! `/help/reader`: what works and what does not, from the browser to the keys of the card, and a report of it.

mod report;
mod stages;

use leptos::prelude::*;

use crate::{
    announcer::Announcer,
    bridge::{Bridge, permission_of_browser},
    clipboard,
    components::{Button, ButtonKind, Details, OnFound, Page, ReaderPanel, Tag, TagColour},
    t,
    work::Work,
};
use report::Report;
use stages::{Finding, Stage, Verdict, look};

/// The check.
#[component]
pub fn CheckReader() -> impl IntoView {
    let findings = RwSignal::new(Stage::ALL.map(Finding::not_checked).to_vec());
    let work = Work::new();
    let bridge = Bridge::of_page();
    let check = Callback::new(move |()| {
        work.start(async move {
            let examined = bridge.examine().await;
            findings.set(look(&examined, bridge.port(), permission_of_browser().await));
        });
    });
    view! {
        <Page title=t::check_title() back="/help">
            <p class="nhsuk-body">{t::check_lead()}</p>
            <Button kind=ButtonKind::Primary label=t::check_start() on_press=check />
            <ReaderPanel button=t::check_start() on_retry=check on_found=OnFound::GoOn />
            <ul class="nhsuk-task-list">
                {move || findings.get().into_iter().map(item).collect_view()}
            </ul>
            <CopyReport findings />
        </Page>
    }
}

fn item(finding: Finding) -> impl IntoView {
    let colour = match finding.verdict {
        Verdict::NotChecked => TagColour::Grey,
        Verdict::Works => TagColour::Green,
        Verdict::Fails => TagColour::Red,
    };
    let Finding { stage, verdict, told, advice } = finding;
    let hint = |text: String| (!text.is_empty()).then(|| view! { <div class="nhsuk-task-list__hint">{text}</div> });
    view! {
        <li class="nhsuk-task-list__item">
            <div class="nhsuk-task-list__name-and-hint">
                <div>{stage.name()}</div>
                {hint(told)}
                {hint(advice.to_owned())}
            </div>
            <div class="nhsuk-task-list__status">
                <Tag colour text=verdict.word() />
            </div>
        </li>
    }
}

/// The report to read, and to copy.
#[component]
fn CopyReport(
    /// What was found.
    findings: RwSignal<Vec<Finding>>,
) -> impl IntoView {
    let announcer = expect_context::<Announcer>();
    let copied = RwSignal::new("");
    let text = move || Report::of_browser(&findings.read()).to_string();
    let copy = Callback::new(move |()| {
        let text = untrack(text);
        leptos::task::spawn_local(async move {
            let told = if clipboard::copy(&text).await { t::check_copied() } else { t::check_not_copied() };
            copied.set(told);
            announcer.say(told);
        });
    });
    move || {
        let is_checked = findings.read().iter().any(|finding| finding.verdict != Verdict::NotChecked);
        is_checked.then(|| {
            view! {
                <Details summary=t::check_report()>
                    <pre class="app-report" tabindex="0" role="region" aria-label=t::check_report()>{text}</pre>
                </Details>
                <Button kind=ButtonKind::Secondary label=t::check_copy() on_press=copy />
                <p class="nhsuk-body">{copied}</p>
            }
        })
    }
}
