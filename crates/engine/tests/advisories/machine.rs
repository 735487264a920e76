//! Advisories about the pickle machine: what a scanner that does not run it as loaders do cannot see.

use crate::build::{call, global, pickle, shell, text};
use crate::denied;

#[test]
fn ghsa_9gvj_pp9x_gcfr_what_ran_before_a_parse_error() {
    let broken =
        [b"\x80\x04".to_vec(), call("posix", "system", &[&text("true")]), b"X\xff\xff\xff\x7f".to_vec()].concat();
    denied("model.pkl", broken, "code-execution");
}

#[test]
fn fickling_ghsa_mxhj_88fx_4pcv_obj_and_pop() {
    let made = [b"(".to_vec(), global("posix", "system"), text("true"), b"o0N".to_vec()].concat();
    denied("model.pkl", pickle(&made), "code-execution");
}

#[test]
fn fickling_ghsa_5j3x_jp52_966f_dotted_stack_global() {
    denied("model.pkl", pickle(&call("os", "path.os.system", &[&text("true")])), "code-execution");
}

#[test]
fn fickling_ghsa_cffv_grgg_g429_allowlist_shadowing() {
    // A submodule and an attribute of what is allowed are not what is allowed.
    denied(
        "model.pkl",
        pickle(&call("torch.storage", "torch.serialization.os.system", &[&text("true")])),
        "unlisted-callable",
    );
    denied("model.pkl", pickle(&call("numpy", "dtype.__subclasses__", &[&text("true")])), "unlisted-callable");
}

#[test]
fn fickling_ghsa_pc6j_px3p_rrj4_dunder_import() {
    denied("model.pkl", pickle(&call("builtins", "__import__", &[&text("os")])), "code-execution");
}

#[test]
fn fickling_317_frame() {
    // The frame ends within the name; a reader without look-ahead drops what is left of it.
    let name = call("posix", "system", &[&text("true")]);
    let framed = [b"\x80\x04\x95\x04\0\0\0\0\0\0\0".to_vec(), name, b".".to_vec()].concat();
    denied("model.pkl", framed, "reader-disagreement");
}

#[test]
fn cpython_gh_154848_frame() {
    // What lies between the end of the frame and the end of the line is there for some readers only.
    let framed = b"\x80\x04\x95\x05\0\0\0\0\0\0\0cmathos\nsystem\n(S'true'\ntR.".to_vec();
    denied("model.pkl", framed, "reader-disagreement");
}

#[test]
fn modelscan_85_build_attributes_and_memo() {
    // A class is given a `__setstate__`, and state is set on its instance.
    let class = [global("collections", "OrderedDict"), b"\x94".to_vec()].concat();
    let planted = [b"N}".to_vec(), text("__setstate__"), global("posix", "system"), b"s\x86b0".to_vec()].concat();
    let used = [b"h\0)R".to_vec(), text("true"), b"b".to_vec()].concat();
    let program = [class, planted, used].concat();
    denied("model.pkl", pickle(&program), "foreign-mutation");
}

#[test]
fn modelscan_330_numpy_size_shape() {
    // An attribute of a function is made to be the builtins, and looked up through it later.
    let planted =
        [global("numpy", "size"), b"N}".to_vec(), text("shape"), global("builtins", "__dict__"), b"s\x86b0".to_vec()]
            .concat();
    let used =
        [call("numpy", "size.shape.__getitem__", &[&text("eval")]), b"(".to_vec(), text("1"), b"tR".to_vec()].concat();
    denied("model.pkl", pickle(&[planted, used].concat()), "foreign-mutation");
}

#[test]
fn modelscan_338_type_confused_operands() {
    for operands in [&b"K\x01K\x02"[..], b"C\x02osC\x06system", b"NN", b"]]", b"X\x02\0\0\0osC\x06system"] {
        denied("model.pkl", pickle(&[operands, b"\x93)R"].concat()), "code-execution");
    }
    // A name that is itself the result of a call.
    let computed = [text("os"), call("builtins", "str", &[&text("system")]), b"\x93)R".to_vec()].concat();
    denied("model.pkl", pickle(&computed), "code-execution");
}

#[test]
fn modelscan_338_pickle_in_zlib() {
    // One stored block.
    let inner = shell();
    let length = u16::try_from(inner.len()).unwrap();
    let (mut a, mut b) = (1u32, 0u32);
    for byte in &inner {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let sum = (b << 16 | a).to_be_bytes();
    let packed = [&b"\x78\x01\x01"[..], &length.to_le_bytes(), &(!length).to_le_bytes(), &inner, &sum].concat();
    denied("model.joblib", packed, "code-execution");
}

#[test]
fn modelscan_263_second_stream() {
    denied("model.pkl", [pickle(b"N"), shell()].concat(), "code-execution");
}

#[test]
fn modelaudit_623_extension_registry() {
    denied("model.pkl", pickle(b"\x82\x01)R"), "code-execution");
    denied("model.pkl", pickle(b"\x84\xf0\0\0\0)R"), "code-execution");
}

#[test]
fn modelaudit_518_memoised_names() {
    // The name stands far from its use.
    let far = [
        text("posix"),
        b"\x94".to_vec(),
        text("system"),
        b"\x9400".to_vec(),
        b"N0".repeat(500),
        b"h\0h\x01\x93".to_vec(),
        text("true"),
        b"\x85R".to_vec(),
    ]
    .concat();
    denied("model.pkl", pickle(&far), "code-execution");
}

#[test]
fn cve_2026_24747_torch_set_item_on_what_is_no_dictionary() {
    let target = global("torch", "FloatStorage");
    denied("model.pkl", pickle(&[target, text("a"), b"Ns".to_vec()].concat()), "foreign-mutation");
}

#[test]
fn cve_2026_24747_torch_storage_and_size_disagree() {
    // A storage of four elements under a tensor of a thousand.
    let storage =
        [b"(".to_vec(), text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), b"K\x04tQ".to_vec()]
            .concat();
    let arguments =
        [storage, b"K\0M\xe8\x03\x85K\x01\x85\x89".to_vec(), call("collections", "OrderedDict", &[])].concat();
    let tensor =
        [b"}".to_vec(), text("w"), call("torch._utils", "_rebuild_tensor_v2", &[&arguments]), b"s".to_vec()].concat();
    let mut members = crate::build::torch(&pickle(&tensor));
    members.push(crate::build::Member::new("archive/data/0", &[0; 16]));
    denied("pytorch_model.bin", crate::build::zip(&members), "malformed-structure");
}
