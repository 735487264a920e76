use super::*;
use crate::json::{Value, path_text};
use crate::testing::{inspect, mutate, oddities};

/// Every value as `path = value`, with its tag before it.
fn read(text: &str) -> (Vec<String>, Outcome) {
    let mut list = Vec::new();
    let outcome = walk(text, 0, &Budget::default(), &mut |tag, event| {
        let value = match event.value {
            Value::Text(text) | Value::Number(text) => text.to_owned(),
            Value::Object | Value::Array => return tag.into_iter().for_each(|tag| list.push(format!("{tag} {{"))),
            Value::ObjectEnd(_) | Value::ArrayEnd(_) => return,
            other => format!("{other:?}"),
        };
        let tag = tag.map(|tag| format!("{tag} ")).unwrap_or_default();
        list.push(format!("{tag}{} = {value}", path_text(event.path)));
    });
    (list, outcome)
}

#[test]
fn values_stand_at_their_paths() {
    let (list, outcome) = read("a: 1\nb:\n  - x\n  - c: [true, ~]\n    d: 'no'\n? [k]\n: v\n");
    assert_eq!(
        list,
        ["a = 1", "b[0] = x", "b[1].c[0] = Bool(true)", "b[1].c[1] = Null", "b[1].d = no", "?[0] = k", "? = v"]
    );
    assert_eq!(outcome, Outcome { documents: 1, ..Outcome::default() });
}

#[test]
fn tags_are_written_out_however_they_are_spelt() {
    let python = "tag:yaml.org,2002:python/object/apply:os.system";
    for text in [
        "!!python/object/apply:os.system [id]",
        "!<tag:yaml.org,2002:python/object/apply:os.system> [id]",
        "%TAG !p! tag:yaml.org,2002:python/\n---\n!p!object/apply:os.system [id]",
        "%TAG ! tag:yaml.org,2002:python/\n---\n!object/apply:os.system [id]",
        "!!python/object%2Fapply:os.system [id]",
        "!!python/%6fbject/apply:os.system [id]",
    ] {
        assert_eq!(read(text).0.first().map(String::as_str), Some(format!("{python} {{").as_str()), "{text}");
    }
    assert_eq!(read("!include x.yaml").0, ["!include  = x.yaml"]);
}

#[test]
fn aliases_and_merge_keys_show_what_they_name() {
    let (list, _) = read("a: &x\n  k: 1\nb: *x\nc:\n  <<: *x\n  l: 2\nd:\n  <<: [*x, {m: 3}]\n");
    assert_eq!(list, ["a.k = 1", "b.k = 1", "c.k = 1", "c.l = 2", "d.k = 1", "d.m = 3"]);
    let (list, outcome) = read("&a [x, *a]");
    assert_eq!((list, outcome.stopped), (vec!["[0] = x".to_owned(), "[1] = Null".to_owned()], None));
}

#[test]
fn a_billion_laughs_end_early() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", below.trim_end_matches(", ")));
    }
    assert_eq!(
        oddities(&inspect(&Yaml, "a.yaml", text.as_bytes())).first().map(|odd| odd.starts_with("ExpansionBomb")),
        Some(true)
    );
}

#[test]
fn long_lists_and_texts_end_early() {
    let list = format!("[{}b]", "b, ".repeat(1 << 18));
    assert!(matches!(read(&list).1.stopped, Some((_, Stop::Limit(_)))));
    let text = format!("a: &a \"{}\"\nb: [{}*a]\n", "x".repeat(200_000), "*a, ".repeat(2000));
    assert!(matches!(read(&text).1.stopped, Some((_, Stop::Bomb))));
}

#[test]
fn deep_nesting_ends_early() {
    for text in
        ["[".repeat(1 << 20), "{a: ".repeat(1 << 18), "- ".repeat(1 << 19), "? ".repeat(1 << 19), "!a ".repeat(1 << 18)]
    {
        assert!(read(&text).1.stopped.is_some(), "{}", &text[..4]);
    }
}

#[test]
fn what_follows_an_error_is_searched() {
    let (list, outcome) = read("a: [1\nb: }\nc: !!python/name:os.system x\n");
    assert!(matches!(outcome.stopped, Some((_, Stop::Broken(_)))));
    assert!(list.iter().any(|line| line.starts_with("tag:yaml.org,2002:python/name:os.system")), "{list:?}");
}

#[test]
fn front_matter_is_what_stands_between_dashes() {
    assert_eq!(find_front_matter("---\na: 1\n---\ntext"), Some((4, 9)));
    assert_eq!(find_front_matter("# title\n---\na: 1\n---\n"), None);
    assert_eq!(find_front_matter("---\nno end"), None);
}

#[test]
fn old_line_breaks_are_read_both_ways() {
    let text = "a: 1 # a comment\u{2028}b: !!python/object/apply:os.system [id]\n";
    let facts = inspect(&Yaml, "a.yaml", text.as_bytes());
    assert!(facts.list().iter().any(|fact| matches!(fact.kind, crate::fact::FactKind::Callable(_))));
}

#[test]
fn utf_16_is_read() {
    let mut bytes = vec![0xFF, 0xFE];
    bytes.extend("a: !!python/name:os.system x".encode_utf16().flat_map(u16::to_le_bytes));
    let facts = inspect(&Yaml, "a.yaml", &bytes);
    assert!(facts.list().iter().any(|fact| matches!(fact.kind, crate::fact::FactKind::Callable(_))));
}

#[test]
fn no_mutation_panics() {
    let seed = b"%TAG !p! tag:x,1:\n---\na: &x {k: 'v', l: \"\\x41\\n\"}\nb: [*x, !p!t |\n  block\n  , >-\n    more\n]\n? c\n: - 1\n  - ? d\n<<: *x\n...\n--- !!map\ne: 1\n";
    mutate(seed, 5000, |bytes| drop(inspect(&Yaml, "a.yaml", &bytes)));
}
