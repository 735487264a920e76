//! Where in a file a line stands, and so when it runs.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::Runs;

/// Blocks within blocks.
const MAX_BLOCKS: usize = 200;
/// Calls of own functions that are remembered.
const MAX_CALLS: usize = 50_000;

/// What opened a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    Class(String),
    Function(String),
    /// `if __name__ == "__main__":`
    Main,
    Other,
}

/// When a line runs, as far as its place tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Top,
    Main,
    /// When this function is called: its name, after that of its class.
    Function(String),
}

/// The blocks that are open.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    open: Vec<(usize, Block)>,
    /// Who calls what.
    calls: BTreeMap<Scope, BTreeSet<String>>,
    count: usize,
    /// Functions that are defined so far.
    defined: BTreeSet<String>,
}

impl Blocks {
    /// Closes what a line of this indentation ends.
    pub(super) fn close(&mut self, indent: usize) {
        while self.open.last().is_some_and(|(opened, _)| *opened >= indent) {
            self.open.pop();
        }
    }

    pub(super) fn open(&mut self, indent: usize, block: Block) {
        if self.open.len() < MAX_BLOCKS {
            self.open.push((indent, block));
        }
    }

    /// Sets the open blocks aside while a text of its own is read.
    pub(super) fn suspend(&mut self) -> Vec<(usize, Block)> {
        std::mem::take(&mut self.open)
    }

    pub(super) fn resume(&mut self, open: Vec<(usize, Block)>) {
        self.open = open;
    }

    /// The innermost class, for `self`.
    pub(super) fn class(&self) -> Option<&str> {
        self.open.iter().rev().find_map(|(_, block)| match block {
            Block::Class(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Functions and classes that are open.
    pub(super) fn depth(&self) -> usize {
        self.open.iter().filter(|(_, block)| matches!(block, Block::Class(_) | Block::Function(_))).count()
    }

    /// Whether the next line may not run although what is around it does.
    pub(super) fn is_uncertain(&self) -> bool {
        matches!(self.open.last(), Some((_, Block::Main | Block::Other)))
    }

    pub(super) fn is_class_body(&self) -> bool {
        let mut inner = self.open.iter().rev().map(|(_, block)| block);
        matches!(inner.find(|block| matches!(block, Block::Class(_) | Block::Function(_))), Some(Block::Class(_)))
    }

    /// The innermost function, after its class.
    pub(super) fn function(&self) -> Option<String> {
        let at = self.open.iter().rposition(|(_, block)| matches!(block, Block::Function(_)))?;
        let class = at.checked_sub(1).and_then(|before| self.open.get(before));
        match (self.open.get(at), class) {
            (Some((_, Block::Function(name))), Some((_, Block::Class(class)))) => Some(format!("{class}.{name}")),
            (Some((_, Block::Function(name))), _) => Some(name.clone()),
            _ => None,
        }
    }

    /// When a line here runs: the outermost function decides, since nothing in it runs before it is called.
    pub(super) fn scope(&self) -> Scope {
        let mut class = None;
        for (_, block) in &self.open {
            match block {
                Block::Class(name) => class = Some(name),
                Block::Function(name) => {
                    return Scope::Function(class.map_or_else(|| name.clone(), |class| format!("{class}.{name}")));
                }
                Block::Main => return Scope::Main,
                Block::Other => {}
            }
        }
        Scope::Top
    }

    /// Remembers a function of this file.
    pub(super) fn define(&mut self, name: &str) {
        if self.defined.len() < MAX_CALLS {
            self.defined.insert(name.to_owned());
        }
    }

    pub(super) fn defines(&self, name: &str) -> bool {
        self.defined.contains(name)
    }

    /// Remembers that something by this name is called here.
    pub(super) fn call(&mut self, scope: Scope, name: &str) {
        if self.count < MAX_CALLS {
            let is_new = self.calls.entry(scope).or_default().insert(name.to_owned());
            self.count = self.count.saturating_add(usize::from(is_new));
        }
    }

    /// Functions that are called, directly or not, from a place.
    fn reached(&self, from: &Scope) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&String> = self.calls.get(from).into_iter().flatten().collect();
        while let Some(name) = next.pop() {
            // A class that is called runs its constructor.
            let constructors = ["", ".__init__", ".__new__", ".__call__"].map(|method| format!("{name}{method}"));
            for function in constructors {
                if reached.insert(function.clone()) {
                    next.extend(self.calls.get(&Scope::Function(function)).into_iter().flatten());
                }
            }
        }
        reached
    }

    /// Tells of each scope when it runs.
    pub(super) fn moments(&self) -> Moments {
        Moments { loaded: self.reached(&Scope::Top), started: self.reached(&Scope::Main) }
    }
}

/// Functions that run without anybody asking.
#[derive(Debug)]
pub(super) struct Moments {
    loaded: BTreeSet<String>,
    started: BTreeSet<String>,
}

impl Moments {
    pub(super) fn runs(&self, scope: &Scope) -> Runs {
        match scope {
            Scope::Top => Runs::Loaded,
            Scope::Main => Runs::Started,
            Scope::Function(name) if self.loaded.contains(name) => Runs::Loaded,
            Scope::Function(name) if self.started.contains(name) => Runs::Started,
            Scope::Function(_) => Runs::Used,
        }
    }
}
