//! `/ra/reports`: how often what happened, over time and in each organisation. Works without JavaScript.

mod chart;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{address, card_watch::CardWatch, instead, words};
use crate::{
    components::{ButtonKind, DateInput, Errors, FieldError, Page, Select, SubmitButton, Table},
    pages::{
        more_time::{Idle, MoreTime},
        profile::SignOutForm,
    },
    server_fns::reports::{Counts, NO_ORGANISATION, ReportParameters, ReportView, report},
    t,
};
use chart::Chart;

/// What is counted, in the order of [`Counts`].
fn figures() -> [&'static str; 4] {
    [t::reports_registered(), t::reports_unlocked(), t::reports_locked_out(), t::reports_mails_failed()]
}

/// The reports.
#[component]
pub fn RaReports() -> impl IntoView {
    let query = use_query_map();
    let parameters = move || {
        let query = query.read();
        let field = |name| query.get(name).unwrap_or_default();
        ReportParameters {
            from: field("from"),
            until: field("until"),
            step: field("step"),
            organisation: field("organisation"),
            by: String::new(),
        }
    };
    let made = Resource::new(parameters, report);
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match made.await {
                    Ok(report) => view! { <Shows report /> }.into_any(),
                    Err(fault) => instead(&fault),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Shows(
    /// The report.
    report: ReportView,
) -> impl IntoView {
    let ReportView { parameters, fault, lines, total, organisations, known } = report;
    let errors = fault.iter().map(|fault| FieldError { field: Some("from".to_owned()), text: words(fault) });
    let errors = Errors::new(errors.collect());
    let has_report = fault.is_none();
    let files =
        [("", t::reports_download()), ("organisation", t::reports_download_organisations())].map(|(by, text)| {
            let href =
                address("/ra/reports.csv", &pairs(&ReportParameters { by: by.to_owned(), ..parameters.clone() }));
            view! { <li><a href=href rel="external">{text}</a></li> }
        });
    view! {
        <CardWatch />
        <Page title=t::reports_title() back="/ra" errors>
            <Filters parameters known errors />
            {has_report
                .then(|| {
                    view! {
                        <Chart lines=lines.clone() names=figures() />
                        <OverTime lines total />
                        <ByOrganisation organisations />
                        <ul class="nhsuk-list nhsuk-list--bullet">{files.collect_view()}</ul>
                        <p class="nhsuk-body-s">{t::reports_days()}</p>
                    }
                })}
        </Page>
        <MoreTime of=Idle::Session>
            <SignOutForm />
        </MoreTime>
    }
}

fn pairs(parameters: &ReportParameters) -> [(&'static str, &str); 5] {
    [
        ("from", &parameters.from),
        ("until", &parameters.until),
        ("step", &parameters.step),
        ("organisation", &parameters.organisation),
        ("by", &parameters.by),
    ]
}

#[component]
fn Filters(
    /// What was asked for.
    parameters: ReportParameters,
    /// The organisations that can be asked for.
    known: Vec<String>,
    /// What is wrong.
    errors: Errors,
) -> impl IntoView {
    let ReportParameters { from, until, step, organisation, .. } = parameters;
    let steps = [("day", t::reports_day()), ("week", t::reports_week()), ("month", t::reports_month())];
    let steps = steps.map(|(value, text)| (value.to_owned(), text.to_owned())).to_vec();
    let mut organisations = vec![(NO_ORGANISATION.to_owned(), t::reports_no_organisation().to_owned())];
    organisations.extend(known.into_iter().map(|name| (name.clone(), name)));
    view! {
        <form method="get" action="/ra/reports" novalidate>
            <DateInput id="from" label=t::reports_from() error=errors.of("from") value=from />
            <DateInput id="until" label=t::reports_until() error=errors.of("until") value=until />
            <Select
                id="step"
                name="step"
                label=t::reports_step()
                nothing=t::reports_choose_step()
                options=steps
                chosen=step
                error=errors.of("step")
            />
            <Select
                id="organisation"
                name="organisation"
                label=t::reports_organisation()
                nothing=t::reports_everybody()
                options=organisations
                chosen=organisation
                error=errors.of("organisation")
            />
            <SubmitButton kind=ButtonKind::Primary label=t::reports_submit() />
        </form>
    }
}

/// A day, which is not broken where the table is narrow.
fn day(day: String) -> AnyView {
    let datetime = day.clone();
    view! {
        <time class="app-day" datetime=datetime>
            {day}
        </time>
    }
    .into_any()
}

fn cells(first: AnyView, counts: Counts) -> Vec<AnyView> {
    [first].into_iter().chain(counts.map(IntoAny::into_any)).collect()
}

#[component]
fn OverTime(
    /// What happened in each step.
    lines: Vec<(String, Counts)>,
    /// The sum.
    total: Counts,
) -> impl IntoView {
    let mut rows: Vec<_> = lines.into_iter().map(|(first, counts)| cells(day(first), counts)).collect();
    rows.push(cells(view! { <strong>{t::reports_total()}</strong> }.into_any(), total));
    let heads = [t::reports_first_day()].into_iter().chain(figures()).collect();
    view! { <Table caption=t::reports_over_time() heads rows /> }
}

#[component]
fn ByOrganisation(
    /// What happened in each.
    organisations: Vec<(Option<String>, Counts)>,
) -> impl IntoView {
    let name = |name: Option<String>| name.unwrap_or_else(|| t::reports_no_organisation().to_owned());
    let rows = organisations.into_iter().map(|(organisation, counts)| cells(name(organisation).into_any(), counts));
    let heads = [t::reports_organisation()].into_iter().chain(figures()).collect();
    view! { <Table caption=t::reports_by_organisation() heads rows=rows.collect() /> }
}
