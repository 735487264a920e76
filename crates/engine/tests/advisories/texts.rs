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
