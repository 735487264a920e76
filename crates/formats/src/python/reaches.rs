//! What functions of Python and of common libraries reach, and which paths and names tell what a program is after.

use super::ways_round;
use crate::fact::SourceReach;

/// Functions that run the text they are given.
pub(super) const EVALUATORS: &[&str] = &[
    "exec",
    "eval",
    "execfile",
    "timeit.timeit",
    "timeit.repeat",
    "cProfile.run",
    "cProfile.runctx",
    "profile.run",
    "profile.runctx",
    "cProfile.Profile().run",
    "cProfile.Profile().runctx",
    "profile.Profile().run",
    "profile.Profile().runctx",
    "trace.Trace().run",
    "trace.Trace().runctx",
    "timeit.Timer",
    "timeit.main",
    "pdb.Pdb().run",
    "pdb.Pdb().runeval",
    "pdb.Pdb().runctx",
    "numpy.f2py.crackfortran.myeval",
];

/// Dotted names, as imported; a star at either end stands for anything.
const REACHES: &[(SourceReach, &[&str])] = &[
    (
        SourceReach::Program,
        &[
            "os.system",
            "os.popen*",
            "os.exec*",
            "os.spawn*",
            "os.posix_spawn*",
            "os.startfile",
            "posix.system",
            "posix.popen",
            "posix.exec*",
            "posix.spawn*",
            "nt.system",
            "nt.popen",
            "nt.exec*",
            "nt.spawn*",
            "subprocess.run",
            "subprocess.call",
            "subprocess.check_call",
            "subprocess.check_output",
            "subprocess.Popen",
            "subprocess.getoutput",
            "subprocess.getstatusoutput",
            "_posixsubprocess.fork_exec",
            "asyncio.create_subprocess_*",
            "asyncio.subprocess.create_subprocess_*",
            "pty.spawn",
            "pexpect.spawn*",
            "pexpect.run*",
            "commands.getoutput",
            "commands.getstatusoutput",
            "popen2.*",
            "platform.popen",
            "psutil.Popen",
            "webbrowser.open*",
            "win32api.ShellExecute",
            "win32process.CreateProcess",
            "distutils.spawn.spawn",
            "distutils.ccompiler.new_compiler().spawn",
            "distutils.ccompiler.CCompiler().spawn",
            "setuptools._distutils.spawn.spawn",
            "setuptools._distutils.ccompiler.new_compiler().spawn",
            "multiprocessing.util.spawnv_passfds",
            "subprocess.Popen.__init__",
            "*.subprocess_shell",
            "*.subprocess_exec",
            "pydoc.pipepager",
            "pydoc.pipe_pager",
            "pydoc.tempfilepager",
            "mailcap.findmatch",
            "imaplib.IMAP4_stream",
            "uuid._get_command_stdout",
            "webbrowser.GenericBrowser",
            "webbrowser.BackgroundBrowser",
            "ctypes.windll.kernel32.WinExec",
            "ctypes.windll.shell32.ShellExecute*",
            "sarge.run",
            "delegator.run",
            "envoy.run",
            "invoke.run",
            "numpy.distutils.exec_command.exec_command",
            "get_ipython().system",
            "get_ipython().getoutput",
            "IPython.get_ipython().system",
            "IPython.get_ipython().getoutput",
        ],
    ),
    (SourceReach::Evaluation, EVALUATORS),
    (
        SourceReach::Evaluation,
        &[
            "runpy.run_path",
            "runpy.run_module",
            "code.interact",
            "code.InteractiveInterpreter().run*",
            "code.InteractiveConsole().run*",
            "code.InteractiveConsole().push",
            "bdb.Bdb().run*",
            "pdb.run",
            "pdb.runeval",
            "pdb.runctx",
            "numpy.testing._private.utils.runstring",
            "pandas.core.computation.eval.eval",
            "sympy.sympify",
            "types.FunctionType",
            "types.CodeType",
            "torch._inductor.codecache.PyCodeCache.load*",
        ],
    ),
    (
        SourceReach::NativeCode,
        &[
            "ctypes.CDLL",
            "ctypes.PyDLL",
            "ctypes.WinDLL",
            "ctypes.OleDLL",
            "ctypes.cdll.*",
            "ctypes.windll.*",
            "ctypes.pydll.*",
            "ctypes.oledll.*",
            "_ctypes.dlopen",
            "cffi.FFI().dlopen",
            "cffi.FFI().verify",
            "numpy.ctypeslib.load_library",
            "torch.ops.load_library",
            "torch.classes.load_library",
            "torch.utils.cpp_extension.load",
            "torch.utils.cpp_extension.load_inline",
            "torch.utils.cpp_extension._jit_compile",
            "tensorflow.load_op_library",
            "tensorflow.load_library",
            "onnxruntime.SessionOptions().register_custom_ops_library",
            "imp.load_dynamic",
            "importlib.machinery.ExtensionFileLoader",
        ],
    ),
    (
        SourceReach::Network,
        &[
            "socket.socket",
            "socket.create_connection",
            "socket.create_server",
            "requests.get",
            "requests.post",
            "requests.put",
            "requests.patch",
            "requests.delete",
            "requests.head",
            "requests.request",
            "requests.Session",
            "requests.session",
            "urllib.request.urlopen",
            "urllib.request.urlretrieve",
            "urllib.request.Request",
            "urllib2.urlopen",
            "urllib.urlopen",
            "urllib.urlretrieve",
            "urllib3.PoolManager",
            "urllib3.request",
            "http.client.HTTPConnection",
            "http.client.HTTPSConnection",
            "httpx.get",
            "httpx.post",
            "httpx.put",
            "httpx.stream",
            "httpx.request",
            "httpx.Client",
            "httpx.AsyncClient",
            "aiohttp.ClientSession",
            "aiohttp.request",
            "ftplib.FTP",
            "ftplib.FTP_TLS",
            "smtplib.SMTP",
            "smtplib.SMTP_SSL",
            "telnetlib.Telnet",
            "paramiko.SSHClient",
            "paramiko.Transport",
            "fabric.Connection",
            "wget.download",
            "pycurl.Curl",
            "websocket.create_connection",
            "websockets.connect",
            "xmlrpc.client.*",
            "http.server.HTTPServer",
            "socketserver.TCPServer",
            "dns.resolver.resolve",
            "poplib.POP3",
            "imaplib.IMAP4",
        ],
    ),
    (
        SourceReach::UnsafeLoad,
        &[
            "pickle.load",
            "pickle.loads",
            "pickle.Unpickler",
            "_pickle.load",
            "_pickle.loads",
            "cPickle.load",
            "cPickle.loads",
            "pickle5.load",
            "pickle5.loads",
            "dill.load",
            "dill.loads",
            "dill.load_session",
            "cloudpickle.load",
            "cloudpickle.loads",
            "joblib.load",
            "sklearn.externals.joblib.load",
            "jsonpickle.decode",
            "marshal.load",
            "marshal.loads",
            "shelve.open",
            "pandas.read_pickle",
            "yaml.unsafe_load",
            "yaml.unsafe_load_all",
            "imp.load_source",
            "torch.hub.load",
            "kernels.get_kernel",
            "kernels.get_local_kernel",
            "kernels.load_kernel",
            "importlib.util.spec_from_file_location().loader.exec_module",
            "torch.jit.unsupported",
        ],
    ),
    (
        SourceReach::Credentials,
        &[
            "keyring.get_password",
            "keyring.get_credential",
            "browser_cookie3.*",
            "win32crypt.CryptUnprotectData",
            "pynput.keyboard.Listener",
            "keyboard.on_press",
            "keyboard.hook",
            "spwd.getspnam",
            "spwd.getspall",
        ],
    ),
    (
        SourceReach::HiddenCode,
        &["__pyarmor__", "pytransform.pyarmor_runtime", "pyarmor_runtime.__pyarmor__", "pyarmor_runtime"],
    ),
    (
        SourceReach::Installation,
        &["pip.main", "pip._internal.main", "pip._internal.cli.main.main", "ensurepip.bootstrap"],
    ),
];

/// What calling a name reaches.
pub(super) fn of(path: &str) -> Option<SourceReach> {
    let path = ways_round::own(path);
    let fits = |pattern: &&&str| match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(start), _) => path.starts_with(start),
        (_, Some(end)) => path.ends_with(end),
        _ => path == **pattern,
    };
    let path_of = |(reach, names): &(SourceReach, &[&str])| names.iter().find(fits).map(|_| *reach);
    REACHES.iter().find_map(path_of)
}

/// Names of a module that `from module import *` brings.
pub(super) fn names_of(module: &str) -> impl Iterator<Item = &'static str> {
    let all = REACHES.iter().flat_map(|(_, names)| names.iter());
    all.filter_map(move |name| name.strip_prefix(module)?.strip_prefix('.')).filter(|name| !name.contains(['.', '*']))
}

/// Functions that give text or bytes that stand in the source in another form.
pub(super) const DECODERS: &[&str] = &[
    "base64.b64decode",
    "base64.standard_b64decode",
    "base64.urlsafe_b64decode",
    "base64.b32decode",
    "base64.b16decode",
    "base64.b85decode",
    "base64.a85decode",
    "base64.decodebytes",
    "base64.decodestring",
    "binascii.a2b_base64",
    "binascii.unhexlify",
    "binascii.a2b_hex",
    "bytes.fromhex",
    "bytearray.fromhex",
    "zlib.decompress",
    "gzip.decompress",
    "bz2.decompress",
    "lzma.decompress",
    "codecs.decode",
    "marshal.loads",
    "pybase64.b64decode",
    "cryptography.fernet.Fernet().decrypt",
];

/// Tools that an installer starts to build what it installs.
pub(super) const BUILDERS: &[&str] = &[
    "ar",
    "autoconf",
    "autoreconf",
    "bazel",
    "c++",
    "cargo",
    "cc",
    "clang",
    "clang++",
    "cmake",
    "cython",
    "doxygen",
    "g++",
    "gcc",
    "gfortran",
    "git",
    "ld",
    "make",
    "meson",
    "ninja",
    "nvcc",
    "patch",
    "protoc",
    "rustc",
    "swig",
    "xcrun",
];

/// Functions whose command is not the first of their arguments, and its place.
pub(super) const COMMANDS_AT: &[(&str, usize)] = &[
    ("pydoc.pipepager", 1),
    ("pydoc.pipe_pager", 1),
    ("pydoc.tempfilepager", 1),
    ("subprocess.Popen.__init__", 1),
    ("*.subprocess_shell", 1),
    ("*.subprocess_exec", 1),
];

/// Endings of files of weights and data, which nobody imports.
const DATA: &[&str] = &[
    "bin",
    "pt",
    "pth",
    "ckpt",
    "safetensors",
    "onnx",
    "h5",
    "npz",
    "npy",
    "pkl",
    "pickle",
    "gguf",
    "model",
    "dat",
    "json",
    "txt",
    "png",
    "jpg",
    "pyc",
];

/// Whether a path is that of a file of weights or data.
pub(super) fn is_data(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| DATA.contains(&ending.to_ascii_lowercase().as_str()))
}

/// Functions whose results came over a network.
pub(super) const FETCHERS: &[&str] = &[
    "requests.get",
    "requests.post",
    "requests.request",
    "urllib.request.urlopen",
    "urllib2.urlopen",
    "urllib.urlopen",
    "urllib.request.urlretrieve",
    "httpx.get",
    "httpx.post",
    "huggingface_hub.hf_hub_download",
    "wget.download",
];

/// Functions that send what they are given.
pub(super) const SENDERS: &[&str] = &[
    "requests.get",
    "requests.post",
    "requests.put",
    "requests.request",
    "urllib.request.urlopen",
    "urllib.request.Request",
    "urllib2.urlopen",
    "httpx.get",
    "httpx.post",
    "httpx.put",
    "httpx.request",
];

/// Functions that tell who and where one is.
pub(super) const IDENTITY: &[&str] =
    &["socket.gethostname", "getpass.getuser", "os.getlogin", "platform.node", "os.uname", "platform.uname"];

/// Functions whose text arguments are paths that are opened.
pub(super) const OPENERS: &[&str] = &[
    "open",
    "io.open",
    "codecs.open",
    "os.open",
    "os.listdir",
    "os.walk",
    "os.scandir",
    "os.path.expanduser",
    "os.path.join",
    "pathlib.Path",
    "pathlib.Path.home().joinpath",
    "glob.glob",
    "shutil.copy",
    "shutil.copyfile",
    "shutil.copytree",
    "os.remove",
    "os.unlink",
    "shutil.rmtree",
    "sqlite3.connect",
    "shutil.copy2",
    "shutil.move",
    "os.rename",
    "os.replace",
    "os.symlink",
    "os.link",
];

/// Whether a path is that of credentials.
pub(super) fn is_credential(path: &str) -> bool {
    const NAMES: &[&str] = &[
        "/.ssh/id_",
        ".ssh/id_rsa",
        ".ssh/id_ed25519",
        ".aws/credentials",
        ".git-credentials",
        "/.netrc",
        "/etc/shadow",
        ".kube/config",
        ".docker/config.json",
        "login data",
        "cookies.sqlite",
        "wallet.dat",
        ".gnupg/",
        "huggingface/token",
        ".config/gcloud",
        ".azure/accesstokens",
        ".pypirc",
        "key4.db",
        "discord/local storage",
        "metamask",
        ".bash_history",
        ".zsh_history",
        "/proc/self/environ",
    ];
    let path = path.replace('\\', "/").to_ascii_lowercase();
    path.len() < 300
        && (NAMES.iter().any(|name| path.contains(name)) || matches!(path.as_str(), "~/.ssh" | "~/.aws" | "~/.netrc"))
}

/// Whether what is written there is run later.
pub(crate) fn is_autostart(path: &str) -> bool {
    const NAMES: &[&str] = &[
        "authorized_keys",
        "/etc/cron",
        "/var/spool/cron",
        "/etc/profile",
        "/etc/rc.local",
        "/etc/ld.so.preload",
        "/etc/systemd/",
        ".config/systemd/",
        ".config/autostart",
        "launchagents/",
        "start menu/programs/startup",
        "sitecustomize.py",
        "usercustomize.py",
        "/.bashrc",
        "/.bash_login",
        "/.zshenv",
        "/.zprofile",
        "/.config/fish/config.fish",
        "/.ssh/config",
        "/.ssh/rc",
        "/.pam_environment",
        "ipython/profile_default/startup",
        "/.pip/pip.conf",
        "/.config/pip/pip.conf",
        ".git/hooks/",
        "/.zshrc",
        "/.profile",
        "/.bash_profile",
        "/etc/sudoers",
    ];
    let path = path.replace('\\', "/").to_ascii_lowercase();
    path.len() < 300 && NAMES.iter().any(|name| path.contains(name))
}

/// Whether a path lies outside what a model or its training writes.
pub(super) fn is_outside(path: &str) -> bool {
    const USUAL: &[&str] = &[
        "/tmp",
        "/dev/",
        "/workspace",
        "/content",
        "/kaggle",
        "/data",
        "/mnt",
        "/root/.cache",
        "/opt/ml",
        "/app",
        "/model",
        "/output",
        "/var/tmp",
        "/scratch",
        "/checkpoint",
    ];
    let system = ["/etc", "/usr", "/bin", "/sbin", "/boot", "/lib", "/home", "/root", "/var", "/Users", "C:\\", "C:/"];
    let is_home = path == "/" || path == "~" || path.starts_with("~/.") && !path.starts_with("~/.cache");
    is_home || system.iter().any(|start| path.starts_with(start)) && !USUAL.iter().any(|usual| path.starts_with(usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_matched_as_a_whole() {
        assert_eq!(of("os.system"), Some(SourceReach::Program));
        assert_eq!(of("os.execvp"), Some(SourceReach::Program));
        assert_eq!(of("model.eval"), None);
        assert_eq!(of("re.compile"), None);
        assert!(names_of("os").any(|name| name == "system"));
    }

    #[test]
    fn paths_tell_what_is_meant() {
        assert!(is_credential("~/.ssh/id_rsa") && is_credential("?/.aws/credentials"));
        assert!(!is_credential("data/train.json"));
        assert!(is_outside("/etc/passwd") && !is_outside("/tmp/x") && !is_outside("out/x"));
    }
}
