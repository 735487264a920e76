//! Small models of the flat binary formats: what their builders make, and what is short enough to write by hand.

use crate::flatbuffers::{Field, write};
use crate::r_data;

/// The formats that have seeds here.
pub const FORMATS: &[&str] = &[
    "tflite",
    "executorch",
    "msgpack",
    "ocdbt",
    "xgboost",
    "xgboost-binary",
    "lightgbm",
    "catboost",
    "r-data",
    "torch7",
];

/// Small files of a format; empty when it is none of these.
#[must_use]
pub fn seeds(format: &str) -> Vec<Vec<u8>> {
    match format {
        "tflite" => vec![tflite()],
        "executorch" => vec![executorch()],
        "msgpack" => vec![msgpack()],
        "ocdbt" => vec![b"\x0c\xdb\x3a\x2a\x14\0\0\0\0\0\0\0\0\0\x01\x02\x03\x04\x05\x06".to_vec()],
        "xgboost" => vec![XGBOOST.as_bytes().to_vec(), UBJSON.to_vec()],
        "xgboost-binary" => vec![binary()],
        "lightgbm" => vec![LIGHTGBM.as_bytes().to_vec()],
        "catboost" => vec![catboost()],
        "r-data" => vec![r_data::write(&r_value()), b"A\n3\n262658\n197888\n5\nUTF-8\n19\n1\n13\n2\n1\nNA\n".to_vec()],
        "torch7" => vec![torch7(), b"4\n1\n3\nV 1\n18\ntorch.FloatStorage\n2\n0.5 1.5\n".to_vec()],
        _ => Vec::new(),
    }
}

const XGBOOST: &str = r#"{"learner":{"attributes":{},"gradient_booster":{"model":{"gbtree_model_param":{"num_trees":"1"},"trees":[{"left_children":[1,-1,-1],"right_children":[2,-1,-1],"parents":[2147483647,0,0],"split_indices":[3,0,0],"categories":[],"categories_segments":[],"categories_sizes":[],"tree_param":{"num_nodes":"3","num_feature":"4"}}]},"name":"gbtree"}},"version":[3,0,0]}"#;

const UBJSON: &[u8] =
    b"{L\0\0\0\0\0\0\0\x07learner{i\x05trees[#i\x01{i\x0dleft_children[$l#i\x02\0\0\0\x01\xff\xff\xff\xff}}i\x07version[$i#U\x02\x03\0}";

const LIGHTGBM: &str = "tree\nversion=v4\nmax_feature_idx=1\nfeature_names=a b\n\nTree=0\nnum_leaves=3\nnum_cat=1\n\
                        split_feature=0 1\nthreshold=1 0\ndecision_type=2 1\nleft_child=1 -1\nright_child=-2 -3\n\
                        leaf_value=1 2 3\ncat_boundaries=0 1\ncat_threshold=4\nshrinkage=1\n\n\nend of trees\n\n\
                        feature_importances:\na=1\n\nparameters:\n[objective: binary]\nend of parameters\n\n\
                        pandas_categorical:[[\"p\"]]\n";

fn tflite() -> Vec<u8> {
    let code = vec![Field::Byte(32), Field::Text("Odd".into()), Field::Word(1), Field::Word(32)];
    let quantization = Field::Table(vec![Field::Numbers(vec![0]), Field::Absent, Field::Numbers(vec![1])]);
    let name = Field::Text("weight".into());
    let tensor = vec![Field::Numbers(vec![2, 2]), Field::Byte(0), Field::Word(1), name, quantization];
    let options = Field::Table(vec![Field::Word(0), Field::Word(0)]);
    let inputs = Field::Numbers(vec![0, -1]);
    let operator = vec![Field::Word(0), inputs, Field::Numbers(vec![0]), Field::Byte(17), options];
    let (tensors, operators) = (Field::Tables(vec![tensor]), Field::Tables(vec![operator]));
    let graph = vec![tensors, Field::Numbers(vec![0]), Field::Numbers(vec![0]), operators, Field::Text("main".into())];
    let outside = vec![Field::Absent, Field::Long(8), Field::Long(8)];
    let buffers = Field::Tables(vec![vec![], vec![Field::Bytes(vec![7; 16])], outside]);
    let (codes, graphs) = (Field::Tables(vec![code]), Field::Tables(vec![graph]));
    let metadata = Field::Tables(vec![vec![Field::Text("min_runtime_version".into()), Field::Word(1)]]);
    let map = vec![Field::Text("x".into()), Field::Word(0)];
    let signature = vec![Field::Tables(vec![map]), Field::Absent, Field::Text("serving".into())];
    let description = Field::Text("a test".into());
    let mut root = vec![Field::Word(3), codes, graphs, description, buffers, Field::Absent, metadata];
    root.push(Field::Tables(vec![signature]));
    write(b"TFL3", &root)
}

fn executorch() -> Vec<u8> {
    let operators = Field::Tables(vec![vec![Field::Text("aten::add".into())]]);
    let place = Field::Table(vec![Field::Byte(1), Field::Word(0)]);
    let delegates = Field::Tables(vec![vec![Field::Text("XnnpackBackend".into()), place]]);
    let mut plan = vec![Field::Text("forward".into())];
    plan.extend([Field::Absent, Field::Absent, Field::Absent, Field::Absent, Field::Absent]);
    plan.extend([operators, delegates]);
    let segments = Field::Tables(vec![vec![Field::Long(0), Field::Long(4)]]);
    write(b"ET12", &[Field::Word(0), Field::Tables(vec![plan]), Field::Absent, Field::Absent, segments])
}

fn msgpack() -> Vec<u8> {
    let mut bytes = b"\x82\xa6params\x81\xa1w\xc7\x15\x01\x93\x91\x02\xa7float32\xc4\x08".to_vec();
    bytes.extend([0; 8]);
    bytes.extend(b"\xa4step\xcd\x01\x00");
    bytes
}

fn binary() -> Vec<u8> {
    let mut bytes = b"binf".to_vec();
    bytes.extend([0; 136]);
    for name in ["binary:logistic", "gbtree"] {
        bytes.extend((name.len() as u64).to_le_bytes());
        bytes.extend(name.bytes());
    }
    bytes
}

fn catboost() -> Vec<u8> {
    let mut trees = vec![Field::Word(1), Field::Numbers(vec![0, 1]), Field::Numbers(vec![2]), Field::Numbers(vec![0])];
    let feature =
        vec![Field::Byte(0), Field::Word(0), Field::Word(0), Field::Numbers(vec![1]), Field::Text("a".into())];
    trees.extend([Field::Absent, Field::Tables(vec![feature]), Field::Absent, Field::Absent]);
    trees.push(Field::Longs(vec![0; 4]));
    let pair = vec![Field::Text("params".into()), Field::Text("{}".into())];
    let root = [Field::Text("FlabuffersModel_v1".into()), Field::Table(trees), Field::Tables(vec![pair])];
    let core = write(b"\0\0\0\0", &root);
    let mut bytes = b"CBM1".to_vec();
    bytes.extend(u32::try_from(core.len()).expect("seeds are small").to_le_bytes());
    bytes.extend(core);
    bytes
}

fn r_value() -> r_data::Value {
    use r_data::Value;
    let symbol = |name: &str| Box::new(Value::Symbol(name.into()));
    let call = |name: &str, text: &str| Value::Call(symbol(name), vec![Value::Strings(vec![text.into()])]);
    let closure = Value::Closure(Box::new(call("lm", "mpg ~ wt")));
    let promise = Value::Promise(Box::new(call("system", "echo waag-inert")));
    Value::List(vec![closure, promise, Value::Reals(vec![1.0; 20])])
}

fn torch7() -> Vec<u8> {
    let int = |number: i32| number.to_le_bytes().to_vec();
    let long = |number: i64| number.to_le_bytes().to_vec();
    let text = |text: &str| [int(i32::try_from(text.len()).expect("seeds are small")), text.into()].concat();
    let class = |index: i32, name: &str| [int(4), int(index), text("V 1"), text(name)].concat();
    [
        [class(1, "nn.Linear"), int(3), int(2), int(2), int(2), text("weight")].concat(),
        [class(3, "torch.FloatTensor"), int(1), long(2), long(1), long(1)].concat(),
        [class(4, "torch.FloatStorage"), long(2), vec![0; 8]].concat(),
        [int(2), text("hook"), int(8), int(9), text("\u{1b}LJ"), int(3), int(10), int(0)].concat(),
    ]
    .concat()
}
