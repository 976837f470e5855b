//! Backups of the SQLite database, taken and restored by the program.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use card_protocol::Purpose;
use serde_json::{Value, json};

use crate::{
    audit::trail_holds,
    browser::Browser,
    place::{Place, write_private},
    sign_in::sign_in,
    test_app::{TestApp, in_words},
    unlock::{answer_rightly, identify, prove, registered, unlock},
};

const DATABASE: &str = "service-centre.sqlite";

/// Runs one of the two commands on a file in the place.
fn run(place: &Place, command: &str, file: &Path, more: &[&str]) -> Result<String, String> {
    in_words(&place.run(&[&[command, file.to_str().unwrap()], more].concat()))
}

/// A file beside the database.
fn file(place: &Place, name: &str) -> PathBuf {
    place.folder().join(name)
}

/// The files that a command left behind and nobody asked for.
fn left_over(place: &Place) -> Vec<PathBuf> {
    let files = fs::read_dir(place.folder()).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(".service-centre")).collect()
}

/// The end of the trail, as a command prints it.
fn head(said: &str) -> String {
    let (_, head) = said.split_once("the last ").unwrap();
    head.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_taken_while_people_sign_in_is_whole_and_brings_back_what_was_then() {
    let app = TestApp::start().await;
    if !app.place().is_sqlite() {
        return;
    }
    let card = registered(&app).await;
    let mut browser = Browser::new(&app);
    assert_eq!(identify(&mut browser, &card).await, "Flow");
    assert_eq!(answer_rightly(&mut browser, &card).await.value::<Value>(), "Right");
    let code = app.mail().await.code();

    let (stop, saved) = (Arc::new(AtomicBool::new(false)), file(app.place(), "saved"));
    let signing_in = async {
        let mut times = 0;
        while !stop.load(Ordering::SeqCst) {
            sign_in(&mut Browser::new(&app), &card).await;
            times += 1;
        }
        times
    };
    let (place, stopping, to) = (app.place_shared(), Arc::clone(&stop), saved.clone());
    let backing_up = tokio::task::spawn_blocking(move || {
        let said = run(&place, "backup", &to, &[]);
        stopping.store(true, Ordering::SeqCst);
        said
    });
    let (times, said) = tokio::join!(signing_in, backing_up);
    let said = said.unwrap().unwrap();
    assert!(times > 1, "nobody signed in meanwhile");
    assert_eq!(fs::metadata(&saved).unwrap().permissions().mode() & 0o777, 0o600);
    let trail = app.trail().await;

    let stopped = app.stop().await;
    let fault = run(&stopped.place, "restore", &saved, &[]).unwrap_err();
    assert!(fault.contains("it is not empty"), "{fault}");
    let again = run(&stopped.place, "restore", &saved, &["--replace", "--expect", &head(&said)]).unwrap();
    assert_eq!(head(&again), head(&said));
    assert!(file(&stopped.place, "service-centre.sqlite.replaced-1").is_file());
    assert_eq!(left_over(&stopped.place), Vec::<PathBuf>::new());
    let app = stopped.start().await;
    let then = app.trail().await;
    assert!(then.len() < trail.len() && trail.starts_with(&then), "{} of {}", then.len(), trail.len());
    trail_holds(&app).await;
    browser.reconnect(&app);
    let proof = prove(&mut browser, &card, Purpose::Attempt).await;
    let answer = browser.call("unlock/code", &json!({ "proof": proof, "code": code })).await;
    assert_eq!(answer.value::<Value>(), "Right");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_where_nothing_is_and_nowhere_where_the_service_runs() {
    let app = TestApp::start().await;
    if !app.place().is_sqlite() {
        return;
    }
    let mut card = registered(&app).await;
    let saved = file(app.place(), "saved");
    run(app.place(), "backup", &saved, &[]).unwrap();
    let before = fs::read(&saved).unwrap();
    let fault = run(app.place(), "backup", &saved, &[]).unwrap_err();
    assert!(fault.contains("is there already"), "{fault}");
    assert!(fs::read(&saved).unwrap() == before, "it was overwritten");
    let fault = run(app.place(), "restore", &saved, &["--replace"]).unwrap_err();
    assert!(fault.contains("stop the service first"), "{fault}");

    let stopped = app.stop().await;
    fs::remove_file(file(&stopped.place, DATABASE)).unwrap();
    run(&stopped.place, "restore", &saved, &[]).unwrap();
    let app = stopped.start().await;
    unlock(&app, &mut card).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_older_damaged_forged_or_of_another_service_is_not_restored() {
    let app = TestApp::start().await;
    if !app.place().is_sqlite() {
        return;
    }
    let card = registered(&app).await;
    let [saved, later] = ["saved", "later"].map(|name| file(app.place(), name));
    let first = run(app.place(), "backup", &saved, &[]).unwrap();
    sign_in(&mut Browser::new(&app), &card).await;
    let head = head(&run(app.place(), "backup", &later, &["--expect", &head(&first)]).unwrap());
    let stopped = app.stop().await;
    let place = &stopped.place;
    let database = fs::read(file(place, DATABASE)).unwrap();
    let refused = |file: &Path, more: &[&str]| {
        let more = [&["--replace"], more].concat();
        let fault = run(place, "restore", file, &more).unwrap_err();
        assert!(fs::read(place.folder().join(DATABASE)).unwrap() == database, "it was replaced: {fault}");
        assert_eq!(left_over(place), Vec::<PathBuf>::new());
        fault
    };
    let fault = refused(&saved, &["--expect", &head]);
    assert!(fault.contains("was cut off"), "{fault}");

    let bytes = fs::read(&later).unwrap();
    let damaged = file(place, "damaged");
    fs::write(&damaged, [&bytes[..bytes.len() / 2], &vec![0xFF; bytes.len() / 2][..]].concat()).unwrap();
    refused(&damaged, &[]);
    fs::write(&damaged, "a letter").unwrap();
    refused(&damaged, &[]);

    let record = br#""event":"signed-in""#;
    let at = bytes.windows(record.len()).position(|window| window == record).unwrap();
    let mut forged = bytes;
    forged[at + 9] = b'S';
    fs::write(&damaged, forged).unwrap();
    let fault = refused(&damaged, &[]);
    assert!(fault.contains("trail"), "{fault}");

    write_private(&file(place, "secrets/vault-key-1"), &"5a".repeat(32));
    let fault = refused(&later, &[]);
    assert!(fault.contains("the vault key is not the one of this database"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_both_commands_say_what_to_use() {
    let place = Place::new(&[]).await;
    if place.is_sqlite() {
        return;
    }
    for command in ["backup", "restore"] {
        let fault = run(&place, command, &file(&place, "saved"), &[]).unwrap_err();
        assert!(fault.contains("pg_basebackup and continuous archiving"), "{fault}");
    }
}
