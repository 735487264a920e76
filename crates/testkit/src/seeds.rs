//! Small files of every format, to mutate: what a fuzzer and the smoke test start from.

use crate::hdf5::{self, Item};
use crate::{assemble, encode, flat, projects, samples, tensorflow};

/// Bundles, which are no format of models.
const SIGNATURES: [&[u8]; 4] = [
    include_bytes!("../../signing/tests/vectors/sigs/key-p256-shards-12.sig"),
    include_bytes!("../../signing/tests/vectors/sigs/cert-p256.sig"),
    include_bytes!("../../signing/tests/vectors/keys/signer-p256.crt"),
    include_bytes!("../../signing/tests/vectors/keys/p256.pub.pem"),
];

/// Statements, one of each kind that the graph reads.
const STATEMENTS: [&str; 5] = [
    r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"m","digest":{"sha256":"00ff"},"annotations":{"files":1}},{"name":"f","digest":{"sha256":"11"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{"buildType":"https://waag.dev/build-types/train/v1","externalParameters":{"a":[1]},"resolvedDependencies":[{"uri":"git+https://example.org/a","digest":{"gitCommit":"AB"}},{"name":"d","digest":{"sha256":"22"},"annotations":{"role":"dataset"}}]},"runDetails":{"builder":{"id":"b"},"metadata":{"finishedOn":"2026-01-02T03:04:05Z"}}}}"#,
    r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"https://waag.dev/predicates/claims/v1","predicate":{"claims":[{"subject":{"digest":{"sha256":"00"}},"role":"base-model","object":{"name":"a/b"},"voice":"derived-from-file","source":{"kind":"gguf","location":"m.gguf","place":"x"},"saidAt":"2026-01-02T03:04:05Z"}]}}"#,
    r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"00"}}],"predicateType":"https://in-toto.io/attestation/vulns/v0.2","predicate":{"scanner":{"uri":"s","result":[{"id":"CVE-1","annotations":[{"p":"pkg:pypi/a@1"}]},{"id":"CVE-2"}]}}}"#,
    r#"{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"digest":{"sha256":"00"}}],"predicateType":"https://cyclonedx.org/bom","predicate":{"components":[{"type":"data","name":"d","hashes":[{"alg":"SHA-256","content":"aa"}]},{"type":"library","name":"t","purl":"pkg:pypi/t@2"}]}}"#,
    r#"{ "payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": [ { "sig": "AAE=", "keyid": "k" } ] }"#,
];

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
    ("huggingface-config", "json", "{\"added_tokens\":[{\"id\":0,\"content\":\"<s>\",\"special\":true}],\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"b\"},\"model\":{\"type\":\"BPE\",\"vocab\":{\"abc\":0,\"abd\":0}}}"),
    ("jinja", "jinja", "{% set x = namespace(a=1) %}{% for m in messages if m.role != 'x' %}{{ '<|' ~ m['role'] ~ '|>' + m.content | trim }}{% else %}{{ raise_exception('no') }}{% endfor %}{%- macro f(a, b=2) -%}{{ a[::-1] }}{%- endmacro -%}{{ f(1) }}"),
    ("jinja", "jinja", "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ x|attr('__init__') }}{% include 'a' %}"),
    ("json", "json", "{\"a\":[1,-2.5e3,true,null,\"\\u00e9\\n\"],\"b\":{\"a\":{}},\"a\":1}"),
    ("json", "json", "[[[[[]]]],\"x\"]"),
    ("onnx", "onnx", "node Conv group=1\nnode Odd domain=org.example\nnode PyOp domain=mine module=os class_name=system\ntensor w FLOAT [2, 3]\nexternal e FLOAT [2] location=w.bin offset=0 length=8\nmetadata a = b\nfunction mine Twice calls Add"),
    ("onnx", "protobuf", "1 = 8\n7 {\n1 {\n4 = \"If\"\n5 {\n1 = \"then_branch\"\n6 {\n1 {\n4 = \"Relu\"\n}\n5 {\n1 = 2\n2 = 1\n4 = hex 0000000000000000\n}\n}\n20 = 5\n}\n}\n11 {\n1 = \"x\"\n2 {\n1 {\n1 = 1\n2 {\n1 {\n1 = 3\n}\n}\n}\n}\n}\n}\n8 {\n2 = 17\n}"),
    ("onnx-tensor", "protobuf", "1 = 2\n2 = 1\n8 = \"x\"\n9 = hex 0000000000000000"),
    ("onnx-text", "text", "ir_version: 8\ngraph {\n  name: \"g\"\n}\nopset_import {\n  version: 17\n}\n"),
    ("paddle", "protobuf", "1 {\n1 = 0\n2 = -1\n3 {\n1 = \"w\"\n2 {\n1 = 7\n3 {\n1 {\n1 = 5\n2 = 2\n}\n}\n}\n3 = 1\n}\n4 {\n1 {\n1 = \"X\"\n2 = \"w\"\n}\n3 = \"py_func\"\n4 {\n1 = \"a\"\n2 = 0\n3 = 1\n}\n}\n}\n4 {\n1 = 0\n}"),
    ("paddle-pir", "json", "{\"base_code\":{\"magic\":\"pir\",\"version\":4},\"program\":{\"regions\":[{\"blocks\":[{\"ops\":[{\"#\":\"1.py_func\"},{\"#\":\"3.mine\"}]}]}]}}"),
    ("paddle-parameters", "hex", "00000000 0000000000000000 00000000 04000000 08051002 0000803f 00000040"),
    ("coreml", "protobuf", "1 = 4\n2 {\n100 {\n3 = \"me\"\n}\n}\n202 {\n1 {\n1 = 4\n500 {\n1 {\n1 = \"l\"\n140 {\n1 = 2\n}\n}\n1 {\n500 {\n10 = \"Odd\"\n}\n}\n}\n}\n}"),
    ("coreml", "protobuf", "1 = 7\n502 {\n1 = 1\n2 {\n1 = \"main\"\n2 {\n3 {\n1 = \"CoreML7\"\n2 {\n3 {\n1 = \"const\"\n5 {\n1 = \"val\"\n2 {\n5 {\n1 = \"@model_path/weights/weight.bin\"\n2 = 64\n}\n}\n}\n}\n}\n}\n}\n}\n}"),
    ("coreml-manifest", "json", "{\"fileFormatVersion\":\"1.0.0\",\"itemInfoEntries\":{\"1\":{\"author\":\"a\",\"path\":\"com.apple.CoreML/model.mlmodel\"}},\"rootModelIdentifier\":\"1\"}"),
    ("coreml-weights", "hex", "01000000 02000000 0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000 efbeadde 01000000 0400000000000000 8000000000000000 00000000000000000000000000000000000000000000000000000000000000000000000000000000 00000000"),
    ("cntk", "protobuf", "1 = 1\n2 {\n1 = \"type\"\n2 {\n1 = 1\n2 = 6\n8 = \"UserFunction\"\n}\n}\n2 {\n1 = \"inputs\"\n2 {\n1 = 1\n2 = 9\n11 {\n1 {\n2 = 10\n12 {\n2 {\n1 = \"module\"\n2 {\n8 = \"os\"\n}\n}\n}\n}\n}\n}\n}"),
    ("caffe", "protobuf", "1 = \"net\"\n100 {\n1 = \"ip\"\n2 = \"InnerProduct\"\n7 {\n5 = hex 0000000000000000\n7 {\n1 = hex 02\n}\n}\n}\n100 {\n2 = \"Python\"\n130 {\n1 = \"os\"\n2 = \"system\"\n}\n}"),
    ("json", "json", "{\"nodes\":[{\"op\":\"Custom\",\"name\":\"x\",\"attrs\":{\"op_type\":\"mine\"},\"inputs\":[]}],\"arg_nodes\":[0],\"heads\":[[0,0,0]]}"),
    ("json", "json", "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:abababababababababababababababababababababababababababababababab\",\"size\":3,\"mediaType\":\"application/vnd.ollama.image.model\"},\"layers\":[{\"digest\":\"../x\",\"size\":1}]}"),
    ("pmml", "text", "<?xml version=\"1.0\"?><PMML xmlns=\"http://www.dmg.org/PMML-4_4\" version=\"4.4\"><DataDictionary><DataField name=\"x\"/></DataDictionary><DefineFunction name=\"f\"><Apply function=\"+\"/></DefineFunction><RegressionModel functionName=\"regression\"><Apply function=\"java.lang.Runtime\"/><Extension name=\"a\" value=\"b\"/></RegressionModel></PMML>"),
    ("openvino", "text", "<?xml version=\"1.0\"?><net name=\"m\" version=\"11\"><layers><layer id=\"0\" name=\"w\" type=\"Const\" version=\"opset1\"><data element_type=\"f32\" shape=\"2, 2\" offset=\"0\" size=\"16\"/></layer><layer id=\"1\" name=\"r\" type=\"Result\" version=\"opset1\"/></layers><edges><edge from-layer=\"0\" to-layer=\"1\"/></edges><rt_info><a value=\"1\"/></rt_info></net>"),
    ("xml", "text", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE a [<!ENTITY x \"y\"><!ENTITY % p SYSTEM \"http://203.0.113.7/a.dtd\"> %p;]>\n<a b='1' c=\"&lt;&#65;\"><!-- c --><![CDATA[ <x> ]]>&x;<d/></a>\n"),
    ("xml", "text", "<a xmlns:xi=\"http://www.w3.org/2001/XInclude\"><xi:include href=\"b\"/></a>"),
    ("java-serialized", "hex", "aced0005737200116a6176612e7574696c2e486173684d617000000000000000 0002000078707372003a6f72672e6170616368652e636f6d6d6f6e732e636f6c 6c656374696f6e732e66756e63746f72732e496e766f6b65725472616e73666f 726d657200000000000000000200007870"),
    ("dotnet-serialized", "hex", "0001000000ffffffff01000000000000000c020000000553797374656d2e5769 6e646f77732e446174612e4f626a6563744461746150726f76696465720b"),
    ("matlab", "hex", "4d41544c414220352e30204d41542d66696c6520202020202020202020202020 2020202020202020202020202020202020202020202020202020202020202020 2020202020202020202020202020202020202020202020202020202020202020 202020202020202020202020202020202020202020202020202020200001494d 0e00000048000000060000000800000006000000000000000500000008000000 0100000002000000010000000100000077000000000000000900000010000000 000000000000000000000000000000000e000000680000000600000008000000 0100000000000000050000000800000001000000010000000100000001000000 63000000000000000e0000003000000006000000080000001000000000000000 0500000008000000010000000100000001000000010000006600000000000000"),
    ("darknet", "text", "# network\n[net]\nbatch=1\n[convolutional]\nfilters=16\n[yolo]\n"),
    ("darknet-weights", "hex", "00000000020000000500000007000000000000000000803f00000040"),
    ("ncnn", "text", "7767517\n2 2\nInput data 0 1 data 0=3\nConvolution c 1 1 data c 0=8\n"),
    ("mxnet-params", "hex", "120100000000000000000000000000000100000000000000c9fa93f900000000 0200000002000000000000000300000000000000010000000000000000000000 0000000000000000000000000000000000000000000000000100000000000000 05000000000000006172673a77"),
    ("arrow", "hex", "ffffffff30000000100000000000000000000000000000006172726f772e7079 5f657874656e73696f6e5f74797065000400000080024e2e"),
    ("arrow", "hex", "4152524f57310000ffffffff3000000010000000000000000000000000000000 6172726f772e70795f657874656e73696f6e5f74797065000400000080024e2e 300000004152524f5731"),
    ("parquet", "hex", "50415231180c4152524f573a736368656d61180451554a441400000050415231"),
    ("compiled-model", "hex", "707472740000000020456666696369656e744e4d535f545254007f454c460201 0100000000000000000003003e00"),
    ("compiled-model", "hex", "020000007b7d707472740000000020456666696369656e744e4d535f54525400 7f454c4602010100000000000000000003003e00"),
    ("closed-archive", "hex", "526172211a07010061616161"),
    ("closed-archive", "hex", "53514c69746520666f726d617420330061616161"),
    ("wide-text", "hex", "fffe7b00220061002200 3a0020005b0031002c00 320033005d007d00"),
    ("zip", "zip", "a.txt = hello\nb.pkl <- pickle-assembly\nNONE\nSTOP\nend"),
    ("zip", "zip", "BYTES 4d5a\na.txt (local=b.txt, encrypted) = hello\n../c = x"),
    ("sentencepiece", "hex", "0a0e 0a05 3c756e6b3e 15 00000000 1802 0a08 0a01 61 15 00000000 1204 0a02 6162 1a0a 0a08 6e6d745f6e666b63"),
    ("npy", "hex", "934e554d5059 0100 3600 7b2764657363 72273a20273c6634272c2027666f72747261 6e5f6f72646572273a2046616c73652c2027 7368617065273a2028322c297d0a 0000803f 00000040"),
    ("tensorflow-graph", "tensorflow-graph", "saved-model\nnode path Const\n  value = \"vocab.txt\"\nnode w Const\n  value = 1 [2, 2] 16\nnode x Placeholder\nnode y MatMul x w\nnode call StatefulPartitionedCall path\n  f = @f\nfunction f(name)\nnode read ReadFile name\nnode print PrintV2 read\n  output_stream = {\"s\": \"stderr\"}\nend\nasset path vocab.txt"),
    ("tensorflow-graph", "tensorflow-graph", "node prefix Const\n  value = \"/tmp/waag-inert\"\nnode save SaveV2 prefix\nnode debug DebugIdentityV2 save\n  debug_urls = [\"file:///tmp/waag-inert\"]\nfunction f(x)\nnode a f x\nend"),
    ("tensorflow-metadata", "hex", "0a4a10011a04726f6f7422145f74665f6b657261735f73657175656e7469616c2a2a7b22636c6173735f6e616d65223a202253657175656e7469616c222c2022636f6e666967223a207b7d7d"),
    ("tensorflow-text", "text", "node {\n  name: \"p\"\n  op: \"Const\"\n  attr { key: \"value\" value { tensor { dtype: DT_STRING string_val: \"/etc/\" 'pass\\x77d' } } }\n}\nnode <name: \"r\" op: \"ReadFile\" input: [\"p\"]>\nlibrary { function: [{ signature { name: \"f\" } node_def { op: \"NoOp\" } }] }\nversions { producer: 1 } # end\n"),
    ("tensorflow-text", "text", "model_checkpoint_path: \"model.ckpt-5\"\nall_model_checkpoint_paths: \"model.ckpt-5\"\n"),
    ("tensorflow-data", "hex", "0000803f 00000040"),
    ("python-source", "text", "import os\n\ndef load():\n    return os.getcwd()\n"),
    ("python-source", "text", "import os as o, base64\nfrom a.b import *\nclass A(B, m=C):\n  @d(1)\n  def f(self, x=f'{o.x!r:>{w}}'):\n    if (y := x) + 'a' b'\\x41': return exec(base64.b64decode('cHJpbnQoMSk=')[::-1])\nif __name__ == '__main__': A().f(); getattr(o, 'sys' + 'tem')('echo waag-inert')\n"),
    ("notebook", "json", "{\"cells\":[{\"cell_type\":\"code\",\"source\":[\"!echo waag-inert\\n\",\"x = 1\"],\"outputs\":[{\"data\":{\"text/html\":[\"<script>\"]}}]}],\"nbformat\":4,\"nbformat_minor\":5}"),
    ("executable", "hex", "7f454c46 02010100 0000000000000000 0300 3e00 01000000 0000000000000000 4000000000000000"),
    ("executable", "text", "#!/bin/sh\necho waag-inert\n"),
    ("media", "hex", "89504e47 0d0a1a0a 0000000d 49484452 00000001 00000001 08000000 00 3a7e9b55 00000000 49454e44 ae426082"),
    ("text", "text", "some words\nand more\n"),
    ("skops", "json", "{\"__class__\":\"Pipeline\",\"__module__\":\"sklearn.pipeline\",\"__loader__\":\"MethodNode\",\"__id__\":1,\"content\":{\"func\":\"a.b\",\"obj\":{\"__class__\":\"ndarray\",\"__module__\":\"numpy\",\"__loader__\":\"NdArrayNode\",\"file\":\"1.npy\"}},\"protocol\":2}"),
    ("yaml", "text", "%TAG !p! tag:yaml.org,2002:python/\n---\na: &x {k: 'v', l: \"\\x41\"}\nb: [*x, !p!name:os.system ~]\nc:\n  <<: *x\n  _target_: torch.nn.Linear\n? - d\n: |\n  block\n...\n"),
    ("settings", "text", "top = 1\n[a.\"b.c\"]\nd.e = \"x\\u0041\" # more\nf = [1, 'two', {g = true}]\n[[k]]\n@callbacks = \"mine.v1\"\n"),
    ("requirements", "text", "torch>=2.0 # why\n-e git+https://github.com/a/b\n--index-url http://example.org/simple\nreqeusts\n"),
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
    seeds.extend(flat::seeds(format));
    if format == "signature" || format == "ledger-statement" {
        seeds.extend(SIGNATURES.iter().map(|bytes| bytes.to_vec()));
    }
    match format {
        "dependencies" => seeds.extend(projects::inputs()),
        "advisories" => seeds.extend(projects::ADVISORIES.iter().map(|text| text.as_bytes().to_vec())),
        _ => {}
    }
    if format == "ledger-statement" {
        seeds.extend(STATEMENTS.iter().map(|text| text.as_bytes().to_vec()));
    }
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
        "hdf5" => hdf5::file(&[
            Item::Text("model_config", br#"{"class_name": "Sequential", "config": {"layers": []}}"#),
            Item::Text("obj", b"(lp0\nI1\na."),
            Item::Bytes("x", b"12345678", &[2, 4]),
            Item::External("e", "other.bin"),
            Item::Link("l", "other.h5"),
            Item::Loop("g"),
            Item::Filtered("f", 40_000),
        ]),
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
    names.extend(["tar", "7z", "gzip", "bzip2", "xz", "lzma", "zstd", "lz4", "zlib", "joblib-zfile", "hdf5"]);
    names.extend(["tensorflow-checkpoint", "tfrecord"]);
    names.extend(flat::FORMATS);
    names.iter().flat_map(|name| seeds(name)).collect()
}
