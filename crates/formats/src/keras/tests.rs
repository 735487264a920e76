use super::config::inspect_text;
use crate::budget::Budget;
use crate::fact::{Anomaly, Effect, FactKind, Position, Runs, Standing};
use crate::facts::Facts;

fn read(text: &str) -> Facts {
    let mut facts = Facts::new();
    inspect_text(text, Position::Offset(100), &Budget::default(), &mut facts);
    facts
}

/// What was found, in a word or two each.
fn found(text: &str) -> Vec<String> {
    let mut list = Vec::new();
    for fact in read(text).list() {
        list.push(match &fact.kind {
            FactKind::Callable(callable) => {
                let standing = match &callable.standing {
                    Standing::Dangerous { critical, .. } => {
                        if *critical {
                            "critical"
                        } else {
                            "high"
                        }
                    }
                    Standing::Unknown => "unknown",
                    Standing::Unlisted { .. } => "unlisted",
                    _ => "other",
                };
                format!("{standing} {}.{}", callable.module, callable.name)
            }
            FactKind::Code(code) => {
                assert_eq!(code.runs, Runs::Loaded);
                format!("code in {}: {}", code.name, code.excerpt)
            }
            FactKind::Anomaly { anomaly, .. } => format!("{anomaly:?}"),
            FactKind::Operator(operator) if operator.effect == Effect::Computes => continue,
            FactKind::Operator(operator) => format!("operator {}", operator.name),
            FactKind::Child(child) => format!("child {:?}", child.encoding),
            FactKind::Reference { target, .. } => format!("file {target}"),
            _ => continue,
        });
    }
    list
}

fn model(layers: &str) -> String {
    format!(r#"{{"class_name": "Sequential", "module": "keras", "config": {{"name": "m", "layers": [{layers}]}}}}"#)
}

#[test]
fn ordinary_layers_are_inert_in_every_spelling() {
    let keras3 = model(
        r#"{"module": "keras.layers", "class_name": "Dense", "registered_name": null, "config": {"units": 1,
            "kernel_initializer": {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": null}},
            "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}}}"#,
    );
    assert_eq!(found(&keras3), Vec::<String>::new());
    let keras2 = r#"{"class_name": "Functional", "config": {"layers": [
        {"class_name": "TFOpLambda", "config": {"name": "tf.math.multiply", "function": "math.multiply"}},
        {"class_name": "Conv2D", "config": {"kernel_initializer": {"class_name": "GlorotUniform", "config": {}}}}]},
        "keras_version": "2.15.0", "backend": "tensorflow"}"#;
    assert_eq!(found(keras2), Vec::<String>::new());
    let internal = model(r#"{"module": "keras.src.layers.core.dense", "class_name": "Dense", "config": {}}"#);
    assert_eq!(found(&internal), Vec::<String>::new());
}

#[test]
fn the_layer_of_a_user_is_unknown() {
    assert_eq!(found(&model(r#"{"class_name": "MyLayer", "config": {}}"#)), ["unknown .MyLayer"]);
    let registered = r#"{"class_name": "L", "module": null, "registered_name": "Pack>L", "config": {}}"#;
    assert_eq!(found(&model(registered)), ["unknown Pack.L"]);
    // Without anything of Keras around it, a class name is no business of Keras.
    assert_eq!(found(r#"{"class_name": "Thing", "config": {}}"#), Vec::<String>::new());
}

#[test]
fn cve_2024_3660_a_lambda_of_keras_2_is_code() {
    let lambda = r#"{"class_name": "Lambda", "config": {"name": "l", "function":
        ["6QJvc9oGc3lzdGVt\n", null, null], "function_type": "lambda"}}"#;
    let found = found(&model(lambda));
    assert!(matches!(found.as_slice(), [only] if only.starts_with("code in the layer 'l' (Lambda)")), "{found:?}");
}

#[test]
fn cve_2024_3660_a_lambda_in_a_tuple_is_code_however_it_is_written() {
    let code = "6QJvc9oGc3lzdGVt\\n";
    for function in [
        format!(r#"{{"class_name": "__tuple__", "items": ["{code}", null, null]}}"#),
        format!(r#"{{"items": ["{code}", null, null], "class_name": "__tuple__"}}"#),
        format!(r#"{{"class_name": "__tuple__", "items": [["{code}"], null]}}"#),
        format!(r#""{code}""#),
        r#"{"class_name": "__tuple__", "items": [{"class_name": "__tuple__"}]}"#.to_owned(),
    ] {
        let config = format!(r#"{{"name": "l", "function": {function}, "function_type": "lambda"}}"#);
        let lambda = model(&format!(r#"{{"class_name": "Lambda", "config": {config}}}"#));
        let found = found(&lambda);
        assert!(
            matches!(found.as_slice(), [only] if only.starts_with("code in the layer 'l' (Lambda)")),
            "{function}: {found:?}"
        );
    }
    let shape = r#"{"class_name": "Lambda", "config": {"name": "l", "output_shape": "6QJvcw==",
        "output_shape_type": "lambda"}}"#;
    assert_eq!(found(&model(shape)).len(), 1);
}

#[test]
fn many_keys_do_not_push_out_the_function() {
    let names = r#""name": "n", "#.repeat(50);
    let lambda = format!(
        r#"{{"class_name": "Lambda", "config": {{{names} "function": ["6QJvc9oGc3lzdGVt", null], "function_type": "lambda"}}}}"#
    );
    assert!(found(&model(&lambda)).iter().any(|found| found.starts_with("code in the layer")));
}

#[test]
fn what_lies_too_deep_to_be_read_is_said() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let facts = read(&deep);
    assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Incomplete { .. })));
}

#[test]
fn types_and_arrays_that_are_none_are_not_passed_over() {
    let dense = |units: &str| {
        model(&format!(
            r#"{{"module": "keras.layers", "class_name": "Dense", "config": {{"name": "d", "units": {units}}}}}"#
        ))
    };
    let objects = r#"{"class_name": "__numpy__", "config": {"value": "x", "dtype": "object"}}"#;
    assert_eq!(found(&dense(objects)), ["Malformed"]);
    let numbers = r#"{"class_name": "__numpy__", "config": {"value": [1.0], "dtype": "float32"}}"#;
    assert_eq!(found(&dense(numbers)), Vec::<String>::new());
    let foreign = r#"{"class_name": "__typespec__", "spec_name": "Popen", "module": "subprocess", "config": {}}"#;
    assert_eq!(found(&dense(foreign)), ["critical subprocess.Popen"]);
    let spec = r#"{"class_name": "__typespec__", "spec_name": "TensorSpec",
        "module": "tensorflow.python.framework.tensor", "config": []}"#;
    assert_eq!(found(&dense(spec)), Vec::<String>::new());
}

#[test]
fn cve_2026_0897_a_layer_larger_than_any_memory_is_a_bomb() {
    let dense = |units: &str| model(&format!(r#"{{"class_name": "Dense", "config": {{"units": {units}}}}}"#));
    assert_eq!(found(&dense("1125899906842624")), ["AllocationBomb"]);
    assert_eq!(found(&dense("1e300")), ["AllocationBomb"]);
    assert_eq!(found(&dense("65536")), Vec::<String>::new());
    let input = r#"{"class_name": "InputLayer", "config": {"batch_shape": [null, 1125899906842624]}}"#;
    assert_eq!(found(&model(input)), ["AllocationBomb"]);
    let array = r#"{"class_name": "__numpy__", "config": {"value": 1125899906842624, "dtype": "int64"}}"#;
    assert_eq!(found(&dense(array)), ["AllocationBomb"]);
    let two = |units: u64| {
        let layer = format!(r#"{{"class_name": "Dense", "config": {{"units": {units}}}}}"#);
        model(&format!("{layer}, {layer}"))
    };
    assert_eq!(found(&two(1 << 20)), Vec::<String>::new());
    assert_eq!(found(&two(1 << 30)), ["AllocationBomb"]);
    // Without anything of Keras around it, a number is a number.
    assert_eq!(found(r#"{"config": {"units": 1125899906842624}}"#), Vec::<String>::new());
}

#[test]
fn a_lambda_of_keras_3_is_code_and_its_names_are_read() {
    let lambda = r#"{"module": "keras.layers", "class_name": "Lambda", "config": {"name": "l",
        "function": {"class_name": "__lambda__", "config": {"code": "2gZzeXN0ZW3aAm9z", "defaults": null}}}}"#;
    assert_eq!(found(&model(lambda)), ["code in the layer 'l': system, os"]);
}

#[test]
fn a_lambda_that_names_a_function_imports_it() {
    let lambda = r#"{"class_name": "Lambda", "config": {"name": "l", "function": "system", "module": "os",
        "function_type": "function"}}"#;
    assert_eq!(found(&model(lambda)), ["critical os.system"]);
}

#[test]
fn cve_2025_1550_a_module_of_python_is_imported() {
    let function = |module: &str, name: &str| {
        format!(
            r#"{{"module": "{module}", "class_name": "function", "config": "{name}", "registered_name": "{name}"}}"#
        )
    };
    let lambda = |function: &str| {
        model(&format!(r#"{{"class_name": "Lambda", "module": "keras.layers", "config": {{"function": {function}}}}}"#))
    };
    assert_eq!(found(&lambda(&function("os", "system"))), ["critical os.system"]);
    assert_eq!(found(&lambda(&function("builtins", "exec"))), ["critical builtins.exec"]);
    assert_eq!(found(&lambda(&function("builtins", "my_loss"))), ["unknown builtins.my_loss"]);
    assert_eq!(found(&lambda(&function("builtins", "relu"))), Vec::<String>::new());
    assert_eq!(
        found(&model(r#"{"module": "subprocess", "class_name": "Popen", "config": {}}"#)),
        ["critical subprocess.Popen"]
    );
}

#[test]
fn cve_2025_8747_and_12060_fetching_a_file_is_dangerous() {
    for module in ["keras.utils", "keras.src.utils.file_utils", "tf_keras.utils", "tensorflow.keras.utils"] {
        let fetch = format!(r#"{{"module": "{module}", "class_name": "function", "config": "get_file"}}"#);
        let found = found(&model(&fetch));
        assert!(found.len() == 1 && !found[0].starts_with("un"), "{module}: {found:?}");
    }
}

#[test]
fn cve_2025_9906_turning_safe_mode_off_is_dangerous() {
    let off = r#"{"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization"}"#;
    assert_eq!(found(&model(off)), ["critical keras.config.enable_unsafe_deserialization"]);
}

#[test]
fn cve_2025_12058_a_vocabulary_elsewhere_is_external_data() {
    let lookup = |path: &str| {
        let config = format!(r#"{{"vocabulary": "{path}"}}"#);
        model(&format!(r#"{{"class_name": "StringLookup", "module": "keras.layers", "config": {config}}}"#))
    };
    assert_eq!(found(&lookup("/etc/passwd")), ["ExternalData"]);
    assert_eq!(found(&lookup("http://example.com/v")), ["ExternalData"]);
    assert_eq!(found(&lookup("vocab.txt")), ["file vocab.txt"]);
}

#[test]
fn cve_2025_49655_a_wrapped_pytorch_module_is_code() {
    let pickle = "gASVKAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjA9lY2hvIHdhYWctaW5lcnSUhZRSlC4".repeat(3);
    let torch = format!(
        r#"{{"class_name": "TorchModuleWrapper", "module": "keras.layers", "config": {{"module": "{pickle}"}}}}"#
    );
    let found = found(&model(&torch));
    assert!(
        found[0].starts_with("code in an object of class TorchModuleWrapper") && found[1] == "child Base64",
        "{found:?}"
    );
}

#[test]
fn a_saved_model_elsewhere_is_external_data() {
    let layer = r#"{"class_name": "TFSMLayer", "module": "keras.layers", "config": {"filepath": "/tmp/model"}}"#;
    assert_eq!(found(&model(layer)), ["ExternalData"]);
}

#[test]
fn a_function_of_tensorflow_that_writes_is_an_operator_that_reaches() {
    let layer = r#"{"class_name": "TFOpLambda", "config": {"name": "w", "function": "io.write_file"}}"#;
    assert_eq!(found(&model(layer)), ["operator io.write_file"]);
}

#[test]
fn keys_in_another_order_and_twice_hide_nothing() {
    let lambda = r#"{"config": {"function": ["4wEAAAA=", null, null]}, "class_name": "Lambda"}"#;
    assert_eq!(found(&model(lambda)).len(), 1);
    let twice = r#"{"class_name": "Lambda", "class_name": "Dense", "config": {"function": ["4wEAAAA=", null, null]}}"#;
    assert_eq!(found(&model(twice)).len(), 2);
}

#[test]
fn positions_count_from_where_the_text_is() {
    let facts = read(&model(r#"{"class_name": "Mine", "config": {}}"#));
    let at = facts.list().iter().find(|fact| matches!(fact.kind, FactKind::Callable(_))).map(|fact| fact.position);
    assert!(matches!(at, Some(Position::Offset(offset)) if offset > 100));
    assert!(!facts.has_anomaly(Anomaly::Malformed));
}

#[test]
fn a_loss_that_only_a_program_knows_is_told_as_a_class_is() {
    let compiled = |loss: &str, metrics: &str| {
        format!(
            r#"{{"loss": {loss}, "metrics": {metrics}, "optimizer_config": {{"class_name": "Adam", "config": {{"name": "adam"}}}}}}"#
        )
    };
    for (loss, metrics) in [
        (r#""mse""#, "null"),
        (r#"{"a": "MeanSquaredError", "b": ["hinge"]}"#, r#"["accuracy", ["acc", "AUC"]]"#),
        (
            r#"{"class_name": "Huber", "config": {"name": "huber_of_mine", "reduction": "auto"}}"#,
            r#"[[{"class_name": "MeanMetricWrapper", "config": {"name": "mine", "dtype": "float32", "fn": "mae"}}]]"#,
        ),
        ("null", "[]"),
    ] {
        assert_eq!(found(&compiled(loss, metrics)), Vec::<String>::new(), "{loss} {metrics}");
    }
    assert_eq!(found(&compiled(r#""my_loss""#, "null")), ["unknown .my_loss"]);
    assert_eq!(
        found(&compiled(r#"["mse", "my_loss"]"#, r#"{"a": ["my_metric"]}"#)),
        ["unknown .my_loss", "unknown .my_metric"]
    );
    let whole = model("").replacen('{', &format!(r#"{{"compile_config": {}, "#, compiled(r#""my_loss""#, "[]")), 1);
    assert_eq!(found(&whole), ["unknown .my_loss"]);
    // No configuration of Keras.
    assert_eq!(found(r#"{"loss": "my_loss", "metrics": ["f7"]}"#), Vec::<String>::new());
}

#[test]
fn functions_that_reach_the_machine_are_told_in_a_lambda_too() {
    let lambda = |module: &str, name: &str| {
        let function = format!(
            r#"{{"module": "{module}", "class_name": "function", "config": "{name}", "registered_name": "{name}"}}"#
        );
        found(&model(&format!(
            r#"{{"module": "keras.layers", "class_name": "Lambda", "config": {{"function": {function}}}}}"#
        )))
    };
    for (module, name) in [
        ("tensorflow", "py_function"),
        ("tensorflow.io", "write_file"),
        ("tensorflow.io.gfile", "copy"),
        ("jax", "pure_callback"),
    ] {
        assert_eq!(lambda(module, name), [format!("critical {module}.{name}")]);
        let plain = format!(
            r#"{{"class_name": "Lambda", "config": {{"function": "{module}.{name}", "function_type": "function"}}}}"#
        );
        assert_eq!(found(&model(&plain)), [format!("critical .{module}.{name}")]);
    }
}

#[test]
fn a_tokenizer_that_reads_a_file_elsewhere_is_told() {
    let tokenizer = |proto: &str| {
        found(&model(&format!(
            r#"{{"module": "keras_nlp.tokenizers", "class_name": "SentencePieceTokenizer", "config": {{"proto": "{proto}"}},
            "registered_name": "keras_nlp>SentencePieceTokenizer"}}"#
        )))
    };
    assert!(tokenizer("/etc/passwd").contains(&"ExternalData".to_owned()));
    assert!(tokenizer("gs://evil/x").contains(&"ExternalData".to_owned()));
    assert!(!tokenizer("CgkKBTx1bms+/w==").contains(&"ExternalData".to_owned()));
}
