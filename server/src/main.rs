//! The program `service-centre`.

#![recursion_limit = "512"]

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use domain::{import::Extent, person::UserNumber, role::Role, trail::ChainEnd};
use server::{
    commands,
    config::{ConfigurationError, Settings},
    logging::{self, LogFormat},
    process,
};
use storage::backup::Former;

/// The Smartcard Service Centre: people register, and unlock their own smartcards.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// The configuration (TOML). Variables SERVICE_CENTRE_SECTION__FIELD stand over it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder: database and secrets, where the configuration does not name them.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What is logged: info, or server=debug,info.
    #[arg(long, global = true, value_name = "FILTER", default_value = "info,sqlx=warn,lettre=warn")]
    log: String,
    /// How log lines look.
    #[arg(long, global = true, value_enum, default_value_t)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the pages.
    Serve,
    /// Takes the cards of a manifest into the service and registers their holders as it says: for demonstrations.
    Demo {
        /// The manifest that `virtual-card make` wrote.
        #[arg(long, value_name = "FILE")]
        manifest: PathBuf,
    },
    /// The audit trail.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The vault.
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Erases all that is kept of a person. Without --yes it says what that is, and changes nothing.
    ErasePerson {
        /// Whom.
        #[arg(value_name = "USER-NUMBER", value_parser = UserNumber::parse)]
        user_number: UserNumber,
        /// Really erases them.
        #[arg(long)]
        yes: bool,
    },
    /// Gives a person a role at the RA's desk: ra-manager, ra-agent, or cardholder to take it away.
    GrantRa {
        /// Whom.
        #[arg(value_name = "USER-NUMBER", value_parser = UserNumber::parse)]
        user_number: UserNumber,
        /// Which.
        #[arg(long, value_name = "ROLE", default_value = "ra-manager", value_parser = role)]
        role: Role,
    },
    /// Takes people and cards in that others issued. The same again changes nothing.
    Import {
        /// The people: user_number,name,email, and organisation where it is known.
        #[arg(value_name = "PEOPLE.CSV")]
        people: PathBuf,
        /// The cards: guid,user_number,authentication,card_authentication,unlock_key. Encrypted to the import key.
        #[arg(value_name = "CARDS.CSV.AGE")]
        cards: PathBuf,
        /// Takes nothing in where one row is refused. The service waits meanwhile.
        #[arg(long)]
        all_or_nothing: bool,
    },
    /// Prints to whom the file of an import is to be encrypted: age1...
    ImportKey,
    /// Takes a backup of the SQLite database, beside the running service.
    Backup {
        /// Where it is to be: a file that is not there yet.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// A record that was logged, which the backup must have.
        #[arg(long, value_name = "NUMBER:MAC")]
        expect: Option<ChainEnd>,
    },
    /// Puts a backup in the place of the SQLite database. No service may run on it.
    Restore {
        /// The backup.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// A record that was logged, which the backup must have: the last one, where nothing was lost.
        #[arg(long, value_name = "NUMBER:MAC")]
        expect: Option<ChainEnd>,
        /// Puts a database aside that is there and not empty.
        #[arg(long)]
        replace: bool,
    },
    /// Copies the SQLite database into an empty PostgreSQL one. No service may run on either.
    CopyDatabase {
        /// A file that holds the URL of the PostgreSQL database.
        #[arg(long, value_name = "FILE")]
        to_url_file: PathBuf,
    },
    /// Says whether the configuration is right, or which field is wrong.
    CheckConfig,
    /// Sends a mail that shows that mails arrive.
    SendTestMail {
        /// To whom.
        #[arg(value_name = "ADDRESS")]
        to: String,
    },
    /// Prints the certificate of the authority behind the cards that are issued here (PEM).
    CaCertificate,
    /// Prints the configuration of the card bridges that belong to this service: /etc/card-bridge/config.toml.
    BridgeConfig,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Follows the chain from the first record to the last.
    Verify {
        /// A record that was logged (its number and its HMAC), which the trail must still have: shows a trail that was
        /// cut off.
        #[arg(long, value_name = "NUMBER:MAC")]
        expect: Option<ChainEnd>,
    },
}

#[derive(Subcommand)]
enum VaultCommand {
    /// Seals every key that is kept under the vault key that is in use.
    Rotate,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(fault) = logging::start(&arguments.log, arguments.log_format) {
        eprintln!("--log: {fault}");
        return ExitCode::FAILURE;
    }
    if let Err(fault) = process::keep_memory_private() {
        tracing::warn!(fault = &fault as &dyn std::error::Error, "core files are not forbidden");
    }
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("service-centre: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let settings = settings(&arguments)?;
    match arguments.command {
        Command::Serve => commands::serve::run(settings).await,
        Command::Demo { manifest } => commands::demo::run(settings, &manifest).await,
        Command::Audit(AuditCommand::Verify { expect }) => commands::audit::verify(&settings, expect).await,
        Command::Vault(VaultCommand::Rotate) => commands::vault::rotate(&settings).await,
        Command::ErasePerson { user_number, yes: false } => {
            commands::erase_person::preview(&settings, &user_number).await
        }
        Command::ErasePerson { user_number, yes: true } => commands::erase_person::erase(&settings, &user_number).await,
        Command::GrantRa { user_number, role } => commands::grant_ra::run(&settings, &user_number, role).await,
        Command::Import { people, cards, all_or_nothing } => {
            let extent = if all_or_nothing { Extent::AllOrNothing } else { Extent::EachRow };
            commands::import::run(&settings, &people, &cards, extent).await
        }
        Command::ImportKey => commands::import_key::run(&settings),
        Command::Backup { file, expect } => commands::backup::take(&settings, &file, expect).await,
        Command::Restore { file, expect, replace } => {
            let former = if replace { Former::IsPutAside } else { Former::Stays };
            commands::backup::restore(&settings, &file, expect, former).await
        }
        Command::CopyDatabase { to_url_file } => commands::copy_database::run(&settings, &to_url_file).await,
        Command::CheckConfig => commands::check_config::run(&settings),
        Command::SendTestMail { to } => commands::send_test_mail::run(&settings, &to).await,
        Command::CaCertificate => commands::ca_certificate::run(&settings).await,
        Command::BridgeConfig => commands::bridge_config::run(&settings),
    }
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| format!("one of {}", Role::ALL.map(Role::as_str).join(", ")))
}

fn settings(arguments: &Arguments) -> Result<Settings, ConfigurationError> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let mut variables: Vec<(String, String)> = std::env::vars_os().filter_map(text).collect();
    if let Some(data) = &arguments.data {
        let name = format!("{}_DATA", server::config::VARIABLE_PREFIX);
        variables.retain(|(variable, _)| *variable != name);
        variables.push((name, data.to_string_lossy().into_owned()));
    }
    let reload_port = reload_port(&variables);
    Ok(Settings { reload_port, ..Settings::load(arguments.config.as_deref(), variables)? })
}

/// The port on which `cargo leptos watch`, if it started this program, tells pages to load again.
fn reload_port(variables: &[(String, String)]) -> Option<u16> {
    let value = |name: &str| variables.iter().find(|(variable, _)| variable == name).map(|(_, value)| value.as_str());
    value("LEPTOS_WATCH")?;
    value("LEPTOS_RELOAD_PORT").unwrap_or("3001").parse().ok()
}
