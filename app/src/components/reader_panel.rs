//! What the page knows of reader and card, and what the person can do about it.

use card_protocol::{CardFailure, HeldCard, NotEntered, PasscodeNow};
use leptos::{html, prelude::*};

use super::{Button, ButtonKind, Radios};
use crate::{
    announcer::Announcer,
    bridge::{Bridge, ReaderState, Trouble, diagnosis::Diagnosis},
    t,
};

/// How good the news is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Neutral,
    Good,
    Bad,
}

/// What the panel says of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Words {
    headline: &'static str,
    help: &'static str,
    tone: Tone,
}

/// What to do when there is a card at last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFound {
    /// Wait for the person: what they typed may not be what they want to send yet.
    #[default]
    Wait,
    /// Go on: nothing was typed.
    GoOn,
}

/// The panel. The headline of each state is announced when it changes, once.
#[component]
pub fn ReaderPanel(
    /// The label of the button that starts the work.
    button: &'static str,
    /// Tries again.
    #[prop(into)]
    on_retry: Callback<()>,
    /// Spends the last try of a passcode, where the page asks for one.
    #[prop(optional, into)]
    on_last_try: Option<Callback<()>>,
    /// What to do when there is a card at last.
    #[prop(optional)]
    on_found: OnFound,
) -> impl IntoView {
    let bridge = Bridge::of_page();
    bridge.settle();
    let announcer = expect_context::<Announcer>();
    Effect::new(move |before: Option<ReaderState>| {
        let state = bridge.state();
        match &state {
            ReaderState::Before => {}
            ReaderState::Found if on_found == OnFound::GoOn => on_retry.run(()),
            state if before.as_ref().is_some_and(|before| before != state) => announcer.say(words(state).headline),
            _ => {}
        }
        state
    });
    // A button goes with the state that it was pressed in: the focus must not go with it.
    let heading = NodeRef::<html::H2>::new();
    let holding_focus = move |press: Callback<()>| {
        Callback::new(move |()| {
            if let Some(heading) = heading.get_untracked() {
                let _ = heading.focus();
            }
            press.run(());
        })
    };
    let on_last_try = on_last_try.map(holding_focus);
    let on_press = holding_focus(on_retry);
    let said = move || words(&bridge.state());
    let class = move || match said().tone {
        Tone::Neutral => "app-reader-panel",
        Tone::Good => "app-reader-panel app-reader-panel--ready",
        Tone::Bad => "app-reader-panel app-reader-panel--trouble",
    };
    // The headline stays the same element: one that is made anew, or only its attributes, loses the focus.
    view! {
        <section class=class aria-labelledby="reader-panel-heading">
            <h2
                class="nhsuk-heading-s app-reader-panel__headline"
                id="reader-panel-heading"
                tabindex="-1"
                node_ref=heading
            >
                {move || said().headline}
            </h2>
            {move || {
                let state = bridge.state();
                let help = words(&state).help;
                view! {
                    {(!help.is_empty()).then(|| view! { <p class="nhsuk-body">{help}</p> })}
                    {(state == ReaderState::Before)
                        .then(|| view! { <p class="nhsuk-body">{t::reader_before(button)}</p> })}
                    {actions(bridge, &state, on_press, on_last_try)}
                }
            }}
        </section>
    }
}

fn actions(
    bridge: Bridge,
    state: &ReaderState,
    on_retry: Callback<()>,
    on_last_try: Option<Callback<()>>,
) -> impl IntoView + use<> {
    let trouble = match state {
        ReaderState::Trouble(trouble) => trouble,
        ReaderState::Found => {
            return view! {
                <p>
                    <Button kind=ButtonKind::Primary label=t::reader_try_again() on_press=on_retry />
                </p>
            }
            .into_any();
        }
        _ => return ().into_any(),
    };
    let special = match trouble {
        Trouble::Bridge(Diagnosis::Blocked) => view! {
            <ol class="nhsuk-list nhsuk-list--number">
                <li>{t::reader_blocked_step_1()}</li>
                <li>{if is_firefox() { t::reader_blocked_step_2_firefox() } else { t::reader_blocked_step_2() }}</li>
                <li>{t::reader_blocked_step_3()}</li>
            </ol>
            <p class="nhsuk-body">{t::reader_blocked_or_helper()}</p>
            <HelperButton bridge on_open=on_retry />
        }
        .into_any(),
        Trouble::Bridge(
            Diagnosis::NotInThisBrowser | Diagnosis::HelperStopped | Diagnosis::HelperClosed | Diagnosis::HelperSilent,
        ) => view! { <HelperButton bridge on_open=on_retry /> }.into_any(),
        Trouble::Card(CardFailure::SeveralCards { cards }) => {
            let readers: Vec<_> = cards.iter().map(|card| card.reader.clone()).collect();
            let choose = Callback::new(move |position: usize| bridge.choose_reader(readers[position].clone()));
            let (legend, items) = (t::reader_several_cards_legend(), cards.iter().map(name_of_card).collect());
            view! { <Radios name="reader" legend items on_choose=choose /> }.into_any()
        }
        Trouble::Card(CardFailure::CardInUse { programs }) if !programs.is_empty() => {
            view! { <p class="nhsuk-body">{t::reader_card_in_use_by(&programs.join(", "))}</p> }.into_any()
        }
        Trouble::Card(CardFailure::LastTry) => view! {
            {on_last_try
                .map(|on_press| {
                    view! { <Button kind=ButtonKind::Secondary label=t::reader_last_try_use() on_press /> }
                })}
            <p class="nhsuk-body">
                <a href="/unlock">{t::reader_last_try_unlock()}</a>
            </p>
        }
        .into_any(),
        Trouble::Card(CardFailure::PasscodeBlocked) => view! {
            <p class="nhsuk-body">
                <a href="/unlock">{t::reader_passcode_blocked_unlock()}</a>
            </p>
        }
        .into_any(),
        Trouble::Bridge(_) | Trouble::Card(_) | Trouble::NoSealing => ().into_any(),
    };
    view! {
        {special}
        <p class="app-reader-panel__actions">
            <Button kind=ButtonKind::Secondary label=t::reader_try_again() on_press=on_retry />
            " "
            <a href="/help/reader">{t::reader_check()}</a>
        </p>
    }
    .into_any()
}

/// Whether the browser's own words are Firefox's; on the server nothing is blocked.
fn is_firefox() -> bool {
    window().navigator().user_agent().is_ok_and(|agent| agent.contains("Firefox/"))
}

/// The name on the card's certificate, if it can be read, and its reader.
fn name_of_card(card: &HeldCard) -> String {
    match &card.holder {
        Some(holder) => t::reader_several_cards_name(holder, &card.reader),
        None => card.reader.clone(),
    }
}

/// Opens the helper window, and goes on when it is allowed.
#[component]
fn HelperButton(
    /// The bridge.
    bridge: Bridge,
    /// What to do then.
    on_open: Callback<()>,
) -> impl IntoView {
    let open = Callback::new(move |()| {
        bridge.open_helper();
        if bridge.awaits_helper() {
            on_open.run(());
        }
    });
    view! {
        <p>
            <Button kind=ButtonKind::Primary label=t::reader_helper_open() on_press=open />
        </p>
    }
}

fn words(state: &ReaderState) -> Words {
    let (tone, headline, help) = match state {
        ReaderState::Before => (Tone::Neutral, t::reader_heading(), ""),
        ReaderState::Connecting => (Tone::Neutral, t::reader_connecting(), ""),
        ReaderState::Asking => (Tone::Neutral, t::reader_asking(), t::reader_asking_help()),
        ReaderState::AskingInHelper => (Tone::Neutral, t::reader_helper_asking(), t::reader_helper_asking_help()),
        ReaderState::Using => (Tone::Neutral, t::reader_using(), ""),
        ReaderState::TypingOnReader => (Tone::Neutral, t::reader_keypad_typing(), t::reader_keypad_typing_help()),
        ReaderState::Ready => (Tone::Good, t::reader_ready(), ""),
        ReaderState::Found => (Tone::Good, t::reader_ready(), t::reader_found_help()),
        ReaderState::Trouble(trouble) => {
            let (headline, help) = trouble_words(trouble);
            (Tone::Bad, headline, help)
        }
    };
    Words { headline, help, tone }
}

fn trouble_words(trouble: &Trouble) -> (&'static str, &'static str) {
    match trouble {
        Trouble::Bridge(diagnosis) => match diagnosis {
            Diagnosis::NotRunning => (t::reader_not_running(), t::reader_not_running_help()),
            Diagnosis::Blocked => (t::reader_blocked(), ""),
            Diagnosis::NotInThisBrowser => (t::reader_no_close(), t::reader_no_close_help()),
            Diagnosis::Hung => (t::reader_hung(), t::reader_hung_help()),
            Diagnosis::NotTrusted => (t::reader_origin(), t::reader_origin_help()),
            Diagnosis::OtherUser => (t::reader_user(), t::reader_user_help()),
            Diagnosis::Version => (t::reader_version(), t::reader_version_help()),
            Diagnosis::Paused => (t::reader_paused(), t::reader_paused_help()),
            Diagnosis::Lost => (t::reader_lost(), t::reader_lost_help()),
            Diagnosis::HelperStopped => (t::reader_helper_stopped(), t::reader_helper_stopped_help()),
            Diagnosis::HelperClosed => (t::reader_helper_closed(), t::reader_helper_closed_help()),
            Diagnosis::HelperSilent => (t::reader_helper_silent(), t::reader_helper_silent_help()),
        },
        Trouble::Card(failure) => card_words(failure),
        Trouble::NoSealing => (t::reader_no_sealing(), t::reader_no_sealing_help()),
    }
}

/// What went wrong at the keys of the reader.
fn entry_words(reason: NotEntered) -> &'static str {
    match reason {
        NotEntered::TimedOut => t::reader_keypad_timed_out(),
        NotEntered::Cancelled => t::reader_keypad_cancelled(),
        NotEntered::Differ => t::reader_keypad_differ(),
        NotEntered::WrongLength => t::passcode_digits(),
        NotEntered::NoKeypad => t::reader_keypad_missing(),
    }
}

/// What a card failure means to a person: headline and help.
fn card_words(failure: &CardFailure) -> (&'static str, &'static str) {
    match failure {
        CardFailure::NoService => (t::reader_no_service(), t::reader_no_service_help()),
        CardFailure::NoReader => (t::reader_no_reader(), t::reader_no_reader_help()),
        CardFailure::NoCard => (t::reader_no_card(), t::reader_no_card_help()),
        CardFailure::SeveralCards { .. } => (t::reader_several_cards(), ""),
        CardFailure::UnsupportedCard => (t::reader_unsupported_card(), t::reader_unsupported_card_help()),
        CardFailure::CardRemoved => (t::reader_card_removed(), t::reader_card_removed_help()),
        CardFailure::CardInUse { .. } => (t::reader_card_in_use(), t::reader_card_in_use_help()),
        CardFailure::CardSilent => (t::reader_card_silent(), t::reader_card_silent_help()),
        CardFailure::NotTouched => (t::reader_not_touched(), t::reader_not_touched_help()),
        CardFailure::NotEntered { reason: NotEntered::NoKeypad } => {
            (t::reader_keypad_missing(), t::reader_keypad_missing_help())
        }
        CardFailure::NotEntered { reason } => (entry_words(*reason), t::reader_keypad_not_sent()),
        CardFailure::NotConfirmed { reason } => (entry_words(*reason), t::reader_keypad_not_confirmed()),
        CardFailure::ChangeNotProved { passcode: PasscodeNow::New } => {
            (t::reader_change_not_proved(), t::reader_change_not_proved_help())
        }
        CardFailure::ChangeNotProved { passcode: PasscodeNow::NewOrFormer } => {
            (t::reader_change_unknown(), t::reader_change_unknown_help())
        }
        CardFailure::WrongPasscode { .. } => (t::reader_wrong_passcode(), ""),
        CardFailure::LastTry => (t::reader_last_try(), t::reader_last_try_help()),
        CardFailure::PasscodeBlocked => (t::reader_passcode_blocked(), t::reader_passcode_blocked_help()),
        CardFailure::UnlockKeyRefused => (t::reader_unlock_key_refused(), ""),
        CardFailure::CardChanged => (t::reader_card_changed(), t::reader_card_changed_help()),
        CardFailure::NotBlank => (t::reader_not_blank(), t::reader_not_blank_help()),
        CardFailure::ForeignKeys => (t::reader_foreign_keys(), t::reader_foreign_keys_help()),
        CardFailure::FactoryKeyStays => (t::reader_factory_key_stays(), t::reader_factory_key_stays_help()),
        CardFailure::Malformed => (t::reader_malformed(), ""),
        CardFailure::Busy => (t::reader_busy(), t::reader_busy_help()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_card_is_never_called_a_wrong_passcode() {
        let (headline, _) = card_words(&CardFailure::CardRemoved);
        assert_eq!(headline, "Your Smartcard was removed. Put it back.");
        assert!(!headline.contains("passcode"));
    }

    #[test]
    fn every_diagnosis_has_its_own_headline() {
        let all = [
            Diagnosis::NotRunning,
            Diagnosis::Blocked,
            Diagnosis::NotInThisBrowser,
            Diagnosis::Hung,
            Diagnosis::NotTrusted,
            Diagnosis::OtherUser,
            Diagnosis::Version,
            Diagnosis::Paused,
            Diagnosis::Lost,
            Diagnosis::HelperStopped,
            Diagnosis::HelperClosed,
            Diagnosis::HelperSilent,
        ];
        let headlines: std::collections::BTreeSet<_> =
            all.iter().map(|diagnosis| trouble_words(&Trouble::Bridge(*diagnosis)).0).collect();
        assert_eq!(headlines.len(), all.len());
    }
}
