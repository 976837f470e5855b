//! The whole service over HTTP: the real router on a real database, with cards in software, a clock that can be advanced,
//! and mails that are kept instead of sent.
//!
//! The database is SQLite, or PostgreSQL where the variable `TEST_DATABASE` is `postgres`. One of the tests runs all the
//! others again with it.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail by panicking, as tests do")]

mod admin;
mod alerts;
mod at_once;
mod audit;
mod backups;
mod balanced;
mod balancer;
mod browser;
mod card;
mod changes;
mod clock;
mod copies;
mod defences;
mod demonstration;
mod erasure;
mod forms;
mod freezing;
mod full_disk;
mod import;
mod killed;
mod language;
mod logs;
mod mails;
mod managers;
mod outages;
mod outbox;
mod overload;
mod place;
mod registration;
mod requests;
mod servers;
mod service_manager;
mod sign_in;
mod slow_clients;
mod startup;
mod test_app;
mod time_limit;
mod tls;
mod unlock;
mod upload;
mod vault;
mod workers;

/// Fails where there is no PostgreSQL: what is not run does not hold.
#[tokio::test(flavor = "multi_thread")]
async fn all_of_this_holds_on_postgresql_too() {
    drop(storage::testing::TestSchema::make().await);
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--skip", "all_of_this_holds_on_postgresql_too"])
        .env(place::DATABASE_VARIABLE, "postgres")
        .output()
        .unwrap();
    assert!(run.status.success(), "{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
}
