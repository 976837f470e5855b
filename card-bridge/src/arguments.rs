//! The arguments, and what is read of the environment.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

/// The bridge between web pages of the Smartcard Service Centre and the card reader of this machine
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Which websites may use the bridge [on Linux: /etc/card-bridge/config.toml]; without a file none may
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Listen on this loopback port instead of the configured one; 0 takes a free one
    #[arg(long, global = true)]
    pub port: Option<u16>,
    /// What to log [default: card_bridge=info,warn]
    #[arg(long, global = true, value_name = "FILTER", env = "CARD_BRIDGE_LOG")]
    pub log: Option<EnvFilter>,
    /// Use the virtual cards of this directory instead of a reader (for demonstrations and tests)
    #[cfg(feature = "virtual-cards")]
    #[arg(long, value_name = "DIR")]
    pub virtual_cards: Option<PathBuf>,
    /// Show no icon on the desktop: for servers and tests
    #[arg(long)]
    pub no_tray: bool,
    #[command(flatten)]
    pub surroundings: Surroundings,
}

#[derive(Subcommand)]
pub enum Command {
    /// Say in plain words what is wrong, from the smartcard service to the browser; exit code 0 only if all is well
    Diagnose {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// The policy files by which browsers let the configured websites reach this computer without asking (Linux)
    Policies {
        /// What to do with them
        action: PoliciesAction,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum PoliciesAction {
    /// Print what would be written
    Show,
    /// Write them, as root
    Write,
    /// Remove what was written, as root
    Remove,
}

/// Where things are on this machine. The flags are for tests.
#[derive(Args)]
pub struct Surroundings {
    #[arg(long, hide = true, global = true, env = "PATH")]
    path: Option<OsString>,
    #[arg(long, hide = true, global = true, env = "XDG_CONFIG_HOME")]
    config_home: Option<OsString>,
    #[arg(long, hide = true, global = true, env = "XDG_CONFIG_DIRS")]
    config_dirs: Option<OsString>,
    #[arg(long, hide = true, global = true, env = "XDG_CACHE_HOME")]
    cache_home: Option<OsString>,
    #[arg(long, hide = true, global = true, env = "XDG_STATE_HOME")]
    state_home: Option<OsString>,
    /// The directory under which the browsers' policies are
    #[arg(long, hide = true, global = true, default_value = "/")]
    pub root: PathBuf,
}

impl Surroundings {
    /// The directories in which programs are looked for.
    pub fn path(&self) -> Vec<PathBuf> {
        split(self.path.as_ref(), "")
    }

    /// The person's configuration (XDG Base Directory Specification).
    pub fn config_home(&self) -> PathBuf {
        at_home(self.config_home.as_ref(), ".config")
    }

    /// Everybody's configuration for desktops, the strongest first.
    pub fn config_dirs(&self) -> Vec<PathBuf> {
        split(self.config_dirs.as_ref(), "/etc/xdg")
    }

    /// Where the person's programs keep what can be made again.
    pub fn cache_home(&self) -> PathBuf {
        at_home(self.cache_home.as_ref(), ".cache")
    }

    /// What the person's programs remember.
    pub fn state_home(&self) -> PathBuf {
        at_home(self.state_home.as_ref(), ".local/state")
    }
}

/// Empty counts as not set.
fn split(value: Option<&OsString>, default: &str) -> Vec<PathBuf> {
    let value = value.filter(|value| !value.is_empty()).cloned().unwrap_or_else(|| default.into());
    std::env::split_paths(&value).filter(|path| path.is_absolute()).collect()
}

fn at_home(value: Option<&OsString>, default: &str) -> PathBuf {
    let set = value.map(PathBuf::from).filter(|path| path.is_absolute());
    set.unwrap_or_else(|| std::env::home_dir().unwrap_or_default().join(default))
}
