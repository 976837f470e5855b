//! The card bridge as a program: arguments, log, signals.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use card_bridge::config::{self, Config, Loaded};
use card_bridge::instance::Taken;
use card_bridge::readers::{CardSource, PcscReaders};
#[cfg(feature = "virtual-cards")]
use card_bridge::virtual_cards::VirtualCards;
use card_bridge::{Bridge, Limits, Worker};
use clap::Parser;
use tracing_subscriber::EnvFilter;

/// The bridge between web pages of the Smartcard Service Centre and the card reader of this machine
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Which websites may use the bridge [on Linux: /etc/card-bridge/config.toml]; without a file none may
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Listen on this loopback port instead of the configured one; 0 takes a free one
    #[arg(long)]
    port: Option<u16>,
    /// What to log
    #[arg(long, value_name = "FILTER", env = "CARD_BRIDGE_LOG", default_value = "card_bridge=info,warn")]
    log: EnvFilter,
    /// Use the virtual cards of this directory instead of a reader (for demonstrations and tests)
    #[cfg(feature = "virtual-cards")]
    #[arg(long, value_name = "DIR")]
    virtual_cards: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = start(&arguments).map(|()| ExitCode::SUCCESS);
    done.unwrap_or_else(|error| {
        if let Some(taken) = error.downcast_ref::<Taken>() {
            eprintln!("{taken}.");
            return ExitCode::from(taken.exit_code());
        }
        eprintln!("Error: {error:?}");
        ExitCode::FAILURE
    })
}

fn start(arguments: &Arguments) -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_env_filter(arguments.log.clone()).with_writer(std::io::stderr).init();
    if let Err(fault) = card_bridge::process::keep_memory_private() {
        tracing::warn!(fault = &fault as &dyn std::error::Error, "core files are not forbidden");
    }
    let config = load(arguments)?.config;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime")?;
    runtime.block_on(run(arguments, &config))
}

/// The configuration as the arguments have it, and a line in the log where it lets nobody in.
fn load(arguments: &Arguments) -> anyhow::Result<Loaded> {
    let installed = config::INSTALLED.map(Path::new);
    let mut loaded = Config::load(arguments.config.as_deref(), installed)?;
    loaded.config.port = arguments.port.unwrap_or(loaded.config.port);
    match &loaded.file {
        None => {
            let looked_for = installed.unwrap_or(Path::new("a configuration file"));
            tracing::warn!("no website may use this bridge: there is no {}", looked_for.display());
        }
        Some(file) if loaded.config.origins.is_empty() => {
            tracing::warn!("no website may use this bridge: {} lists none", file.display());
        }
        Some(_) => {}
    }
    Ok(loaded)
}

async fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<()> {
    #[cfg(feature = "virtual-cards")]
    if let Some(directory) = &arguments.virtual_cards {
        let cards = Arc::new(VirtualCards::open(directory)?);
        let bridge = bind(config, Arc::clone(&cards)).await?.with_virtual_cards(cards);
        println!("virtual cards: http://{}/cards", bridge.address());
        return serve(bridge).await;
    }
    let _ = arguments;
    let readers = PcscReaders::start().context("the readers can't be watched")?;
    serve(bind(config, Arc::new(readers)).await?).await
}

async fn bind(config: &Config, source: Arc<impl CardSource>) -> anyhow::Result<Bridge> {
    let worker = Worker::new(source, Limits::default());
    let bridge = match Bridge::bind(config, worker).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && config.port != 0 => {
            return Err(Taken::ask(config.port).into());
        }
        bound => bound.with_context(|| format!("port {} can't be used", config.port))?,
    };
    println!("card bridge: ws://{}/", bridge.address());
    Ok(bridge)
}

async fn serve(bridge: Bridge) -> anyhow::Result<()> {
    let stop = stop_signal()?;
    bridge.serve(stop).await;
    Ok(())
}

/// Comes when the system or the person wants the bridge to end.
#[cfg(unix)]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be handled")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}

/// Comes when the person wants the bridge to end.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same as on Unix")]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
