//! What the pages are told of this installation.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// What the server tells the pages: provided as a context when a page is rendered or a server function runs.
#[derive(Clone, Debug)]
pub struct PageConfig {
    /// The name of the service, in the header and in every title.
    pub service_name: String,
    /// Whom to ask when self-service cannot help.
    pub ra: RaContact,
    /// The loopback port of the card bridge.
    pub bridge_port: u16,
    /// The address of the service as browsers write an origin: `https://unlock.example.org`.
    pub public_origin: String,
    /// How cookies are set.
    pub cookies: CookieKind,
    /// The domains whose addresses may receive codes.
    pub approved_domains: Vec<String>,
    /// What is asked for to register and to unlock.
    pub profile: PolicyProfile,
    /// How many digits a new passcode has at least.
    pub passcode_digits: u8,
    /// Only where everything is made up.
    pub demonstration: Option<Demonstration>,
    /// To whom the file of cards of an import is encrypted; nothing where nothing can be imported.
    pub import_recipient: Option<String>,
    /// How large the files of an import may be together, in bytes.
    pub upload_limit: u64,
}

/// What is asked for to register and to unlock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyProfile {
    /// Questions or recovery codes, then a code by e-mail.
    #[default]
    Classic,
    /// A code by e-mail; nobody registers.
    CodeOnly,
    /// A code by e-mail, then a recovery code.
    Strict,
}

impl PolicyProfile {
    /// Whether an unlock begins with the code by e-mail.
    pub const fn begins_with_code(self) -> bool {
        matches!(self, Self::CodeOnly | Self::Strict)
    }
}

#[cfg(feature = "ssr")]
impl From<domain::policy::Profile> for PolicyProfile {
    fn from(profile: domain::policy::Profile) -> Self {
        use domain::policy::Profile;
        match profile {
            Profile::Classic => Self::Classic,
            Profile::CodeOnly => Self::CodeOnly,
            Profile::Strict => Self::Strict,
        }
    }
}

/// The Registration Authority.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RaContact {
    /// Its name.
    pub name: String,
    /// Its telephone number, as people write it.
    pub telephone: String,
    /// Its e-mail address.
    pub email: String,
    /// When it is open in a usual week, in words.
    pub hours: String,
    /// The telephone number to call while it is closed, where there is one.
    pub out_of_hours_telephone: Option<String>,
    /// Whether it is open when the page is rendered, and what comes after that.
    pub now: Vec<OpeningState>,
}

/// What is true of the Registration Authority until a point in time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OpeningState {
    /// Until when, in milliseconds since 1970, as browsers count.
    pub until: f64,
    /// The words: `Closed now, opens Monday 8am`.
    pub text: String,
}

/// How cookies are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieKind {
    /// `Secure`, with the prefix `__Host-`.
    Secure,
    /// Neither, because the service is only reached at `http://localhost`.
    Loopback,
}

/// What a demonstration shows to whoever tries it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demonstration {
    /// The cards that were made.
    pub cards: Vec<DemonstrationCard>,
}

/// A card of a demonstration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DemonstrationCard {
    /// By what it is found in the bridge's list of cards.
    pub name: String,
    /// Whose it is.
    pub holder: String,
    /// Its passcode when it was made.
    pub passcode: String,
    /// Whether its holder is registered.
    pub is_registered: bool,
    /// Whether it was made locked.
    pub is_locked: bool,
    /// The numbers of the security questions of its holder and their answers, where they are registered.
    pub answers: Vec<(u8, String)>,
}

/// The part of [`PageConfig`] that the browser needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PageFacts {
    /// The name of the service.
    pub service_name: String,
    /// Whom to ask when self-service cannot help.
    pub ra: RaContact,
    /// The loopback port of the card bridge.
    pub bridge_port: u16,
    /// The domains whose addresses may receive codes.
    pub approved_domains: Vec<String>,
    /// What is asked for to register and to unlock.
    pub profile: PolicyProfile,
    /// How many digits a new passcode has at least.
    pub passcode_digits: u8,
}

impl From<PageConfig> for PageFacts {
    fn from(config: PageConfig) -> Self {
        let PageConfig { service_name, ra, bridge_port, approved_domains, profile, passcode_digits, .. } = config;
        Self { service_name, ra, bridge_port, approved_domains, profile, passcode_digits }
    }
}

/// Makes the facts known to every page: from the server's configuration, in the browser from what the server rendered.
pub(crate) fn provide_facts() {
    let facts = SharedValue::new(|| use_context::<PageConfig>().map(PageFacts::from).unwrap_or_default()).into_inner();
    provide_context(StoredValue::new(facts));
}

/// The facts.
pub(crate) fn facts() -> PageFacts {
    use_context::<StoredValue<PageFacts>>().map(|facts| facts.get_value()).unwrap_or_default()
}
