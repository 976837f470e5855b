//! A CSV file row by row (RFC 4180), with the line on which each begins. It is never in memory as a whole: the text of one
//! row is overwritten by the next.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};

/// How many bytes may be read for one row: two certificates as text are a tenth of it. A quotation mark that is not closed
/// would otherwise take in the rest of the file.
const ROW_LIMIT: usize = 256 * 1024;

/// How much is parsed at once.
const BUFFER: usize = 64 * 1024;

/// The rows of a file.
pub struct Table<const COLUMNS: usize> {
    reader: Reader<Limited>,
    record: ByteRecord,
    allowance: Rc<Cell<usize>>,
    /// How many columns the file has.
    columns: usize,
}

/// A row that has as many fields as the file has columns.
pub struct Row<'a, const COLUMNS: usize> {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Its fields, without the white space around them, and an empty one for each column that the file has not; nothing
    /// where their number is another, or one is not UTF-8.
    pub fields: Option<[&'a str; COLUMNS]>,
}

/// A file that cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is of something else.
    #[error("its first line is not «{0}»")]
    Header(String),
    /// It ends before its time, was changed, or has a row without end.
    #[error("it cannot be read further than line {line}")]
    Unreadable {
        /// The line on which the last row begins that was read.
        line: u64,
        /// Why.
        #[source]
        source: csv::Error,
    },
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// Begins to read a file whose first line is this one; columns at its end may be missing, but not those required.
    ///
    /// # Errors
    ///
    /// [`TableError`].
    pub fn open(content: Box<dyn Read + Send>, header: [&str; COLUMNS], required: usize) -> Result<Self, TableError> {
        let allowance = Rc::new(Cell::new(ROW_LIMIT));
        let limited = Limited { inner: Box::new(content.chain(&b"\n"[..])), allowance: Rc::clone(&allowance) };
        // A line ends with a line feed, the last one too; the carriage return before it is white space.
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(BUFFER)
            .from_reader(limited);
        let mut table = Self { reader, record: ByteRecord::new(), allowance, columns: COLUMNS };
        let is_there = table.read()?.is_some();
        table.columns = table.record.len();
        let has_columns = is_there && (required..=COLUMNS).contains(&table.columns);
        let found = fields::<COLUMNS>(&table.record, table.columns);
        let is_own = found.is_some_and(|found| found[..table.columns] == header[..table.columns]);
        if has_columns && is_own { Ok(table) } else { Err(TableError::Header(header[..required].join(","))) }
    }

    /// The next row; nothing at the end. An empty line is none.
    ///
    /// # Errors
    ///
    /// [`TableError`].
    pub fn next(&mut self) -> Result<Option<Row<'_, COLUMNS>>, TableError> {
        let Some(line) = self.read()? else { return Ok(None) };
        Ok(Some(Row { line, fields: fields(&self.record, self.columns) }))
    }

    /// Reads the next row, and gives the line on which it begins.
    fn read(&mut self) -> Result<Option<u64>, TableError> {
        loop {
            self.allowance.set(ROW_LIMIT);
            let line = self.reader.position().line();
            let read = self.reader.read_byte_record(&mut self.record);
            if !read.map_err(|source| TableError::Unreadable { line, source })? {
                return Ok(None);
            }
            if self.record.len() > 1 || !self.record.as_slice().trim_ascii().is_empty() {
                break;
            }
        }
        // Where the reader began may be some empty lines before.
        let within = self.record.as_slice().iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        let line = self.reader.position().line().saturating_sub(1 + within);
        Ok(Some(line))
    }
}

fn fields<const COLUMNS: usize>(record: &ByteRecord, columns: usize) -> Option<[&str; COLUMNS]> {
    let mut fields = [""; COLUMNS];
    if record.len() != columns || columns > COLUMNS {
        return None;
    }
    for (field, bytes) in fields.iter_mut().zip(record) {
        *field = std::str::from_utf8(bytes).ok()?.trim();
    }
    Some(fields)
}

/// Reads no more than it is allowed to.
struct Limited {
    inner: Box<dyn Read + Send>,
    allowance: Rc<Cell<usize>>,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let allowance = self.allowance.get();
        if allowance == 0 {
            return Err(io::Error::other("a row is too long: is a quotation mark not closed?"));
        }
        let wanted = buffer.len().min(allowance);
        let length = self.inner.read(&mut buffer[..wanted])?;
        self.allowance.set(allowance - length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> Result<Table<2>, TableError> {
        Table::open(Box::new(io::Cursor::new(text.to_owned().into_bytes())), ["a", "b"], 2)
    }

    #[test]
    fn rows_come_with_their_lines() {
        let mut table = open("a,b\r\n1, 2 \r\n\r\n\n\"3\n4\",\"5\"\"\"\r\n\n6").unwrap();
        let mut rows = Vec::new();
        while let Some(row) = table.next().unwrap() {
            rows.push((row.line, row.fields.map(|fields| fields.join("|"))));
        }
        assert_eq!(rows, [(2, Some("1|2".to_owned())), (5, Some("3\n4|5\"".to_owned())), (8, None)]);
    }

    #[test]
    fn a_mark_of_the_byte_order_is_no_part_of_the_header() {
        assert!(open("\u{feff}a,b\n").is_ok());
    }

    #[test]
    fn another_header_is_refused() {
        for text in ["", "a\n", "b,a\n", "a,b,c\n", "1,2\n"] {
            assert!(matches!(open(text), Err(TableError::Header(header)) if header == "a,b"), "{text}");
        }
    }

    #[test]
    fn a_column_at_the_end_may_be_missing_in_the_whole_file() {
        let open = |text: &'static str| Table::open(Box::new(text.as_bytes()), ["a", "b", "c"], 2);
        let mut table = open("a,b\n1,2\n1,2,3\n").unwrap();
        assert_eq!(table.next().unwrap().unwrap().fields, Some(["1", "2", ""]));
        assert_eq!(table.next().unwrap().unwrap().fields, None);
        assert_eq!(open("a,b,c\n1,2,3\n").unwrap().next().unwrap().unwrap().fields, Some(["1", "2", "3"]));
        assert!(open("a\n").is_err() && open("a,c\n").is_err());
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_does_not_take_in_the_rest() {
        let text = format!("a,b\n1,2\n\"{}", "3,4\n".repeat(ROW_LIMIT));
        let mut table = open(&text).unwrap();
        assert!(table.next().unwrap().is_some());
        let fault = table.next().err().unwrap();
        assert!(matches!(fault, TableError::Unreadable { line: 3, .. }), "{fault}");
        assert!(table.record.as_slice().len() <= ROW_LIMIT + 64 * 1024);
    }
}
