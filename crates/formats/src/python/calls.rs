//! Calls: what the called name reaches, and what comes back.

use super::analysis::{Analysis, File, Reader, plain_target, starts};
use super::blocks::Scope;
use super::constants;
use super::evaluators;
use super::expression::entry_of;
use super::lexer::{Kind, Token};
use super::names::gravest;
use super::native;
use super::reaches;
use super::unknown;
use super::value::{Origin, Value};
use super::ways_round;
use crate::commands;
use crate::fact::SourceReach;

/// A text of this length without spaces is no text that people write.
const LONG_LITERAL: usize = 200;
/// Words of a call among which names are looked for.
const MAX_NAMES: usize = 100;

/// Functions that make objects of the bytes they are given.
const UNPICKLERS: &[&str] =
    &["pickle.loads", "_pickle.loads", "cPickle.loads", "pickle5.loads", "dill.loads", "cloudpickle.loads"];

/// An argument of a call.
#[derive(Debug, Clone)]
pub(super) struct Argument {
    pub(super) name: Option<String>,
    pub(super) value: Value,
}

/// The value of the argument at a place, or of this name.
pub(super) fn argument<'v>(arguments: &'v [Argument], place: usize, name: &str) -> Option<&'v Value> {
    let named = arguments.iter().find(|argument| argument.name.as_deref() == Some(name));
    let at = || arguments.iter().filter(|argument| argument.name.is_none()).nth(place);
    named.or_else(at).map(|argument| &argument.value)
}

fn is_set(arguments: &[Argument], name: &str, wanted: &str) -> bool {
    let found = arguments.iter().find(|argument| argument.name.as_deref() == Some(name));
    found.is_some_and(|argument| argument.value.path() == Some(wanted))
}

/// Where the gravest of the arguments comes from.
fn origin(arguments: &[Argument]) -> Option<Origin> {
    arguments.iter().filter_map(|argument| argument.value.origin()).max()
}

impl Analysis<'_> {
    /// A call of `callee`; `tokens` are those of the whole of it.
    pub(super) fn call(&mut self, callee: &Value, arguments: &[Argument], tokens: &[Token]) -> Value {
        let (path, hidden) = match callee {
            // Nobody calls a module: a function that gives it back was called.
            Value::Path(..) if is_module(callee) => return callee.clone(),
            Value::Path(path, hidden) => (ways_round::own(path), *hidden),
            Value::Method(of, method) if of.path().is_some() && method == GETATTRIBUTE => {
                return self.attribute_asked_for(of, arguments, tokens);
            }
            Value::Method(name, method) if method == ATTRIBUTE => {
                let of = arguments.first().map_or(Value::Unknown, |argument| argument.value.clone());
                return self.attribute(of, name.text().unwrap_or_default(), true);
            }
            Value::Method(table, _) if matches!(**table, Value::List(_)) => {
                let Value::List(items) = &**table else { return Value::Unknown };
                return arguments.first().map_or(Value::Unknown, |argument| entry_of(items, &argument.value));
            }
            Value::Method(text, method) => {
                self.path_method(text, method, arguments, tokens);
                return constants::method(text, method, arguments);
            }
            other => {
                self.handed_over("", arguments, tokens);
                return other.origin().map_or(Value::Unknown, Value::From);
            }
        };
        self.calls_own(callee);
        self.starts_own(path, arguments);
        self.handed_over(path, arguments, tokens);
        if let Some(value) = ways_round::named_by(path, arguments) {
            return value;
        }
        if let Some(value) = self.lookup(path, arguments, tokens) {
            return value;
        }
        self.reads_text(path, arguments, tokens);
        if let Some(value) = self.passed_on(path, arguments) {
            return value;
        }
        if let Some(value) = constants::call(path, arguments) {
            self.brings |= native::brings(path);
            return value;
        }
        if reaches::EVALUATORS.contains(&path) {
            self.evaluation(path, hidden, arguments, tokens);
            return Value::Unknown;
        }
        let is_top = matches!(self.scope(), Scope::Top);
        let otherwise = || reaches::of(path).is_none().then(|| unknown::reach(path, hidden, is_top)).flatten();
        if let Some(reach) = self.reach(path, arguments).or_else(otherwise) {
            let reach = if hidden && reach != SourceReach::Backdoor { SourceReach::HiddenCode } else { reach };
            let is_doubtful = UNPICKLERS.contains(&path) && origin(arguments) == Some(Origin::Restored);
            self.report(reach, tokens);
            if is_doubtful {
                self.doubt_last();
            }
        }
        self.brings |= native::brings(path);
        self.sockets(path, arguments, tokens);
        if arguments.is_empty() && powerful(callee).is_some() {
            return callee.clone();
        }
        result(path, arguments)
    }

    /// What a function gives that gives back what it is given, or what a function of this file is known to give.
    fn passed_on(&self, path: &str, arguments: &[Argument]) -> Option<Value> {
        if let Some(known) = self.names.get(&format!("{path}()")) {
            return Some(known.clone());
        }
        let (first, given) = (arguments.first().map(|argument| &argument.value)?, arguments.len());
        match path {
            "next" | "min" | "max" => gravest(first).cloned(),
            "list" | "tuple" | "set" | "iter" | "sorted" | "reversed" | "dict" | "enumerate" if given < 3 => {
                let is_table = first.path().is_some_and(|path| unknown::each_of(path).is_some());
                (is_table || matches!(first, Value::List(_)) && gravest(first).is_some()).then(|| first.clone())
            }
            _ => None,
        }
    }

    /// `os.__getattribute__("system")`, `object.__getattribute__(os, "system")`
    fn attribute_asked_for(&mut self, of: &Value, arguments: &[Argument], tokens: &[Token]) -> Value {
        let of = if arguments.len() > 1 { arguments.first().map_or(of, |first| &first.value) } else { of };
        match arguments.last().map(|last| &last.value) {
            Some(Value::Text(name, computed)) => self.attribute(of.clone(), name, *computed),
            Some(_) if is_powerful(of.path().unwrap_or_default()) => {
                self.report(SourceReach::Evaluation, tokens);
                Value::Unknown
            }
            _ => Value::Unknown,
        }
    }

    pub(super) fn report(&mut self, reach: SourceReach, tokens: &[Token]) {
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return };
        let expression = self.text.get(first.start..last.end).unwrap_or_default();
        let shown: String = expression.chars().take(1_000).collect();
        self.find(reach, first.line, &shown);
    }

    /// Remembers that a function of this file is called.
    pub(super) fn calls_own(&mut self, callee: &Value) {
        let Some(path) = callee.path() else { return };
        let scope = self.scope();
        let class = self.blocks.class().map(str::to_owned);
        let name = match (path.strip_prefix("self.").or_else(|| path.strip_prefix("cls.")), class) {
            (Some(method), Some(class)) => format!("{class}.{method}"),
            _ => path.replace("()", ""),
        };
        // A thread of one's own is started.
        if let Some(class) = name.strip_suffix(".start") {
            self.blocks.call(scope.clone(), &format!("{class}.run"));
        }
        self.blocks.call(scope, &name);
    }

    /// What starts programs or runs text need not be called by its name: it can be handed to what calls it.
    fn handed_over(&mut self, path: &str, arguments: &[Argument], tokens: &[Token]) {
        const ASKERS: &[&str] = &[
            "getattr",
            "hasattr",
            "isinstance",
            "issubclass",
            "functools.partial",
            "partial",
            "id",
            "type",
            "callable",
            "vars",
            "print",
            "repr",
            "str",
            "inspect.signature",
        ];
        if ASKERS.contains(&path) || path.contains("patch") {
            return;
        }
        let mut values = arguments.iter().map(|argument| &argument.value);
        if let Some(reach) = values.find_map(powerful) {
            self.report(reach, tokens);
        } else if (self.asks_any && self.blocks.defines(path) || path.ends_with("methodcaller()"))
            && arguments.iter().any(|argument| is_module(&argument.value))
        {
            // A function of this file that is given `os` calls what it wants of it.
            self.report(SourceReach::Program, tokens);
        }
    }

    /// A method that Python calls by itself, or a name that everybody calls, is what starts programs.
    pub(super) fn given_to(&mut self, target: &str, value: &Value, tokens: &[Token]) {
        let last = target.rsplit('.').next().unwrap_or_default();
        let is_called_unseen = last.len() > 4 && last.starts_with("__") && last.ends_with("__");
        let is_everybodys = ["builtins.", "__builtins__.", "sys."].iter().any(|start| target.starts_with(start));
        if let Some(reach) = powerful(value).filter(|_| is_called_unseen || is_everybodys) {
            self.report(reach, tokens);
        }
        if last == "__code__" {
            self.becomes_code(value, tokens);
        }
    }

    /// A class below one that starts programs starts them as well.
    pub(super) fn inherits(&mut self, class: &str, bases: &Reader<'_>) {
        let inner = bases.tokens.get(bases.at.saturating_add(1)..).filter(|_| bases.is("(")).unwrap_or_default();
        let inner = inner.split(|token| token.is(")")).next().unwrap_or_default();
        for base in inner.split(|token| token.is(",")).filter_map(plain_target) {
            let (first, rest) = base.split_once('.').unwrap_or((&base, ""));
            let names = rest.split('.').filter(|name| !name.is_empty());
            let value = names.fold(self.named(first, false), |of, name| self.attribute(of, name, false));
            if powerful(&value).is_some() {
                self.bind(class, value);
            }
        }
    }

    /// What decorates is called with what it decorates.
    pub(super) fn decorates(&mut self, value: &Value, tokens: &[Token]) {
        if let Some(reach) = powerful(value) {
            self.report(reach, tokens);
        }
    }

    /// Methods of a path that is known: `Path("~/.bashrc").expanduser().open("a")`.
    fn path_method(&mut self, text: &Value, method: &str, arguments: &[Argument], tokens: &[Token]) {
        let target = text.text().unwrap_or_default();
        let mode = || argument(arguments, 0, "mode").and_then(Value::text).unwrap_or_default();
        let writes = match method {
            "write_text" | "write_bytes" | "unlink" | "symlink_to" => true,
            "open" => mode().contains(['w', 'a', 'x', '+']),
            "read_text" | "read_bytes" => false,
            _ => return,
        };
        if let Some(reach) = touching(target, writes) {
            self.report(reach, tokens);
        }
    }

    /// A function that gives back what starts programs has it called by whoever calls it.
    pub(super) fn gives_away(&mut self, value: &Value, tokens: &[Token]) {
        let values = std::slice::from_ref(value).iter().chain(items_of(value));
        if let Some(reach) =
            values.into_iter().filter(|value| value.path().is_some_and(|path| !path.contains('('))).find_map(powerful)
        {
            self.report(reach, tokens);
        }
    }

    /// Likewise from a list or a table.
    pub(super) fn listed(&mut self, value: &Value, tokens: &[Token]) {
        if let Some(reach) = power_of(value) {
            self.report(reach, tokens);
        }
    }

    /// Threads and hooks of the process start what they are given.
    fn starts_own(&mut self, path: &str, arguments: &[Argument]) {
        if starts(path) || matches!(path, "map" | "signal.signal") {
            for argument in arguments {
                self.calls_own(&argument.value);
            }
        }
    }

    /// Calls that give a name: `getattr(os, "system")`, `__import__("os")`.
    fn lookup(&mut self, path: &str, arguments: &[Argument], tokens: &[Token]) -> Option<Value> {
        let first = argument(arguments, 0, "name").or_else(|| argument(arguments, 0, "object"));
        match (path, first) {
            ("getattr" | "inspect.getattr_static", Some(Value::Path(base, hidden))) => {
                let base = Value::Path(base.clone(), *hidden);
                match argument(arguments, 1, "name") {
                    Some(Value::Text(name, computed)) => Some(self.attribute(base, name, *computed)),
                    Some(other) if is_powerful(base.path().unwrap_or_default()) => {
                        let decoded = other.origin().is_some_and(is_unreadable_origin);
                        let reach = if decoded { SourceReach::HiddenCode } else { SourceReach::Evaluation };
                        self.report(reach, tokens);
                        Some(Value::Unknown)
                    }
                    _ if base.path() == Some(unknown::MODULE) => {
                        Some(Value::member(unknown::MODULE, unknown::MEMBER, false))
                    }
                    _ => Some(Value::Unknown),
                }
            }
            (_, Some(Value::Text(name, hidden))) if table_of(path).is_some() => {
                table_of(path).map(|table| self.entry(table, name, *hidden))
            }
            ("operator.attrgetter", Some(Value::Text(name, _))) if reaches::of(name).is_some() => {
                Some(Value::Path(name.clone(), true))
            }
            ("operator.attrgetter", Some(name @ Value::Text(..))) => {
                Some(Value::Method(Box::new(name.clone()), ATTRIBUTE.to_owned()))
            }
            ("functools.reduce" | "reduce", Some(Value::Path(function, _))) if function == "getattr" => {
                let names = argument(arguments, 1, "iterable").map_or(&[][..], items_of);
                let base = argument(arguments, 2, "initial").cloned().unwrap_or_default();
                Some(names.iter().filter_map(Value::text).fold(base, |of, name| self.attribute(of, name, true)))
            }
            (_, Some(first)) if unknown::IMPORTERS.contains(&path) => {
                if first.origin().is_some_and(is_unreadable_origin) {
                    self.report(SourceReach::HiddenCode, tokens);
                }
                Some(imported(path, first, arguments.len() == 1))
            }
            ("map", Some(Value::Path(function, _))) if unknown::IMPORTERS.contains(&function.as_str()) => {
                let names = argument(arguments, 1, "").map_or(&[][..], items_of);
                Some(Value::List(names.iter().map(|name| imported(function, name, true)).collect()))
            }
            ("functools.reduce" | "reduce", Some(_)) if argument(arguments, 2, "initial").is_some_and(is_module) => {
                let names = argument(arguments, 1, "iterable").map_or(&[][..], items_of);
                let base = argument(arguments, 2, "initial").cloned().unwrap_or_default();
                Some(names.iter().filter_map(Value::text).fold(base, |of, name| self.attribute(of, name, true)))
            }
            ("vars", Some(Value::Path(base, hidden))) => Some(Value::Path(format!("{base}.__dict__"), *hidden)),
            ("functools.partial", Some(Value::Path(base, hidden))) if reaches::of(base).is_some() => {
                // What is given already may be all that is given.
                let given = arguments.get(1..).unwrap_or_default();
                if let Some(reach) = self.reach(base, given).filter(|_| !given.is_empty()) {
                    self.report(reach, tokens);
                }
                Some(Value::Path(base.clone(), *hidden))
            }
            _ => None,
        }
    }

    /// Text is run as code.
    fn evaluation(&mut self, path: &str, hidden: bool, arguments: &[Argument], tokens: &[Token]) {
        let line = tokens.first().map_or(0, |token| token.line);
        let first = argument(arguments, 0, "source").or_else(|| arguments.first().map(|argument| &argument.value));
        let Some(code) = first else { return };
        if path.contains('.') {
            // What is measured may need some preparation, which is run too.
            let others = arguments.iter().skip(1).filter_map(|argument| argument.value.text().map(str::to_owned));
            others.collect::<Vec<_>>().iter().for_each(|text| {
                self.nested(text, line);
            });
        }
        self.other_texts(tokens, line);
        let unreadable = tokens.iter().any(|token| matches!(&token.kind, Kind::Text(text) if is_unreadable(text)));
        let reach = match code {
            _ if hidden => SourceReach::HiddenCode,
            Value::Text(text, computed) => {
                let before = self.found.len();
                let (text, hides) = (text.clone(), *computed);
                let is_read = self.nested(&text, line);
                match (hides || !is_read, self.found.len() > before) {
                    (true, _) => SourceReach::HiddenCode,
                    // A constant does what it says, and that was looked at.
                    (false, _) => return,
                }
            }
            Value::From(origin) if is_unreadable_origin(*origin) => SourceReach::HiddenCode,
            _ if unreadable => SourceReach::HiddenCode,
            Value::From(Origin::File) if path != "eval" => SourceReach::UnsafeLoad,
            _ if path.starts_with("timeit") => return,
            _ => SourceReach::Evaluation,
        };
        self.report(reach, tokens);
    }

    /// Texts that the names in a call stand for where what they are bound to did not happen.
    fn other_texts(&mut self, tokens: &[Token], line: u64) {
        let names = tokens.iter().skip(1).take(MAX_NAMES).filter_map(Token::name);
        let texts: Vec<String> = names.flat_map(|name| self.names.others(name)).cloned().collect();
        for text in texts {
            self.nested(&text, line);
        }
    }

    /// What a call of this name with these arguments reaches.
    fn reach(&mut self, path: &str, arguments: &[Argument]) -> Option<SourceReach> {
        let place = evaluators::place_of_command(path);
        let first = argument(arguments, place, "args").or_else(|| argument(arguments, place, "path"));
        let target = first.and_then(Value::text).unwrap_or_default();
        if let Some(reach) = notebook_magic(path, arguments) {
            return Some(reach);
        }
        if reaches::SENDERS.contains(&path) && matches!(origin(arguments), Some(Origin::Secret | Origin::Identity)) {
            return Some(SourceReach::Backdoor);
        }
        if reaches::OPENERS.contains(&path) {
            return opening(path, target, arguments);
        }
        if path == "logging.config.dictConfig" && arguments.iter().any(|argument| names_program(&argument.value)) {
            return Some(SourceReach::Program);
        }
        if let Some(reach) = evaluators::loading(path, arguments) {
            return Some(reach);
        }
        if evaluators::is_usual(path, arguments) {
            return None;
        }
        if matches!(path, "sys.path.insert" | "sys.path.append") {
            let folders = arguments.iter().filter_map(|argument| argument.value.text());
            return folders.into_iter().any(is_anybodys).then_some(SourceReach::UnsafeLoad);
        }
        if path.starts_with("types.") && matches!(origin(arguments), Some(Origin::Restored | Origin::Decoded)) {
            return Some(SourceReach::HiddenCode);
        }
        if UNPICKLERS.contains(&path) {
            match arguments.first().map(|argument| &argument.value) {
                // A constant does what it says, and that is looked at, unless it is spelt otherwise.
                Some(Value::Text(text, false)) => return constants::pickled(text, self.budget),
                Some(Value::Text(..)) => return Some(SourceReach::HiddenCode),
                _ if matches!(origin(arguments), Some(Origin::Decoded | Origin::Fetched)) => {
                    return Some(SourceReach::HiddenCode);
                }
                _ => {}
            }
        }
        if let Some(reach) = native::loading(path, arguments, self.kind) {
            return reach;
        }
        // From an object of any kind to every class of the process: the way out of a sandbox.
        let is_of_all = || arguments.first().is_none_or(|of| of.value.path().is_none_or(|path| path == "object"));
        let is_root =
            path.contains("__class__.") || path.starts_with("object.") || path.starts_with("type.") && is_of_all();
        if is_root && path.ends_with(".__subclasses__") {
            return Some(SourceReach::HiddenCode);
        }
        match path {
            "torch.load" => return (!is_set(arguments, "weights_only", "True")).then_some(SourceReach::UnsafeLoad),
            "numpy.load" => return is_set(arguments, "allow_pickle", "True").then_some(SourceReach::UnsafeLoad),
            "yaml.load" | "yaml.load_all" => return (!has_safe_loader(arguments)).then_some(SourceReach::UnsafeLoad),
            _ if path.ends_with(".load_model") && is_set(arguments, "safe_mode", "False") => {
                return Some(SourceReach::UnsafeLoad);
            }
            _ if path.ends_with(".enable_unsafe_deserialization") => return Some(SourceReach::UnsafeLoad),
            _ => {}
        }
        match reaches::of(path)? {
            // What it runs is read as the file that it is.
            SourceReach::Evaluation if path == "runpy.run_path" && is_own_source(arguments) => {
                Some(SourceReach::UnsafeLoad)
            }
            // A page is shown, and nothing of it is run here.
            SourceReach::Program if path.starts_with("webbrowser.open") => Some(match self.scope() {
                Scope::Function(_) => SourceReach::Network,
                Scope::Top | Scope::Main => SourceReach::Program,
            }),
            SourceReach::Program => match program(first?) {
                Some(SourceReach::Program) if self.kind == File::Installer && is_build(first?) => {
                    Some(SourceReach::BuildTool)
                }
                reach => reach,
            },
            SourceReach::Evaluation if path.starts_with("types.") => None,
            reach => Some(reach),
        }
    }

    /// A shell whose ends are a socket.
    fn sockets(&mut self, path: &str, arguments: &[Argument], tokens: &[Token]) {
        let scope = self.scope();
        if matches!(path, "socket.socket" | "socket.create_connection") {
            self.sockets.insert(scope);
            return;
        }
        let is_socket = |value: &Value| value.path().is_some_and(|path| path.ends_with(".fileno()"));
        let joined = arguments.iter().any(|argument| is_socket(&argument.value));
        let hands_over = match path {
            "os.dup2" => joined,
            "pty.spawn" => true,
            "subprocess.Popen" | "subprocess.call" | "subprocess.run" => {
                let shell = argument(arguments, 0, "args").map(words_of).unwrap_or_default();
                ["/bin/sh", "/bin/bash", "sh -i", "bash -i", "cmd.exe"].iter().any(|name| shell.starts_with(name))
                    || joined
            }
            _ => false,
        };
        if let (true, Some(first), Some(last)) = (hands_over && self.shells.len() < 100, tokens.first(), tokens.last())
        {
            let shown: String = self.text.get(first.start..last.end).unwrap_or_default().chars().take(1_000).collect();
            let found = self.founding(SourceReach::Backdoor, first.line, &shown);
            self.shells.push(found);
        }
    }
}

/// What calling this value would reach, where that is programs or code.
pub(super) fn powerful(value: &Value) -> Option<SourceReach> {
    let Value::Path(path, hidden) = value else { return None };
    let reach = match path.as_str() {
        "exec" | "eval" => SourceReach::Evaluation,
        _ => reaches::of(path)
            .filter(|reach| *reach == SourceReach::Program)
            .or_else(|| unknown::reach(path, *hidden, false))?,
    };
    Some(if *hidden { SourceReach::HiddenCode } else { reach })
}

/// What a list holds, where that is programs or code.
pub(super) fn power_of(value: &Value) -> Option<SourceReach> {
    items_of(value).iter().find_map(powerful)
}

/// A function that gives an attribute of what it is called with: `operator.attrgetter("system")`.
const ATTRIBUTE: &str = "attrgetter()";

/// The method that gives an attribute.
pub(super) const GETATTRIBUTE: &str = "__getattribute__";

/// A module of this name, as far as that is known.
fn imported(importer: &str, name: &Value, is_alone: bool) -> Value {
    let Value::Text(name, computed) = name else { return unknown::module() };
    let first = name.split('.').next().unwrap_or_default();
    let module = if importer.ends_with("__import__") && is_alone { first } else { name };
    Value::Path(module.chars().take(100).collect(), *computed)
}

pub(super) fn items_of(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        _ => &[],
    }
}

/// Whether a table names, as text, what starts programs: `{"()": "os.system"}`.
pub(super) fn names_program(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().any(names_program),
        Value::Text(text, _) => {
            matches!(reaches::of(text), Some(SourceReach::Program | SourceReach::Evaluation | SourceReach::NativeCode))
        }
        _ => false,
    }
}

/// A folder that anybody writes to, or one of another machine: modules are imported from it.
fn is_anybodys(folder: &str) -> bool {
    ["/tmp", "/var/tmp", "/dev/shm", "//", "\\\\"].iter().any(|start| folder.starts_with(start))
}

/// The table of names that is asked for an entry: `os.__dict__.get`.
fn table_of(path: &str) -> Option<&str> {
    let table = [".get", ".pop", ".__getitem__"].iter().find_map(|method| path.strip_suffix(method))?;
    let is_table = matches!(table, "sys.modules" | "globals()" | "locals()" | "vars()");
    (is_table || table.ends_with(".__dict__") || ways_round::is_namespace(table)).then_some(table)
}

/// Modules any of whose names could be called for harm.
pub(super) fn is_powerful(path: &str) -> bool {
    matches!(path, "os" | "posix" | "nt" | "subprocess" | "builtins" | "__builtins__" | "ctypes" | "pty")
}

fn is_unreadable(text: &str) -> bool {
    text.len() >= LONG_LITERAL && !text.contains([' ', '\n'])
}

/// The command that is started, as one line; what is not known of it is a question mark.
fn words_of(value: &Value) -> String {
    match value {
        Value::Text(text, _) => text.clone(),
        Value::List(items) => items.iter().map(words_of).collect::<Vec<_>>().join(" "),
        Value::Path(path, _) if path == "sys.executable" => "python".into(),
        _ => "?".into(),
    }
}

/// A program is started: what for?
fn program(command: &Value) -> Option<SourceReach> {
    if command.origin().is_some_and(is_unreadable_origin) {
        return Some(SourceReach::HiddenCode);
    }
    let words = words_of(command);
    if commands::is_harmless(&words) {
        return None;
    }
    Some(commands::judge(&words).unwrap_or(SourceReach::Program))
}

/// Whether the first argument is the path of a file of Python beside this one.
fn is_own_source(arguments: &[Argument]) -> bool {
    let path = arguments.first().map(|argument| &argument.value);
    matches!(path, Some(Value::Text(path, false)) if path.ends_with(".py") && !path.starts_with('/') && !path.contains(':'))
}

/// Whether a command is a tool that builds, by itself.
fn is_build(command: &Value) -> bool {
    let words = words_of(command);
    let tool = words.split_whitespace().next().unwrap_or_default();
    reaches::BUILDERS.contains(&tool) && !words.contains([';', '|', '&', '`', '>', '<', '\n', '$'])
}

/// Whether nobody could read what came from there.
fn is_unreadable_origin(origin: Origin) -> bool {
    matches!(origin, Origin::Restored | Origin::Decoded | Origin::Fetched)
}

/// A path is opened, or changed.
fn opening(path: &str, target: &str, arguments: &[Argument]) -> Option<SourceReach> {
    let mode = argument(arguments, 1, "mode").and_then(Value::text).unwrap_or_default();
    let is_open = matches!(path, "open" | "io.open" | "codecs.open");
    let writes = is_open && mode.contains(['w', 'a', 'x', '+']);
    let removes = matches!(path, "shutil.rmtree" | "os.remove" | "os.unlink");
    // What is copied goes to the second of two paths.
    let copies = matches!(
        path,
        "shutil.copy"
            | "shutil.copy2"
            | "shutil.copyfile"
            | "shutil.move"
            | "os.rename"
            | "os.replace"
            | "os.symlink"
            | "os.link"
    );
    let goal = argument(arguments, 1, "dst").and_then(Value::text).filter(|_| copies).unwrap_or_default();
    if reaches::is_autostart(goal) {
        return Some(SourceReach::Backdoor);
    }
    let joined = constants::joined_path(path, arguments);
    if joined.is_some_and(|joined| reaches::is_credential(&joined)) {
        return Some(SourceReach::Credentials);
    }
    match touching(target, writes) {
        Some(SourceReach::Files) | None => {
            ((writes || removes) && reaches::is_outside(target)).then_some(SourceReach::Files)
        }
        other => other,
    }
}

/// A path is read or written.
fn touching(target: &str, writes: bool) -> Option<SourceReach> {
    if writes && reaches::is_autostart(target) {
        return Some(SourceReach::Backdoor);
    }
    if reaches::is_credential(target) {
        return Some(SourceReach::Credentials);
    }
    (writes && reaches::is_outside(target)).then_some(SourceReach::Files)
}

/// A notebook's own commands, called as functions: `get_ipython().run_cell_magic("bash", "", "…")`.
fn notebook_magic(path: &str, arguments: &[Argument]) -> Option<SourceReach> {
    let method = path.split_once("get_ipython().").map(|(_, method)| method)?;
    let text = |place| argument(arguments, place, "").and_then(Value::text).unwrap_or_default();
    let command = match method {
        "system" | "getoutput" | "system_raw" | "system_piped" | "magic" => text(0),
        "run_line_magic" => text(1),
        "run_cell_magic" => text(2),
        _ => return None,
    };
    command.lines().find_map(commands::judge)
}

/// A module whose functions start programs or run text, as a whole.
pub(super) fn is_module(value: &Value) -> bool {
    matches!(value.path(), Some("os" | "posix" | "nt" | "subprocess" | "pty" | "builtins" | "__builtins__"))
}

fn has_safe_loader(arguments: &[Argument]) -> bool {
    let loader = argument(arguments, 1, "Loader").and_then(Value::path).unwrap_or_default();
    let last = loader.rsplit('.').next().unwrap_or_default();
    last.contains("Safe")
        || last.contains("BaseLoader")
        || last.contains("FullLoader")
        || !arguments.iter().any(|a| a.name.is_none())
}

/// What comes back.
fn result(path: &str, arguments: &[Argument]) -> Value {
    let from = origin(arguments);
    if reaches::FETCHERS.contains(&path) {
        return Value::From(Origin::Fetched);
    }
    if reaches::IDENTITY.contains(&path) {
        return Value::From(Origin::Identity);
    }
    if matches!(path, "os.environ.items" | "os.environ.copy" | "os.environ.values") {
        return Value::From(Origin::Secret);
    }
    if let Some(text) = path_text(path, arguments) {
        return Value::Text(text, false);
    }
    if let Some(Value::Text(target, _)) = argument(arguments, 0, "file").filter(|_| reaches::OPENERS.contains(&path)) {
        let secret = reaches::is_credential(target);
        return Value::From(if secret { Origin::Secret } else { Origin::File });
    }
    // A function that gets such a module may give it back; a template that gets it by a name makes a text.
    let mut given = arguments.iter().filter(|argument| argument.name.is_none()).map(|argument| &argument.value);
    if let Some(module) = given.find(|value| is_module(value)) {
        return module.clone();
    }
    match from {
        Some(Origin::File) | None if matches!(path, "open" | "io.open" | "codecs.open") => Value::From(Origin::File),
        Some(origin) if origin != Origin::File => Value::From(origin),
        _ if path.len() < 200 => Value::Path(format!("{path}()"), false),
        _ => Value::Unknown,
    }
}

/// A path that is put together, as far as it is known, unless it is that of credentials, which is where it came from.
fn path_text(path: &str, arguments: &[Argument]) -> Option<String> {
    let is_same = matches!(path, "os.path.expanduser" | "os.path.expandvars" | "os.path.abspath" | "os.path.realpath");
    let known = arguments.iter().any(|argument| argument.value.text().is_some());
    if origin(arguments).is_some() || !known {
        return None;
    }
    let same = || arguments.first().and_then(|argument| argument.value.text()).map(str::to_owned);
    let text = if is_same { same() } else { constants::joined_path(path, arguments) };
    text.filter(|text| text.len() < 300 && !reaches::is_credential(text))
}
