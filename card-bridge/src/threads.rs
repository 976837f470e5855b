//! Threads for work that may hang. One that has nothing to do is kept for the next: a new one can wait for its first turn
//! longer than a card needs, where the machine is busy.

use std::io;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Work = Box<dyn FnOnce() + Send>;
/// Where the thread waits that has nothing to do.
type Place = Mutex<Option<Sender<Job>>>;

/// Work for a thread that has done other work before, and its own sender, to be kept by again.
struct Job {
    work: Work,
    sender: Sender<Job>,
}

/// As many threads as there is work at once. What they do not end is left behind.
#[derive(Clone, Default)]
pub struct Threads {
    idle: Arc<Place>,
}

impl Threads {
    /// Begins the work on a thread. Where it panics, its thread ends and nothing else.
    ///
    /// # Errors
    ///
    /// When the operating system gives no thread.
    pub fn begin(&self, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let work: Work = Box::new(work);
        let idle = self.place().take();
        let work = match idle {
            None => work,
            Some(sender) => match sender.clone().send(Job { work, sender }) {
                Ok(()) => return Ok(()),
                Err(mpsc::SendError(job)) => job.work,
            },
        };
        let idle = Arc::downgrade(&self.idle);
        let (mut sender, jobs) = mpsc::channel();
        let live = move || {
            let mut work = work;
            loop {
                work();
                // Kept by `Threads` alone, so that the thread ends when that is dropped, or another is waiting already.
                let Some(idle) = idle.upgrade() else { return };
                idle.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(sender);
                drop(idle);
                let Ok(job) = jobs.recv() else { return };
                Job { work, sender } = job;
            }
        };
        std::thread::Builder::new().name("card".to_owned()).spawn(live).map(drop)
    }

    fn place(&self) -> MutexGuard<'_, Option<Sender<Job>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{self, ThreadId};

    use super::*;

    /// Which thread did some work.
    fn one_that_works(threads: &Threads) -> ThreadId {
        let (done, is_done) = mpsc::channel();
        threads.begin(move || done.send(thread::current().id()).unwrap()).unwrap();
        is_done.recv().unwrap()
    }

    fn until_one_waits(threads: &Threads) {
        while threads.place().is_none() {
            thread::yield_now();
        }
    }

    #[test]
    fn a_thread_that_has_nothing_to_do_does_the_next_work() {
        let threads = Threads::default();
        let first = one_that_works(&threads);
        until_one_waits(&threads);
        assert_eq!(one_that_works(&threads), first);
    }

    #[test]
    fn work_that_hangs_keeps_no_other_from_beginning() {
        let threads = Threads::default();
        let (go_on, hangs) = mpsc::channel::<()>();
        threads
            .begin(move || {
                let _ = hangs.recv();
            })
            .unwrap();
        one_that_works(&threads);
        drop(go_on);
    }

    #[test]
    fn work_that_panics_takes_its_thread_with_it_and_nothing_else() {
        let threads = Threads::default();
        let first = one_that_works(&threads);
        until_one_waits(&threads);
        let (ended, has_ended) = mpsc::channel::<()>();
        threads
            .begin(move || {
                let _ended = ended;
                panic!("on purpose");
            })
            .unwrap();
        assert!(has_ended.recv().is_err());
        assert_ne!(one_that_works(&threads), first);
    }

    #[test]
    fn a_waiting_thread_ends_with_those_that_keep_it() {
        let threads = Threads::default();
        let (alive, is_alive) = mpsc::channel::<()>();
        thread_local!(static ALIVE: std::cell::RefCell<Option<Sender<()>>> = const { std::cell::RefCell::new(None) });
        threads.begin(move || ALIVE.set(Some(alive))).unwrap();
        until_one_waits(&threads);
        drop(threads);
        assert!(is_alive.recv().is_err());
    }
}
