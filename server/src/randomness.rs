//! The dice, from the operating system.

use domain::ports::Randomness;

/// The operating system's random source.
#[derive(Clone, Copy, Debug)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    /// # Panics
    ///
    /// When the operating system gives no randomness: a service that guesses its tokens must not go on.
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives randomness");
    }
}
