//! Machine code and scripts: nothing that a model is made of.

use crate::contents;
use crate::fact::Anomaly;
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe, extension};
use crate::source::{Source, read_up_to};
use crate::text::is_text;

/// Signatures at the start that are there for no other reason.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"\x7FELF", "an ELF executable or library"),
    (b"\xCE\xFA\xED\xFE", "a Mach-O executable or library"),
    (b"\xCF\xFA\xED\xFE", "a Mach-O executable or library"),
    (b"\xFE\xED\xFA\xCE", "a Mach-O executable or library"),
    (b"\xFE\xED\xFA\xCF", "a Mach-O executable or library"),
    (b"\xCA\xFE\xBA\xBF", "a Mach-O executable for several machines"),
    (b"\0asm", "a WebAssembly module"),
    (b"dex\n03", "Android bytecode"),
    (b"dex\n04", "Android bytecode"),
    (b"\x4C\0\0\0\x01\x14\x02\0", "a Windows shortcut"),
    (
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        "a compound file: a Windows installer, or an office document with room for macros",
    ),
    (b"\x1BLua", "Lua bytecode"),
    (b"BC\xC0\xDE", "LLVM bitcode"),
    (b"MZqFpD='", "a program for several systems, as llamafile makes them"),
    (b"jartsr='", "a program for several systems, as llamafile makes them"),
    (b"<?php", "a PHP script"),
    (b"MSCF\0\0\0\0", "a Windows cabinet"),
];

/// Names that a shell runs.
const SCRIPTS: &[(&str, &str)] = &[
    ("sh", "a shell script"),
    ("bash", "a shell script"),
    ("zsh", "a shell script"),
    ("fish", "a shell script"),
    ("command", "a shell script"),
    ("bat", "a Windows batch file"),
    ("cmd", "a Windows batch file"),
    ("ps1", "a PowerShell script"),
    ("psm1", "a PowerShell script"),
    ("psd1", "a PowerShell script"),
    ("vbs", "a Visual Basic script"),
    ("vbe", "a Visual Basic script"),
    ("jse", "a Windows script"),
    ("wsf", "a Windows script"),
    ("hta", "a Windows script"),
    ("desktop", "a desktop launcher"),
    ("pl", "a Perl script"),
    ("rb", "a Ruby script"),
    ("php", "a PHP script"),
];

static META: Meta = Meta {
    id: "executable",
    title: "machine code or script",
    extensions: &["exe", "dll", "so", "dylib", "sh", "bat", "cmd", "ps1", "vbs", "msi", "lnk", "class", "wasm", "pyc"],
    depth: Depth::Surface,
    reads: "which kind it is; of scripts also commands that fetch and run, or open a way in",
    specification: "https://refspecs.linuxfoundation.org/elf/elf.pdf",
};

/// The formats.
#[derive(Debug)]
pub struct Executable;

impl Format for Executable {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        kind(&probe.head, probe.source, probe.name).map(|(certainty, _)| certainty)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let head = read_up_to(source, 0, 4096);
        let kind = kind(&head, source, context.name).map_or("machine code or a script", |(_, kind)| kind);
        facts.property("kind", kind);
        facts.anomaly(0, Anomaly::Executable, kind);
        if is_text(&head) {
            contents::script(source, context, facts);
        }
    }
}

/// What these bytes are, if they are run.
fn kind(head: &[u8], source: &dyn Source, name: &str) -> Option<(Certainty, &'static str)> {
    if let Some((_, kind)) = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)) {
        return Some((Certainty::Certain, kind));
    }
    windows(head, source).or_else(|| several(head)).or_else(|| bytecode(head, name)).or_else(|| script(head, name))
}

/// `MZ`, and where it says so `PE`.
fn windows(head: &[u8], source: &dyn Source) -> Option<(Certainty, &'static str)> {
    if !head.starts_with(b"MZ") {
        return None;
    }
    let at = u32::from_le_bytes(head.get(0x3C..0x40)?.try_into().ok()?);
    let header = read_up_to(source, u64::from(at), 256);
    if !header.starts_with(b"PE\0\0") {
        let stub: &[u8] = b"This program cannot be run in DOS mode";
        if head.windows(stub.len()).take(512).any(|part| part == stub) {
            return Some((Certainty::Likely, "a Windows executable whose header is damaged or elsewhere"));
        }
        let plausible = u64::from(at) < source.len() && !is_text(head);
        return plausible.then_some((Certainty::Possible, "a DOS executable, or the start of one"));
    }
    let is_long = header.get(24..26) == Some(&[0x0B, 0x02]);
    // The fifteenth directory is that of .NET.
    let directory: usize = if is_long { 24 + 112 + 14 * 8 } else { 24 + 96 + 14 * 8 };
    let entry = header.get(directory..directory.saturating_add(4)).unwrap_or_default();
    let managed = entry.iter().any(|byte| *byte != 0);
    Some((Certainty::Certain, if managed { "a .NET program or library" } else { "a Windows executable or library" }))
}

/// A Java class and a Mach-O file for several machines start alike: a class has a version where the other has a small count.
fn several(head: &[u8]) -> Option<(Certainty, &'static str)> {
    if !head.starts_with(b"\xCA\xFE\xBA\xBE") {
        return None;
    }
    let number = u32::from_be_bytes(head.get(4..8)?.try_into().ok()?);
    match number {
        0 => None,
        1..=42 => Some((Certainty::Certain, "a Mach-O executable for several machines")),
        _ => Some((Certainty::Certain, "a Java class")),
    }
}

/// Compiled Python: a version and a line end, then flags.
fn bytecode(head: &[u8], name: &str) -> Option<(Certainty, &'static str)> {
    let (version, rest) = head.split_first_chunk::<2>()?;
    let version = u16::from_le_bytes(*version);
    let fits = rest.starts_with(b"\r\n") && (3000..4000).contains(&version);
    let named = matches!(extension(name).as_str(), "pyc" | "pyo");
    let flags: Option<[u8; 4]> = head.get(4..8).and_then(|bytes| bytes.try_into().ok());
    let plausible = flags.is_some_and(|flags| u32::from_le_bytes(flags) <= 3) && head.get(16) == Some(&0xE3);
    match (fits, named || plausible) {
        (true, true) => Some((Certainty::Certain, "Python bytecode")),
        _ => None,
    }
}

fn script(head: &[u8], name: &str) -> Option<(Certainty, &'static str)> {
    let extension = extension(name);
    let line = head.get(..64).unwrap_or(head).to_ascii_lowercase();
    let rest = line.strip_prefix(b"#!").map(<[u8]>::trim_ascii_start);
    // Python has a format of its own, whether or not it can be started by its name.
    if rest.is_some_and(|rest| rest.starts_with(b"/")) && !matches!(extension.as_str(), "py" | "pyi") {
        return Some((Certainty::Certain, "a script that names its interpreter"));
    }
    if line.trim_ascii_start().starts_with(b"@echo off") {
        return Some((Certainty::Likely, "a Windows batch file"));
    }
    let named = SCRIPTS.iter().find(|(known, _)| *known == extension).map(|(_, kind)| *kind);
    named.filter(|_| is_text(head)).map(|kind| (Certainty::Likely, kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    fn told(bytes: &[u8], name: &str) -> Option<&'static str> {
        kind(bytes, &bytes, name).map(|(_, kind)| kind)
    }

    fn windows_program(managed: bool) -> Vec<u8> {
        let mut bytes = vec![0; 512];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3C] = 0x80;
        bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
        bytes[0x80 + 24..0x80 + 26].copy_from_slice(&[0x0B, 0x02]);
        bytes[0x80 + 24 + 112 + 14 * 8] = u8::from(managed);
        bytes
    }

    #[test]
    fn programs_are_told_by_their_bytes() {
        assert_eq!(told(b"\x7FELF\x02\x01", "model.bin"), Some("an ELF executable or library"));
        assert_eq!(told(&windows_program(false), "x"), Some("a Windows executable or library"));
        assert_eq!(told(&windows_program(true), "x"), Some("a .NET program or library"));
        assert_eq!(told(b"\xCA\xFE\xBA\xBE\0\0\0\x02", "x"), Some("a Mach-O executable for several machines"));
        assert_eq!(told(b"\xCA\xFE\xBA\xBE\0\0\0\x34", "x"), Some("a Java class"));
        assert_eq!(told(b"\xCB\x0D\r\n\0\0\0\0", "x.pyc"), Some("Python bytecode"));
        assert_eq!(told(b"#! /bin/sh\n", "weights"), Some("a script that names its interpreter"));
        assert_eq!(told(b"@ECHO OFF\r\n", "x.txt"), Some("a Windows batch file"));
        assert_eq!(told(b"echo", "run.SH"), Some("a shell script"));
        assert_eq!(told(b"MZ is a state", "x.txt"), None);
        assert_eq!(told(b"#!/usr/bin/env python\n", "x.py"), None);
    }

    #[test]
    fn a_program_is_an_anomaly() {
        assert_eq!(oddities(&inspect(&Executable, "x", b"\x7FELF")), ["Executable@0"]);
    }

    #[test]
    fn no_mutation_panics() {
        mutate(&windows_program(true), 3000, |bytes| drop(inspect(&Executable, "x", &bytes)));
    }
}
