//! People and cards that others issued are taken in by the program, beside the service that runs.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Output},
};

use age::{Encryptor, x25519::Identity};
use base64ct::{Base64, Encoding};
use card_protocol::Slot;

use crate::{
    audit::trail_holds,
    card::Card,
    place::write_private,
    sign_in::{JANE, janes_card},
    test_app::TestApp,
    unlock::unlock,
};

pub const PEOPLE: &str = "user_number,name,email\n555000000017,Jane Smith,jane.smith@nhs.net\n1002,Zoë Ng,\n";
pub const HEADER: &str = "guid,user_number,authentication,card_authentication,unlock_key";

/// The row of a card, its keys as base64.
pub fn row(card: &Card, holder: &str) -> String {
    let key = |slot| Base64::encode_string(card.public_key(slot).as_der());
    let [authentication, card_authentication] = [Slot::Authentication, Slot::CardAuthentication].map(key);
    format!("{},{holder},{authentication},{card_authentication},{}", card.guid, unlock_key(card))
}

/// The same, its keys as PEM.
fn row_in_pem(card: &Card, holder: &str) -> String {
    let key = |slot| {
        let digits = Base64::encode_string(card.public_key(slot).as_der());
        let (first, second) = digits.split_at(64);
        format!("\"-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n\"")
    };
    let [authentication, card_authentication] = [Slot::Authentication, Slot::CardAuthentication].map(key);
    format!("{},{holder},{authentication},{card_authentication},{}", card.guid, unlock_key(card))
}

fn unlock_key(card: &Card) -> String {
    format!("{:016X}", u64::from_be_bytes(*card.unlock_key.expose_secret()))
}

fn write(app: &TestApp, name: &str, bytes: &[u8]) -> PathBuf {
    let file = app.folder().join(name);
    fs::write(&file, bytes).unwrap();
    file
}

/// Encrypts to the service that the program says.
pub fn sealed(app: &TestApp, text: &str) -> Vec<u8> {
    let output = run(app, &["import-key"]);
    assert!(output.status.success(), "{}", said(&output));
    let recipient: age::x25519::Recipient = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    encrypt(&recipient, text)
}

fn encrypt(recipient: &dyn age::Recipient, text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Encryptor::with_recipients(std::iter::once(recipient)).unwrap().wrap_output(&mut bytes).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap();
    bytes
}

/// Runs a command of the program on the database of the service.
fn run(app: &TestApp, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_service-centre"))
        .args(arguments)
        .env_clear()
        .envs(app.place().variables().iter().cloned())
        .output()
        .unwrap()
}

/// Imports these people, and these rows of cards, encrypted.
fn import(app: &TestApp, people: &str, cards: &[String], further: &[&str]) -> Output {
    let cards = [&[HEADER.to_owned()], cards].concat().join("\n");
    let cards = sealed(app, &cards);
    import_files(app, people, &cards, further)
}

fn import_files(app: &TestApp, people: &str, cards: &[u8], further: &[&str]) -> Output {
    let people = write(app, "people.csv", people.as_bytes());
    let cards = write(app, "cards.csv.age", cards);
    run(app, &[&["import", people.to_str().unwrap(), cards.to_str().unwrap()], further].concat())
}

/// What it said, wherever.
fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said)).concat()
}

/// How many rows it says became what, and that it ended well.
fn counted(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// How much there is: people, cards, records of the trail.
pub async fn kept(app: &TestApp, cards: &[&Card]) -> (usize, usize) {
    let mut transaction = app.store().begin().await.unwrap();
    let guids: Vec<_> = cards.iter().map(|card| card.guid).collect();
    let cards = transaction.cards_among(&guids).await.unwrap().len();
    (cards, transaction.trail_from(1, 1000).await.unwrap().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_that_others_issued_are_taken_in_once_and_can_be_unlocked() {
    let app = TestApp::start().await;
    let (mut janes, zoes) = (Card::number(1), Card::number(2));
    let cards = [row(&janes, JANE.0), row_in_pem(&zoes, "1002")];
    let output = import(&app, PEOPLE, &cards, &[]);
    assert_eq!(counted(&output), "People: 2 added, 0 unchanged, 0 refused.\nCards: 2 added, 0 unchanged, 0 refused.\n");
    assert!(!String::from_utf8_lossy(&output.stderr).contains('\r'), "it is no terminal: {}", said(&output));
    assert_eq!(kept(&app, &[&janes, &zoes]).await, (2, 2));
    trail_holds(&app).await;

    let again = import(&app, PEOPLE, &cards, &[]);
    assert_eq!(counted(&again), "People: 0 added, 2 unchanged, 0 refused.\nCards: 0 added, 2 unchanged, 0 refused.\n");
    assert_eq!(kept(&app, &[&janes, &zoes]).await, (2, 2));

    app.register(JANE.0, JANE.2).await;
    unlock(&app, &mut janes).await;
    let after = import(&app, PEOPLE, &cards, &[]);
    assert!(counted(&after).ends_with("Cards: 0 added, 2 unchanged, 0 refused.\n"), "{}", said(&after));
    app.clock.advance(time::Duration::hours(2));
    unlock(&app, &mut janes).await;
    trail_holds(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_refused_is_named_and_the_others_are_taken_in() {
    let app = TestApp::start().await;
    let there = janes_card(&app).await;
    let new: Vec<Card> = (2..=4).map(Card::number).collect();
    let people = "user_number,name,email\n555000000017,Somebody Else,\n1002,Zoë Ng,zoe\n1003,Zoë Ng,\n1004,\n";
    let mut bad_unlock_key = row(&new[1], "1003");
    bad_unlock_key.pop();
    let cards = [
        row(&new[0], "1003"),
        bad_unlock_key,
        row(&new[2], "1002"),
        row(&there, "1003"),
        row(&new[0], "1003").replacen(&new[0].guid.to_string(), &"ab".repeat(16), 1),
        row(&new[1], "1003").replacen(&new[1].guid.to_string(), &"0".repeat(32), 1),
        format!("{},1003,AAAA,AAAA,0011223344556677", new[2].guid),
        "nothing".to_owned(),
    ];
    let output = import(&app, people, &cards, &[]);
    assert_eq!(output.status.code(), Some(1));
    let said_of_rows = String::from_utf8(output.stderr.clone()).unwrap();
    let of_rows: Vec<&str> = said_of_rows
        .lines()
        .filter_map(|line| line.split_once(".csv").map(|(_, rest)| rest.trim_start_matches(".age, ")))
        .collect();
    assert_eq!(
        of_rows,
        [
            ", line 2: somebody with another name has this user number",
            ", line 3: the e-mail address is not one",
            ", line 5: the row has another number of fields than the first line, or is not UTF-8",
            "line 3: the unlock key is not 16 hexadecimal digits",
            "line 4: nobody has this user number",
            "line 5: the GUID belongs to another card, or this card has another holder or other keys",
            "line 6: a public key was seen before, on another card or in the other slot",
            "line 7: the GUID is zero",
            "line 8: the field authentication holds no certificate or public key of P-256, P-384 or RSA-2048, in PEM or as \
             base64 of DER",
            "line 9: the row has another number of fields than the first line, or is not UTF-8",
        ]
    );
    assert!(
        said_of_rows.ends_with("service-centre: 10 rows were refused, the others are taken in\n"),
        "{said_of_rows}"
    );
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "People: 1 added, 0 unchanged, 3 refused.\nCards: 1 added, 0 unchanged, 7 refused.\n"
    );
    for secret in new.iter().map(unlock_key) {
        assert!(!said(&output).contains(&secret[..15]), "an unlock key was said");
    }
    assert_eq!(kept(&app, &[&new[0], &new[1], &new[2]]).await, (1, 2));
    trail_holds(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_or_nothing_is_nothing_where_a_row_is_refused() {
    let app = TestApp::start().await;
    let card = Card::number(1);
    let bad = [row(&card, JANE.0), row(&Card::number(2), "1009")];
    let output = import(&app, PEOPLE, &bad, &["--all-or-nothing"]);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(text.contains("cards.csv.age, line 3: nobody has this user number"), "{text}");
    assert!(text.ends_with("service-centre: 1 rows were refused, and nothing was taken in\n"), "{text}");
    assert_eq!(kept(&app, &[&card]).await, (0, 0));

    let output = import(&app, PEOPLE, &bad[..1], &["--all-or-nothing"]);
    assert_eq!(counted(&output), "People: 2 added, 0 unchanged, 0 refused.\nCards: 1 added, 0 unchanged, 0 refused.\n");
    assert_eq!(kept(&app, &[&card]).await, (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_that_are_not_encrypted_are_refused_with_what_to_do() {
    let app = TestApp::start().await;
    let card = Card::number(1);
    let output = import_files(&app, PEOPLE, format!("{HEADER}\n{}\n", row(&card, JANE.0)).as_bytes(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let recipient = String::from_utf8(run(&app, &["import-key"]).stdout).unwrap();
    let text = said(&output);
    assert!(text.contains("is not encrypted") && text.contains(&format!("age -r {} -o ", recipient.trim())), "{text}");
    assert!(!text.contains(&unlock_key(&card)), "{text}");
    // Not even the people were taken in.
    let again = import(&app, PEOPLE, &[row(&card, JANE.0)], &[]);
    assert!(counted(&again).starts_with("People: 2 added"), "{}", said(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_that_were_encrypted_to_somebody_else_are_refused() {
    let app = TestApp::start().await;
    let text = format!("{HEADER}\n{}\n", row(&Card::number(1), JANE.0));
    let output = import_files(&app, PEOPLE, &encrypt(&Identity::generate().to_public(), &text), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("does not open with the import key of this service"), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_or_cut_off_is_not_taken_in() {
    let app = TestApp::start().await;
    let (first, last) = (Card::number(1), Card::number(2));
    // The first part of an encrypted file is 64 KiB; it is authentic by itself.
    let empty_lines = "\n".repeat(70_000);
    let text = format!("{HEADER}\n{}\n{empty_lines}{}\n", row(&first, JANE.0), row(&last, JANE.0));
    let whole = sealed(&app, &text);
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    for bytes in [&whole[..whole.len() - 1], &changed] {
        let output = import_files(&app, PEOPLE, bytes, &["--all-or-nothing"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains("nothing was taken in"), "{}", said(&output));
        assert_eq!(kept(&app, &[&first, &last]).await, (0, 0));
    }
    assert_eq!(import_files(&app, PEOPLE, &changed, &[]).status.code(), Some(1));
    assert_eq!(kept(&app, &[&last]).await.0, 0);
    assert!(counted(&import_files(&app, PEOPLE, &whole, &[])).ends_with("1 unchanged, 0 refused.\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_import_key_only_the_import_is_refused() {
    let app = TestApp::start().await;
    let sealed = sealed(&app, &format!("{HEADER}\n"));
    let key = app.folder().join("secrets/import-key");
    let identity = fs::read_to_string(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(app.try_restart().await.is_ok());
    for output in [import_files(&app, PEOPLE, &sealed, &[]), run(&app, &["import-key"])] {
        assert_eq!(output.status.code(), Some(1));
        let text = said(&output);
        assert!(text.contains("no import key") && text.contains("secrets.import_key_file"), "{text}");
    }
    // Put back where a field names it, it is used.
    let elsewhere = app.folder().join("import-key");
    write_private(&elsewhere, &identity);
    let output = Command::new(env!("CARGO_BIN_EXE_service-centre"))
        .arg("import-key")
        .env_clear()
        .envs(app.place().variables().iter().cloned())
        .env("SERVICE_CENTRE_SECRETS__IMPORT_KEY_FILE", elsewhere)
        .output()
        .unwrap();
    assert!(counted(&output).starts_with("age1"));
}
