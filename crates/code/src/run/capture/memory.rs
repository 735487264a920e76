//! What a stopped thread has in its memory: names and addresses that it gives to the kernel.

use std::ffi::OsString;
use std::io::IoSliceMut;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use nix::libc;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

use super::kernel::Thread;

/// The longest name that the kernel takes, with the zero at its end: `PATH_MAX`.
const LONGEST: usize = 4096;
const PAGE: usize = 4096;

/// Bytes from an address on: as many as there are, at most as many as fit.
fn bytes(thread: Thread, address: u64, buffer: &mut [u8]) -> Option<usize> {
    let (base, length) = (usize::try_from(address).ok()?, buffer.len());
    // The page after this one may not be there; what is before it is given all the same when it is asked for apart.
    let first = length.min(PAGE - base % PAGE);
    let pieces =
        [RemoteIoVec { base, len: first }, RemoteIoVec { base: base.checked_add(first)?, len: length - first }];
    process_vm_readv(Pid::from_raw(thread), &mut [IoSliceMut::new(buffer)], &pieces).ok()
}

/// A name, as it is given to the kernel.
pub(super) fn name(thread: Thread, address: u64) -> Option<PathBuf> {
    let mut buffer = [0; LONGEST];
    let length = bytes(thread, address, &mut buffer)?;
    let end = buffer.get(..length)?.iter().position(|byte| *byte == 0)?;
    Some(OsString::from_vec(buffer[..end].to_vec()).into())
}

/// A number of 64 bits.
pub(super) fn number(thread: Thread, address: u64) -> Option<u64> {
    let mut buffer = [0; 8];
    (bytes(thread, address, &mut buffer)? == 8).then(|| u64::from_ne_bytes(buffer))
}

/// An address of a socket, as a person writes it. None of a kind that leads nowhere, such as the kernel.
pub(super) fn address(thread: Thread, address: u64, length: u64) -> Option<String> {
    let mut buffer = [0; 128];
    let length = usize::try_from(length).ok()?.min(buffer.len());
    let length = bytes(thread, address, &mut buffer[..length])?;
    written(&buffer[..length])
}

fn written(socket: &[u8]) -> Option<String> {
    let (family, rest) = socket.split_first_chunk::<2>()?;
    let port = || Some(u16::from_be_bytes(*rest.first_chunk()?));
    match i32::from(u16::from_ne_bytes(*family)) {
        libc::AF_INET => {
            let address = Ipv4Addr::from(*rest.get(2..)?.first_chunk::<4>()?);
            Some(SocketAddr::from((address, port()?)).to_string())
        }
        libc::AF_INET6 => {
            let address = Ipv6Addr::from(*rest.get(6..)?.first_chunk::<16>()?);
            Some(SocketAddr::from((address, port()?)).to_string())
        }
        libc::AF_UNIX => Some(format!("unix:{}", local(rest))),
        libc::AF_NETLINK | libc::AF_UNSPEC => None,
        other => Some(format!("family {other}")),
    }
}

/// The name of a socket within the machine; one that is no file begins with `@`.
fn local(name: &[u8]) -> String {
    match name.split_first() {
        None => String::new(),
        Some((0, rest)) => {
            let end = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            format!("@{}", String::from_utf8_lossy(&rest[..end]))
        }
        Some(_) => String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let of = |family: i32, rest: &[u8]| written(&[&(family as u16).to_ne_bytes()[..], rest].concat());
        assert_eq!(of(libc::AF_INET, &[1, 187, 10, 0, 0, 1]), Some("10.0.0.1:443".into()));
        let mut six = [0; 26];
        six[1] = 80;
        six[21] = 1;
        assert_eq!(of(libc::AF_INET6, &six), Some("[::1]:80".into()));
        assert_eq!(of(libc::AF_UNIX, b"/run/a\0x"), Some("unix:/run/a".into()));
        assert_eq!(of(libc::AF_UNIX, b"\0bus\0"), Some("unix:@bus".into()));
        assert_eq!(of(libc::AF_INET, &[1]), None);
        assert_eq!(written(&[]), None);
    }

    #[test]
    fn the_own_memory_can_be_read() {
        let text = c"a name";
        let process = nix::unistd::getpid().as_raw();
        assert_eq!(name(process, text.as_ptr() as u64), Some("a name".into()));
        assert_eq!(name(process, 0), None);
    }
}
