//! Libraries of machine code: which are the system's, which lie where a package put them, and which come from elsewhere.

use super::analysis::File;
use super::calls::{Argument, argument, items_of};
use super::reaches;
use super::value::{Origin, Value};
use crate::fact::SourceReach;

/// Functions that load a library, and the place of its path among their arguments.
const LOADERS: &[(&str, usize)] = &[
    ("ctypes.CDLL", 0),
    ("ctypes.PyDLL", 0),
    ("ctypes.WinDLL", 0),
    ("ctypes.OleDLL", 0),
    ("ctypes.cdll.LoadLibrary", 0),
    ("ctypes.windll.LoadLibrary", 0),
    ("ctypes.pydll.LoadLibrary", 0),
    ("ctypes.oledll.LoadLibrary", 0),
    ("cffi.FFI().dlopen", 0),
    ("numpy.ctypeslib.load_library", 1),
    ("torch.ops.load_library", 0),
    ("torch.classes.load_library", 0),
    ("onnxruntime.SessionOptions().register_custom_ops_library", 0),
    ("imp.load_dynamic", 1),
    ("importlib.machinery.ExtensionFileLoader", 1),
];

/// Functions of C and of Windows by which a program makes code of data, enters others or starts them.
const GRAVE: &[&str] = &[
    "system",
    "popen",
    "execl",
    "execve",
    "execv",
    "execvp",
    "dlopen",
    "mprotect",
    "mmap",
    "ptrace",
    "memfd_create",
    "syscall",
    "LoadLibrary",
    "LoadLibraryA",
    "LoadLibraryW",
    "VirtualAlloc",
    "VirtualAllocEx",
    "VirtualProtect",
    "VirtualProtectEx",
    "RtlMoveMemory",
    "CreateThread",
    "CreateRemoteThread",
    "CreateProcessA",
    "CreateProcessW",
    "OpenProcess",
    "WriteProcessMemory",
    "QueueUserAPC",
    "WinExec",
    "ShellExecuteA",
    "ShellExecuteW",
    "URLDownloadToFileA",
    "URLDownloadToFileW",
    "PyRun_SimpleString",
    "PyRun_SimpleStringFlags",
    "PyRun_String",
    "PyRun_StringFlags",
    "PyRun_AnyFile",
    "PyRun_SimpleFile",
    "PyEval_EvalCode",
    "Py_CompileString",
];

/// Folders that the system or its owner fills.
const SYSTEM: &[&str] =
    &["/usr/", "/lib/", "/lib64/", "/opt/", "/System/", "/Library/", "C:\\Windows\\", "C:/Windows/"];

/// Libraries whose functions start programs.
const OF_C: &[&str] = &["libc.", "libc", "msvcrt", "ucrtbase", "c"];

/// What such a call reaches: none when this is no matter of libraries, `Some(None)` when it is one and reaches nothing.
pub(super) fn loading(path: &str, arguments: &[Argument], kind: File) -> Option<Option<SourceReach>> {
    if let Some((_, place)) = LOADERS.iter().find(|(loader, _)| *loader == path) {
        let library = argument(arguments, *place, "name").or_else(|| arguments.get(*place).map(|other| &other.value));
        return Some(Some(of_library(library.unwrap_or(&Value::Unknown), kind)));
    }
    if names_grave(path, arguments) {
        return Some(Some(SourceReach::NativeCode));
    }
    let (library, function) = path.strip_prefix("ctypes.")?.rsplit_once('.')?;
    if GRAVE.contains(&function) {
        return Some(Some(SourceReach::NativeCode));
    }
    let is_loaded = LOADERS.iter().any(|(loader, _)| path.starts_with(&format!("{loader}().")));
    let is_windows = ["windll.", "cdll.", "oledll.", "pydll."].iter().any(|start| library.starts_with(start));
    // What is loaded was told where it was loaded.
    (is_loaded || is_windows).then_some(None)
}

/// `CFUNCTYPE(c_int)(("system", libc))`: a function of a library by its name.
fn names_grave(path: &str, arguments: &[Argument]) -> bool {
    let is_type = matches!(path, "ctypes.CFUNCTYPE()" | "ctypes.PYFUNCTYPE()" | "ctypes.WINFUNCTYPE()");
    let name = arguments.first().and_then(|argument| items_of(&argument.value).first()).and_then(Value::text);
    is_type && name.is_some_and(|name| GRAVE.contains(&name))
}

/// How a library is told by what is known of its path.
fn of_library(library: &Value, kind: File) -> SourceReach {
    let is_ordinary = match library {
        Value::Text(_, true) => false,
        Value::Text(path, false) => is_ordinary(path),
        Value::From(Origin::File) | Value::Unknown => true,
        // No name at all is the program itself, with all of C.
        Value::Path(path, hidden) => !hidden && path != "None" && !path.starts_with("tempfile."),
        _ => false,
    };
    // A model has no reason to bring machine code, wherever it keeps it.
    if is_ordinary && kind != File::Model { SourceReach::Library } else { SourceReach::NativeCode }
}

fn is_ordinary(path: &str) -> bool {
    // A question mark is a folder that is not known, as that of the file itself.
    let is_beside = path.starts_with("?/") && !path.contains("/tmp/");
    let is_bare = !path.contains(['/', '\\']) && !OF_C.iter().any(|name| path == *name || path.starts_with("libc."));
    is_beside || is_bare || SYSTEM.iter().any(|folder| path.starts_with(folder))
}

/// Whether a call brings files from elsewhere, or makes some that nobody sees: a library may be one of them.
pub(super) fn brings(path: &str) -> bool {
    reaches::FETCHERS.contains(&path) || reaches::DECODERS.contains(&path) || path.starts_with("tempfile.")
}
