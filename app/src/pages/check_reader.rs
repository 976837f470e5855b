//! `/help/reader`: what works and what does not, from the bridge to the card.

use card_protocol::message::{CardPresence, Readers};
use leptos::prelude::*;

use crate::{
    bridge::Bridge,
    components::{Button, ButtonKind, Page, ReaderPanel, Tag, TagColour},
    t,
    work::Work,
};

/// How a part does.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Finding {
    NotChecked,
    Works(String),
    Fails,
}

/// All parts, in the order in which they depend on each other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Findings {
    bridge: Finding,
    service: Finding,
    reader: Finding,
    card: Finding,
}

impl Findings {
    const NONE: Self = Self {
        bridge: Finding::NotChecked,
        service: Finding::NotChecked,
        reader: Finding::NotChecked,
        card: Finding::NotChecked,
    };
}

/// The check.
#[component]
pub fn CheckReader() -> impl IntoView {
    let findings = RwSignal::new(Findings::NONE);
    let work = Work::new();
    let bridge = Bridge::of_page();
    let check = Callback::new(move |()| {
        findings.set(Findings::NONE);
        work.start(async move { findings.set(examine(bridge).await) });
    });
    let list = move || {
        let Findings { bridge, service, reader, card } = findings.get();
        [
            (t::check_bridge(), bridge),
            (t::check_service(), service),
            (t::check_reader(), reader),
            (t::check_card(), card),
        ]
        .map(|(name, finding)| item(name, finding))
        .collect_view()
    };
    view! {
        <Page title=t::check_title() back="/help">
            <p class="nhsuk-body">{t::check_lead()}</p>
            <ul class="nhsuk-task-list">{list}</ul>
            <ReaderPanel button=t::check_start() on_retry=check />
            <Button kind=ButtonKind::Primary label=t::check_start() on_press=check />
        </Page>
    }
}

async fn examine(bridge: Bridge) -> Findings {
    let Ok((version, readers, status)) = bridge.examine().await else {
        return Findings { bridge: Finding::Fails, ..Findings::NONE };
    };
    let bridge = Finding::Works(t::check_version(&version));
    let Readers::Running { readers } = readers else {
        return Findings { bridge, service: Finding::Fails, ..Findings::NONE };
    };
    let service = Finding::Works(String::new());
    let Some(reader) = readers.iter().max_by_key(|reader| reader.card == CardPresence::Present) else {
        return Findings { bridge, service, reader: Finding::Fails, card: Finding::NotChecked };
    };
    let card = match status {
        Ok(status) => Finding::Works(match status.tries_left {
            Some(0) => t::check_locked().to_owned(),
            Some(tries) => t::check_tries(tries.into()),
            None => String::new(),
        }),
        Err(_) => Finding::Fails,
    };
    Findings { bridge, service, reader: Finding::Works(reader.name.clone()), card }
}

fn item(name: &'static str, finding: Finding) -> impl IntoView {
    let (colour, word, more) = match finding {
        Finding::NotChecked => (TagColour::Grey, t::check_unknown(), String::new()),
        Finding::Works(more) => (TagColour::Green, t::check_works(), more),
        Finding::Fails => (TagColour::Red, t::check_fails(), String::new()),
    };
    view! {
        <li class="nhsuk-task-list__item">
            <div class="nhsuk-task-list__name-and-hint">
                <div>{name}</div>
                {(!more.is_empty()).then(|| view! { <div class="nhsuk-task-list__hint">{more}</div> })}
            </div>
            <div class="nhsuk-task-list__status">
                <Tag colour text=word />
            </div>
        </li>
    }
}
