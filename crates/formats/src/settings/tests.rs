use super::*;
use crate::fact::{FactKind, Standing};
use crate::json::path_text;
use crate::testing::{inspect, mutate, oddities};

fn read(text: &str) -> Vec<String> {
    let mut list = Vec::new();
    let stopped = walk(text, &Budget::default(), &mut |event| match event.value {
        Value::Text(text) => list.push(format!("{} = '{text}'", path_text(event.path))),
        Value::Number(text) => list.push(format!("{} = {text}", path_text(event.path))),
        Value::Bool(value) => list.push(format!("{} = {value}", path_text(event.path))),
        _ => {}
    });
    assert_eq!(stopped, None);
    list
}

#[test]
fn toml_is_read() {
    let text = "top = 1\n[a.\"b.c\"] # comment\nd.e = \"x\\u0041\" # more\nf = [1, 'two', {g = true, h.i = \"j\"}]\n[[k]]\nl = \"\"\"\nlong\n\"\"\"\nm = [\n  1, # one\n  2,\n]\n";
    assert_eq!(
        read(text),
        [
            "top = 1",
            "a.b.c.d.e = 'xA'",
            "a.b.c.f[0] = 1",
            "a.b.c.f[1] = 'two'",
            "a.b.c.f[2].g = true",
            "a.b.c.f[2].h.i = 'j'",
            "k[0].l = '\nlong\n'",
            "k[0].m[0] = 1",
            "k[0].m[1] = 2"
        ]
    );
}

#[test]
fn ini_and_spacy_are_read() {
    let text = "[nlp]\nlang = \"en\"\npipeline = [\"a\",\"b\"]\n[components.x.model]\n@architectures = \"spacy.Tok2Vec.v2\"\nwidth = ${components.x:width}\nd = {\"k\": {\"l\": [1]}}\nplain: words here ; no\n";
    assert_eq!(
        read(text),
        [
            "nlp.lang = 'en'",
            "nlp.pipeline[0] = 'a'",
            "nlp.pipeline[1] = 'b'",
            "components.x.model.@architectures = 'spacy.Tok2Vec.v2'",
            "components.x.model.width = '${components.x:width}'",
            "components.x.model.d.k.l[0] = 1",
            "components.x.model.plain = 'words here ; no'"
        ]
    );
}

#[test]
fn instructions_in_settings_are_found() {
    let standing = |text: &str| {
        let facts = inspect(&Settings, "config.cfg", text.as_bytes());
        facts.list().iter().find_map(|fact| match &fact.kind {
            FactKind::Callable(callable) => Some(callable.standing.clone()),
            _ => None,
        })
    };
    assert!(matches!(standing("[a]\n_target_ = \"os.system\"\n"), Some(Standing::Dangerous { .. })));
    assert_eq!(standing("[initialize.before_init]\n@callbacks = \"mine.callback.v1\"\n"), Some(Standing::Unknown));
    assert_eq!(standing("[m]\n@layers = \"spacy-transformers.TransformerModel.v3\"\n@o = \"x\"\n"), None);
}

#[test]
fn bombs_end() {
    let deep = format!("a = {}", "[".repeat(100_000));
    assert!(inspect(&Settings, "a.toml", deep.as_bytes()).list().len() < 10);
    let deep = format!("a = {}{}", "[".repeat(1000), "]".repeat(1000));
    assert_eq!(oddities(&inspect(&Settings, "a.toml", deep.as_bytes())), ["Limit@0"]);
    let dots = format!("[{}]\n{} = 1\n", "a.".repeat(100_000), "b.".repeat(100_000));
    drop(inspect(&Settings, "a.toml", dots.as_bytes()));
}

#[test]
fn no_mutation_panics() {
    let seed = b"top = 1\n[a.\"b.c\"]\nd.e = \"x\\u0041\"\nf = [1, 'two', {g = true, h.i = \"j\"}]\n[[k]]\nl = \"\"\"\nlong\n\"\"\"\n@callbacks = \"a.b\"\n";
    mutate(seed, 5000, |bytes| drop(inspect(&Settings, "a.toml", &bytes)));
}
