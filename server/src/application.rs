//! The whole service, put together: what the rules ask of the world, the rules, the pages in front of them, and the
//! workers behind them.

use std::{sync::Arc, time::Duration};

use app::{
    config::{CookieKind, Demonstration, PageConfig, RaContact as PageRaContact},
    demo::DemoMailbox,
};
use axum::Router;
use card_protocol::UnlockKey;
use domain::{
    Environment, Services,
    issuance::{CardManagementKey, IssuingTerms},
    language::Language,
    ports::{AnswerHasher, Clock, Randomness, Store, Vault},
};
use storage::SqlStore;
use tokio::sync::Notify;

use crate::{
    admin::{self, Admin},
    certifier::X509Certifier,
    config::{Names, RaContact, Settings},
    hasher::Argon2Hasher,
    housekeeping::Housekeeping,
    import::{ImportKey, upload::Uploads},
    mail::{Postman, Stationery},
    metrics::Metrics,
    outbox::OutboxWorker,
    router::{self, Opening},
    secrets::Secrets,
    site::Site,
    startup::{self, StartupError},
    vault::AesGcmVault,
};

/// What is around the service: the same in `main` and in a test, but for what stands behind it.
pub struct World {
    /// The database.
    pub store: SqlStore,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The dice.
    pub randomness: Arc<dyn Randomness>,
    /// Who takes mails away.
    pub postman: Arc<dyn Postman>,
    /// What a demonstration shows.
    pub demonstration: Option<Demonstration>,
    /// The mails of a demonstration, where they are not sent.
    pub mailbox: Option<DemoMailbox>,
    /// How long an answer may take.
    pub answered_within: Duration,
}

/// The service.
pub struct Application {
    /// The use cases.
    pub services: Services,
    /// The pages and the server functions.
    pub router: Router,
    /// Hashes answers and codes.
    pub hasher: Arc<dyn AnswerHasher>,
    /// Sends the mails.
    pub outbox: OutboxWorker,
    /// Does what has to be done regularly.
    pub housekeeping: Housekeeping,
    /// The files of the pages.
    pub site: Site,
    /// Answers operators.
    pub admin: Admin,
}

/// Puts the service together, once the secrets have been found to be those of the database.
///
/// # Errors
///
/// [`StartupError`].
pub async fn build(settings: &Settings, secrets: Secrets, world: World) -> Result<Application, StartupError> {
    let World { store, clock, randomness, postman, demonstration, mailbox, answered_within } = world;
    let metrics = Metrics::begin();
    let wake = Arc::new(Notify::new());
    let database = store.observed_by(Arc::new(metrics.clone())).waking(Arc::clone(&wake));
    let store: Arc<dyn Store> = Arc::new(database.clone());
    let vault: Arc<dyn Vault> = Arc::new(AesGcmVault::new(&secrets.vault_keys, Arc::clone(&randomness)));
    startup::check_secrets(&*store, &*vault, &secrets.trail_key).await?;
    let places = settings.hashes_at_once();
    let hasher: Arc<dyn AnswerHasher> =
        Arc::new(Argon2Hasher::new(secrets.peppers, Arc::clone(&randomness), places, metrics.clone()));
    let environment = Environment {
        store: Arc::clone(&store),
        clock: Arc::clone(&clock),
        calendar: Arc::new(settings.time_zone.clone()),
        randomness: Arc::clone(&randomness),
        vault: Arc::clone(&vault),
        hasher: Arc::clone(&hasher),
        certifier: Arc::new(X509Certifier),
        issuing: issuing_terms(settings, secrets.blank_card_management_key, secrets.blank_card_unlock_key),
        policy: settings.policy.to_policy(),
        origin: settings.public_url.origin().to_owned(),
        challenge_key: Arc::new(secrets.challenge_key),
        trail_key: Arc::new(secrets.trail_key),
        service_secret: Arc::new(secrets.service_key),
        officers_seen: Arc::default(),
    };
    let at_desk = Services::new(Environment { store: Arc::new(database.for_the_desk()), ..environment.clone() });
    let services = Services::new(environment);
    let uploads = Uploads {
        services: at_desk.clone(),
        key: secrets.import_key.map(Arc::new),
        folder: settings.data.clone().unwrap_or_else(std::env::temp_dir),
    };
    let site = Site::open(settings.reload_port).map_err(StartupError::Site)?;
    if !site.is_there() {
        tracing::warn!("this program was built without its pages (`make pages`): scripts and styles are missing");
    }
    let pages = router::Pages {
        services: services.clone(),
        at_desk,
        configs: Language::ALL
            .map(|language| page_config(settings, language, demonstration.clone(), uploads.key.as_deref())),
        mailbox,
        opening: Opening {
            hours: settings.ra.hours.clone(),
            zone: settings.time_zone.clone(),
            clock: Arc::clone(&clock),
        },
        options: site.options(settings.listen, settings.reload_port),
        randomness: Arc::clone(&randomness),
        public_url: settings.public_url.clone(),
        clients: router::Clients::new(&settings.clients),
        answered_within,
        uploads,
        metrics: metrics.clone(),
    };
    let outbox = OutboxWorker {
        sleep: Duration::from_secs(5),
        at_once: settings.mail.at_once(),
        store: Arc::clone(&store),
        deliveries: services.deliveries.clone(),
        vault,
        clock: Arc::clone(&clock),
        postman,
        stationery: stationery(settings),
        wake,
        metrics: metrics.clone(),
    };
    let admin = Admin {
        database,
        answers_within: admin::ANSWERS_WITHIN,
        metrics,
        clock: Arc::clone(&clock),
        stops: Arc::default(),
    };
    let housekeeping = Housekeeping { store, clock };
    Ok(Application { services, router: router::router(pages), hasher, outbox, housekeeping, site, admin })
}

fn issuing_terms(
    settings: &Settings,
    management_key: Option<CardManagementKey>,
    unlock_key: Option<UnlockKey>,
) -> IssuingTerms {
    let factory = IssuingTerms::default();
    IssuingTerms {
        transport_management_key: management_key.unwrap_or(factory.transport_management_key),
        transport_unlock_key: unlock_key.unwrap_or(factory.transport_unlock_key),
        algorithm: settings.issuing.algorithm(),
        card_life: settings.issuing.card_life(),
        certificates: settings.issuing.certificate_source(),
    }
}

/// What the service's letters share.
pub fn stationery(settings: &Settings) -> Stationery {
    Stationery {
        names: Language::ALL.map(|language| settings.names(language)),
        public_url: settings.public_url.clone(),
        time_zone: settings.time_zone.clone(),
    }
}

fn page_config(
    settings: &Settings,
    language: Language,
    demonstration: Option<Demonstration>,
    import: Option<&ImportKey>,
) -> PageConfig {
    let Names { service_name, ra: RaContact { name, telephone, email, hours, out_of_hours_telephone } } =
        settings.names(language);
    PageConfig {
        service_name,
        ra: PageRaContact { name, telephone, email, hours, out_of_hours_telephone, now: Vec::new() },
        bridge_port: settings.bridge.port.get(),
        public_origin: settings.public_url.origin().to_owned(),
        cookies: if settings.public_url.is_https() { CookieKind::Secure } else { CookieKind::Loopback },
        approved_domains: settings.policy.approved_domains.clone(),
        profile: settings.policy.profile.into(),
        passcode_digits: settings.policy.passcode_digits,
        demonstration,
        import_recipient: import.map(|key| key.recipient().to_string()),
        upload_limit: router::UPLOAD_LIMIT,
    }
}
