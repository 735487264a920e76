//! What a run ran on.

use std::path::Path;

use serde_json::{Map, Value};
use waag_engine::bounded;

const MAX_TEXT: u64 = 1 << 20;

fn text(path: &str) -> String {
    String::from_utf8_lossy(&bounded::read(Path::new(path), MAX_TEXT).unwrap_or_default()).into_owned()
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':')).map(str::trim)
}

/// The processor, the memory, the system, and NVIDIA's cards where there are some.
pub(super) fn describe() -> Value {
    let mut machine = Map::new();
    machine.insert("architecture".into(), std::env::consts::ARCH.into());
    machine.insert("system".into(), system().into());
    machine.insert("processor".into(), processor(&text("/proc/cpuinfo")).into());
    machine.insert("cores".into(), std::thread::available_parallelism().map_or(0, usize::from).into());
    if let Some(memory) = memory(&text("/proc/meminfo")) {
        machine.insert("memoryBytes".into(), memory.into());
    }
    let cards = cards(Path::new("/proc/driver/nvidia/gpus"));
    if !cards.is_empty() {
        let driver = text("/proc/driver/nvidia/version");
        machine.insert("gpus".into(), cards.into());
        machine.insert("gpuDriver".into(), driver.lines().next().unwrap_or_default().trim().into());
    }
    Value::Object(machine)
}

/// The names of the cards, in the order of where they are plugged in.
fn cards(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut places: Vec<_> = entries.flatten().map(|entry| entry.path().join("information")).collect();
    places.sort_unstable();
    let card = |place: &Path| field(&text(&place.to_string_lossy()), "Model").map(str::to_owned);
    places.iter().filter_map(|place| card(place)).collect()
}

/// The name of the first processor; where it has none, the numbers of who made it.
fn processor(text: &str) -> String {
    let numbers = || {
        let (maker, part) = (field(text, "CPU implementer")?, field(text, "CPU part")?);
        Some(format!("implementer {maker}, part {part}"))
    };
    field(text, "model name").map(str::to_owned).or_else(numbers).unwrap_or_default()
}

fn memory(text: &str) -> Option<u64> {
    let kilobytes = field(text, "MemTotal")?.strip_suffix("kB")?.trim();
    kilobytes.parse::<u64>().ok()?.checked_mul(1024)
}

fn system() -> String {
    let name = text("/etc/os-release");
    let name =
        name.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("").trim_matches('"').to_owned();
    let kernel = text("/proc/sys/kernel/osrelease");
    format!("{name} ({} {})", std::env::consts::OS, kernel.trim())
}

/// The cards of a description, for people.
pub(super) fn gpu(machine: &Value) -> String {
    let cards = machine.get("gpus").and_then(Value::as_array);
    let names: Vec<&str> = cards.into_iter().flatten().filter_map(Value::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_and_memory_are_read() {
        assert_eq!(processor("processor\t: 0\nmodel name\t: A CPU\n"), "A CPU");
        assert_eq!(processor("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"), "implementer 0x41, part 0xd0c");
        assert_eq!(memory("MemTotal:       1024 kB\nMemFree: 1 kB\n"), Some(1 << 20));
        assert_eq!(memory("MemTotal: x"), None);
    }
}
