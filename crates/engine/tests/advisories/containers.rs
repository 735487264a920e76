//! Advisories about what is around a pickle: archives, names, arrays.

use crate::build::{Member, global, npy, pickle, shell, tar, text, torch, zip};
use crate::denied;

#[test]
fn cve_2025_1944_zip_name_mismatch_ghsa_7q5r_7gvp_wc82() {
    let mut members = torch(&shell());
    members[0].local_name = Some("archive/data.txt".to_owned());
    denied("model.pt", zip(&members), "archive-disagreement");
    denied("model.pt", zip(&members), "code-execution");
}

#[test]
fn cve_2025_1945_zip_flag_bits_ghsa_w8jq_xcqf_f792() {
    for flags in [0x1, 0x20, 0x40, 0x2000] {
        let mut members = torch(&shell());
        members[0].flags = flags;
        denied("model.pt", zip(&members), "code-execution");
        members[0].flags = 0;
        members[0].local_flags = Some(flags);
        denied("model.pt", zip(&members), "code-execution");
    }
}

#[test]
fn cve_2025_10156_zip_checksum_ghsa_mjqp_26hc_grxg() {
    let mut members = torch(&shell());
    members[0].bad_checksum = true;
    denied("model.pt", zip(&members), "code-execution");
}

#[test]
fn cve_2025_10155_pickle_named_bin_ghsa_jgw4_cr84_mqxg() {
    denied("pytorch_model.bin", shell(), "code-execution");
    denied("model.pt", shell(), "code-execution");
}

#[test]
fn cve_2025_1889_pickle_under_another_extension_ghsa_769v_p64c_89pr() {
    let mut members = torch(&pickle(b"}"));
    members.push(Member::new("archive/config.p", &shell()));
    denied("model.pt", zip(&members), "code-execution");
    denied("weights.config", shell(), "code-execution");
    denied("notes.txt", shell(), "code-execution");
}

#[test]
fn modelaudit_624_protocol_0_in_a_zip() {
    denied("model.pt", zip(&torch(b"cposix\nsystem\n(S'true'\ntR.")), "code-execution");
}

#[test]
fn modelscan_311_and_313_pickle_hidden_from_the_directory() {
    let mut members = torch(&pickle(b"}"));
    members.insert(1, Member { hidden: true, ..Member::new("archive/data.pkl", &shell()) });
    denied("model.pt", zip(&members), "code-execution");
}

#[test]
fn cve_2025_32434_torch_tar_loaded_as_weights_only() {
    let number = b"\x80\x02K\0.";
    let members: &[(&str, u8, &str, &[u8])] = &[
        ("sys_info", b'0', "", b"\x80\x02}."),
        ("pickle", b'0', "", &shell()),
        ("storages", b'0', "", number),
        ("tensors", b'0', "", number),
    ];
    denied("model.pt", tar(members), "code-execution");
    // The pickle of storages is loaded without restrictions as well.
    let members: &[(&str, u8, &str, &[u8])] = &[
        ("sys_info", b'0', "", b"\x80\x02}."),
        ("pickle", b'0', "", b"\x80\x02}."),
        ("storages", b'0', "", &[number, &shell()[..]].concat()),
        ("tensors", b'0', "", number),
    ];
    denied("model.pt", tar(members), "code-execution");
}

#[test]
fn cve_2025_32434_torch_tar_unpacked_out_of_its_folder() {
    denied("model.tar", tar(&[("../../.bashrc", b'0', "", b"true")]), "path-traversal");
    denied("model.tar", tar(&[("weights", b'2', "/etc", b"")]), "path-traversal");
    denied("model.zip", zip(&[Member::new("../../.bashrc", b"true")]), "path-traversal");
}

/// A joblib array of a type, and what follows it.
fn joblib(dtype: &str, shape: u8, data: &[u8]) -> Vec<u8> {
    let kind = [global("numpy", "dtype"), text(dtype), b"\x89\x88\x87R".to_vec()].concat();
    let state = [
        b"}(".to_vec(),
        text("subclass"),
        global("numpy", "ndarray"),
        text("shape"),
        vec![b'K', shape, 0x85],
        text("order"),
        text("C"),
        text("dtype"),
        kind,
        text("allow_mmap"),
        vec![0x88, b'u'],
    ];
    let wrapper =
        [global("joblib.numpy_pickle", "NumpyArrayWrapper"), b")\x81".to_vec(), state.concat(), b"b".to_vec()];
    [b"\x80\x04".to_vec(), wrapper.concat(), data.to_vec(), b".".to_vec()].concat()
}

#[test]
fn cve_2024_34997_joblib_array_of_objects() {
    denied("model.joblib", joblib("O8", 1, &shell()), "code-execution");
}

#[test]
fn cve_2024_34997_joblib_pickle_behind_raw_numbers() {
    let after = [vec![0; 8], text("posix"), text("system"), b"\x93".to_vec(), text("true"), b"\x85R".to_vec()].concat();
    denied("model.joblib", joblib("f8", 1, &after), "code-execution");
}

#[test]
fn cve_2019_6446_numpy_array_of_objects() {
    let header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }";
    denied("data.npy", npy(header, &shell()), "code-execution");
    let members = [Member::new("arr_0.npy", &npy(header, &shell()))];
    denied("data.npz", zip(&members), "code-execution");
}
