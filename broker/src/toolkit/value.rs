//! What differs between the connections of one toolkit: the host of its tenant, the id of its company.

use super::auth::Mode;
use super::fault::Faults;
use super::file::ValueTable;
use super::pattern::Pattern;
use super::template::Template;

/// Something that becomes known while an account is connected, and that the API's address and headers need.
#[derive(Clone, Debug)]
pub struct ConnectionValue {
    /// Its name in templates, in small letters.
    pub key: String,
    /// Where it comes from.
    pub source: Source,
    /// What it must look like as a whole. It decides which hosts a connection can lead to.
    pub pattern: Pattern,
    /// A value that stands for it while there is no connection.
    pub example: String,
}

/// Where a connection's value comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The token answer, at this JSON pointer.
    Token(String),
    /// The callback's parameter of this name.
    Callback(String),
    /// The answer to a `GET` with the new token, at this JSON pointer.
    Lookup(Template, String),
}

pub(crate) fn read(tables: Vec<ValueTable>, mode: Mode, faults: &mut Faults) -> Vec<ConnectionValue> {
    let mut values: Vec<ConnectionValue> = Vec::new();
    if !tables.is_empty() && mode != Mode::Code {
        faults.push("auth.values", "is for `oauth2` only; remove it");
    }
    for (index, table) in tables.into_iter().enumerate() {
        let at = |field: &str| format!("auth.values[{index}].{field}");
        if !is_key(&table.key) {
            faults.push(
                at("key"),
                "must be 1 to 40 of `a-z`, `0-9` and `_`, a letter first, and no name of taiku's own",
            );
        } else if values.iter().any(|known| known.key == table.key) {
            faults.push(at("key"), format!("{} is there twice", table.key));
        }
        let pattern = faults.take(&at("pattern"), Pattern::parse(&table.pattern));
        let source = source(&table, &at, faults);
        let (Some(pattern), Some(source)) = (pattern, source) else { continue };
        if !pattern.matches(&table.example) {
            faults.push(at("example"), "does not look like the pattern");
        }
        values.push(ConnectionValue { key: table.key, source, pattern, example: table.example });
    }
    values
}

fn source(table: &ValueTable, at: &dyn Fn(&str) -> String, faults: &mut Faults) -> Option<Source> {
    let url = table.url.as_deref().filter(|url| !url.is_empty());
    if url.is_some() != (table.from == "lookup") {
        faults.push(at("url"), "is needed for `lookup`, and for nothing else");
        return None;
    }
    let is_pointer = table.at.starts_with('/');
    match (table.from.as_str(), url) {
        ("token", None) if is_pointer => Some(Source::Token(table.at.clone())),
        ("lookup", Some(url)) if is_pointer => {
            Some(Source::Lookup(faults.take(&at("url"), Template::parse(url))?, table.at.clone()))
        }
        ("token" | "lookup", _) => {
            faults.push(at("at"), "must be a JSON pointer, such as `/instance_url`");
            None
        }
        ("callback", None) if !table.at.is_empty() && !is_pointer => Some(Source::Callback(table.at.clone())),
        ("callback", _) => {
            faults.push(at("at"), "must be the name of a parameter");
            None
        }
        _ => {
            faults.push(at("from"), "must be `token`, `callback` or `lookup`");
            None
        }
    }
}

fn is_key(key: &str) -> bool {
    (1..=40).contains(&key.len())
        && key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !["access_token", "client_id", "token", "token_type_hint"].contains(&key)
}
