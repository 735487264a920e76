//! Constants that are spelt otherwise: joined, turned round, encoded.

use super::calls::Argument;
use super::reaches;
use super::value::{MAX_TEXT, MAX_WORD, Origin, Value};
use crate::budget::Budget;
use crate::child::{Child, Encoding, Role};
use crate::decode::decode;
use crate::fact::{FactKind, SourceReach, Standing};
use crate::facts::Facts;
use crate::format::{Context, Format};
use crate::pickle::Pickle;

/// Bytes of one constant that are decoded.
const MAX_DECODED: u64 = 1 << 20;
/// Bytes of a text that is split.
const MAX_SPLIT: usize = 10_000;
/// Characters of a text that may be a payload, digits of one that has nothing else, and characters that are no text.
const LEAST_PAYLOAD: usize = 32;
const LEAST_DIGITS: usize = 40;
const LEAST_BYTES: usize = 8;

fn first(arguments: &[Argument]) -> Option<&Value> {
    arguments.iter().find(|argument| argument.name.is_none()).map(|argument| &argument.value)
}

/// A function whose result follows from constants.
pub(super) fn call(path: &str, arguments: &[Argument]) -> Option<Value> {
    let given = first(arguments);
    match (path, given) {
        ("chr", Some(Value::Number(code))) => {
            let character = u32::try_from(*code).ok().and_then(char::from_u32)?;
            Some(Value::Text(character.to_string(), true))
        }
        ("bytes" | "bytearray" | "map" | "list" | "tuple", Some(Value::List(items))) => {
            let codes = items.iter().map(|item| match item {
                Value::Number(code) => u32::try_from(*code).ok().and_then(char::from_u32),
                _ => None,
            });
            let text: Option<String> = codes.collect();
            text.filter(|text| !text.is_empty()).map(|text| Value::Text(text, true))
        }
        ("map", Some(Value::Path(function, _))) if function == "chr" => {
            call("bytes", arguments.get(1..).unwrap_or_default())
        }
        ("reversed", Some(Value::Text(text, _))) => Some(Value::Text(text.chars().rev().collect(), true)),
        ("str" | "bytes" | "compile" | "repr" | "ast.literal_eval" | "textwrap.dedent", Some(value)) => {
            matches!(value, Value::Text(..) | Value::From(_)).then(|| value.clone())
        }
        _ if reaches::DECODERS.contains(&path) => {
            let given = given.or(arguments.first().map(|argument| &argument.value));
            Some(decoded(path, given.unwrap_or(&Value::Unknown), arguments))
        }
        _ => None,
    }
}

/// `os.path.join(home, ".ssh", "id_rsa")` as far as it is known.
pub(super) fn joined_path(path: &str, arguments: &[Argument]) -> Option<String> {
    let joins = matches!(path, "os.path.join" | "pathlib.Path" | "pathlib.Path.home().joinpath");
    let parts = arguments.iter().map(|argument| argument.value.text().unwrap_or("?"));
    joins.then(|| parts.collect::<Vec<_>>().join("/"))
}

/// A method of a constant text.
pub(super) fn method(text: &Value, method: &str, arguments: &[Argument]) -> Value {
    let Value::Text(text, hidden) = text else { return Value::Unknown };
    match (method, first(arguments)) {
        ("join", Some(Value::List(items))) => {
            let parts: Option<Vec<&str>> = items.iter().map(Value::text).collect();
            let long = |parts: &Vec<&str>| parts.iter().map(|part| part.len()).sum::<usize>() <= MAX_TEXT;
            // Lines are joined for the reader's sake.
            let hides = !text.contains('\n');
            parts.filter(long).map_or(Value::Unknown, |parts| Value::Text(parts.join(text), hides))
        }
        ("join", Some(Value::Text(inner, hidden))) if text.is_empty() => Value::Text(inner.clone(), *hidden),
        ("decode", Some(Value::Text(codec, _))) if is_rot13(codec) => Value::Text(rot13(text), true),
        ("joinpath", Some(Value::Text(inner, _))) if text.len().saturating_add(inner.len()) < 300 => {
            Value::Text(format!("{text}/{inner}"), *hidden)
        }
        ("expanduser" | "resolve" | "absolute" | "as_posix", None) => Value::Text(text.clone(), *hidden),
        ("format", _) => formatted(text, *hidden, arguments).unwrap_or_else(|| mixed(arguments)),
        ("split", None | Some(Value::Text(..))) if arguments.len() < 2 && text.len() < MAX_SPLIT => {
            let by = first(arguments).and_then(Value::text).filter(|by| !by.is_empty());
            let parts: Vec<&str> = by.map_or_else(|| text.split_whitespace().collect(), |by| text.split(by).collect());
            Value::List(parts.into_iter().map(|part| Value::Text(part.to_owned(), *hidden)).collect())
        }
        ("decode" | "encode" | "strip" | "lstrip" | "rstrip", _) => Value::Text(text.clone(), *hidden),
        ("lower", _) => Value::Text(text.to_lowercase(), *hidden),
        ("upper", _) => Value::Text(text.to_uppercase(), *hidden),
        ("replace", Some(Value::Text(old, _))) => match arguments.get(1).and_then(|argument| argument.value.text()) {
            Some(new) if !old.is_empty() && text.len() < 10_000 && new.len() < 100 => {
                Value::Text(text.replace(old.as_str(), new), *hidden || new.is_empty())
            }
            _ => Value::Unknown,
        },
        ("fromhex", Some(Value::Text(digits, _))) => {
            unhex(digits).map_or(Value::From(Origin::Decoded), |text| Value::Text(text, true))
        }
        _ => first(arguments).and_then(Value::origin).map_or(Value::Unknown, Value::From),
    }
}

/// What is not put together comes from where its parts come from.
fn mixed(arguments: &[Argument]) -> Value {
    arguments.iter().filter_map(|argument| argument.value.origin()).max().map_or(Value::Unknown, Value::From)
}

/// What is put into a text, as Python writes it.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::Text(text, _) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A text that was put together; a short word is put together to hide it.
fn assembled(text: String, hidden: bool) -> Option<Value> {
    let broken = text.len() <= MAX_WORD && !text.contains(' ');
    (text.len() <= MAX_TEXT).then_some(Value::Text(text, hidden || broken))
}

/// `"%s%s" % ("a", "b")`
pub(super) fn percent(text: Value, given: &Value) -> Value {
    let Value::Text(format, hidden) = &text else { return text.mixed(given) };
    let mut items = match given {
        Value::List(items) => items.iter(),
        one => std::slice::from_ref(one).iter(),
    };
    let mut parts = format.split('%');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        let item = match part.chars().next() {
            None => parts.next().map(|plain| format!("%{plain}")),
            Some('s' | 'd' | 'i') => {
                items.next().and_then(written).map(|item| item + part.get(1..).unwrap_or_default())
            }
            _ => None,
        };
        match item {
            Some(item) if whole.len().saturating_add(item.len()) <= MAX_TEXT => whole.push_str(&item),
            _ => return text.mixed(given),
        }
    }
    assembled(whole, *hidden).unwrap_or_default()
}

/// `"{}{b}".format("a", b="b")`
fn formatted(format: &str, hidden: bool, arguments: &[Argument]) -> Option<Value> {
    let (mut whole, mut rest, mut count) = (String::new(), format, 0usize);
    while let Some((before, field)) = rest.split_once('{') {
        let (name, after) = field.split_once('}')?;
        let value = match name.parse().ok().or((name.is_empty()).then_some(count)) {
            Some(place) => arguments.iter().filter(|argument| argument.name.is_none()).nth(place),
            None => arguments.iter().find(|argument| argument.name.as_deref() == Some(name)),
        };
        let value = value.and_then(|argument| written(&argument.value))?;
        if before.contains('}') || whole.len().saturating_add(value.len()) > MAX_TEXT {
            return None;
        }
        whole.push_str(before);
        whole.push_str(&value);
        (rest, count) = (after, count.saturating_add(1));
    }
    assembled(whole + rest, hidden).filter(|_| !rest.contains('}'))
}

/// What a decoder gives: the text itself when it is a constant, or that it was decoded.
fn decoded(path: &str, given: &Value, arguments: &[Argument]) -> Value {
    let unknown = match (given.origin(), given) {
        (Some(Origin::Fetched), _) => Value::From(Origin::Fetched),
        (Some(Origin::Decoded), _) | (_, Value::Text(..) | Value::List(_)) => Value::From(Origin::Decoded),
        _ => Value::From(Origin::Restored),
    };
    let Value::Text(text, _) = given else { return unknown };
    let codec = arguments.get(1).and_then(|argument| argument.value.text()).unwrap_or_default();
    let plain = match path {
        "codecs.decode" if is_rot13(codec) => Some(rot13(text)),
        "codecs.decode" if codec.starts_with("hex") => unhex(text),
        "codecs.decode" if codec.starts_with("base64") => unpack(text, Encoding::Base64),
        _ if path.contains("hex") || path.ends_with("b16decode") => unhex(text),
        _ if path.ends_with("64decode") || path.ends_with("a2b_base64") || path.starts_with("base64.decode") => {
            unpack(text, Encoding::Base64)
        }
        "zlib.decompress" => unpack(text, Encoding::Zlib),
        "gzip.decompress" => unpack(text, Encoding::Gzip),
        "bz2.decompress" => unpack(text, Encoding::Bzip2),
        "lzma.decompress" => unpack(text, Encoding::Xz),
        _ => None,
    };
    plain.map_or(unknown, |text| Value::Text(text, true))
}

/// Decodes text whose characters are bytes; so is what comes out.
fn unpack(text: &str, encoding: Encoding) -> Option<String> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let mut bytes = bytes?;
    if encoding == Encoding::Base64 {
        bytes.iter_mut().for_each(|byte| {
            *byte = match *byte {
                b'-' => b'+',
                b'_' => b'/',
                other => other,
            }
        });
    }
    let child = Child { encoding, ..Child::stored("constant", 0, bytes.len() as u64) };
    let mut out = Vec::new();
    // Damage at the end leaves what came before it.
    let budget = Budget::new(MAX_DECODED, 1 << 20, 16);
    let result = decode(&bytes, &child, &budget, &mut out);
    if result.is_err() && out.is_empty() {
        return None;
    }
    Some(match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => error.into_bytes().into_iter().map(char::from).collect(),
    })
}

/// What unpickling a constant does; none when it makes data and nothing else.
pub(super) fn pickled(text: &str, budget: &Budget) -> Option<SourceReach> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let Some(bytes) = bytes else { return Some(SourceReach::HiddenCode) };
    let mut facts = Facts::new();
    Pickle.inspect(&bytes.as_slice(), &Context { name: "constant", role: Role::Pickle, budget }, &mut facts);
    facts.list().iter().filter_map(|fact| done_by(&fact.kind)).max_by_key(|reach| *reach == SourceReach::HiddenCode)
}

fn done_by(kind: &FactKind) -> Option<SourceReach> {
    match kind {
        FactKind::Callable(callable) => match callable.standing {
            Standing::Inert { .. } => None,
            Standing::Unlisted { .. } | Standing::Misused { .. } | Standing::Unknown => Some(SourceReach::Evaluation),
            _ => Some(SourceReach::HiddenCode),
        },
        FactKind::Anomaly { .. } | FactKind::Incomplete { .. } | FactKind::Mutation { .. } => {
            Some(SourceReach::HiddenCode)
        }
        _ => None,
    }
}

/// Whether a text is a payload rather than words: Base64, digits or bytes, and too long for a name.
pub(super) fn is_payload(text: &str) -> bool {
    let any = |fits: fn(&u8) -> bool| text.bytes().any(|byte| fits(&byte));
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'\n');
    let mixed = any(u8::is_ascii_digit) && any(u8::is_ascii_lowercase) && any(u8::is_ascii_uppercase);
    let is_byte = |c: &char| (c.is_control() && !c.is_whitespace()) || ('\u{80}'..'\u{a0}').contains(c);
    match text.len() {
        0..LEAST_PAYLOAD => false,
        length => {
            mixed && text.bytes().all(is_letter)
                || length >= LEAST_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
                || text.chars().filter(is_byte).take(LEAST_BYTES).count() == LEAST_BYTES
        }
    }
}

fn unhex(digits: &str) -> Option<String> {
    let digits: Vec<u32> =
        digits.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let byte = |pair: &[u32]| match pair {
        [high, low] => char::from_u32(high.saturating_mul(16).saturating_add(*low)),
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}

fn is_rot13(codec: &str) -> bool {
    codec.eq_ignore_ascii_case("rot13") || codec.eq_ignore_ascii_case("rot_13")
}

fn rot13(text: &str) -> String {
    let turn = |c: char, base: u8| {
        let place = u32::from(c).saturating_sub(u32::from(base)).saturating_add(13) % 26;
        char::from_u32(place.saturating_add(u32::from(base))).unwrap_or(c)
    };
    let letter = |c: char| match c {
        'a'..='z' => turn(c, b'a'),
        'A'..='Z' => turn(c, b'A'),
        _ => c,
    };
    text.chars().map(letter).collect()
}
