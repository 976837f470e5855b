//! Whatever a card answers, the parsers and the operations end in a result.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use piv::issuance::{self, FirstTried, Preparation, RequestTerms, TransportKeys};
use piv::transaction::{self, Change, ChangeError, Unlock};
use piv::{
    Algorithm, Card, Certificate, FACTORY_MANAGEMENT_KEY, Guid, LastTry, ManagementKey, Passcode, PasscodeSource,
    PublicKey, TransportError, UnlockKey, tlv,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Answers from a list, then only that it is gone.
struct Answers(std::vec::IntoIter<Vec<u8>>);

impl Card for Answers {
    fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.0.next().ok_or(TransportError::Removed)
    }
}

const GUID: [u8; 16] = [7; 16];

fn chuid() -> Vec<u8> {
    answer(&tlv::encode(0x53, &tlv::encode(0x34, &GUID)), 0x9000)
}

fn certificate() -> Vec<u8> {
    answer(&tlv::encode(0x53, &Certificate::to_object(include_bytes!("certificates/p256.der"))), 0x9000)
}

fn answer(data: &[u8], status: u16) -> Vec<u8> {
    [data, &status.to_be_bytes()].concat()
}

/// What a card could say: nonsense, a status word, a chain, a well-formed object with nonsense in it, or what is right.
fn any_answer() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => vec(any::<u8>(), 0..40),
        2 => prop_oneof![Just(0x63C2_u16), Just(0x63C0), Just(0x6300), Just(0x6983), Just(0x6A80), Just(0x6A82), any::<u16>()]
            .prop_map(|status| answer(&[], status)),
        1 => (vec(any::<u8>(), 0..300), any::<u8>()).prop_map(|(data, more)| answer(&data, 0x6100 | u16::from(more))),
        1 => any::<u8>().prop_map(|length| vec![0x6C, length]),
        2 => (prop::sample::select(vec![0x53_u32, 0x7C, 0x7F49]), vec(any::<u8>(), 0..300))
            .prop_map(|(tag, value)| answer(&tlv::encode(tag, &value), 0x9000)),
        6 => Just(answer(&[], 0x9000)),
        4 => Just(chuid()),
        4 => Just(certificate()),
    ]
}

fn digest(_: Guid, algorithm: Algorithm) -> Vec<u8> {
    vec![1; algorithm.digest_length()]
}

fn run_all(answers: &[Vec<u8>]) {
    let card = || Answers(Vec::from(answers).into_iter());
    let passcode = Passcode::from_digits("824917").unwrap();
    let [first, second, next] = [[1; 8], [2; 8], [3; 8]].map(UnlockKey::new);
    let unlock = Unlock {
        guid: Guid::new(GUID).unwrap(),
        passcode: PasscodeSource::Known(&passcode),
        candidate: &first,
        second_candidate: Some(&second),
        next: &next,
        digest: &digest,
    };
    let _ = transaction::look(&mut card());
    let _ = transaction::prove_card(&mut card(), &digest);
    let _ = transaction::prove_holder(&mut card(), PasscodeSource::Known(&passcode), LastTry::Spend, &digest);
    let _ = transaction::unlock(&mut card(), &unlock);
    let key = ManagementKey::new(&FACTORY_MANAGEMENT_KEY);
    let preparation = Preparation {
        guid: Guid::new(GUID).unwrap(),
        expires: *b"20311231",
        algorithm: &|_| Algorithm::P256,
        transport: TransportKeys { management_key: &key, unlock_key: &first },
        management_key: &ManagementKey::new(&[5; 32]),
        unlock_key: &next,
        first: FirstTried::Transport,
        passcode: &passcode,
        requests: Some(RequestTerms {
            holder: "Jane Smith",
            digest: |algorithm, _| vec![0; algorithm.digest_length()],
        }),
        digest: &digest,
    };
    let _ = issuance::prepare(&mut card(), &preparation);
    let _ = issuance::load_certificates(&mut card(), preparation.guid, &[&key], &[1], &[2]);
    let new_passcode = Passcode::from_digits("27150386").unwrap();
    let change =
        Change { guid: unlock.guid, current: &passcode, new: &new_passcode, last_try: LastTry::Spend, digest: &digest };
    let changed = transaction::change_passcode(&mut card(), &change);
    // Whatever it answers: a card of another GUID is told from this one, and has not shown this one's.
    if let Err(ChangeError::CardChanged) = changed {
        assert!(!matches!(transaction::look(&mut card()), Ok((guid, _)) if guid == change.guid));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_sequence_of_answers_stops_an_operation(answers in vec(any_answer(), 0..12)) {
        run_all(&answers);
    }

    #[test]
    fn no_sequence_of_answers_after_a_good_beginning_stops_an_operation(answers in vec(any_answer(), 0..12)) {
        run_all(&[vec![answer(&[], 0x9000), chuid(), certificate()], answers].concat());
    }

    #[test]
    fn no_bytes_stop_a_parser(bytes in vec(any::<u8>(), 0..600)) {
        for object in tlv::Reader::new(&bytes) {
            let _ = object;
        }
        let _ = Guid::from_chuid(&bytes);
        let _ = PublicKey::parse(&bytes);
        let _ = PublicKey::parse(&tlv::encode(0x7F49, &bytes));
        let _ = Certificate::from_object(&bytes);
        let of_anything = Certificate::from_object(&Certificate::to_object(&bytes));
        if let Ok(certificate) = of_anything {
            let _ = certificate.algorithm();
            let _ = certificate.common_name();
            let _ = certificate.public_key_info();
        }
    }

    #[test]
    fn no_damage_to_a_certificate_stops_the_parser(at in 0_usize..781, byte in any::<u8>(), length in 0_usize..=781) {
        let mut der = include_bytes!("certificates/rsa2048.der").to_vec();
        der[at] = byte;
        der.truncate(length.max(1));
        let certificate = Certificate::from_object(&Certificate::to_object(&der)).unwrap();
        let _ = certificate.algorithm();
        let _ = certificate.common_name();
        let _ = certificate.public_key_info();
    }

    #[test]
    fn what_was_encoded_is_read_back(tag in prop::sample::select(vec![0x53_u32, 0x7F49, 0x5F_C102]), value in vec(any::<u8>(), 0..4_000)) {
        let encoded = tlv::encode(tag, &value);
        prop_assert_eq!(tlv::find(&encoded, tag), Ok(Some(&value[..])));
    }
}
