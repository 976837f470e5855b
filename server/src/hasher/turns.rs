//! One thing at a time for each person.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Mutex as Baton, OwnedMutexGuard};

/// Who has a turn, and who waits for one. Nobody waits for anybody else.
pub struct Turns<K: Eq + Hash> {
    at_most: usize,
    lines: Mutex<HashMap<K, Line>>,
}

/// The line of somebody.
#[derive(Default)]
struct Line {
    /// Whoever has it has the turn.
    baton: Arc<Baton<()>>,
    /// How many are in the line, with the one whose turn it is.
    many: usize,
}

/// The turn of somebody; it ends when this is dropped.
pub struct Turn<K: Eq + Hash> {
    _baton: OwnedMutexGuard<()>,
    standing: Standing<K>,
}

/// Somebody who stands in their line.
struct Standing<K: Eq + Hash> {
    turns: Arc<Turns<K>>,
    whose: K,
    /// How many stood before them.
    before: usize,
}

impl<K: Eq + Hash> Turn<K> {
    /// Whether somebody's turn was before it, for which it has waited.
    pub fn has_waited(&self) -> bool {
        self.standing.before > 0
    }
}

impl<K: Eq + Hash + Clone> Turns<K> {
    /// So many in a line at most.
    pub fn of(at_most: usize) -> Self {
        Self { at_most, lines: Mutex::default() }
    }

    /// Waits for the turn of somebody, in their order; nothing where too many of theirs wait already.
    pub async fn take(self: &Arc<Self>, whose: &K) -> Option<Turn<K>> {
        let (standing, baton) = self.stand(whose)?;
        Some(Turn { _baton: baton.lock_owned().await, standing })
    }

    fn stand(self: &Arc<Self>, whose: &K) -> Option<(Standing<K>, Arc<Baton<()>>)> {
        let mut lines = self.lines();
        let line = lines.entry(whose.clone()).or_default();
        if line.many >= self.at_most {
            return None;
        }
        let standing = Standing { turns: Arc::clone(self), whose: whose.clone(), before: line.many };
        line.many += 1;
        Some((standing, Arc::clone(&line.baton)))
    }
}

impl<K: Eq + Hash> Turns<K> {
    fn lines(&self) -> MutexGuard<'_, HashMap<K, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Standing<K> {
    fn drop(&mut self) {
        let turns = Arc::clone(&self.turns);
        let mut lines = turns.lines();
        if let Some(line) = lines.get_mut(&self.whose) {
            line.many -= 1;
            if line.many == 0 {
                lines.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// The turn, if it comes at once.
    fn now<T>(turn: impl Future<Output = T>) -> Poll<T> {
        pin!(turn).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn each_has_one_turn_and_nobody_waits_for_another() {
        let turns = Arc::new(Turns::of(8));
        let Poll::Ready(Some(_jane)) = now(turns.take(&"jane")) else { panic!("Jane waits") };
        let Poll::Ready(Some(john)) = now(turns.take(&"john")) else { panic!("John waits for Jane") };
        assert!(!john.has_waited());
        assert!(now(turns.take(&"jane")).is_pending());
    }

    #[tokio::test]
    async fn turns_come_in_their_order() {
        let turns = Arc::new(Turns::of(8));
        let first = turns.take(&"jane").await;
        let mut second = pin!(turns.take(&"jane"));
        let mut third = pin!(turns.take(&"jane"));
        for _ in 0..2 {
            assert!(now(second.as_mut()).is_pending());
            assert!(now(third.as_mut()).is_pending());
        }
        drop(first);
        assert!(now(third.as_mut()).is_pending());
        let Poll::Ready(Some(turn)) = now(second) else { panic!("the turn is nobody's") };
        assert!(turn.has_waited());
        drop(turn);
        assert!(now(third).is_ready());
    }

    #[test]
    fn a_line_has_an_end_and_whoever_goes_away_leaves_it() {
        let turns = Arc::new(Turns::of(2));
        let Poll::Ready(Some(first)) = now(turns.take(&"jane")) else { panic!("Jane waits") };
        let mut waits = Box::pin(turns.take(&"jane"));
        assert!(now(waits.as_mut()).is_pending());
        assert!(matches!(now(turns.take(&"jane")), Poll::Ready(None)));
        drop(waits);
        assert!(now(turns.take(&"jane")).is_pending(), "there is room again");
        drop(first);
        assert!(turns.lines().is_empty(), "nobody is remembered");
    }
}
