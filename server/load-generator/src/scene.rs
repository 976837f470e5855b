//! Rounds: how many come when, and what becomes of them.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroUsize,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use card_protocol::ServiceKey;
use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, JoinSet};

use crate::{
    browser::{Browser, Fault, Surroundings},
    errands::desk::Desk,
    figures::{Figures, Summary},
    person::Person,
    post::Post,
};

/// How long the officer rests between two people.
const OFFICER_RESTS: Duration = Duration::from_millis(200);

/// Who has a part of their own: an officer, a manager, whom the manager helps.
const OF_THE_DESK: u32 = 3;

/// What a round is.
#[derive(Deserialize)]
pub struct Round {
    #[serde(flatten)]
    pace: Pace,
    seconds: f64,
    #[serde(default)]
    desk: bool,
    #[serde(default)]
    newcomers: f64,
    #[serde(default)]
    rarities: f64,
    /// How many of the servers are asked; all, where nothing is said.
    servers: Option<usize>,
    /// How many connections everybody who unlocks has; an officer has one each time. Where nothing is said they share some.
    connections: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    AtOnce(usize),
    ASecond(f64),
}

/// What came of a round.
#[derive(Default, Serialize)]
pub struct Outcome {
    begun: usize,
    completed: usize,
    #[serde(skip)]
    completed_at: Vec<Instant>,
    registered: usize,
    /// How often somebody has done all that is rarely done.
    rarities: usize,
    busy: usize,
    /// How many of these were not told when to come again.
    untold: usize,
    failed: BTreeMap<String, usize>,
    /// How many a second were completed while others were beginning.
    a_second: f64,
    functions: BTreeMap<&'static str, Summary>,
    desk_failed: BTreeMap<String, usize>,
    desk: BTreeMap<&'static str, Summary>,
}

/// What all share.
pub struct Scene {
    around: Arc<Surroundings>,
    post: Arc<Post>,
    service_key: ServiceKey,
    /// Those who unlock nothing now.
    waiting: Mutex<VecDeque<Person>>,
    /// Those who register nothing now.
    newcomers: Mutex<VecDeque<Person>>,
    desk: tokio::sync::Mutex<Desk>,
}

impl Scene {
    /// What all share, with a manager and whom they help from among these people.
    pub fn new(
        around: Surroundings,
        post: Arc<Post>,
        service_key: ServiceKey,
        [people, newcomers]: [Range<u32>; 2],
    ) -> Self {
        let desk = Desk::new(Person::number(1), Person::number(2));
        Self {
            around: Arc::new(around),
            post,
            service_key,
            waiting: Mutex::new(people.skip(OF_THE_DESK as usize).map(Person::number).collect()),
            newcomers: Mutex::new(newcomers.map(Person::number).collect()),
            desk: tokio::sync::Mutex::new(desk),
        }
    }

    /// Plays a round.
    pub async fn round(self: &Arc<Self>, round: &Round) -> Outcome {
        let (figures, desk_figures) = (Arc::<Figures>::default(), Arc::<Figures>::default());
        self.around.connections.use_only(round.servers);
        let mut outcome = Outcome::default();
        let began = Instant::now();
        let until = began + Duration::from_secs_f64(round.seconds);
        let desk = round
            .desk
            .then(|| tokio::spawn(Arc::clone(self).work_at_desk(Arc::clone(&desk_figures), round.connections, until)));
        let (scene, noted) = (Arc::clone(self), Arc::clone(&figures));
        let newcomers = come(round.newcomers, until, move || Arc::clone(&scene).register(scene.browser(&noted, None)));
        let (scene, noted) = (Arc::clone(self), Arc::clone(&figures));
        let rarities = come(round.rarities, until, move || Arc::clone(&scene).do_what_is_rare(Arc::clone(&noted)));
        let others = [tokio::spawn(newcomers), tokio::spawn(rarities)];
        let mut under_way = JoinSet::new();
        loop {
            // Until when the next has to have ended, or is to begin.
            let next = match round.pace {
                Pace::AtOnce(count) if under_way.len() < count => None,
                Pace::AtOnce(_) => Some(until),
                #[expect(clippy::cast_precision_loss, reason = "small counts")]
                Pace::ASecond(rate) => Some(began + Duration::from_secs_f64(outcome.begun as f64 / rate)),
            };
            if let Some(next) = next.filter(|next| *next > Instant::now()) {
                tokio::select! {
                    Some(ended) = under_way.join_next() => outcome.note(ended),
                    () = tokio::time::sleep_until(next.min(until).into()) => (),
                }
            }
            if Instant::now() >= until {
                break;
            }
            let is_next = match round.pace {
                Pace::AtOnce(count) => under_way.len() < count,
                Pace::ASecond(_) => next.is_none_or(|next| next <= Instant::now()),
            };
            if is_next {
                outcome.begun += 1;
                let person = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(person) = person else {
                    *outcome.failed.entry("nobody is left".to_owned()).or_default() += 1;
                    continue;
                };
                let browser = self.browser(&figures, round.connections);
                under_way.spawn(Arc::clone(self).unlock(person, browser));
            }
        }
        let at_first = if let Pace::AtOnce(count) = round.pace { count } else { 1 };
        outcome.a_second = rate(&outcome.completed_at, at_first);
        while let Some(ended) = under_way.join_next().await {
            outcome.note(ended);
        }
        let [newcomers, rarities] = others;
        outcome.registered = outcome.note_others(newcomers.await);
        outcome.rarities = outcome.note_others(rarities.await);
        if let Some(desk) = desk {
            outcome.desk_failed = desk.await.unwrap_or_else(|fault| BTreeMap::from([(fault.to_string(), 1)]));
        }
        outcome.functions = figures.summaries();
        outcome.desk = desk_figures.summaries();
        outcome
    }

    fn browser(&self, figures: &Arc<Figures>, connections: Option<NonZeroUsize>) -> Browser {
        Browser::new(Arc::clone(&self.around), Arc::clone(figures), connections)
    }

    async fn unlock(self: Arc<Self>, mut person: Person, mut browser: Browser) -> Result<(), Fault> {
        let ended = person.unlock(&mut browser, &self.post, &self.service_key).await;
        browser.leave();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(person);
        ended
    }

    async fn register(self: Arc<Self>, mut browser: Browser) -> Result<(), Fault> {
        let mut newcomer = self.newcomer()?;
        let ended = newcomer.register(&mut browser, &self.post).await;
        self.go_home(newcomer);
        ended
    }

    /// Has a newcomer and the manager do all that they can.
    async fn do_what_is_rare(self: Arc<Self>, figures: Arc<Figures>) -> Result<(), Fault> {
        let [mut one, mut other] = [(); 2].map(|()| self.browser(&figures, None));
        let mut newcomer = self.newcomer()?;
        let ended = newcomer.change_all(&mut one, &mut other, &self.post).await;
        self.go_home(newcomer);
        ended?;
        let [mut one, mut other, mut third] = [(); 3].map(|()| self.browser(&figures, None));
        let mut desk = self.desk.lock().await;
        desk.do_all(&mut one, [&mut other, &mut third], &self.post, &self.service_key).await
    }

    fn newcomer(&self) -> Result<Person, Fault> {
        let newcomer = self.newcomers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        newcomer.ok_or_else(|| Fault::Other("no newcomer is left".to_owned()))
    }

    /// They register anew another time.
    fn go_home(&self, newcomer: Person) {
        self.newcomers.lock().unwrap_or_else(PoisonError::into_inner).push_back(newcomer);
    }

    /// Signs in and helps somebody, again and again; gives why that failed, how often.
    async fn work_at_desk(
        self: Arc<Self>,
        figures: Arc<Figures>,
        connections: Option<NonZeroUsize>,
        until: Instant,
    ) -> BTreeMap<String, usize> {
        let (officer, other) = (Person::number(0), Person::number(OF_THE_DESK));
        let mut failed = BTreeMap::<String, usize>::new();
        while Instant::now() < until {
            let mut browser = self.browser(&figures, connections);
            let helped = async {
                officer.sign_in(&mut browser).await?;
                officer.look_up(&mut browser, &other).await
            };
            if let Err(fault) = helped.await {
                *failed.entry(format!("{fault:?}")).or_default() += 1;
            }
            tokio::time::sleep(OFFICER_RESTS).await;
        }
        failed
    }
}

/// Has so many come a second, whatever becomes of them; gives how it ended for each.
async fn come<F>(rate: f64, until: Instant, errand: impl Fn() -> F) -> Vec<Result<(), Fault>>
where
    F: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let mut under_way = JoinSet::new();
    let mut next = Instant::now();
    while rate > 0.0 && next < until {
        tokio::time::sleep_until(next.into()).await;
        next += Duration::from_secs_f64(1.0 / rate);
        under_way.spawn(errand());
    }
    under_way.join_all().await
}

impl Outcome {
    fn note(&mut self, ended: Result<Result<(), Fault>, JoinError>) {
        match ended {
            Ok(Ok(())) => {
                self.completed += 1;
                self.completed_at.push(Instant::now());
            }
            Ok(Err(Fault::Busy(after))) => {
                self.busy += 1;
                self.untold += usize::from(after.is_none());
            }
            Ok(Err(Fault::Other(why))) => *self.failed.entry(why).or_default() += 1,
            Err(fault) => *self.failed.entry(fault.to_string()).or_default() += 1,
        }
    }

    /// Notes what became of others; gives how many did what they came for.
    fn note_others(&mut self, ended: Result<Vec<Result<(), Fault>>, JoinError>) -> usize {
        let ended = ended.unwrap_or_else(|fault| vec![Err(Fault::Other(fault.to_string()))]);
        let done = ended.iter().filter(|ended| ended.is_ok()).count();
        for fault in ended.into_iter().filter_map(Result::err) {
            self.note(Ok(Err(fault)));
        }
        done
    }
}

/// How many a second ended, from the last of those that began together at first to the last of all: whether they end in step or
/// not, of each that counts all was done in between, or as much of others.
#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn rate(ended: &[Instant], at_first: usize) -> f64 {
    match ended.get(at_first.saturating_sub(1)..) {
        Some([first, .., last]) => (ended.len() - at_first) as f64 / (*last - *first).as_secs_f64(),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_the_same_whether_they_end_in_step_or_one_after_another() {
        let began = Instant::now();
        let at = |tenths: u32| began + Duration::from_millis(u64::from(tenths) * 100);
        let in_step: Vec<_> = (10..=50).step_by(10).flat_map(|tenths| [at(tenths); 10]).collect();
        let one_after_another: Vec<_> = (1..=50).map(at).collect();
        for ended in [in_step, one_after_another] {
            assert!((rate(&ended, 10) - 10.0).abs() < 0.01, "{}", rate(&ended, 10));
        }
        assert!(rate(&[began], 10) < 0.01);
    }
}
