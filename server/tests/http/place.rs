//! Where a service of a test has its data: a folder with its secrets, and a database.

use std::{fs, path::Path};

use server::{
    config::Settings,
    randomness::SystemRandomness,
    secrets::{DatabaseAge, Secrets},
};
use storage::testing::TestSchema;
use tempfile::TempDir;

/// The variable that says on which database the tests run.
pub const DATABASE_VARIABLE: &str = "TEST_DATABASE";

/// Folder, database and configuration of a service that has not run yet.
pub struct Place {
    folder: TempDir,
    schema: Option<TestSchema>,
    variables: Vec<(String, String)>,
}

impl Place {
    /// Makes it, with variables over the configuration.
    ///
    /// A service on PostgreSQL finds its secrets: it makes none itself, as nobody knows what is in the database.
    pub async fn new(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let schema = if is_postgres() { Some(TestSchema::make().await) } else { None };
        let mut all = vec![
            ("SERVICE_CENTRE_DATA".to_owned(), folder.path().to_str().unwrap().to_owned()),
            ("SERVICE_CENTRE_MAIL__HOST".to_owned(), "localhost".to_owned()),
            ("SERVICE_CENTRE_MAIL__FROM".to_owned(), "Smartcard Service Centre <no-reply@example.org>".to_owned()),
        ];
        all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        if let Some(schema) = &schema {
            let file = folder.path().join("database-url");
            fs::write(&file, schema.url()).unwrap();
            all.push(("SERVICE_CENTRE_DATABASE__URL_FILE".to_owned(), file.to_str().unwrap().to_owned()));
        }
        let place = Self { folder, schema, variables: all };
        if is_postgres() {
            place.load_secrets(&place.settings(), DatabaseAge::New);
        }
        place
    }

    /// The configuration as variables.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// The configuration as it was read.
    pub fn settings(&self) -> Settings {
        Settings::load(None, self.variables.iter().cloned()).unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// The secrets, as they are there or, in a new database, are made.
    pub fn secrets(&self) -> Secrets {
        let settings = self.settings();
        let age = settings.database.age(settings.data.as_deref());
        self.load_secrets(&settings, age)
    }

    fn load_secrets(&self, settings: &Settings, age: DatabaseAge) -> Secrets {
        Secrets::load(&settings.secrets, settings.may_make_secrets(), age, &SystemRandomness)
            .unwrap_or_else(|fault| panic!("{}: {fault}", self.folder().display()))
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How many processes serve where several are to: SQLite is for one.
    pub fn processes(&self) -> usize {
        if self.schema.is_some() { 2 } else { 1 }
    }
}

#[expect(clippy::disallowed_methods, reason = "cargo gives no arguments to a test")]
fn is_postgres() -> bool {
    match std::env::var(DATABASE_VARIABLE).as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("{DATABASE_VARIABLE} is sqlite or postgres, not {other}"),
    }
}
