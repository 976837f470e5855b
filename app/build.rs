//! Turns `locales/<language>.toml` into the module `t`: a function for each key, with an argument for each
//! placeholder. A key or placeholder that one language has and another lacks stops the build.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write,
    fs,
    path::Path,
};

/// The texts of one language by key.
type Words = BTreeMap<String, Message>;

/// One text, or one for each plural form that differs from `other`.
enum Message {
    Text(String),
    Plural { forms: Vec<(u32, String)>, other: String },
}

/// The plural categories of our languages (CLDR), each of which has one number; all others are `other`.
const CATEGORIES: [(&str, u32); 5] = [("zero", 0), ("one", 1), ("two", 2), ("few", 3), ("many", 6)];

/// A piece of a text.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
enum Piece {
    Literal(String),
    Text(String),
    Number(String),
}

fn main() {
    println!("cargo::rerun-if-changed=locales");
    let mut languages: BTreeMap<String, Words> = BTreeMap::new();
    for entry in fs::read_dir("locales").expect("the folder locales is there") {
        let path = entry.expect("the folder locales can be read").path();
        let code =
            path.file_stem().and_then(|stem| stem.to_str()).expect("a locale is named by its language").to_owned();
        languages.insert(code, read(&path));
    }
    let reference = &languages["en"];
    for (code, words) in &languages {
        for key in reference.keys().chain(words.keys()) {
            let sorted = |words: &Words| words.get(key).map(|message| BTreeSet::from_iter(arguments(message)));
            let (ours, theirs) = (sorted(words), sorted(reference));
            assert!(
                ours == theirs,
                "locales/{code}.toml and locales/en.toml differ in the key {key} or its placeholders"
            );
        }
    }
    let mut code = String::new();
    for (key, message) in reference {
        function(&mut code, key, message, &languages);
    }
    let out = Path::new(&env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("t.rs");
    fs::write(out, code).expect("OUT_DIR can be written");
}

fn read(path: &Path) -> Words {
    let text = fs::read_to_string(path).expect("a locale can be read");
    let table: toml::Table = text.parse().unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    let string = |value: &toml::Value| value.as_str().map(str::to_owned);
    let message = |(key, value): (&String, &toml::Value)| {
        let message = match value {
            toml::Value::String(text) => Some(Message::Text(text.clone())),
            toml::Value::Table(table) => {
                let forms = CATEGORIES.iter().filter_map(|(name, number)| Some((*number, string(table.get(*name)?)?)));
                let forms: Vec<(u32, String)> = forms.collect();
                let other = table.get("other").and_then(string).filter(|_| forms.len() + 1 == table.len());
                other.map(|other| Message::Plural { forms, other })
            }
            _ => None,
        };
        (
            key.clone(),
            message.unwrap_or_else(|| {
                panic!("{}: {key} is neither a text nor a table of plural forms with other", path.display())
            }),
        )
    };
    table.iter().map(message).collect()
}

/// Splits a text at its placeholders.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((literal, tail)) = rest.split_once('{') {
        let (name, tail) = tail.split_once('}').unwrap_or_else(|| panic!("a placeholder does not end: {text}"));
        pieces.push(Piece::Literal(literal.to_owned()));
        pieces.push(match name.strip_suffix('#') {
            Some(number) => Piece::Number(number.to_owned()),
            None => Piece::Text(name.to_owned()),
        });
        rest = tail;
    }
    pieces.push(Piece::Literal(rest.to_owned()));
    pieces.retain(|piece| *piece != Piece::Literal(String::new()));
    pieces
}

/// The placeholders of a message, in the order in which they come.
fn arguments(message: &Message) -> Vec<Piece> {
    let mut arguments: Vec<Piece> = Vec::new();
    let pieces = match message {
        Message::Text(text) => pieces(text),
        Message::Plural { other, .. } => [pieces(other), vec![Piece::Number("count".to_owned())]].concat(),
    };
    for piece in pieces {
        if !matches!(piece, Piece::Literal(_)) && !arguments.contains(&piece) {
            arguments.push(piece);
        }
    }
    arguments
}

fn function(code: &mut String, key: &str, message: &Message, languages: &BTreeMap<String, Words>) {
    let arguments = arguments(message);
    let parameters: Vec<String> = arguments
        .iter()
        .map(|argument| match argument {
            Piece::Number(name) => format!("{name}: u32"),
            Piece::Text(name) | Piece::Literal(name) => format!("{name}: &str"),
        })
        .collect();
    let result = if arguments.is_empty() { "&'static str" } else { "String" };
    let comment = match message {
        Message::Text(text) | Message::Plural { other: text, .. } if !text.is_empty() => text,
        _ => "Nothing.",
    };
    let _ = writeln!(
        code,
        "/// {comment}\npub fn {key}({}) -> {result} {{\n    match Language::current() {{",
        parameters.join(", ")
    );
    // Languages that say the same share an arm, and so do plural forms.
    let bodies = languages.iter().map(|(language, words)| {
        let body = match &words[key] {
            Message::Text(text) if arguments.is_empty() => format!("{text:?}"),
            Message::Text(text) => concatenation(text),
            Message::Plural { forms, other } => {
                let arms = arms(forms.iter().map(|(number, form)| (concatenation(form), number.to_string())));
                format!("match count {{ {arms}_ => {} }}", concatenation(other))
            }
        };
        (body, format!("Language::{}", variant(language)))
    });
    let arms = arms(bodies);
    let _ = writeln!(code, "        {arms}\n    }}\n}}\n");
}

/// The arms of a match, one for each body.
fn arms(of: impl Iterator<Item = (String, String)>) -> String {
    let mut patterns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (body, pattern) in of {
        patterns.entry(body).or_default().push(pattern);
    }
    let arms: Vec<String> =
        patterns.into_iter().map(|(body, patterns)| format!("{} => {body}, ", patterns.join(" | "))).collect();
    arms.concat()
}

fn concatenation(text: &str) -> String {
    let parts: Vec<String> = pieces(text)
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => format!("{text:?}"),
            Piece::Text(name) => name.clone(),
            Piece::Number(name) => format!("&{name}.to_string()"),
        })
        .collect();
    format!("[{}].concat()", parts.join(", "))
}

/// The variant of `Language` for a language code.
fn variant(code: &str) -> &'static str {
    match code {
        "en" => "English",
        "cy" => "Welsh",
        other => panic!("add the language {other} to Language and to build.rs"),
    }
}
