//! Values of R for tests, in version 3 of its serialisation, big-endian.

/// A value.
#[derive(Debug, Clone)]
pub enum Value {
    /// A name.
    Symbol(String),
    /// Texts.
    Strings(Vec<String>),
    /// Numbers.
    Reals(Vec<f64>),
    /// Any values.
    List(Vec<Value>),
    /// A call: its function, and its arguments.
    Call(Box<Value>, Vec<Value>),
    /// A function without arguments, by its body.
    Closure(Box<Value>),
    /// A promise that has no value yet, by what it is of.
    Promise(Box<Value>),
}

/// A file of one value.
#[must_use]
pub fn write(value: &Value) -> Vec<u8> {
    let mut bytes = b"X\n".to_vec();
    for number in [3, 0x0004_0202, 0x0003_0500, 5] {
        integer(number, &mut bytes);
    }
    bytes.extend(b"UTF-8");
    item(value, &mut bytes);
    bytes
}

fn integer(number: u32, bytes: &mut Vec<u8>) {
    bytes.extend(number.to_be_bytes());
}

fn length(count: usize, bytes: &mut Vec<u8>) {
    integer(u32::try_from(count).expect("test values are short"), bytes);
}

fn characters(text: &str, bytes: &mut Vec<u8>) {
    integer(0x0004_0009, bytes);
    length(text.len(), bytes);
    bytes.extend(text.bytes());
}

const NOTHING: u32 = 254;
const GLOBAL: u32 = 253;
const UNBOUND: u32 = 252;

fn item(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Symbol(name) => {
            integer(1, bytes);
            characters(name, bytes);
        }
        Value::Strings(texts) => {
            integer(16, bytes);
            length(texts.len(), bytes);
            texts.iter().for_each(|text| characters(text, bytes));
        }
        Value::Reals(numbers) => {
            integer(14, bytes);
            length(numbers.len(), bytes);
            numbers.iter().for_each(|number| bytes.extend(number.to_be_bytes()));
        }
        Value::List(values) => {
            integer(19, bytes);
            length(values.len(), bytes);
            values.iter().for_each(|value| item(value, bytes));
        }
        Value::Call(function, arguments) => {
            integer(6, bytes);
            item(function, bytes);
            for argument in arguments {
                integer(2, bytes);
                item(argument, bytes);
            }
            integer(NOTHING, bytes);
        }
        Value::Closure(body) => {
            [0x403, GLOBAL, NOTHING].into_iter().for_each(|number| integer(number, bytes));
            item(body, bytes);
        }
        Value::Promise(code) => {
            [0x405, GLOBAL, UNBOUND].into_iter().for_each(|number| integer(number, bytes));
            item(code, bytes);
        }
    }
}
