//! The whole service over HTTP: the real router on a real SQLite database, with cards in software, a clock that can be
//! advanced, and mails that are kept instead of sent.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail by panicking, as tests do")]

mod audit;
mod browser;
mod card;
mod defences;
mod demonstration;
mod forms;
mod logs;
mod mails;
mod outbox;
mod registration;
mod sign_in;
mod slow_clients;
mod startup;
mod test_app;
mod unlock;
mod vault;
