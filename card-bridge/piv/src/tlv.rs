//! BER-TLV as PIV data objects and certificates use it: a reader that never reads past its input, and a writer.

/// Tag and value of one data object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The tag's bytes as one big-endian number: `0x53`, `0x7F49`, `0x5FC102`.
    pub tag: u32,
    /// The value.
    pub value: &'a [u8],
}

/// The bytes are not BER-TLV of definite length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed data object")]
pub struct TlvError;

/// Longest tag in use (ISO 7816-4, 5.2.2.1).
const LONGEST_TAG: usize = 3;
/// Longest length field in use, its first byte not counted.
const LONGEST_LENGTH: usize = 3;

/// Reads data objects one after the other. After an error it yields nothing more.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads the data objects in `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next data object, which must be there and carry `tag`.
    ///
    /// # Errors
    ///
    /// [`TlvError`] when it is missing, malformed or another.
    pub fn expect(&mut self, tag: u32) -> Result<&'a [u8], TlvError> {
        match self.next() {
            Some(Ok(found)) if found.tag == tag => Ok(found.value),
            _ => Err(TlvError),
        }
    }

    fn read(&mut self) -> Result<Tlv<'a>, TlvError> {
        let tag = self.read_tag()?;
        let length = self.read_length()?;
        let (value, rest) = self.rest.split_at_checked(length).ok_or(TlvError)?;
        self.rest = rest;
        Ok(Tlv { tag, value })
    }

    fn byte(&mut self) -> Result<u8, TlvError> {
        let (first, rest) = self.rest.split_first().ok_or(TlvError)?;
        self.rest = rest;
        Ok(*first)
    }

    fn read_tag(&mut self) -> Result<u32, TlvError> {
        let first = self.byte()?;
        let mut tag = u32::from(first);
        if first & 0x1F != 0x1F {
            return Ok(tag);
        }
        for _ in 1..LONGEST_TAG {
            let next = self.byte()?;
            tag = tag << 8 | u32::from(next);
            if next & 0x80 == 0 {
                return Ok(tag);
            }
        }
        Err(TlvError)
    }

    fn read_length(&mut self) -> Result<usize, TlvError> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(usize::from(first));
        }
        let count = usize::from(first & 0x7F);
        if !(1..=LONGEST_LENGTH).contains(&count) {
            return Err(TlvError);
        }
        let mut length = 0;
        for _ in 0..count {
            length = length << 8 | usize::from(self.byte()?);
        }
        Ok(length)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Tlv<'a>, TlvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.rest = &[];
        }
        Some(read)
    }
}

/// The value of the first data object with `tag` among those in `bytes`; `None` when they end without it.
///
/// # Errors
///
/// [`TlvError`] when they are malformed before it is found.
pub fn find(bytes: &[u8], tag: u32) -> Result<Option<&[u8]>, TlvError> {
    for object in Reader::new(bytes) {
        let object = object?;
        if object.tag == tag {
            return Ok(Some(object.value));
        }
    }
    Ok(None)
}

/// Writes one data object.
///
/// # Panics
///
/// When `value` is longer than 65535 bytes.
pub fn encode(tag: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = tag.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    match u16::try_from(value.len()).expect("a data object of at most 65535 bytes").to_be_bytes() {
        [0, low @ 0..=0x7F] => bytes.push(low),
        [0, low] => bytes.extend([0x81, low]),
        [high, low] => bytes.extend([0x82, high, low]),
    }
    bytes.extend_from_slice(value);
    bytes
}
