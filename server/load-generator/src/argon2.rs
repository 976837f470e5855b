//! What Argon2id allows on this machine if nothing else is done.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};

/// How the service hashes: memory in KiB, passes, lanes. A test of the server holds that it does.
pub const NUMBERS: (u32, u32, u32) = (19 * 1024, 2, 1);

/// Hashes a second of one thread, in memory that is used again.
///
/// # Errors
///
/// [`argon2::Error`], when the numbers are none of Argon2's.
pub fn hashes_a_second(duration: Duration) -> Result<f64, argon2::Error> {
    let (memory, passes, lanes) = NUMBERS;
    let params = Params::new(memory, passes, lanes, None)?;
    let mut blocks = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new_with_secret(&[7; 32], Algorithm::Argon2id, Version::V0x13, params)?;
    let mut hash = [0; 32];
    let (began, mut hashes) = (Instant::now(), 0.0);
    while began.elapsed() < duration {
        argon2.hash_password_into_with_memory(b"an answer", &[7; 16], &mut hash, &mut blocks)?;
        hashes += 1.0;
    }
    Ok(hashes / began.elapsed().as_secs_f64())
}
