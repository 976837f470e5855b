//! The Smartcard Service Centre: where pages, rules and stores are put together, and what the rules ask of the world is
//! answered.
//!
//! [`application::build`] makes the whole service out of [`config::Settings`]; `main` and the tests call it alike. No
//! rule stands here (see `domain`), no page (`app`) and no SQL (`storage`).

// The types of the pages are nested deeply, and an optimised build looks through all of them.
#![recursion_limit = "512"]

pub mod admin;
pub mod application;
mod certifier;
pub mod clock;
pub mod commands;
pub mod config;
pub mod demonstration;
pub mod hasher;
pub mod housekeeping;
pub mod import;
pub mod listener;
pub mod logging;
pub mod mail;
pub mod masking;
pub mod metrics;
pub mod outbox;
pub mod private_file;
pub mod process;
pub mod randomness;
pub mod router;
pub mod secrets;
mod service_manager;
mod site;
pub mod startup;
pub mod tls;
pub mod vault;
