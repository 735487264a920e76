//! Random programs: mostly parts that make sense together, now and then one that does not.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

type Part = BoxedStrategy<Vec<u8>>;

/// Nothing on any list.
const MODULES: &[&str] = &["waag_oracle_mod", "waag_oracle_mod.sub", "waag_oracle_\u{e9}"];
const NAMES: &[&str] = &["f", "g", "make", "Outer.inner", "n\u{e4}me"];

/// Arguments of INT, LONG and FLOAT, good and bad.
const INTEGERS: &[&str] =
    &["0", "1", "00", "01", "-7", "42", "010", "0x10", "5L", "+5", " 5", "5 ", "1_0", "", "x", "0b1"];
const FLOATS: &[&str] = &["0.5", "-1e9", "inf", "nan", "1_0.0", " 1.5", "1.5 ", "0x1p3", "", "y", "infinity", "1e999"];
/// Arguments of STRING and UNICODE. Texts that name something are generated beside them.
const STRINGS: &[&str] =
    &["'f'", "\"f\"", "'\\x66'", "'\\146'", "f", "'f", "''", "'", "'\\a\\v'", "'f\\q'", "'f' ", "'\\\\f'", "'\\xe9'"];
const UNICODES: &[&str] = &["f", "\\u0066", "\\U00000066", "\\x66", "\\", "\\u00", "\\\\u0066", "\\ud800", "", "f\r"];
/// Arguments of GET and PUT.
const INDICES: &[&str] = &["0", "1", "2", "3", "00", "01", "+1", " 1", "1 ", "-1", "1_0", "", "x", "1L"];
/// Second bytes of EXT1, EXT2 and EXT4 programs: registered codes and others.
const EXTENSIONS: &[&[u8]] =
    &[b"\x82\x01", b"\x83\x2c\x01", b"\x84\x70\x11\x01\0", b"\x82\x02", b"\x82\0", b"\x84\xff\xff\xff\xff"];

/// A program, in parts that can be taken away one by one: tame ones, and up to three of any kind between them.
pub(crate) fn program() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let start = prop_oneof![
        2 => Just(vec![]),
        8 => (0..=5u8).prop_map(|protocol| vec![0x80, protocol]),
        1 => Just(vec![0x80, 6]),
    ];
    let end = prop_oneof![
        12 => Just(b"N.".to_vec()),
        1 => Just(b".".to_vec()),
        1 => Just(vec![]),
        1 => Just(b".cwaag_oracle_mod\nlate\n.".to_vec()),
    ];
    (start, vec(tame(), 0..6), vec(part(), 0..4), vec(tame(), 0..6), end).prop_map(|(start, tame, wild, more, end)| {
        let parts = [vec![start], tame, wild, more, vec![end]].concat();
        parts.into_iter().filter(|part| !part.is_empty()).collect()
    })
}

/// What no reader objects to, wherever it stands.
fn tame() -> Part {
    let values = fixed(&[
        b"N",
        b"K\x07",
        b"M\x01\x02",
        b"]",
        b")",
        b"}",
        b"\x8f",
        b"(K\x01K\x02t",
        b"(N(tl",
        b"I01\n",
        b"L-5L\n",
    ]);
    let memo = fixed(&[b"N\x94", b"]q\0h\0", b"K\x05r\x01\0\0\0", b"]p2\ng2\n", b"(1", b"NN0", b"]2(e"]);
    let plain = select(&["f", "g", "h"][..]).prop_map(|name| joined(&[b"cwaag_oracle_mod\n", name.as_bytes(), b"\n"]));
    let stacked =
        (text(&MODULES[..2]), text(&NAMES[..4])).prop_map(|(module, name)| [module, name, vec![0x93]].concat());
    let object = prop_oneof![plain, stacked];
    let used = fixed(&[
        b")R",
        b"N\x85R",
        b")\x81",
        b"]\x85\x81",
        b")}\x92",
        b"Na",
        b"(NNe",
        b"NNs",
        b"(NNu",
        b"Nb",
        b"}b",
        b"(N\x90",
        b")R)R",
        b")RNb",
    ]);
    let built = (object.clone(), used).prop_map(|(object, used)| [object, used].concat());
    let gathered = object.clone().prop_map(|object| joined(&[b"(", &object, b"K\x01o"]));
    let filled = fixed(&[b"]Na", b"](NK\x01e", b"}NNs", b"}(NNu", b"\x8f(K\x01\x90"]);
    prop_oneof![3 => values, 1 => memo, 2 => object, 4 => built, 1 => gathered, 1 => filled].boxed()
}

fn part() -> Part {
    prop_oneof![
        20 => value(),
        10 => object(),
        6 => change(),
        6 => memo(),
        4 => stack(),
        2 => frame(),
        1 => (0..=6u8).prop_map(|protocol| vec![0x80, protocol]),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ]
    .boxed()
}

fn fixed(choices: &'static [&'static [u8]]) -> Part {
    select(choices).prop_map(<[u8]>::to_vec).boxed()
}

fn line(code: u8, choices: &'static [&'static str]) -> Part {
    select(choices).prop_map(move |text| joined(&[&[code], text.as_bytes(), b"\n"])).boxed()
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A value on the stack.
fn value() -> Part {
    prop_oneof![
        4 => fixed(&[b"N", b"\x88", b"\x89", b"K\x07", b"M\x01\x02", b"J\xff\xff\xff\xff", b"G\x3f\xf0\0\0\0\0\0\0"]),
        3 => fixed(&[b"]", b")", b"}", b"\x8f", b"(", b"(t", b"(l", b"(d", b"(\x91"]),
        1 => fixed(&[b"\x8a\0", b"\x8a\x02\0\xff", b"\x8b\x01\0\0\0\x05", b"\x8b\xff\xff\xff\xff", b"\x97", b"\x98"]),
        1 => fixed(&[b"B\x01\0\0\0b", b"C\x01c", b"\x8e\x01\0\0\0\0\0\0\0d", b"\x96\x01\0\0\0\0\0\0\0e"]),
        1 => fixed(&[b"U\x01\xe9", b"T\xff\xff\xff\xffx", b"X\x03\0\0\0\xed\xa0\x80", b"\x8c\x01\xff", b"X\xff\0\0\0f"]),
        1 => line(b'I', INTEGERS),
        1 => line(b'L', INTEGERS),
        1 => line(b'F', FLOATS),
        1 => line(b'S', STRINGS),
        1 => line(b'V', UNICODES),
        2 => text(NAMES),
        1 => fixed(&[b"Pid\n", b"P\xe9\n", b"Nid\nQ", b"K\x01Q"]),
        4 => tuple(),
    ]
    .boxed()
}

fn tuple() -> Part {
    let small =
        fixed(&[b")", b"N\x85", b"NN\x86", b"K\x01K\x02K\x03\x87", b"(t", b"(NK\x01t", b"(K\x01K\x02K\x03K\x04t"]);
    let holding = (fixed(&[b"\x85", b"N\x86", b"NN\x87"]), look_up());
    prop_oneof![3 => small, 1 => holding.prop_map(|(close, open)| [open, close].concat())].boxed()
}

/// A text on the stack, in one of the many ways to write it.
fn text(choices: &'static [&'static str]) -> Part {
    (select(choices), 0..8u8)
        .prop_map(|(text, way)| {
            let bytes = text.as_bytes();
            let length = bytes.len() as u64;
            match way {
                0 => joined(&[b"X", &length.to_le_bytes()[..4], bytes]),
                1 => joined(&[b"\x8d", &length.to_le_bytes(), bytes]),
                2 => joined(&[b"U", &[bytes.len() as u8], bytes]),
                3 => joined(&[b"T", &length.to_le_bytes()[..4], bytes]),
                4 => joined(&[b"V", bytes, b"\n"]),
                5 => joined(&[b"S'", bytes, b"'\n"]),
                6 => {
                    let escaped: String = text.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
                    joined(&[b"V", escaped.as_bytes(), b"\n"])
                }
                _ => joined(&[b"\x8c", &[bytes.len() as u8], bytes]),
            }
        })
        .boxed()
}

/// Something looked up.
fn look_up() -> Part {
    let lines = (select(MODULES), select(NAMES), select(&["", "", "", "", "", "", "\r", " ", "\\x41", "\0"][..]))
        .prop_map(|(module, name, tail)| {
            joined(&[b"c", module.as_bytes(), b"\n", name.as_bytes(), tail.as_bytes(), b"\n"])
        });
    let plain = select(&["f", "g", "h"][..]).prop_map(|name| joined(&[b"cwaag_oracle_mod\n", name.as_bytes(), b"\n"]));
    let stacked = (text(MODULES), memoized(), text(NAMES), memoized())
        .prop_map(|(module, one, name, other)| joined(&[&module, &one, &name, &other, b"\x93"]));
    prop_oneof![6 => plain, 2 => lines, 6 => stacked, 1 => fixed(EXTENSIONS), 1 => Just(b"\x93".to_vec())].boxed()
}

fn memoized() -> Part {
    prop_oneof![3 => Just(vec![]), 1 => Just(vec![0x94]), 1 => Just(b"q\x01".to_vec())].boxed()
}

/// Something looked up, and what is done with it.
fn object() -> Part {
    let reduced =
        (look_up(), memoized(), tuple()).prop_map(|(f, memo, arguments)| joined(&[&f, &memo, &arguments, b"R"]));
    let made = (look_up(), tuple()).prop_map(|(class, arguments)| joined(&[&class, &arguments, b"\x81"]));
    let keywords = fixed(&[b"}", b"}\x8c\x01aNs", b"N", b")", b"}K\x01Ns"]);
    let made_with = (look_up(), tuple(), keywords)
        .prop_map(|(class, arguments, keywords)| joined(&[&class, &arguments, &keywords, b"\x92"]));
    let inst = (vec(value(), 0..3), select(NAMES))
        .prop_map(|(items, name)| joined(&[b"(", &items.concat(), b"iwaag_oracle_mod\n", name.as_bytes(), b"\n"]));
    let obj = (look_up(), vec(value(), 0..3)).prop_map(|(class, items)| joined(&[b"(", &class, &items.concat(), b"o"]));
    prop_oneof![3 => look_up(), 6 => reduced, 3 => made, 1 => made_with, 2 => inst, 2 => obj].boxed()
}

/// Something done to what is on the stack.
fn change() -> Part {
    let on_what_is_there = fixed(&[
        b"a",
        b"e",
        b"s",
        b"u",
        b"\x90",
        b"b",
        b"R",
        b"o",
        b"\x81",
        b"\x92",
        b"Na",
        b"}b",
        b"Nb",
        b"(e",
        b"(NNe",
        b"(u",
        b"(NNu",
        b"(NNNu",
        b"NNs",
        b"(\x90",
        b"(N\x90",
        b")R",
        b"]R",
        b"}R",
        b"NR",
        b"U\x01xR",
        b")\x81",
        b"]\x81",
        b")}\x92",
        b"(NN\x86b",
        b"N}\x86b",
        b"}}\x86b",
        b"]b",
    ]);
    let on_object = (object(), on_what_is_there.clone()).prop_map(|(object, change)| [object, change].concat());
    let on_container =
        (fixed(&[b"]", b"}", b"\x8f", b")", b"N", b"(\x91", b"K\x01", b"U\x01x"]), on_what_is_there.clone())
            .prop_map(|(container, change)| [container, change].concat());
    prop_oneof![2 => on_what_is_there, 3 => on_object, 3 => on_container].boxed()
}

fn memo() -> Part {
    let byte = |code: u8| (0..4u8).prop_map(move |index| vec![code, index]).boxed();
    let word = |code: u8| (0..4u8).prop_map(move |index| vec![code, index, 0, 0, 0]).boxed();
    prop_oneof![
        3 => Just(vec![0x94]),
        3 => byte(b'q'),
        3 => byte(b'h'),
        1 => word(b'r'),
        1 => word(b'j'),
        1 => line(b'p', INDICES),
        1 => line(b'g', INDICES),
    ]
    .boxed()
}

/// What only moves things.
fn stack() -> Part {
    fixed(&[b"0", b"0", b"1", b"2", b"2", b"(", b"\x85", b"\x86", b"\x87", b"t", b"l", b"d", b"\x91"])
}

/// A frame around some parts, of the right length or not.
fn frame() -> Part {
    let parts = prop_oneof![vec(object(), 0..3), vec(value(), 0..4)];
    (parts, prop_oneof![3 => Just(0i64), 2 => -6..6i64, 1 => Just(1000)])
        .prop_map(|(parts, off)| {
            let parts = parts.concat();
            let length = (parts.len() as i64).saturating_add(off).max(0);
            joined(&[b"\x95", &length.to_le_bytes(), &parts])
        })
        .boxed()
}
