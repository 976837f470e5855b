//! The pages that come in a bundle of their own, so that the start of an unlock is small.

use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::LazyRoute;

use super::{
    accessibility, check_reader, demo, help,
    not_loaded::{self, NotLoaded},
    not_me, profile, ra, register, sign_in, unlock,
};
use crate::app::Way;

/// Defines the route of a page that is loaded when it is opened, in a bundle of this name.
macro_rules! lazy_page {
    ($page:ident, $bundle:ident, $component:path) => {
        #[doc = concat!("The route of [`", stringify!($component), "`].")]
        #[derive(Debug)]
        pub struct $page;

        #[wasm_split($bundle, wasm_split_path = leptos::wasm_split, fallible)]
        fn $bundle() -> Result<AnyView, SplitLoaderError> {
            // It fails where its bundle does not come, and then nothing of it runs.
            Ok(()).map(|()| $component().into_any())
        }

        impl LazyRoute for $page {
            fn data() -> Self {
                Self
            }

            async fn view(_: Self) -> AnyView {
                // The page that the server makes has the browser fetch it at once.
                #[cfg(feature = "ssr")]
                leptos::prefetch_lazy_fn_on_server(stringify!($bundle));
                // Only a browser misses it; and on the server another thread than the page's may be here.
                let is_first = cfg!(not(feature = "ssr")) && !Way::of_page().has_arrived();
                match $bundle().await {
                    Ok(page) => page,
                    Err(_) if is_first => {
                        not_loaded::say_on_page();
                        std::future::pending().await
                    }
                    Err(_) => NotLoaded().into_any(),
                }
            }
        }
    };
}

lazy_page!(Accessibility, accessibility, accessibility::Accessibility);
lazy_page!(CheckReader, check_reader, check_reader::CheckReader);
lazy_page!(DemoCards, demo_cards, demo::cards::DemoCards);
lazy_page!(DemoMailbox, demo_mailbox, demo::mailbox::DemoMailbox);
lazy_page!(Help, help, help::Help);
lazy_page!(NotMe, not_me, not_me::NotMe);
lazy_page!(ProfileEnd, profile_end, profile::end::ProfileEnd);
lazy_page!(ProfilePage, profile_page, profile::ProfilePage);
lazy_page!(ProfilePasscode, profile_passcode, profile::passcode::ProfilePasscode);
lazy_page!(RaAct, ra_act, ra::act::RaAct);
lazy_page!(RaFind, ra_find, ra::find::RaFind);
lazy_page!(RaImport, ra_import, ra::import::RaImport);
lazy_page!(RaImports, ra_imports, ra::imports::RaImports);
lazy_page!(RaLoadCard, ra_load_card, ra::load_card::RaLoadCard);
lazy_page!(RaPrepareCard, ra_prepare_card, ra::prepare_card::RaPrepareCard);
lazy_page!(RaRecord, ra_record, ra::record::RaRecord);
lazy_page!(RaReports, ra_reports, ra::reports::RaReports);
lazy_page!(RaTrail, ra_trail, ra::trail::RaTrail);
lazy_page!(RegisterSteps, register_steps, register::RegisterSteps);
lazy_page!(SignIn, sign_in, sign_in::SignIn);
lazy_page!(UnlockSteps, unlock_steps, unlock::UnlockSteps);
