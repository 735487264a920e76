//! Advisories about one callable that a scanner did not know: a pickle that calls it is denied as one that runs code.

use crate::build::{call, pickle, text};
use crate::denied;

macro_rules! callables {
    ($($advisory:ident: $module:literal $name:literal,)*) => {$(
        #[test]
        fn $advisory() {
            let program = call($module, $name, &[&text("true")]);
            denied("model.pkl", pickle(&program), "code-execution");
            // The same in an older protocol, where the two names are lines.
            let old = format!("c{}\n{}\n(S'true'\ntR.", $module, $name);
            denied("model.bin", old.into_bytes(), "code-execution");
        }
    )*};
}

callables! {
    ghsa_3gf5_cxq9_w223_idlelib_runcode: "idlelib.pyshell" "ModifiedInterpreter.runcode",
    ghsa_j343_8v2j_ff7w_idlelib_runcommand: "idlelib.pyshell" "ModifiedInterpreter.runcommand",
    ghsa_m869_42cg_3xwr_idlelib_run_executive: "idlelib.run" "Executive.runcode",
    ghsa_6w4w_5w54_rjvr_idlelib_autocomplete_entity: "idlelib.autocomplete" "AutoComplete.get_entity",
    ghsa_7cq8_mj8x_j263_idlelib_autocomplete_fetch: "idlelib.autocomplete" "AutoComplete.fetch_completions",
    ghsa_9xph_j2h6_g47v_idlelib_calltip_entity: "idlelib.calltip" "get_entity",
    ghsa_8r4j_24qv_fmq9_idlelib_calltip_fetch: "idlelib.calltip" "Calltip.fetch_tip",
    ghsa_3vg9_h568_4w9m_idlelib_debugobj: "idlelib.debugobj" "ObjectTreeItem.SetText",
    ghsa_49gj_c84q_6qm9_cprofile_runctx: "cProfile" "runctx",
    ghsa_9w88_8rmg_7g2p_cprofile_run: "cProfile" "run",
    ghsa_x696_vm39_cp64_profile_run: "profile" "run",
    ghsa_6vqj_c2q5_j97w_profile_runctx: "profile" "Profile.runctx",
    ghsa_7wx9_6375_f5wh_profile_method: "profile" "Profile.run",
    ghsa_5qwp_399c_mjwf_trace_run: "trace" "Trace.run",
    ghsa_g344_hcph_8vgg_trace_runctx: "trace" "Trace.runctx",
    ghsa_v7x6_rv5q_mhwc_timeit: "timeit" "timeit",
    ghsa_cj3c_v495_4xqh_code_interpreter: "code" "InteractiveInterpreter.runcode",
    ghsa_fqq6_7vqf_w3fg_doctest: "doctest" "debug_script",
    ghsa_f54q_57x4_jg88_lib2to3_grammar: "lib2to3.pgen2.grammar" "Grammar.loads",
    ghsa_p9w7_82w4_7q8m_lib2to3_pgen: "lib2to3.pgen2.pgen" "ParserGenerator.make_label",
    ghsa_xp4f_hrf8_rxw7_ensurepip: "ensurepip" "_run_pip",
    ghsa_q77w_mwjj_7mqx_asyncio_transport: "asyncio.unix_events" "_UnixSubprocessTransport._start",
    ghsa_f745_w6jp_hpxx_torch_collect_env_run: "torch.utils.collect_env" "run",
    ghsa_jhph_76pp_mggw_torch_collect_env_first_match: "torch.utils.collect_env" "run_and_read_all",
    ghsa_4r9r_ch6f_vxmx_torch_bottleneck_cprofile: "torch.utils.bottleneck.__main__" "run_cprofile",
    ghsa_4whj_rm5r_c2v8_torch_bottleneck_autograd: "torch.utils.bottleneck.__main__" "run_autograd_prof",
    ghsa_86cj_95qr_2p4f_torch_dynamo_guards: "torch._dynamo.guards" "GuardBuilder.get",
    ghsa_f4x7_rfwp_v3xw_torch_symbolic_shapes:
        "torch.fx.experimental.symbolic_shapes" "ShapeEnv.evaluate_guards_expression",
    ghsa_vr7h_p6mm_wpmh_torch_exec_wrapper: "torch.jit.unsupported_tensor_ops" "execWrapper",
    ghsa_vv6j_3g6g_2pvj_torch_config_module: "torch.utils._config_module" "ConfigModule.load_config",
    ghsa_h3qp_7fh3_f8h4_torch_basichandlers: "torch.utils.data.datapipes.utils.decoder" "basichandlers",
    ghsa_r8g5_cgf2_4m4m_numpy_f2py_cve_2025_71362: "numpy.f2py.crackfortran" "getlincoef",
    cve_2025_71347_numpy_f2py: "numpy.f2py.crackfortran" "param_eval",
    cve_2025_71372_numpy_f2py: "numpy.f2py.crackfortran" "_eval_length",
    ghsa_m273_6v24_x4m4_distutils_file_util: "distutils.file_util" "write_file",
    ghsa_4675_36f9_wf6r_ctypes: "ctypes" "CDLL",
    ghsa_84r2_jw7c_4r5q_methodcaller: "operator" "methodcaller",
    ghsa_84r2_jw7c_4r5q_pydoc_locate: "pydoc" "locate",
    ghsa_955r_x9j8_7rhh_operator_attrgetter: "_operator" "attrgetter",
    ghsa_46h3_79wf_xr6c_operator_methodcaller: "_operator" "methodcaller",
    ghsa_vqmv_47xg_9wpr_pty: "pty" "spawn",
    ghsa_g38g_8gr9_h9xp_uuid_cve_2026_56315: "uuid" "_get_command_stdout",
    ghsa_g38g_8gr9_h9xp_osx_support: "_osx_support" "_read_output",
    ghsa_g38g_8gr9_h9xp_aix_support: "_aix_support" "_read_cmd_output",
    ghsa_g38g_8gr9_h9xp_imaplib: "imaplib" "IMAP4_stream",
    ghsa_g38g_8gr9_h9xp_pyrepl: "_pyrepl.pager" "pipe_pager",
    ghsa_g38g_8gr9_h9xp_test: "test.support.script_helper" "assert_python_ok",
    ghsa_vvpj_8cmc_gx39_pkgutil_resolve_name_cve_2026_3490: "pkgutil" "resolve_name",
    ghsa_655q_fx9r_782v_pip_main_cve_2025_1716: "pip" "main",
    ghsa_f7qq_56ww_84cr_submodule_cve_2025_10157: "asyncio.subprocess" "create_subprocess_shell",
    fickling_ghsa_r7v6_mfhq_g3m2_pty: "pty" "fork",
    fickling_ghsa_565g_hwwr_4pp3_marshal: "marshal" "loads",
    fickling_ghsa_565g_hwwr_4pp3_types: "types" "FunctionType",
    fickling_ghsa_wfq2_52f7_7qvj_runpy: "runpy" "run_path",
    fickling_ghsa_p523_jq9w_64x9_cprofile: "cProfile" "Profile.runctx",
    fickling_ghsa_5hvc_6wx8_mvv4_pydoc: "pydoc" "pipepager",
    fickling_ghsa_5hvc_6wx8_mvv4_ctypes: "ctypes.util" "find_library",
    fickling_ghsa_q5qq_mvfm_j35x_submodules: "concurrent.futures.process" "ProcessPoolExecutor",
    fickling_ghsa_h4rm_mm56_xf63_builtins: "builtins" "eval",
    fickling_ghsa_5hwf_rc88_82xm_uuid: "uuid" "_popen",
    fickling_ghsa_6ggj_6f2q_f7mx_interpreters: "_interpreters" "run_string",
    fickling_ghsa_m6fh_58r7_x697_posixsubprocess: "_posixsubprocess" "fork_exec",
    cve_2022_45907_torch_jit_annotations: "torch.jit.annotations" "parse_type_line",
    cve_2024_5480_torch_rpc: "torch.distributed.rpc.internal" "PythonUDF",
    modelaudit_1061_weakref_finalize: "weakref" "finalize",
    modelaudit_1063_re_sub: "re" "sub",
    modelaudit_1064_format_map: "builtins" "str.format_map",
    modelaudit_1216_future_callback: "concurrent.futures" "Future.add_done_callback",
}

#[test]
fn ghsa_9m3x_qqw2_h32h_eval_through_getattr_cve_2026_53874() {
    let builtins = [text("builtins"), vec![0x85]].concat();
    let fetched = [
        crate::build::global("builtins", "getattr"),
        b"(".to_vec(),
        [crate::build::global("importlib", "import_module"), builtins, b"R".to_vec()].concat(),
        text("eval"),
        b"tR".to_vec(),
    ]
    .concat();
    let program = [fetched, text("1"), vec![0x85], b"R".to_vec()].concat();
    denied("model.pkl", pickle(&program), "code-execution");
}

#[test]
fn modelaudit_1061_defaultdict_of_a_function() {
    let factory = crate::build::global("posix", "system");
    denied("model.pkl", pickle(&call("collections", "defaultdict", &[&factory])), "code-execution");
}

#[test]
fn modelaudit_1063_chain_map_of_a_defaultdict() {
    let inner = call("collections", "defaultdict", &[&crate::build::global("builtins", "eval")]);
    denied("model.pkl", pickle(&call("collections", "ChainMap", &[&inner])), "code-execution");
}

#[test]
fn cve_2024_48063_torch_remote_module() {
    let program = call("torch.distributed.nn.api.remote_module", "RemoteModule", &[&text("true")]);
    denied("model.pkl", pickle(&program), "unlisted-callable");
}
