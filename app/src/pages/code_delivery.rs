//! How far the mail with a code is: said while it is delayed, or when it does not come. It looks by itself until the
//! mail server has the mail or none will come.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use crate::{announcer::Announcer, components::InsetText, server_fns::CodeDelivery, t};

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What the page says when the mail server refused the address: what to do is another thing on each.
pub type RefusedWords = fn() -> &'static str;

/// Says how far the mail is, where there is something to say.
#[component]
pub fn CodeDeliveryNews(
    /// How far it is.
    delivery: RwSignal<CodeDelivery>,
    /// What to do where the address was refused.
    refused: RefusedWords,
) -> impl IntoView {
    move || words(delivery.get(), refused).map(|text| view! { <InsetText text /> })
}

/// Asks again and again how far the mail is, until that is settled, and announces what comes of it.
pub fn watch<F>(
    delivery: RwSignal<CodeDelivery>,
    refused: RefusedWords,
    look: impl Fn() -> F + Copy + Send + Sync + 'static,
) where
    F: Future<Output = Option<CodeDelivery>> + 'static,
{
    let announcer = expect_context::<Announcer>();
    let look_again = move || {
        let is_open = matches!(delivery.try_get_untracked(), Some(CodeDelivery::OnItsWay | CodeDelivery::Delayed));
        if !is_open {
            return;
        }
        spawn_local(async move {
            let Some(found) = look().await else {
                return;
            };
            if delivery.try_get_untracked().is_some_and(|known| known != found) {
                delivery.set(found);
                if let Some(text) = words(found, refused) {
                    announcer.say(text.to_owned());
                }
            }
        });
    };
    Effect::new(move |_| {
        if let Ok(interval) = set_interval_with_handle(look_again, LOOK_EVERY) {
            on_cleanup(move || interval.clear());
        }
    });
}

fn words(delivery: CodeDelivery, refused: RefusedWords) -> Option<&'static str> {
    match delivery {
        CodeDelivery::OnItsWay | CodeDelivery::Sent => None,
        CodeDelivery::Delayed => Some(t::code_delayed()),
        CodeDelivery::Refused => Some(refused()),
        CodeDelivery::GivenUp => Some(t::code_given_up()),
    }
}
