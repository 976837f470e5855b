//! Where a service of a test has its data: a folder with its secrets, and a database.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
    sync::atomic::{AtomicBool, Ordering},
};

use server::{
    config::Settings,
    randomness::SystemRandomness,
    secrets::{DatabaseAge, Secrets},
};
use storage::testing::{LockedFolder, TestDatabase, TestSchema};
use tempfile::TempDir;

/// The variable that says on which database the tests run.
pub const DATABASE_VARIABLE: &str = "TEST_DATABASE";

/// Folder, database and configuration of a service that has not run yet.
pub struct Place {
    folder: TempDir,
    database: Database,
    variables: Vec<(String, String)>,
    has_workers: AtomicBool,
}

enum Database {
    /// SQLite in the folder.
    InFolder,
    /// A schema beside those of other tests.
    Schema(TestSchema),
    /// A PostgreSQL database that no other test uses.
    Own(TestDatabase),
}

/// The time in which a database is away.
pub enum Outage<'a> {
    /// Another program holds it.
    Locked(LockedFolder),
    /// It lets nobody in.
    Closed(&'a TestDatabase),
}

impl Outage<'_> {
    /// The database is back.
    pub async fn end(self) {
        match self {
            Self::Locked(folder) => folder.release().await,
            Self::Closed(database) => database.give_back().await,
        }
    }
}

impl Place {
    /// Makes it, with variables over the configuration.
    ///
    /// A service on PostgreSQL finds its secrets: it makes none itself, as nobody knows what is in the database.
    pub async fn new(variables: &[(&str, &str)]) -> Self {
        let database = if is_postgres() { Database::Schema(TestSchema::make().await) } else { Database::InFolder };
        Self::on(database, variables)
    }

    /// Makes one whose database can be taken away.
    pub async fn alone() -> Self {
        let database = if is_postgres() { Database::Own(TestDatabase::make().await) } else { Database::InFolder };
        Self::on(database, &[])
    }

    fn on(database: Database, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut all = vec![
            ("SERVICE_CENTRE_DATA".to_owned(), folder.path().to_str().unwrap().to_owned()),
            ("SERVICE_CENTRE_MAIL__HOST".to_owned(), "localhost".to_owned()),
            ("SERVICE_CENTRE_MAIL__FROM".to_owned(), "Smartcard Service Centre <no-reply@example.org>".to_owned()),
        ];
        all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let url = match &database {
            Database::InFolder => None,
            Database::Schema(schema) => Some(schema.url()),
            Database::Own(database) => Some(database.url()),
        };
        let mut place = Self { folder, database, variables: all, has_workers: AtomicBool::new(false) };
        if let Some(url) = url {
            place.name_database(&url);
        }
        if is_postgres() {
            place.load_secrets(&place.settings(), DatabaseAge::New);
        }
        place
    }

    /// Runs the program with these arguments, until it ends.
    pub fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_service-centre"))
            .args(["--log", "error"])
            .args(arguments)
            .env_clear()
            .envs(self.variables.iter().cloned())
            .output()
            .unwrap()
    }

    /// Names another database: from now on the service is on PostgreSQL.
    pub fn move_to(&mut self, schema: TestSchema) {
        self.name_database(&schema.url());
        self.database = Database::Schema(schema);
    }

    fn name_database(&mut self, url: &str) {
        let file = self.folder().join("database-url");
        write_private(&file, url);
        self.variables.push(("SERVICE_CENTRE_DATABASE__URL_FILE".to_owned(), file.to_str().unwrap().to_owned()));
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

    /// Whether the database is SQLite.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.database, Database::InFolder)
    }

    /// Whether the database holds this text: on SQLite anywhere in its files, on PostgreSQL in a row of a table.
    pub async fn holds(&self, text: &str) -> bool {
        match &self.database {
            Database::InFolder => self.files_hold(text.as_bytes()),
            Database::Schema(schema) => !schema.tables_with(text).await.is_empty(),
            Database::Own(_) => panic!("nothing is looked for in a database that is taken away"),
        }
    }

    fn files_hold(&self, bytes: &[u8]) -> bool {
        ["service-centre.sqlite", "service-centre.sqlite-wal"].iter().any(|name| {
            let file = fs::read(self.folder().join(name)).unwrap();
            file.windows(bytes.len()).any(|window| window == bytes)
        })
    }

    /// How many processes serve where several are to: SQLite is for one.
    pub fn processes(&self) -> usize {
        if self.is_sqlite() { 1 } else { 2 }
    }

    /// From now on processes send mails too.
    pub fn note_workers(&self) {
        self.has_workers.store(true, Ordering::SeqCst);
    }

    /// How often the outbox must have been found empty until it is. A worker that takes a mail and puts it off has it locked
    /// twice for a moment, in which others pass over it.
    pub fn rounds_without_a_mail(&self) -> usize {
        if self.has_workers.load(Ordering::SeqCst) { 3 } else { 1 }
    }

    /// Waits for the end of such a moment.
    pub async fn wait_for_workers(&self) {
        if !self.has_workers.load(Ordering::SeqCst) {
            return;
        }
        match &self.database {
            Database::InFolder => {}
            Database::Schema(schema) => storage::testing::wait_for_workers(&schema.url()).await,
            Database::Own(database) => storage::testing::wait_for_workers(&database.url()).await,
        }
    }

    /// Takes the database away: on SQLite another program holds it, on PostgreSQL all connections end and it lets nobody in.
    pub async fn take_database_away(&self) -> Outage<'_> {
        match &self.database {
            Database::InFolder => Outage::Locked(LockedFolder::lock(self.folder()).await),
            Database::Schema(_) => panic!("other tests use this database"),
            Database::Own(database) => {
                database.take_away().await;
                Outage::Closed(database)
            }
        }
    }
}

/// Writes a file that only its owner can read.
pub fn write_private(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "cargo gives no arguments to a test")]
fn is_postgres() -> bool {
    match std::env::var(DATABASE_VARIABLE).as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("{DATABASE_VARIABLE} is sqlite or postgres, not {other}"),
    }
}
