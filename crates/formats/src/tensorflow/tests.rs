use waag_testkit::tensorflow::{assemble, field, number, place, records, table};

use super::*;
use crate::budget::Budget;
use crate::child::Role;
use crate::configuration::Observers;
use crate::fact::{Effect, FactKind};
use crate::facts::Facts;
use crate::format::{Format, Probe};
use crate::testing::{inspect, mutate, oddities};

fn graph(text: &str) -> Facts {
    inspect(&TensorflowGraph, "graph.pb", &assemble(text).unwrap())
}

/// Operators that reach the machine or are custom, and what they do.
fn reached(facts: &Facts) -> Vec<String> {
    let describe = |fact: &crate::fact::Fact| match &fact.kind {
        FactKind::Operator(operator) => match &operator.effect {
            Effect::Computes => None,
            Effect::Custom => Some(format!("{} is custom", operator.name)),
            Effect::Reaches { what, critical } => {
                let grave = if *critical { "!" } else { "" };
                Some(format!("{}{grave} {what}", operator.name))
            }
        },
        _ => None,
    };
    facts.list().iter().filter_map(describe).collect()
}

fn references(facts: &Facts) -> Vec<String> {
    let target = |fact: &crate::fact::Fact| match &fact.kind {
        FactKind::Reference { kind, target } => Some(format!("{kind:?} {target}")),
        _ => None,
    };
    facts.list().iter().filter_map(target).collect()
}

const SAVER: &str = "meta-graph
node model Const
  value = \"model\"
node filename PlaceholderWithDefault model
node part Const
  value = \"_temp/part\"
node prefix StringJoin filename part
node save SaveV2 prefix
node merge MergeV2Checkpoints prefix filename
node restore RestoreV2 filename";

#[test]
fn an_ordinary_saver_is_ordinary() {
    let facts = graph(SAVER);
    assert_eq!(reached(&facts), Vec::<String>::new());
    assert_eq!(oddities(&facts), Vec::<String>::new());
}

#[test]
fn a_saver_that_writes_elsewhere_is_not() {
    let facts = graph(&SAVER.replace("\"model\"", "\"/etc/cron.d/waag-inert\""));
    let path = "('/etc/cron.d/waag-inert', '_temp/part')";
    assert!(
        reached(&facts).iter().any(|line| line.starts_with("SaveV2! writes files ('/etc/cron.d/waag-inert')")),
        "{path}"
    );
    assert_eq!(reached(&facts).len(), 3);
    let computed = graph("node a Const\n  value = \"L2V0Yw\"\nnode b DecodeBase64 a\nnode c SaveV2 b");
    assert_eq!(reached(&computed), ["SaveV2! writes files ('L2V0Yw')"]);
}

#[test]
fn files_that_are_read_and_written_are_named() {
    let facts =
        graph("node p Const\n  value = \"/etc/passwd\"\nnode r ReadFile p\nnode q ReadFile p\nnode w WriteFile p r");
    assert_eq!(reached(&facts), ["ReadFile reads files ('/etc/passwd')", "WriteFile! writes files ('/etc/passwd')"]);
    let facts = graph("node p Placeholder\nnode r ReadFile p");
    assert_eq!(reached(&facts), ["ReadFile reads files"]);
}

#[test]
fn operators_in_functions_count_and_their_callers_tell_what_they_read() {
    let body = "function f(name, other)\nnode r ReadFile name\nend\n";
    let call = "saved-model\nnode a Const\n  value = \"FILE\"\nnode c PartitionedCall a a\n  f = @f\n";
    let secret = format!("{}{body}", call.replace("FILE", "../../.ssh/id_rsa"));
    assert_eq!(reached(&graph(&secret)), ["ReadFile reads files ('../../.ssh/id_rsa')"]);
    let asset = format!("{}{body}asset a vocab.txt", call.replace("FILE", ""));
    assert_eq!(reached(&graph(&asset)), Vec::<String>::new());
    assert_eq!(references(&graph(&asset)), ["File assets/vocab.txt"]);
    let mixed = format!(
        "{}node d PartitionedCall z\n  f = @f\nnode z Placeholder\n{body}asset a vocab.txt",
        call.replace("FILE", "")
    );
    assert_eq!(reached(&graph(&mixed)), ["ReadFile reads files"]);
}

#[test]
fn an_asset_that_says_another_file_is_that_file() {
    let text = "saved-model\nnode a Const\n  value = \"/etc/passwd\"\nnode r ReadFile a\nnode t InitializeTableFromTextFileV2 h a\nasset a vocab.txt";
    assert_eq!(reached(&graph(text)), ["ReadFile reads files ('/etc/passwd')"]);
}

#[test]
fn assets_stay_in_their_folder() {
    for name in ["../../x", "/etc/passwd", "a\\..\\b", "file:///x"] {
        let facts = graph(&format!("saved-model\nnode a Const\n  value = \"\"\nasset a {name}"));
        assert_eq!(oddities(&facts).len(), 1, "{name}");
        assert!(oddities(&facts)[0].starts_with("PathTraversal"), "{name}");
    }
}

/// `DatasetFromGraph` runs the graph in its input.
#[test]
fn a_graph_within_a_constant_is_opened() {
    let inner =
        assemble("node path Const\n  value = \"/etc/waag-inert-waag-inert-waag-inert\"\nnode r ReadFile path").unwrap();
    let tensor = [number(1, 7), field(2, b""), field(8, &inner)].concat();
    let attribute = [field(1, b"value"), field(2, &field(8, &tensor))].concat();
    let node = [field(1, b"c"), field(2, b"Const"), field(5, &attribute)].concat();
    let facts = inspect(&TensorflowGraph, "a.pb", &field(1, &node));
    let is_opened = |fact: &crate::fact::Fact| match &fact.kind {
        FactKind::Child(child) => child.length == inner.len() as u64 && child.role == Role::Unknown,
        _ => false,
    };
    assert!(facts.list().iter().any(is_opened));
}

#[test]
fn attributes_reach_the_machine_too() {
    let print = |stream: &str| graph(&format!("node p PrintV2 x\n  output_stream = {{\"s\": \"{stream}\"}}"));
    assert_eq!(reached(&print("stderr")), Vec::<String>::new());
    assert_eq!(reached(&print("file:///tmp/x")), ["PrintV2! writes files ('file:///tmp/x')"]);
    let debug = graph("node d DebugIdentityV2 x\n  debug_urls = [\"grpc://203.0.113.7:4444\"]");
    assert_eq!(
        reached(&debug),
        ["DebugIdentityV2! sends what it computes to files or addresses ('grpc://203.0.113.7:4444')"]
    );
    assert_eq!(reached(&graph("node d DebugIdentityV2 x\n  debug_urls = []")), Vec::<String>::new());
    let mapped = graph("node m ImmutableConst\n  memory_region_name = {\"s\": \"/etc/shadow\"}");
    assert_eq!(reached(&mapped), ["ImmutableConst reads files ('/etc/shadow')"]);
}

#[test]
fn python_and_unknown_code_are_told() {
    let facts =
        graph("node a EagerPyFunc x\nnode b MyKernel x\nnode c f x\nnode d RpcCall x\nfunction f(x)\nnode e NoOp\nend");
    let python = "EagerPyFunc! calls Python functions of the process that runs it";
    assert_eq!(reached(&facts), [python, "MyKernel is custom", "RpcCall talks over a network"]);
}

/// CVE-2022-23591: loaders overflow their stack.
#[test]
fn functions_that_call_themselves_are_malformed() {
    let direct = graph("node a f x\nfunction f(x)\nnode b f x\nend");
    assert!(oddities(&direct)[0].starts_with("Malformed"));
    let mutual = graph("node a f x\nfunction f(x)\nnode b g x\nend\nfunction g(x)\nnode c f x\nend");
    assert!(oddities(&mutual)[0].starts_with("Malformed"));
    let chain = graph("node a f x\nfunction f(x)\nnode b g x\nend\nfunction g(x)\nnode c NoOp\nend");
    assert_eq!(oddities(&chain), Vec::<String>::new());
}

/// CVE-2022-23571 and CVE-2022-23582: types and shapes that do not exist.
#[test]
fn constants_that_lie_are_told() {
    let constant = |value: &str| oddities(&graph(&format!("node w Const\n  value = {value}")));
    assert_eq!(constant("1 [2, 2] 16"), Vec::<String>::new());
    assert_eq!(constant("1 [1000, 1000] 0"), Vec::<String>::new());
    for (value, expected) in [
        ("1 [2, 2] 15", "SizeMismatch"),
        ("0 [2] 8", "Malformed"),
        ("99 [2] 8", "Malformed"),
        ("1 [-1] 0", "Malformed"),
        ("1 [4611686018427387904, 4] 0", "Malformed"),
        ("1 [1000000, 1000000] 0", "AllocationBomb"),
        ("7 [1000000, 1000000] 0", "AllocationBomb"),
    ] {
        assert!(constant(value).first().is_some_and(|found| found.starts_with(expected)), "{value}");
    }
}

#[test]
fn messages_are_told_from_each_other_and_from_other_formats() {
    let node = "node x Placeholder";
    let recognised =
        |bytes: &[u8], name: &str| TensorflowGraph.recognise(&Probe::new(&bytes, name, Role::Unknown)).is_some();
    for kind in ["saved-model\n", "meta-graph\n", ""] {
        let bytes = assemble(&format!("{kind}{node}")).unwrap();
        assert!(recognised(&bytes, "x.bin"), "{kind}");
        let facts = inspect(&TensorflowGraph, "x.bin", &bytes);
        assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Operator(_))), "{kind}");
    }
    // A model of ONNX: a version, a producer, a graph with a node that has inputs first.
    let onnx = [number(1, 8), field(2, b"pytorch"), field(7, &field(1, &field(1, b"x")))].concat();
    assert!(!recognised(&onnx, "model.onnx"));
    assert!(!recognised(b"\x0a\x05hello", "a.bin"));
}

#[test]
fn cve_2024_3660_a_lambda_in_the_metadata_of_keras_is_code() {
    let lambda =
        br#"{"name": "l", "class_name": "Lambda", "config": {"name": "l", "function": {"class_name": "__tuple__",
        "items": ["6QJvc9oGc3lzdGVt", null, null]}, "function_type": "lambda"}}"#;
    let is_code = |facts: &Facts| facts.list().iter().any(|fact| matches!(&fact.kind, FactKind::Code(_)));
    let beside = [number(2, 1), field(4, b"_tf_keras_layer"), field(5, lambda)].concat();
    assert!(is_code(&inspect(&TensorflowMetadata, "keras_metadata.pb", &field(1, &beside))));
    let object = field(1, &field(4, &[field(1, b"_tf_keras_layer"), field(3, lambda)].concat()));
    let model = [number(1, 1), field(2, &field(7, &object))].concat();
    assert!(is_code(&inspect(&TensorflowGraph, "saved_model.pb", &model)));
}

#[test]
fn files_in_constants_and_collections_are_opened() {
    let pickle = b"\x80\x02cposix\nsystem\nX\x04\0\0\0trueq.";
    let opened = |bytes: &[u8]| {
        let facts = inspect(&TensorflowGraph, "saved_model.pb", bytes);
        facts.list().iter().any(
            |fact| matches!(&fact.kind, FactKind::Child(child) if child.role == Role::Unknown && child.length == pickle.len() as u64),
        )
    };
    let model = |meta: &[u8]| [number(1, 1), field(2, meta)].concat();
    let collection = |kind: u32, entries: &[u8]| field(4, &[field(1, b"x"), field(2, &field(kind, entries))].concat());
    assert!(opened(&model(&collection(2, &field(1, pickle)))));
    assert!(opened(&model(&collection(5, &field(1, &[field(1, b"t"), field(2, pickle)].concat())))));
    assert!(!opened(&model(&collection(2, &field(1, b"an ordinary entry.")))));
    let tensor = [number(1, 7), field(2, b""), field(8, pickle)].concat();
    let attribute = field(5, &[field(1, b"value"), field(2, &field(8, &tensor))].concat());
    let node = field(1, &[field(1, b"c"), field(2, b"Const"), attribute].concat());
    assert!(opened(&model(&field(2, &node))));
}

#[test]
fn a_cut_graph_is_malformed_and_what_came_before_counts() {
    let bytes =
        assemble("saved-model\nnode p Const\n  value = \"/etc/passwd\"\nnode r ReadFile p\nnode z NoOp").unwrap();
    let facts = inspect(&TensorflowGraph, "saved_model.pb", &bytes[..bytes.len() - 1]);
    assert!(!oddities(&facts).is_empty());
}

#[test]
fn text_graphs_are_analysed_as_the_bytes_they_stand_for() {
    let text = b"# comment\nnode { name: 'p' op: \"Const\" attr { key: \"value\" value { tensor { dtype: DT_STRING\n tensor_shape { } string_val: \"/etc/\" \"\\160asswd\" } } } }\nnode <name: \"r\", op: 'Read' 'File'; input: [\"p\"]>\nlibrary { function: [ { signature { name: \"f\" } node_def { name: \"q\" op: \"PyFunc\" } } ] }\n";
    let facts = inspect(&TensorflowText, "graph.pbtxt", text);
    let python = "PyFunc! calls Python functions of the process that runs it";
    assert_eq!(reached(&facts), [python, "ReadFile reads files ('/etc/passwd')"]);
    assert_eq!(oddities(&facts), Vec::<String>::new());
    let cut = inspect(&TensorflowText, "graph.pbtxt", &text[..text.len() - 4]);
    assert!(!oddities(&cut).is_empty() && reached(&cut).len() == 2);
}

#[test]
fn the_state_of_checkpoints_names_none_outside() {
    let state = |path: &str| {
        oddities(&inspect(&TensorflowText, "checkpoint", format!("model_checkpoint_path: \"{path}\"").as_bytes()))
    };
    assert_eq!(state("model.ckpt-1"), Vec::<String>::new());
    assert_eq!(state("/content/models/model.ckpt-1"), Vec::<String>::new());
    assert_eq!(state("../../other/model"), ["ExternalData@0"]);
}

fn index(places: &[(&[u8], Vec<u8>)]) -> Facts {
    let header = number(1, 1);
    let mut entries: Vec<(&[u8], &[u8])> = vec![(b"", &header)];
    entries.extend(places.iter().map(|(name, place)| (*name, place.as_slice())));
    inspect(&TensorflowCheckpoint, "variables.index", &table(&entries))
}

#[test]
fn an_index_gives_its_tensors_and_files() {
    let facts = index(&[(b"a", place(1, &[2, 2], 0, 0, 16)), (b"ab", place(9, &[], 0, 16, 8))]);
    assert_eq!(oddities(&facts), Vec::<String>::new());
    assert_eq!(facts.totals().parameters, 5);
    assert_eq!(references(&facts), ["File variables.data-00000-of-00001"]);
}

#[test]
fn places_that_lie_are_told() {
    let odd = |places: &[(&[u8], Vec<u8>)]| {
        let found = oddities(&index(places));
        found.first().map(|found| found.split('@').next().unwrap_or_default().to_owned()).unwrap_or_default()
    };
    assert_eq!(odd(&[(b"a", place(1, &[2, 2], 0, 0, 15))]), "SizeMismatch");
    assert_eq!(odd(&[(b"a", place(1, &[2], 0, 0, 8)), (b"b", place(1, &[2], 0, 4, 8))]), "Overlap");
    assert_eq!(odd(&[(b"a", place(1, &[2], 0, 9000, 8))]), "Hole");
    assert_eq!(odd(&[(b"a", place(1, &[2], 1, 0, 8))]), "OutOfBounds");
    assert_eq!(odd(&[(b"a", place(1, &[2], 0, u64::MAX, 8))]), "OutOfBounds");
    assert_eq!(odd(&[(b"a", place(0, &[2], 0, 0, 8))]), "Malformed");
    assert_eq!(odd(&[(b"a", place(1, &[u64::MAX], 0, 0, 8))]), "Malformed");
    assert_eq!(odd(&[(b"a", place(7, &[1 << 40], 0, 0, 8))]), "AllocationBomb");
    assert_eq!(odd(&[(b"a", place(1, &[2], 0, 0, 8)), (b"a", place(1, &[2], 0, 8, 8))]), "DuplicateName");
    assert_eq!(odd(&[(b"b", place(1, &[2], 0, 0, 8)), (b"a", place(1, &[2], 0, 8, 8))]), "Malformed");
}

#[test]
fn a_table_is_accounted_for() {
    let entries: [(&[u8], &[u8]); 1] = [(b"", &[8, 1])];
    let good = table(&entries);
    let mut padded = good.clone();
    padded.splice(good.len() - 48..good.len() - 48, [1, 2, 3]);
    assert_eq!(oddities(&inspect(&TensorflowCheckpoint, "a.index", &padded)), [format!("Hole@{}", good.len() - 48)]);
    let mut wrong = good;
    wrong[4] ^= 1;
    assert!(oddities(&inspect(&TensorflowCheckpoint, "a.index", &wrong)).contains(&"ChecksumMismatch@0".to_owned()));
}

#[test]
fn a_table_of_something_else_is_said() {
    let facts = inspect(&TensorflowCheckpoint, "000005.ldb", &table(&[(b"key", b"value")]));
    assert_eq!(oddities(&facts).len(), 1);
    assert!(oddities(&facts)[0].starts_with("Unsupported"));
}

#[test]
fn records_are_counted_and_verified() {
    let good = records(&[b"one", b"", b"three"]);
    let facts = inspect(&TfRecord, "a.tfrecord", &good);
    assert_eq!(facts.find_property("records"), Some("3"));
    assert_eq!(oddities(&facts), Vec::<String>::new());
    assert_eq!(oddities(&inspect(&TfRecord, "a.tfrecord", &good[..good.len() - 1])), ["OutOfBounds@35"]);
    let mut wrong = good;
    wrong[12] ^= 1;
    assert_eq!(oddities(&inspect(&TfRecord, "a", &wrong)), ["ChecksumMismatch@0", "Unreadable@0"]);
}

#[test]
fn models_for_browsers_name_their_files_and_operators() {
    let json =
        br#"{"format": "graph-model", "modelTopology": {"node": [{"name": "x", "op": "Placeholder"}, {"op": "PyFunc"}],
        "library": {"function": [{"signature": {"name": "f"}, "nodeDef": [{"op": "f"}, {"op": "Odd"}]}]}},
        "weightsManifest": [{"paths": ["group1-shard1of1.bin", "../../x", "https://example.com/x"],
        "weights": [{"name": "w", "shape": [2, 3], "dtype": "float32"}]}]}"#;
    let mut facts = Facts::new();
    let mut observers = Observers::new("model.json");
    crate::json::walk(&json.as_slice(), 0, u64::MAX, &Budget::default(), &mut |event| {
        observers.event(&event, &mut facts)
    });
    observers.finish(&mut facts);
    assert_eq!(reached(&facts), ["Odd is custom", "PyFunc! calls Python functions of the process that runs it"]);
    assert_eq!(references(&facts), ["File group1-shard1of1.bin", "File ../../x", "Address https://example.com/x"]);
    assert_eq!(facts.totals().parameters, 6);
}

#[test]
fn no_mutation_panics() {
    for text in [
        SAVER,
        "saved-model\nnode p Const\n  value = \"x\"\nnode c If p p\n  f = @f\nfunction f(a)\nnode r ReadFile a\nend\nasset p v.txt",
    ] {
        mutate(&assemble(text).unwrap(), 1500, |bytes| {
            inspect(&TensorflowGraph, "saved_model.pb", &bytes);
            inspect(&TensorflowGraph, "a.pb", &bytes);
        });
    }
    let index = table(&[(b"", &number(1, 1)), (b"a", &place(1, &[2], 0, 0, 8))]);
    mutate(&index, 1500, |bytes| drop(inspect(&TensorflowCheckpoint, "a.index", &bytes)));
    mutate(
        b"node { name: 'p' op: \"Const\" attr < key: 'value' value { list { s: [\"\\x41\", 'b'] } } > }",
        1500,
        |bytes| {
            inspect(&TensorflowText, "a.pbtxt", &bytes);
        },
    );
    mutate(&records(&[b"one", b"two"]), 500, |bytes| drop(inspect(&TfRecord, "a", &bytes)));
}
