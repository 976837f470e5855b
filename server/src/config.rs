//! The configuration: one TOML file, the environment over it, defaults in code.
//!
//! A variable names its field with `__` between the sections: `SERVICE_CENTRE_POLICY__CODE_MINUTES=10`. A field that
//! nobody knows is refused, so that a typing error is not a default. Secrets never stand in the file: each is named by a
//! `*_file` field and read by [`crate::secrets`].

mod admin;
mod bridge;
mod clients;
mod database;
mod demonstration;
mod issuing;
mod mail;
mod opening_hours;
mod policy;
mod public_url;
mod ra;
pub mod secrets;
mod time_zone;
mod tls;
mod welsh;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::{NonZero, NonZeroU16},
    path::{Path, PathBuf},
};

use serde::Deserialize;

pub use admin::AdminSection;
pub use bridge::BridgeSection;
pub use clients::ClientsSection;
pub use database::DatabaseSection;
pub use demonstration::DemonstrationSection;
pub use issuing::{CardKeys, Certificates, IssuingSection};
pub use mail::{MailSection, MailSecurity, Sender};
pub use opening_hours::{OpeningHours, Told};
pub use policy::PolicySection;
pub use public_url::PublicUrl;
pub use ra::{RaContact, RaSection};
pub use secrets::SecretsSection;
pub use time_zone::LocalTimeZone;
pub use tls::TlsSection;
pub use welsh::{Names, WelshSection};

/// What the variables of the environment begin with.
pub const VARIABLE_PREFIX: &str = "SERVICE_CENTRE";

/// The most hashes at once, where the configuration does not ask for more: they take 160 of 400 MB.
const MOST_HASHES_AT_ONCE: usize = 8;

/// The whole configuration.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The address that people type, without a path: `https://unlock.example.org`.
    pub public_url: PublicUrl,
    /// Where the service listens.
    pub listen: SocketAddr,
    /// The certificate, where the service speaks TLS itself.
    pub tls: Option<TlsSection>,
    /// The listener for operators.
    pub admin: AdminSection,
    /// What the service is called on its pages and in its mails.
    pub service_name: String,
    /// The IANA time zone of the times in mails.
    pub time_zone: LocalTimeZone,
    /// The data folder: database and secrets, where they are not named by themselves.
    pub data: Option<PathBuf>,
    /// How many answers and codes are hashed at once, each in 19 MiB of memory.
    pub hashes_at_once: Option<NonZeroU16>,
    /// The database.
    pub database: DatabaseSection,
    /// The secrets.
    pub secrets: SecretsSection,
    /// The mail server.
    pub mail: MailSection,
    /// The rules.
    pub policy: PolicySection,
    /// The cards that are issued here.
    pub issuing: IssuingSection,
    /// Whom people are told to contact.
    pub ra: RaSection,
    /// The names in Welsh.
    pub welsh: WelshSection,
    /// The card bridge.
    pub bridge: BridgeSection,
    /// The clients.
    pub clients: ClientsSection,
    /// The port on which `cargo leptos watch` tells pages to load again; in development only.
    #[serde(skip)]
    pub reload_port: Option<u16>,
    /// The demonstration, where this is one.
    pub demonstration: Option<DemonstrationSection>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: PublicUrl::default(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000),
            tls: None,
            admin: AdminSection::default(),
            service_name: "Smartcard Service Centre".to_owned(),
            time_zone: LocalTimeZone::default(),
            data: None,
            hashes_at_once: None,
            database: DatabaseSection::default(),
            secrets: SecretsSection::default(),
            mail: MailSection::default(),
            policy: PolicySection::default(),
            issuing: IssuingSection::default(),
            ra: RaSection::default(),
            welsh: WelshSection::default(),
            bridge: BridgeSection::default(),
            clients: ClientsSection::default(),
            reload_port: None,
            demonstration: None,
        }
    }
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file is not there, or is no TOML.
    #[error("the configuration cannot be read")]
    Unreadable(#[source] config::ConfigError),
    /// A field is wrong.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// A field that is wrong, and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct FieldError {
    /// The field with its sections: `policy.code_minutes`.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl FieldError {
    fn new(field: &str, reason: impl Into<String>) -> Self {
        Self { field: field.to_owned(), reason: reason.into() }
    }
}

impl Settings {
    /// Reads the file, and the variables over it, and checks all of it.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError`], which names the field that is wrong.
    pub fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigurationError> {
        let mut builder = config::Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(config::File::from(file).format(config::FileFormat::Toml));
        }
        let environment = config::Environment::with_prefix(VARIABLE_PREFIX)
            .prefix_separator("_")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("policy.approved_domains")
            .with_list_parse_key("clients.trusted_proxies")
            .source(Some(variables.into_iter().collect()));
        let read = builder.add_source(environment).build().map_err(ConfigurationError::Unreadable)?;
        let settings: Self = serde_path_to_error::deserialize(read).map_err(|fault| {
            let path = fault.path().to_string();
            let reason = fault.into_inner().to_string();
            let field = if path == "." { "the configuration".to_owned() } else { path };
            FieldError { field, reason }
        })?;
        settings.validate()?;
        Ok(settings)
    }

    /// Checks what one field alone does not show.
    ///
    /// # Errors
    ///
    /// [`FieldError`] with the first field that is wrong.
    pub fn validate(&self) -> Result<(), FieldError> {
        if self.service_name.trim().is_empty() || self.service_name.contains(char::is_control) {
            return Err(FieldError::new("service_name", "is one line that is not empty"));
        }
        if self.tls.is_some() && !self.public_url.is_https() {
            return Err(FieldError::new("public_url", "begins with https:// where there is a section tls"));
        }
        self.admin.validate(self.listen)?;
        self.database.validate(self.data.as_deref())?;
        self.secrets.validate(self.may_make_secrets())?;
        self.mail.validate(self.demonstration.is_some())?;
        self.policy.validate()?;
        self.issuing.validate()?;
        let audience = if self.public_url.is_https() { ra::Audience::Everybody } else { ra::Audience::ThisMachine };
        self.ra.validate(audience)?;
        self.welsh.validate()?;
        if self.public_url.is_https() && self.tls.is_none() && self.clients.trusted_proxies.is_empty() {
            return Err(FieldError::new(
                "clients.trusted_proxies",
                "names the proxy that speaks TLS for the service, where there is no section tls: without, all people count as \
                 one address, which may only ask so often",
            ));
        }
        if self.demonstration.is_some() {
            if !self.listen.ip().is_loopback() {
                return Err(FieldError::new(
                    "listen",
                    "is a loopback address in a demonstration: its passcodes and answers are shown to everybody",
                ));
            }
            if self.public_url.is_https() {
                return Err(FieldError::new("public_url", "begins with http://localhost in a demonstration"));
            }
        }
        Ok(())
    }

    /// How many hashes are made at once. Where nothing is said: one for each processor, but no more than keep the service under
    /// 400 MB of memory.
    pub fn hashes_at_once(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, NonZero::get);
        self.hashes_at_once.map_or_else(|| processors().min(MOST_HASHES_AT_ONCE), |many| many.get().into())
    }

    /// The folder in which missing secrets are made at the first start: only where nobody but the people at this
    /// machine can use the service.
    pub fn may_make_secrets(&self) -> Option<&Path> {
        self.data.as_deref().filter(|_| !self.public_url.is_https())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigurationError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("service-centre.toml");
        std::fs::write(&file, toml).unwrap();
        Settings::load(Some(&file), variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn wrong_field(toml: &str, variables: &[(&str, &str)]) -> String {
        match load(toml, variables) {
            Err(ConfigurationError::Field(fault)) => fault.field,
            Err(fault) => panic!("{fault:?}"),
            Ok(_) => panic!("nothing is wrong"),
        }
    }

    const GOOD: &str = "data = '/var/lib/x'\n[mail]\nhost = 'smtp.example.org'\nfrom = 'Cards <cards@example.org>'\n";

    #[test]
    fn a_short_file_is_enough() {
        let settings = load(GOOD, &[]).unwrap();
        assert_eq!(settings.public_url.origin(), "http://localhost:3000");
        assert_eq!(settings.policy.to_policy(), domain::policy::Policy::default());
    }

    #[test]
    fn where_nothing_is_said_hashes_keep_the_service_under_400_mb() {
        assert!((1..=8).contains(&load(GOOD, &[]).unwrap().hashes_at_once()));
        assert_eq!(load(GOOD, &[("SERVICE_CENTRE_HASHES_AT_ONCE", "40")]).unwrap().hashes_at_once(), 40);
    }

    #[test]
    fn the_environment_stands_over_the_file() {
        let file = format!("{GOOD}[policy]\ncode_minutes = 10\n");
        let variables = [
            ("SERVICE_CENTRE_POLICY__CODE_MINUTES", "5"),
            ("SERVICE_CENTRE_POLICY__APPROVED_DOMAINS", "nhs.net,example.org"),
            ("SERVICE_CENTRE_SERVICE_NAME", "2024"),
            ("HOME", "/root"),
        ];
        let settings = load(&file, &variables).unwrap();
        assert_eq!(settings.policy.to_policy().code_life, time::Duration::minutes(5));
        assert_eq!(settings.policy.to_policy().approved_domains.as_slice(), ["nhs.net", "example.org"]);
        assert_eq!(settings.service_name, "2024", "a text may look like a number");
    }

    #[test]
    fn a_field_that_nobody_knows_is_refused() {
        assert_eq!(wrong_field(&format!("{GOOD}[policy]\ncode_minuts = 10\n"), &[]), "policy.code_minuts");
        assert_eq!(wrong_field(GOOD, &[("SERVICE_CENTRE_POLCY__CODE_MINUTES", "1")]), "polcy");
        assert_eq!(wrong_field(GOOD, &[("SERVICE_CENTRE_MAIL__PASSWORD", "secret")]), "mail.password");
    }

    #[test]
    fn the_wrong_field_is_named() {
        for (toml, field) in [
            ("[policy]\nquestions_asked = 5", "policy.questions_asked"),
            ("[policy]\nquestions_asked = 'two'", "policy.questions_asked"),
            ("[policy]\napproved_domains = []", "policy.approved_domains"),
            ("[policy]\napproved_domains = ['@nhs.net']", "policy.approved_domains"),
            ("[policy]\ncode_minutes = 0", "policy.code_minutes"),
            ("[bridge]\nport = 0", "bridge.port"),
            ("[ra]\ntelephone = 'ask at the desk'", "ra.telephone"),
            ("[ra]\nout_of_hours_telephone = 'the porter'", "ra.out_of_hours_telephone"),
            ("[ra.hours]\nmonday = '8am'", "ra.hours.monday"),
            ("[ra.hours]\nclosed_on = ['Christmas']", "ra.hours.closed_on[0]"),
            ("[ra.hours]\nmonday = ''", "ra.hours"),
            ("[clients]\nposts_at_once = 0", "clients.posts_at_once"),
            ("[tls]\ncertificate_file = 'c'", "tls"),
            ("[tls]\ncertificate_file = 'c'\nkey_file = 'k'", "public_url"),
            ("[admin]\nlisten = '0.0.0.0:9100'", "admin.listen"),
            ("[admin]\nlisten = '[::]:9100'", "admin.listen"),
            ("[admin]\nlisten = '127.0.0.1:3000'", "admin.listen"),
            ("[admin]\nlisten = '127.0.0.1:9100'\ndrain_after_seconds = 301", "admin.drain_after_seconds"),
            ("[clients]\ntrusted_proxies = ['10.0.0.0/33']", "clients.trusted_proxies[0]"),
        ] {
            assert_eq!(wrong_field(&format!("{GOOD}{toml}\n"), &[]), field, "{toml}");
        }
        for (toml, field) in [
            ("public_url = 'unlock.example.org'", "public_url"),
            ("public_url = 'http://unlock.example.org'", "public_url"),
            ("public_url = 'https://unlock.example.org/path'", "public_url"),
            ("time_zone = 'Europe/Lindon'", "time_zone"),
            ("listen = 'localhost'", "listen"),
            ("service_name = ' '", "service_name"),
            ("database.url = 'mysql://x:y@z'", "database.url"),
        ] {
            assert_eq!(wrong_field(&format!("{toml}\n{GOOD}"), &[]), field, "{toml}");
        }
        assert_eq!(wrong_field(&format!("{GOOD}[welsh]\nra_name = ' '"), &[]), "welsh.ra_name");
        for field in ["mail.at_once", "hashes_at_once"] {
            let variable = format!("SERVICE_CENTRE_{}", field.to_uppercase().replace('.', "__"));
            assert_eq!(wrong_field(GOOD, &[(&variable, "0")]), field);
        }
        assert_eq!(wrong_field("data = 'x'", &[]), "mail.host");
        assert_eq!(wrong_field("data = 'x'\n[mail]\nhost = 'h'", &[]), "mail.from");
        for (host, is_wrong) in [("smtp.example.org", true), ("192.0.2.1", true), ("127.0.0.1", false), ("::1", false)]
        {
            let file = format!("{}security = 'none'\n", GOOD.replace("smtp.example.org", host));
            assert_eq!(load(&file, &[]).is_err(), is_wrong, "{host}");
        }
        assert_eq!(
            wrong_field(&GOOD.replace("Cards <", "Cards\nBcc: x@example.org <").replace('\'', "'''"), &[]),
            "mail.from"
        );
        assert_eq!(wrong_field(&GOOD.replace("data", "#"), &[]), "database.folder");
    }

    #[test]
    fn behind_https_every_secret_is_named() {
        assert_eq!(wrong_field(&format!("public_url = 'https://x.org'\n{GOOD}"), &[]), "secrets.vault_key_files");
    }

    #[test]
    fn behind_https_nobody_is_told_to_call_the_sample_and_the_proxy_has_a_name() {
        let secrets = "[secrets]\nvault_key_files = { '1' = 'v' }\npepper_files = { '1' = 'p' }\n\
                       challenge_key_file = 'c'\ntrail_key_file = 't'\nservice_key_file = 's'\n";
        let file = format!("public_url = 'https://x.org'\n{GOOD}{secrets}");
        assert_eq!(wrong_field(&file, &[]), "ra");
        assert_eq!(wrong_field(&format!("{file}[ra]\ntelephone = '0123 456'\n"), &[]), "ra");
        let file = format!("{file}[ra]\ntelephone = '0123 456'\nemail = 'ra@x.org'\n");
        assert_eq!(wrong_field(&file, &[]), "clients.trusted_proxies");
        load(&format!("{file}[clients]\ntrusted_proxies = ['127.0.0.1/32']\n"), &[]).unwrap();
    }

    #[test]
    fn a_demonstration_is_for_this_machine_only() {
        let file = "data = 'x'\ndemonstration.manifest = 'cards/manifest.json'\n";
        assert!(load(file, &[]).is_ok());
        assert!(load(&format!("listen = '[::1]:3000'\n{file}"), &[]).is_ok());
        assert_eq!(wrong_field(&format!("listen = '0.0.0.0:3000'\n{file}"), &[]), "listen");
        assert_eq!(wrong_field(&format!("listen = '192.0.2.1:3000'\n{file}"), &[]), "listen");
    }
}
