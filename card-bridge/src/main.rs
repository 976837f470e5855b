//! The card bridge as a program: log, signals, what its commands do.

mod arguments;

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use card_bridge::config::{self, Config, Loaded};
use card_bridge::diagnose::{self, Subject};
use card_bridge::instance::Taken;
use card_bridge::policies::{self, Outcome};
use card_bridge::readers::{CardSource, PcscReaders, PcscSnapshot};
use card_bridge::tray::{Autostart, Tray};
#[cfg(feature = "virtual-cards")]
use card_bridge::virtual_cards::VirtualCards;
use card_bridge::{Bridge, Limits, Worker};
use clap::Parser as _;
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Command, PoliciesAction};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let default = if arguments.command.is_some() { "warn" } else { "card_bridge=info,warn" };
    let log = arguments.log.clone().unwrap_or_else(|| EnvFilter::new(default));
    tracing_subscriber::fmt().with_env_filter(log).with_writer(io::stderr).init();
    let done = match &arguments.command {
        None => start(&arguments).map(|()| ExitCode::SUCCESS),
        Some(Command::Diagnose { json }) => diagnose(&arguments, *json),
        Some(Command::Policies { action }) => policies(&arguments, *action),
    };
    done.unwrap_or_else(|error| {
        if let Some(taken) = error.downcast_ref::<Taken>() {
            eprintln!("{taken}.");
            return ExitCode::from(taken.exit_code());
        }
        eprintln!("Error: {error:?}");
        ExitCode::FAILURE
    })
}

fn diagnose(arguments: &Arguments, json: bool) -> anyhow::Result<ExitCode> {
    let subject = Subject {
        worker: Worker::new(Arc::new(PcscSnapshot::take()), Limits::default()),
        config: Config::load(arguments.config.as_deref(), config::INSTALLED.map(Path::new)),
        port: arguments.port,
        path: arguments.surroundings.path(),
        root: arguments.surroundings.root.clone(),
    };
    let report = runtime()?.block_on(diagnose::examine(subject));
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(if report.is_all_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn policies(arguments: &Arguments, action: PoliciesAction) -> anyhow::Result<ExitCode> {
    let origins: Vec<_> = match action {
        PoliciesAction::Remove => Vec::new(),
        PoliciesAction::Show | PoliciesAction::Write => {
            load(arguments)?.config.origins.into_iter().map(|origin| origin.url).collect()
        }
    };
    if let PoliciesAction::Show = action {
        for (browser, content) in policies::show(&origins) {
            println!("# {}: /{}\n{content}", browser.name(), browser.file());
        }
        return Ok(ExitCode::SUCCESS);
    }
    for (browser, outcome) in
        policies::write(&arguments.surroundings.root, &origins).context("a policy file can't be written")?
    {
        let file = arguments.surroundings.root.join(browser.file());
        match outcome {
            Outcome::Written => println!("{}: {} is written", browser.name(), file.display()),
            Outcome::Removed => {}
            Outcome::LeftAlone => {
                println!("{}: {} is not Card Bridge's, and was left as it is", browser.name(), file.display());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime")
}

fn start(arguments: &Arguments) -> anyhow::Result<()> {
    if let Err(fault) = card_bridge::process::keep_memory_private() {
        tracing::warn!(fault = &fault as &dyn std::error::Error, "core files are not forbidden");
    }
    let loaded = load(arguments)?;
    runtime()?.block_on(run(arguments, loaded))
}

/// The configuration as the arguments have it, and a line in the log where it lets nobody in.
fn load(arguments: &Arguments) -> anyhow::Result<Loaded> {
    let installed = config::INSTALLED.map(Path::new);
    let mut loaded = Config::load(arguments.config.as_deref(), installed)?;
    loaded.config.port = arguments.port.unwrap_or(loaded.config.port);
    loaded.config.consents = Some(arguments.surroundings.state_home().join("card-bridge/allowed-websites"));
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

async fn run(arguments: &Arguments, loaded: Loaded) -> anyhow::Result<()> {
    // Before anybody is told that it runs: a signal that comes at once ends it as any other.
    let signal = stop_signal()?;
    #[cfg(feature = "virtual-cards")]
    if let Some(directory) = &arguments.virtual_cards {
        let cards = Arc::new(VirtualCards::open(directory)?);
        let bridge = bind(&loaded.config, Arc::clone(&cards)).await?.with_virtual_cards(cards);
        println!("virtual cards: http://{}/cards", bridge.address());
        return serve(arguments, loaded, bridge, signal).await;
    }
    let readers = PcscReaders::start().context("the readers can't be watched")?;
    let bridge = bind(&loaded.config, Arc::new(readers)).await?;
    serve(arguments, loaded, bridge, signal).await
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

/// Serves until a signal comes, or the person chooses to quit.
async fn serve(
    arguments: &Arguments,
    loaded: Loaded,
    bridge: Bridge,
    signal: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let tray = (!arguments.no_tray).then(|| tray(arguments, loaded, &bridge));
    let stop = async move {
        match tray {
            Some(tray) => tokio::select! {
                () = signal => {}
                () = tray.serve() => {}
            },
            None => signal.await,
        }
    };
    bridge.serve(stop).await;
    Ok(())
}

fn tray(arguments: &Arguments, loaded: Loaded, bridge: &Bridge) -> Tray {
    let surroundings = &arguments.surroundings;
    let program =
        std::env::current_exe().map_or_else(|_| "card-bridge".into(), |program| program.display().to_string());
    let config = arguments.config.as_deref().and_then(|file| std::path::absolute(file).ok());
    let config = config.map(|file| vec!["--config".to_owned(), file.display().to_string()]);
    let autostart = Autostart {
        own: surroundings.config_home(),
        everybodys: surroundings.config_dirs(),
        command: [vec![program], config.unwrap_or_default()].concat(),
    };
    Tray {
        controls: bridge.controls(),
        loaded,
        port: bridge.address().port(),
        autostart,
        path: surroundings.path(),
        cache: surroundings.cache_home(),
    }
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
