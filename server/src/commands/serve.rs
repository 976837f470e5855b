//! `serve`: serves the pages until SIGTERM or Ctrl-C, then lets what was begun end.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use app::{config::Demonstration, demo::DemoMailbox};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use crate::{
    admin,
    application::{self, Application, World},
    clock::SystemClock,
    config::Settings,
    demonstration::Manifest,
    listener::{self, Limits},
    mail::{Postman, demonstration::MailboxPostman, smtp::SmtpPostman},
    metrics::Metrics,
    process,
    randomness::SystemRandomness,
    router,
    service_manager::{self, State},
    tls::Tls,
};

/// How long what was begun may take to end, once the pages are served no more: requests and mails have 15 seconds, and so has
/// the database for what is written at the end.
const ENDS_WITHIN: Duration = Duration::from_secs(45);

/// Serves.
///
/// # Errors
///
/// When the service cannot start, or its listener fails.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    if let Err(fault) = process::open_as_many_files_as_allowed() {
        tracing::warn!(fault = &fault as &dyn std::error::Error, "fewer connections may be open than are meant to be");
    }
    let manifest = settings.demonstration.as_ref().map(|section| Manifest::read(&section.manifest)).transpose()?;
    let application = application(&settings, manifest.as_ref()).await?;
    if let Some(manifest) = &manifest {
        manifest.take_in(&application.services).await?;
    }
    let tls = settings.tls.as_ref().map(Tls::load).transpose()?;
    if let Some(tls) = &tls {
        application.admin.metrics.certificate(tls.expires());
    }
    // Before anybody can know that it is there: a signal that nobody hears yet would end it.
    let mut signals = Signals::listen()?;
    let socket = bind("listen", settings.listen).await?;
    let admin_socket = match settings.admin.listen {
        Some(address) => Some(bind("admin.listen", address).await?),
        None => None,
    };
    let (stop, stopping) = watch::channel(());
    // Operators are answered to the end.
    let (end, ending) = watch::channel(());
    let counting = tokio::spawn(application.admin.metrics.clone().run(ending.clone()));
    let administering = admin_socket.map(|socket| {
        let router = application.admin.clone().router();
        tokio::spawn(listener::serve(socket, router, admin::LIMITS, ending))
    });
    let outbox = tokio::spawn(application.outbox.run(stopping.clone()));
    let housekeeping = tokio::spawn(application.housekeeping.clone().run(stopping.clone()));
    tracing::info!(listen = %settings.listen, public_url = settings.public_url.origin(), "the service is up");
    if let Some(manifest) = &manifest {
        introduce(&settings, &manifest.to_demonstration());
    }
    let serving = match tls.clone() {
        Some(tls) => tokio::spawn(listener::serve_tls(socket, application.router, Limits::default(), tls, stopping)),
        None => tokio::spawn(listener::serve(socket, application.router, Limits::default(), stopping)),
    };
    service_manager::tell(State::Ready);
    let signal = loop {
        match signals.next().await {
            Asked::Reload => reload(tls.as_ref(), &application.admin.metrics),
            Asked::Stop(signal) => break signal,
        }
    };
    tracing::info!(signal, "the service stops");
    service_manager::tell(State::Stopping { within: settings.admin.pause() + ENDS_WITHIN });
    application.admin.stop();
    tokio::select! {
        () = tokio::time::sleep(settings.admin.pause()) => {}
        // Whoever asks twice does not want to wait.
        () = signals.stop() => {}
    }
    stop.send_replace(());
    serving.await?;
    outbox.await?;
    housekeeping.await?;
    application.housekeeping.log_trail_head().await?;
    end.send_replace(());
    if let Some(administering) = administering {
        administering.await?;
    }
    counting.await?;
    Ok(())
}

async fn bind(field: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{field}: {address} cannot be listened on"))
}

/// Puts the service together on the operating system and the configured database.
///
/// # Errors
///
/// When it cannot start.
pub async fn application(settings: &Settings, manifest: Option<&Manifest>) -> anyhow::Result<Application> {
    let secrets = super::secrets(settings)?;
    let store = super::store(settings).await?;
    let mailbox = (settings.mail.host.is_none() && settings.demonstration.is_some()).then(DemoMailbox::default);
    let postman: Arc<dyn Postman> = match &mailbox {
        Some(mailbox) => Arc::new(MailboxPostman::new(mailbox.clone(), Arc::new(SystemClock))),
        None => Arc::new(SmtpPostman::new(&settings.mail)?),
    };
    let world = World {
        store,
        clock: Arc::new(SystemClock),
        randomness: Arc::new(SystemRandomness),
        postman,
        demonstration: manifest.map(Manifest::to_demonstration),
        mailbox,
        answered_within: router::ANSWERED_WITHIN,
    };
    Ok(application::build(settings, secrets, world).await?)
}

/// Reads the certificate again.
fn reload(tls: Option<&Tls>, metrics: &Metrics) {
    service_manager::tell(State::Reloading);
    if let Some(tls) = tls {
        match tls.reload() {
            Ok(()) => tracing::info!("the certificate was read again, and is shown from now on"),
            Err(fault) => {
                let fault = &fault as &dyn std::error::Error;
                tracing::error!(fault, "the certificate was read again and is not taken: the former one is shown");
            }
        }
        metrics.certificate(tls.expires());
    } else {
        tracing::info!("SIGHUP: there is no certificate to be read again");
    }
    service_manager::tell(State::Ready);
}

/// The signals by which the service is asked for something. They are listened for from the moment when this is made.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

/// What it is asked for.
enum Asked {
    /// To read its certificate again.
    Reload,
    /// To end, by the signal of this name.
    Stop(&'static str),
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Asked::Stop("SIGINT"),
            _ = self.hang_up.recv() => Asked::Reload,
        }
    }

    /// Waits until it is asked to end.
    async fn stop(&mut self) {
        while let Asked::Reload = self.next().await {}
    }
}

/// Says what a newcomer needs.
fn introduce(settings: &Settings, demonstration: &Demonstration) {
    let address = settings.public_url.origin();
    println!("\n{} (demonstration): {address}\n", settings.service_name);
    for card in &demonstration.cards {
        let standing = if card.is_registered { "registered" } else { "not registered yet" };
        let lock = if card.is_locked { "locked" } else { "not locked" };
        println!("  {:<18} passcode {:<9} {} ({standing}, {lock})", card.name, card.passcode, card.holder);
    }
    if settings.mail.host.is_none() {
        println!("\nMails: {address}/demo/mailbox");
    }
    println!();
}
