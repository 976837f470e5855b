//! The pages that come in a bundle of their own, so that the start of an unlock is small.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use super::{accessibility, check_reader, demo, help, not_me, profile, ra, register, sign_in, unlock};

/// Defines the route of a page that is loaded when it is opened.
macro_rules! lazy_page {
    ($page:ident, $component:path) => {
        #[doc = concat!("The route of [`", stringify!($component), "`].")]
        #[derive(Debug)]
        pub struct $page;

        #[lazy_route]
        impl LazyRoute for $page {
            fn data() -> Self {
                Self
            }

            fn view(this: Self) -> AnyView {
                let _ = this;
                $component().into_any()
            }
        }
    };
}

lazy_page!(Accessibility, accessibility::Accessibility);
lazy_page!(CheckReader, check_reader::CheckReader);
lazy_page!(DemoCards, demo::cards::DemoCards);
lazy_page!(DemoMailbox, demo::mailbox::DemoMailbox);
lazy_page!(Help, help::Help);
lazy_page!(NotMe, not_me::NotMe);
lazy_page!(ProfileEnd, profile::end::ProfileEnd);
lazy_page!(ProfilePage, profile::ProfilePage);
lazy_page!(ProfilePasscode, profile::passcode::ProfilePasscode);
lazy_page!(RaAct, ra::act::RaAct);
lazy_page!(RaFind, ra::find::RaFind);
lazy_page!(RaImport, ra::import::RaImport);
lazy_page!(RaImports, ra::imports::RaImports);
lazy_page!(RaLoadCard, ra::load_card::RaLoadCard);
lazy_page!(RaPrepareCard, ra::prepare_card::RaPrepareCard);
lazy_page!(RaRecord, ra::record::RaRecord);
lazy_page!(RaReports, ra::reports::RaReports);
lazy_page!(RaTrail, ra::trail::RaTrail);
lazy_page!(RegisterSteps, register::RegisterSteps);
lazy_page!(SignIn, sign_in::SignIn);
lazy_page!(UnlockSteps, unlock::UnlockSteps);
