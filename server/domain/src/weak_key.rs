//! RSA keys that are known to be weak: those of a library in widely sold chips, PIV cards among them, whose primes have a
//! form that lets anybody factor them (ROCA, CVE-2017-15361).

/// The generator of that form.
const GENERATOR: u64 = 65_537;

/// The primes whose product the form is about. For keys of 2048 bits it is that of the first 126 primes; these few tell
/// enough: a sound key passes for a weak one less than once in 2^27.
const PRIMES: [u64; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/// Whether a modulus (big-endian) has the mark of such a key: it is a power of the generator for every prime.
pub(crate) fn has_roca_mark(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| {
        let remainder = modulus.iter().fold(0, |remainder, byte| (remainder * 256 + u64::from(*byte)) % prime);
        powers(*prime).any(|power| power == remainder)
    })
}

/// The powers of the generator for a prime, each once.
fn powers(prime: u64) -> impl Iterator<Item = u64> {
    let next = move |power: &u64| Some(power * GENERATOR % prime).filter(|power| *power != 1);
    std::iter::successors(Some(1), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A modulus of the form: a power of the generator.
    fn marked() -> Vec<u8> {
        let mut number = vec![0; 256];
        number[255] = 1;
        for _ in 0..126 {
            // Times 2^16 + 1.
            let shifted = [&number[2..], &[0, 0]].concat();
            let mut carry = 0;
            for (digit, added) in number.iter_mut().zip(&shifted).rev() {
                let sum = u16::from(*digit) + u16::from(*added) + carry;
                (*digit, carry) = (sum.to_le_bytes()[0], sum >> 8);
            }
        }
        number
    }

    #[test]
    fn a_key_of_the_form_is_found() {
        assert!(has_roca_mark(&marked()));
    }

    #[test]
    fn other_keys_are_not() {
        let mut other = marked();
        let sound = (0..=255).filter(|last| {
            other[255] = *last;
            !has_roca_mark(&other)
        });
        assert_eq!(sound.count(), 255, "all but the one of the form");
    }

    #[test]
    fn a_sound_key_is_rarely_taken_for_a_weak_one() {
        let share: f64 = PRIMES
            .iter()
            .map(|prime| {
                #[expect(clippy::cast_precision_loss, reason = "they are small")]
                let share = powers(*prime).count() as f64 / *prime as f64;
                share
            })
            .product();
        assert!(share < 2_f64.powi(-27), "{share}");
    }
}
