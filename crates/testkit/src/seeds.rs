//! Small files of every format, to mutate: what a fuzzer and the smoke test start from.

use crate::{assemble, encode, samples, tensorflow};

/// Text that is any format's, from one block each.
#[rustfmt::skip]
const BLOCKS: &[(&str, &str, &str)] = &[
    ("pickle", "pickle-assembly", "PROTO 4\nEMPTY_DICT\nMEMOIZE\nMARK\nSHORT_BINUNICODE \"w\"\nBININT1 7\nSETITEMS\nSTOP"),
    ("pickle", "pickle-assembly", "PROTO 2\nGLOBAL collections OrderedDict\nBINPUT 0\nEMPTY_TUPLE\nREDUCE\nBINPUT 1\nMARK\nBINUNICODE \"a\"\nBINGET 0\nSETITEMS\nSTOP"),
    ("pickle", "pickle-assembly", "PROTO 4\nFRAME 30\nSHORT_BINUNICODE \"os\"\nSHORT_BINUNICODE \"system\"\nSTACK_GLOBAL\nSHORT_BINUNICODE \"echo waag-inert\"\nTUPLE1\nREDUCE\nSTOP"),
    ("pickle", "pickle-assembly", "MARK\nSTRING 'echo waag-inert'\nINST os system\nPUT 0\nMARK\nGET 0\nLONG 12L\nFLOAT 1.5\nUNICODE a\nLIST\nBUILD\nSTOP"),
    ("pickle", "pickle-assembly", "PROTO 5\nBYTEARRAY8 000102\nNEXT_BUFFER\nREADONLY_BUFFER\nLONG1 1000\nBINFLOAT 2.5\nEMPTY_SET\nMARK\nNONE\nADDITEMS\nEXT1 1\nTUPLE3\nDUP\nPOP\nSTOP\nPROTO 2\nNEWTRUE\nSTOP"),
    ("pickle", "pickle-assembly", samples::STATE_DICT),
    ("safetensors", "safetensors-header", "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},\"b\":{\"dtype\":\"I8\",\"shape\":[3],\"data_offsets\":[16,19]}}\ndata 19 bytes"),
    ("gguf", "gguf", "general.architecture = \"llama\"\nllama.block_count = 2\ntokenizer.ggml.tokens = [\"a\", \"b\"]\ntokenizer.chat_template = \"{% for m in messages %}{{ m.content }}{% endfor %}\"\ntensor a F32 [2, 2]\ntensor b I8 [3]"),
    ("gguf", "gguf", "version 1\nx = true\ny = 1.5"),
    ("ggml-legacy", "hex", "6c6d6767 20000000 08000000 01000000 01000000 01000000 00000000 01000000 61"),
    ("huggingface-config", "json", "{\"architectures\":[\"LlamaForCausalLM\"],\"auto_map\":{\"AutoModel\":\"code.Model\"},\"model_type\":\"llama\",\"torch_dtype\":\"float16\",\"trust_remote_code\":true}"),
    ("huggingface-config", "json", "{\"chat_template\":\"{{ messages[0].content }}\",\"tokenizer_class\":\"X\",\"auto_map\":{\"AutoTokenizer\":[\"code.T\",null]}}"),
    ("jinja", "jinja", "{% set x = namespace(a=1) %}{% for m in messages if m.role != 'x' %}{{ '<|' ~ m['role'] ~ '|>' + m.content | trim }}{% else %}{{ raise_exception('no') }}{% endfor %}{%- macro f(a, b=2) -%}{{ a[::-1] }}{%- endmacro -%}{{ f(1) }}"),
    ("jinja", "jinja", "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ x|attr('__init__') }}{% include 'a' %}"),
    ("json", "json", "{\"a\":[1,-2.5e3,true,null,\"\\u00e9\\n\"],\"b\":{\"a\":{}},\"a\":1}"),
    ("json", "json", "[[[[[]]]],\"x\"]"),
    ("zip", "zip", "a.txt = hello\nb.pkl <- pickle-assembly\nNONE\nSTOP\nend"),
    ("zip", "zip", "BYTES 4d5a\na.txt (local=b.txt, encrypted) = hello\n../c = x"),
    ("npy", "hex", "934e554d5059 0100 3600 7b2764657363 72273a20273c6634272c2027666f72747261 6e5f6f72646572273a2046616c73652c2027 7368617065273a2028322c297d0a 0000803f 00000040"),
    ("tensorflow-graph", "tensorflow-graph", "saved-model\nnode path Const\n  value = \"vocab.txt\"\nnode w Const\n  value = 1 [2, 2] 16\nnode x Placeholder\nnode y MatMul x w\nnode call StatefulPartitionedCall path\n  f = @f\nfunction f(name)\nnode read ReadFile name\nnode print PrintV2 read\n  output_stream = {\"s\": \"stderr\"}\nend\nasset path vocab.txt"),
    ("tensorflow-graph", "tensorflow-graph", "node prefix Const\n  value = \"/tmp/waag-inert\"\nnode save SaveV2 prefix\nnode debug DebugIdentityV2 save\n  debug_urls = [\"file:///tmp/waag-inert\"]\nfunction f(x)\nnode a f x\nend"),
    ("tensorflow-metadata", "hex", "0a4a10011a04726f6f7422145f74665f6b657261735f73657175656e7469616c2a2a7b22636c6173735f6e616d65223a202253657175656e7469616c222c2022636f6e666967223a207b7d7d"),
    ("tensorflow-text", "text", "node {\n  name: \"p\"\n  op: \"Const\"\n  attr { key: \"value\" value { tensor { dtype: DT_STRING string_val: \"/etc/\" 'pass\\x77d' } } }\n}\nnode <name: \"r\" op: \"ReadFile\" input: [\"p\"]>\nlibrary { function: [{ signature { name: \"f\" } node_def { op: \"NoOp\" } }] }\nversions { producer: 1 } # end\n"),
    ("tensorflow-text", "text", "model_checkpoint_path: \"model.ckpt-5\"\nall_model_checkpoint_paths: \"model.ckpt-5\"\n"),
    ("tensorflow-data", "hex", "0000803f 00000040"),
    ("python-source", "text", "import os\n\ndef load():\n    return os.getcwd()\n"),
    ("executable", "hex", "7f454c46 02010100 0000000000000000 0300 3e00 01000000 0000000000000000 4000000000000000"),
    ("executable", "text", "#!/bin/sh\necho waag-inert\n"),
    ("media", "hex", "89504e47 0d0a1a0a 0000000d 49484452 00000001 00000001 08000000 00 3a7e9b55 00000000 49454e44 ae426082"),
    ("text", "text", "some words\nand more\n"),
];

const ASSEMBLES: &str = "seeds are written to be assembled";

/// Small files of a format; empty when nobody made any.
#[must_use]
pub fn seeds(format: &str) -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = BLOCKS
        .iter()
        .filter(|(known, ..)| *known == format)
        .map(|(_, kind, body)| assemble::bytes(kind, body).expect(ASSEMBLES).1)
        .collect();
    seeds.extend(encoded(format));
    seeds
}

fn encoded(format: &str) -> Option<Vec<u8>> {
    let (_, pickle) = assemble::bytes("pickle-assembly", samples::STATE_DICT).expect(ASSEMBLES);
    let files: &[(&str, &[u8])] = &[("data.pkl", &pickle), ("text/a.txt", b"hello hello hello hello")];
    Some(match format {
        "tar" => encode::tar(files),
        "7z" => encode::sevenzip(files),
        "gzip" => encode::gzip(&pickle),
        "bzip2" => encode::bzip2(&pickle),
        "xz" => encode::xz(&pickle),
        "lzma" => encode::lzma(&pickle),
        "zstd" => encode::zstd(&pickle),
        "lz4" => encode::lz4(&pickle),
        "zlib" => encode::zlib(&pickle),
        "joblib-zfile" => {
            [format!("ZF{:<19}", format!("{:#x}", pickle.len())).into_bytes(), encode::zlib(&pickle)].concat()
        }
        "tensorflow-checkpoint" => tensorflow::table(&[
            (b"", &tensorflow::number(1, 1)),
            (b"a", &tensorflow::place(1, &[2, 2], 0, 0, 16)),
            (b"ab", &tensorflow::place(9, &[3], 0, 16, 24)),
        ]),
        "tfrecord" => tensorflow::records(&[b"one", b"", b"three"]),
        "zip" => assemble::bytes("zip", &samples::torch_zip(samples::STATE_DICT)).expect(ASSEMBLES).1,
        _ => return None,
    })
}

/// Small files of all formats.
#[must_use]
pub fn all_seeds() -> Vec<Vec<u8>> {
    let mut names: Vec<&str> = BLOCKS.iter().map(|(name, ..)| *name).collect();
    names.dedup();
    names.extend([
        "tar",
        "7z",
        "gzip",
        "bzip2",
        "xz",
        "lzma",
        "zstd",
        "lz4",
        "zlib",
        "joblib-zfile",
        "tensorflow-checkpoint",
        "tfrecord",
    ]);
    names.iter().flat_map(|name| seeds(name)).collect()
}
