//! Reads the dialogues, and plays the card in them.

use std::collections::VecDeque;

use piv::{Card, TransportError, tlv};

pub const GUID: [u8; 16] = *b"GUID of the card";
pub const PASSCODE: &str = "824917";
pub const NEW_PASSCODE: &str = "27150386";
pub const FIRST: [u8; 8] = *b"first\x00\xFF\x7F";
pub const SECOND: [u8; 8] = [0xA2; 8];
pub const NEXT: [u8; 8] = [0xA3; 8];

const CERTIFICATES: [(&str, &[u8]); 6] = [
    ("p256", include_bytes!("../certificates/p256.der")),
    ("p384", include_bytes!("../certificates/p384.der")),
    ("p521", include_bytes!("../certificates/p521.der")),
    ("rsa2048", include_bytes!("../certificates/rsa2048.der")),
    ("rsa3072", include_bytes!("../certificates/rsa3072.der")),
    ("ed25519", include_bytes!("../certificates/ed25519.der")),
];

/// One command and what the card does with it.
type Exchange = (Vec<u8>, Result<Vec<u8>, TransportError>);

#[derive(Default)]
pub struct Case {
    pub name: String,
    pub operation: String,
    pub result: String,
    exchanges: Vec<Exchange>,
}

impl Case {
    pub fn read_all(text: &str) -> Vec<Self> {
        let mut cases: Vec<Self> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (keyword, rest) = line.split_once(' ').unwrap_or((line, ""));
            if keyword == "case" {
                cases.push(Self { name: rest.to_owned(), ..Self::default() });
                continue;
            }
            let case = cases.last_mut().expect("a line before the first case");
            match keyword {
                "run" => rest.clone_into(&mut case.operation),
                "result" => case.result = fill_in(rest),
                "piv" => case.exchanges.push((
                    bytes("00A40400 09 A00000030800001000 00"),
                    Ok(bytes("610F 4F06000010000100 7905 4F03A00000 9000")),
                )),
                "guid" => {
                    let chuid = [tlv::encode(0x30, &[0; 25]), tlv::encode(0x34, &GUID), bytes("3E00 FE00")].concat();
                    case.add_object("02", &chuid);
                }
                "certificate" => {
                    let (slot, name) = rest.split_once(' ').expect("a slot and a name");
                    let object = if slot == "9A" { "05" } else { "01" };
                    let (_, der) = CERTIFICATES.iter().find(|(known, _)| *known == name).expect("a known certificate");
                    case.add_object(object, &[tlv::encode(0x70, der), bytes("710100 FE00")].concat());
                }
                ">" => case.exchanges.push((bytes(rest), Err(TransportError::Fault))),
                "<" => case.answer(Ok(bytes(rest))),
                "!" if rest == "Removed" => case.answer(Err(TransportError::Removed)),
                other => panic!("a line begins with {other}"),
            }
        }
        cases
    }

    fn answer(&mut self, answer: Result<Vec<u8>, TransportError>) {
        self.exchanges.last_mut().expect("an answer before a command").1 = answer;
    }

    /// GET DATA of an object that is answered in parts of at most 256 bytes, as cards do.
    fn add_object(&mut self, last_byte_of_tag: &str, content: &[u8]) {
        let data = tlv::encode(0x53, content);
        let mut command = bytes(&format!("00CB3FFF 05 5C035FC1{last_byte_of_tag} 00"));
        let mut parts = data.chunks(256);
        while let Some(part) = parts.next() {
            // The length of what is left, where that fits into a byte; 0 stands for more.
            let left = parts.clone().map(<[u8]>::len).sum::<usize>();
            let next = u8::try_from(left).unwrap_or(0);
            let status = if left == 0 { [0x90, 0x00] } else { [0x61, next] };
            self.exchanges.push((command, Ok([part, &status].concat())));
            command = vec![0x00, 0xC0, 0x00, 0x00, next];
        }
    }
}

/// The card of one case.
pub struct Scripted {
    name: String,
    exchanges: VecDeque<Exchange>,
}

impl Scripted {
    pub fn new(case: &Case) -> Self {
        Self { name: case.name.clone(), exchanges: case.exchanges.clone().into() }
    }

    pub fn assert_finished(&self) {
        assert!(self.exchanges.is_empty(), "case {}: {} commands were not sent", self.name, self.exchanges.len());
    }
}

impl Card for Scripted {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let Some((expected, answer)) = self.exchanges.pop_front() else {
            panic!("case {}: unexpected command {}", self.name, to_hex(command));
        };
        assert_eq!(to_hex(command), to_hex(&expected), "case {}", self.name);
        answer
    }
}

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()
}

fn bytes(text: &str) -> Vec<u8> {
    let digits = fill_in(text).replace(' ', "");
    assert!(digits.len().is_multiple_of(2), "half a byte in {text}");
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal")).collect()
}

fn fill_in(text: &str) -> String {
    // RFC 8017, 9.2 with the digest of the test.
    let padded = format!("0001{}00{}{}", "FF".repeat(202), "3031300D060960864801650304020105000420", "D1".repeat(32));
    let values = [
        ("{passcode}", "383234393137FFFF".to_owned()),
        ("{new_passcode}", "3237313530333836".to_owned()),
        ("{first}", to_hex(&FIRST)),
        ("{second}", to_hex(&SECOND)),
        ("{next}", to_hex(&NEXT)),
        ("{digest32}", "D1".repeat(32)),
        ("{digest48}", "D1".repeat(48)),
        ("{padded_begin}", padded[..484].to_owned()),
        ("{padded_end}", padded[484..].to_owned()),
        ("{55x56}", "55".repeat(56)),
        ("{55x200}", "55".repeat(200)),
        ("{55x256}", "55".repeat(256)),
    ];
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}
