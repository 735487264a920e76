//! Texts of cases that more than one tool needs.

/// The pickle that PyTorch writes for a dictionary of one tensor, two by two, in storage `0`.
pub const STATE_DICT: &str = r#"PROTO 2
EMPTY_DICT
BINPUT 0
BINUNICODE "weight"
BINPUT 1
GLOBAL torch._utils _rebuild_tensor_v2
BINPUT 2
MARK
MARK
BINUNICODE "storage"
GLOBAL torch FloatStorage
BINUNICODE "0"
BINUNICODE "cpu"
BININT1 4
TUPLE
BINPERSID
BININT1 0
BININT1 2
BININT1 2
TUPLE2
BININT1 2
BININT1 1
TUPLE2
NEWFALSE
GLOBAL collections OrderedDict
EMPTY_TUPLE
REDUCE
TUPLE
REDUCE
SETITEM
STOP"#;

/// The `zip` block of a PyTorch checkpoint with this pickle and one storage of 16 bytes.
#[must_use]
pub fn torch_zip(pickle: &str) -> String {
    let pickle = format!("archive/data.pkl <- pickle-assembly\n{pickle}\nend\n");
    let storage = format!("archive/data/0 <- hex\n{}\nend\n", "0000803f".repeat(4));
    format!("{pickle}archive/byteorder = little\n{storage}archive/version = 3\n")
}
