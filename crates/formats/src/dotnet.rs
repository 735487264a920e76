//! Objects that .NET's `BinaryFormatter` wrote: reading them makes instances of the classes they name.

use crate::child::Role;
use crate::fact::{Callable, FactKind, Gap, Position, Standing, Usage};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, read_up_to};

/// Header of the first record: root 1, header -1, version 1.0.
const MAGIC: &[u8] = &[0, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 0, 0, 0, 0];
/// How much is searched for names of classes.
const MAX_SEARCHED: usize = 16 << 20;

/// Classes of known chains to a command.
#[rustfmt::skip]
const DANGEROUS: &[&str] = &[
    "System.Diagnostics.Process", "System.Windows.Data.ObjectDataProvider", "System.DelegateSerializationHolder",
    "System.Management.Automation.PSObject", "System.Security.Principal.WindowsIdentity",
    "System.Security.Claims.ClaimsIdentity", "System.Security.Claims.ClaimsPrincipal", "System.Data.DataSet",
    "System.Workflow.ComponentModel.Serialization.ActivitySurrogateSelector", "System.Configuration.Install.AssemblyInstaller",
    "System.Windows.Markup.XamlReader", "Microsoft.VisualStudio.Text.Formatting.TextFormattingRunProperties",
    "System.Web.UI.ObjectStateFormatter", "System.Web.Security.RolePrincipal", "System.Windows.ResourceDictionary",
    "System.Resources.ResXResourceSet", "System.Windows.Forms.AxHost",
];

static META: Meta = Meta {
    id: "dotnet-serialized",
    title: "serialised .NET objects",
    extensions: &[],
    depth: Depth::Surface,
    reads: "classes of known chains to a command; the rest is said not to be analysed",
    specification: "https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-nrbf",
};

/// The format.
#[derive(Debug)]
pub struct DotnetSerialized;

impl Format for DotnetSerialized {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        (probe.role != Role::Numbers && probe.starts_with(MAGIC)).then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        facts.property("framework", ".NET");
        let detail = "which objects a reader would make of this was not followed";
        facts.incomplete(0, Gap::Unsupported, detail);
        if let Err(limit) = context.budget.operate(source.len().min(MAX_SEARCHED as u64)) {
            return facts.incomplete(0, Gap::Limit, limit.to_string());
        }
        let bytes = read_up_to(source, 0, MAX_SEARCHED);
        for class in DANGEROUS {
            let found = bytes.windows(class.len()).position(|window| window == class.as_bytes());
            if let Some(at) = found {
                facts.push(Position::Offset(at as u64), FactKind::Callable(callable(class)));
            }
        }
    }
}

fn callable(class: &str) -> Callable {
    let (module, name) = class.rsplit_once('.').unwrap_or(("", class));
    Callable {
        module: module.to_owned(),
        name: name.to_owned(),
        usage: Usage::Instantiate,
        standing: Standing::Dangerous { effect: "starts a known chain to a command".to_owned(), critical: true },
        expression: format!("new {class}()"),
        count: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    fn object(class: &str) -> Vec<u8> {
        [MAGIC, &[0x0C, 2, 0, 0, 0, 5], class.as_bytes(), &[11]].concat()
    }

    #[test]
    fn known_chains_are_told_and_the_rest_is_not_followed() {
        let facts = inspect(&DotnetSerialized, "a", &object("System.Windows.Data.ObjectDataProvider"));
        assert_eq!(oddities(&facts), ["Unsupported@0"]);
        assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Callable(_))));
    }

    #[test]
    fn no_mutation_panics() {
        mutate(&object("System.String"), 1000, |bytes| drop(inspect(&DotnetSerialized, "a", &bytes)));
    }
}
