//! Writes the examples: honest models, and hostile ones that do nothing worse than `echo waag-inert`.
//!
//! `cargo run -p waag-testkit --example make-examples -- examples/out`

#![expect(clippy::expect_used, reason = "what fails here fails for the person who ran it")]

use std::path::Path;

use waag_testkit::assemble::bytes;
use waag_testkit::samples::{STATE_DICT, torch_zip};

const SAFETENSORS: &str = r#"{"__metadata__":{"format":"pt"},
"embed.weight":{"dtype":"F32","shape":[32,8],"data_offsets":[0,1024]},
"head.bias":{"dtype":"F32","shape":[32],"data_offsets":[1024,1152]}}
data 1152 bytes"#;

const CONFIG: &str = r#"{
  "architectures": ["LlamaForCausalLM"],
  "hidden_size": 8,
  "model_type": "llama",
  "vocab_size": 32
}
"#;

const CONFIG_WITH_CODE: &str = r#"{
  "architectures": ["WeighModel"],
  "auto_map": {"AutoModel": "modeling_weigh.WeighModel"},
  "model_type": "weigh"
}
"#;

const TEMPLATE: &str = "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}{% endfor %}";
const ESCAPE: &str = "{{ ''.__class__.__mro__[1].__subclasses__() }}";

const SHELL: &str = r#"PROTO 4
SHORT_BINUNICODE "os"
SHORT_BINUNICODE "system"
STACK_GLOBAL
SHORT_BINUNICODE "echo waag-inert"
TUPLE1
REDUCE
STOP"#;

const CODE: &str = "class WeighModel:\n    pass\n";

/// Path, kind of block, block.
fn examples() -> Vec<(&'static str, &'static str, String)> {
    let quote = |text: &str| serde_json::to_string(text).expect("a text is JSON");
    let gguf = |template: &str| {
        let template = quote(template);
        format!("general.architecture = \"llama\"\ntokenizer.chat_template = {template}\ntensor embed F32 [8, 32]")
    };
    let tokenizer = format!("{{\"chat_template\": {}, \"tokenizer_class\": \"LlamaTokenizer\"}}\n", quote(TEMPLATE));
    vec![
        ("honest/llama/config.json", "json", CONFIG.to_owned()),
        ("honest/llama/tokenizer_config.json", "json", tokenizer),
        ("honest/llama/model.safetensors", "safetensors-header", SAFETENSORS.to_owned()),
        ("honest/model.gguf", "gguf", gguf(TEMPLATE)),
        ("honest/state_dict.pt", "zip", torch_zip(STATE_DICT)),
        ("hostile/shell.pkl", "pickle-assembly", SHELL.to_owned()),
        (
            "hostile/two-names.pt",
            "zip",
            torch_zip(STATE_DICT).replacen("data.pkl <-", "data.pkl (local=archive/x.pkl) <-", 1),
        ),
        ("hostile/template.gguf", "gguf", gguf(ESCAPE)),
        ("hostile/remote-code/config.json", "json", CONFIG_WITH_CODE.to_owned()),
        ("hostile/remote-code/modeling_weigh.py", "text", CODE.to_owned()),
    ]
}

fn main() -> std::io::Result<()> {
    let root = std::env::args().nth(1).expect("usage: make-examples FOLDER");
    for (path, kind, block) in examples() {
        let path = Path::new(&root).join(path);
        std::fs::create_dir_all(path.parent().expect("a path within the folder"))?;
        std::fs::write(path, bytes(kind, &block).expect("examples are written to be assembled").1)?;
    }
    Ok(())
}
