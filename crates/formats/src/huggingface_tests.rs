//! Tests of the configuration reader.

use super::*;
use crate::testing::{inspect, mutate, oddities};

fn references(text: &str) -> Vec<String> {
    let facts = inspect(&HuggingFaceConfig, "config.json", text.as_bytes());
    let mut found = Vec::new();
    for fact in facts.list() {
        match &fact.kind {
            FactKind::Reference { kind, target } => found.push(format!("{kind:?} {target}")),
            FactKind::Template { name, .. } => found.push(format!("template {name}")),
            FactKind::TemplateReach { reach, .. } => found.push(format!("{reach:?}")),
            _ => {}
        }
    }
    found
}

#[test]
fn remote_code_is_found_at_any_depth() {
    let text = r#"{"auto_map": {"AutoModel": "evil/repo--modeling.Model", "AutoTokenizer": ["a.Slow", null]},
        "text_config": {"auto_map": "b.C"}, "x": [{"trust_remote_code": true}], "trust_remote_code": false,
        "custom_pipelines": {"p": {"impl": "p.P", "pt": ["AutoModel"]}}}"#;
    let wanted = [
        "RemoteCode evil/repo--modeling.Model",
        "Model evil/repo",
        "RemoteCode a.Slow",
        "RemoteCode b.C",
        "RemoteCode trust_remote_code: true",
        "RemoteCode p.P",
    ];
    assert_eq!(references(text), wanted);
}

#[test]
fn kernels_of_other_repositories_are_code() {
    for key in ["attn_implementation", "_attn_implementation", "_attn_implementation_internal"] {
        assert_eq!(references(&format!(r#"{{"{key}": "evil-org/kernel"}}"#)), ["RemoteCode evil-org/kernel"], "{key}");
        let nested = format!(r#"{{"text_config": {{"{key}": {{"": "evil-org/kernel@main:fn"}}}}}}"#);
        assert_eq!(references(&nested), ["RemoteCode evil-org/kernel@main:fn"], "{key}");
        for usual in ["eager", "sdpa", "flash_attention_2", "flex_attention", "paged|sdpa"] {
            assert_eq!(references(&format!(r#"{{"{key}": "{usual}"}}"#)), Vec::<String>::new(), "{usual}");
        }
    }
    assert_eq!(
        references(r#"{"custom_generate": "evil/gen", "a": {"custom_generate": null}}"#),
        ["RemoteCode evil/gen"]
    );
}

#[test]
fn lists_of_classes_name_code() {
    let named = |name: &str, text: &str| {
        let facts = inspect(&HuggingFaceConfig, name, text.as_bytes());
        let code = |fact: &crate::fact::Fact| match &fact.kind {
            FactKind::Reference { kind: ReferenceKind::RemoteCode, target } => Some(target.clone()),
            _ => None,
        };
        facts.list().iter().filter_map(code).collect::<Vec<_>>()
    };
    let modules = r#"[{"idx": 0, "type": "sentence_transformers.models.Pooling"}, {"idx": 1, "type": "os.system"}]"#;
    assert_eq!(named("a/modules.json", modules), ["os.system"]);
    let index = r#"{"_class_name": ["my_pipeline", "P"], "unet": ["diffusers", "U"], "vae": ["my_vae", "V"], "x": [null, null]}"#;
    assert_eq!(named("model_index.json", index), ["my_pipeline", "my_vae"]);
    assert_eq!(named("other.json", index), Vec::<String>::new());
}

#[test]
fn keys_are_compared_unescaped() {
    assert_eq!(references(r#"{"\u0061uto_map": {"AutoModel": "a.B"}}"#), ["RemoteCode a.B"]);
}

#[test]
fn templates_are_found_in_every_form() {
    let text = r#"{"chat_template": [{"name": "default", "template": "{{ x.__class__ }}"}, {"template": "y", "name": "late"}]}"#;
    assert_eq!(references(text), ["template chat_template.default", "Internals", "template chat_template[1].template"]);
    assert_eq!(references(r#"{"a": {"chat_template": "{{ lipsum }}"}}"#), ["template a.chat_template", "Host"]);
    assert_eq!(references(r#"{"chat_template": {"tool": "x"}}"#), ["template chat_template.tool"]);
}

#[test]
fn adapters_import_what_they_name() {
    let mapping = |library: &str| {
        references(&format!(r#"{{"auto_mapping": {{"base_model_class": "system", "parent_library": "{library}"}}}}"#))
    };
    assert_eq!(mapping("os"), ["RemoteCode os"]);
    assert_eq!(mapping("transformers_modules.x.modeling"), ["RemoteCode transformers_modules.x.modeling"]);
    for known in ["transformers.models.llama.modeling_llama", "timm.models.resnet", "__main__"] {
        assert_eq!(mapping(known), Vec::<String>::new());
    }
}

#[test]
fn a_base_model_elsewhere_is_missing() {
    let gaps = |name: &str| {
        let text = format!(r#"{{"base_model_name_or_path": "{name}"}}"#);
        oddities(&inspect(&HuggingFaceConfig, "adapter_config.json", text.as_bytes()))
    };
    for name in ["/home/me/llama", "C:/models/x", "http://example.invalid/model", "../base", "~/base"] {
        assert_eq!(gaps(name), ["Missing@28"], "{name}");
    }
    for name in ["meta-llama/Llama-3.1-8B", "base", "./base", ""] {
        assert_eq!(gaps(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn an_index_names_each_file_once() {
    let text = r#"{"metadata": {"total_size": 1}, "weight_map": {"a": "1.safetensors", "b": "1.safetensors", "c": "../2.bin"}}"#;
    assert_eq!(references(text), ["File 1.safetensors", "File ../2.bin"]);
}

#[test]
fn an_ordinary_configuration_has_nothing_odd() {
    let text = r#"{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16",
        "transformers_version": "4.44.0", "quantization_config": {"quant_method": "gptq"}, "eval": "os.system"}"#;
    let facts = inspect(&HuggingFaceConfig, "config.json", text.as_bytes());
    assert_eq!(oddities(&facts), Vec::<String>::new());
    assert_eq!(facts.find_property("architecture"), Some("LlamaForCausalLM"));
    assert_eq!(facts.find_property("quantization"), Some("gptq"));
    assert_eq!(facts.find_property("dtype"), Some("bfloat16"));
}

#[test]
fn a_tokenizer_has_a_vocabulary_and_a_kind() {
    let text = r#"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}}}"#;
    let facts = inspect(&HuggingFaceConfig, "tokenizer.json", text.as_bytes());
    assert_eq!(facts.find_property("vocabulary"), Some("2"));
    assert_eq!(facts.find_property("tokenizer"), Some("BPE"));
}

#[test]
fn a_large_tokenizer_is_read_whole() {
    let mut text = String::from("{\"model\": {\"type\": \"BPE\", \"vocab\": {");
    for index in 0..100_000 {
        text.push_str(&format!("\"token{index}\": {index},"));
    }
    text.push_str("\"last\": 100000}}}");
    let facts = inspect(&HuggingFaceConfig, "tokenizer.json", text.as_bytes());
    assert_eq!(oddities(&facts), Vec::<String>::new());
    assert_eq!(facts.find_property("vocabulary"), Some("100001"));
}

#[test]
fn duplicate_keys_are_found() {
    let facts = inspect(&HuggingFaceConfig, "config.json", br#"{"auto_map": {}, "auto_map": {"A": "b.C"}}"#);
    assert_eq!(oddities(&facts), ["DuplicateName@17"]);
}

#[test]
fn no_mutation_panics() {
    let seed = br#"{"auto_map": {"A": "b--c.D"}, "chat_template": [{"name": "n", "template": "{{ x['a'] }}"}], "weight_map": {"a": "b"}}"#;
    mutate(seed, 3000, |bytes| drop(inspect(&HuggingFaceConfig, "config.json", &bytes)));
}
