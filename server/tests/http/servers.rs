//! The program itself, as processes that share a database.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use domain::ports::Clock;
use server::clock::SystemClock;

use crate::{browser::Browser, place::Place, test_app::TestApp};

/// How often it is looked whether a process is up, and how often at most.
const POLL: Duration = Duration::from_millis(20);
const POLLS: usize = 3000;

/// What a process logs, unless it is said.
const ERRORS: &[&str] = &["--log", "error,server::outbox=off"];

/// What a process logs when it has begun a use case again too often.
const GIVEN_UP: &str = "changed by another request";

/// Processes on one database. When they are dropped they are killed, and none must have refused a request because
/// of others until then.
pub struct Servers(Vec<Process>);

struct Process {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Servers {
    /// Starts some at once and waits until all are up.
    pub async fn start(place: &Place, processes: usize) -> Self {
        Self::start_with(place, processes, &[]).await
    }

    /// Starts some with variables over their configuration.
    pub async fn start_with(place: &Place, processes: usize, variables: &[(&str, &str)]) -> Self {
        place.note_workers();
        let mut servers = Self::spawn_with(place, processes, variables);
        for process in &mut servers.0 {
            process.wait_until_up().await;
        }
        servers
    }

    /// Starts some, and does not wait for them.
    pub fn spawn_with(place: &Place, processes: usize, variables: &[(&str, &str)]) -> Self {
        Self((0..processes).map(|_| Process::spawn(place, variables, ERRORS)).collect())
    }

    /// Starts one that logs as these arguments say.
    pub async fn start_logging(place: &Place, arguments: &[&str]) -> Self {
        place.note_workers();
        let mut process = Process::spawn(place, &[], arguments);
        process.wait_until_up().await;
        Self(vec![process])
    }

    /// Starts as many as the database of a service is for. They cannot send mails: the service of the test does that,
    /// with a clock so far ahead that whatever they had and put off is due again.
    pub async fn beside(app: &TestApp) -> Self {
        app.clock.advance(SystemClock.now() - app.clock.now() + time::Duration::minutes(5));
        Self::start(app.place(), app.place().processes()).await
    }

    /// The address of one of them, in turn.
    pub fn address(&self, number: usize) -> SocketAddr {
        self.0[number % self.0.len()].address
    }

    /// Kills all of them, whatever they are doing.
    pub fn kill(&mut self) {
        for process in &mut self.0 {
            process.child.kill().unwrap();
        }
        for process in &mut self.0 {
            process.child.wait().unwrap();
        }
    }

    /// Asks all of them to end.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Asks all of them to read their certificates again.
    pub fn reload(&self) {
        self.signal("HUP");
    }

    /// What one of them has logged.
    pub fn log(&self, number: usize) -> String {
        fs::read_to_string(&self.0[number].log).unwrap()
    }

    fn signal(&self, name: &str) {
        for process in &self.0 {
            let pid = process.child.id().to_string();
            assert!(Command::new("/usr/bin/kill").args(["-s", name, &pid]).status().unwrap().success());
        }
    }

    /// Waits until all have ended, and says whether they did so as they were meant to.
    pub async fn end_well(&mut self) -> bool {
        let mut ended_well = true;
        for process in &mut self.0 {
            ended_well &= process.end().await.success();
        }
        ended_well
    }

    /// Kills one of them, whatever it is doing.
    pub fn kill_one(&mut self, number: usize) {
        let child = &mut self.0[number].child;
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The addresses of all.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(|process| process.address).collect()
    }

    /// From now on they cannot write another byte, neither to the database nor to the log.
    pub fn fill_disk(&self) {
        for process in &self.0 {
            process.limit_files("0");
        }
    }

    /// From now on they can write again.
    pub fn make_room(&self) {
        for process in &self.0 {
            process.limit_files("unlimited");
        }
    }

    /// A browser that begins at one of them.
    pub fn browser(&self, number: usize) -> Browser {
        Browser::of_process(self.address(number))
    }
}

/// An address of this machine on which nobody listens and that nobody was given: below those that the system gives out by itself,
/// which may be another's before a server listens there. Until this process ends no other of the tests is given it.
pub fn free_address() -> SocketAddr {
    static GIVEN: Mutex<Vec<File>> = Mutex::new(Vec::new());
    for port in 20_000..26_000 {
        let lock = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("port-{port}"));
        let lock = File::create(lock).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if lock.try_lock().is_ok() && TcpListener::bind(address).is_ok() {
            GIVEN.lock().unwrap().push(lock);
            return address;
        }
    }
    panic!("no port is free");
}

impl Drop for Servers {
    fn drop(&mut self) {
        for process in &mut self.0 {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
        let logs: Vec<String> = self.0.iter().map(|process| fs::read_to_string(&process.log).unwrap()).collect();
        if std::thread::panicking() {
            eprintln!("{}", logs.concat());
            return;
        }
        assert!(!logs.iter().any(|log| log.contains(GIVEN_UP)), "{}", logs.concat());
    }
}

impl Process {
    fn spawn(place: &Place, variables: &[(&str, &str)], logging: &[&str]) -> Self {
        let address = free_address();
        let log = place.folder().join(format!("server-{}.log", address.port()));
        // It ends with this process, also when this one is killed.
        let child = Command::new("/usr/bin/setpriv")
            // A file that must not grow is an error then, as a full disk is, and no signal.
            .args(["--pdeathsig", "KILL", "/usr/bin/env", "--ignore-signal=XFSZ"])
            .arg(env!("CARGO_BIN_EXE_service-centre"))
            .args(logging)
            .arg("serve")
            .env_clear()
            .envs(place.variables().iter().cloned())
            .envs(variables.iter().copied())
            .env("SERVICE_CENTRE_LISTEN", address.to_string())
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(File::options().append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        Self { child, address, log }
    }

    async fn end(&mut self) -> std::process::ExitStatus {
        for _ in 0..POLLS {
            if let Some(ended) = self.child.try_wait().unwrap() {
                return ended;
            }
            tokio::time::sleep(POLL).await;
        }
        panic!("a server does not end: {}", fs::read_to_string(&self.log).unwrap());
    }

    /// From now on no file of the process may be longer.
    fn limit_files(&self, bytes: &str) {
        let pid = self.child.id().to_string();
        let limit = format!("--fsize={bytes}:");
        let limited = Command::new("/usr/bin/prlimit").args(["--pid", &pid, &limit]).status().unwrap();
        assert!(limited.success());
    }

    async fn wait_until_up(&mut self) {
        for _ in 0..POLLS {
            if tokio::net::TcpStream::connect(self.address).await.is_ok() {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "a server ended: {}", fs::read_to_string(&self.log).unwrap());
            tokio::time::sleep(POLL).await;
        }
        panic!("a server does not come up: {}", fs::read_to_string(&self.log).unwrap());
    }
}
