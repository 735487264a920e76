//! As much of HTTP as clients of the stand-in need: one request and one answer for each connection.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use super::instance::{Instance, Request};

/// Bytes of a request that are read.
const MAX_BYTES: usize = 64 << 20;
const MAX_HEADERS: usize = 64;

/// An instance that answers on the loopback device until the program ends.
#[derive(Debug)]
pub struct Server {
    address: String,
    instance: Arc<Instance>,
}

impl Instance {
    /// Begins to answer at a port: 0 for any.
    pub fn serve(self, port: u16) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = format!("http://{}", listener.local_addr()?);
        let instance = Arc::new(self);
        let served = Arc::clone(&instance);
        thread::spawn(move || serve(&listener, &served));
        Ok(Server { address, instance })
    }
}

impl Server {
    /// Where it answers, without a slash at the end.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Who answers.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }
}

fn serve(listener: &TcpListener, instance: &Arc<Instance>) {
    for stream in listener.incoming().flatten() {
        let instance = Arc::clone(instance);
        // Whoever hangs up in the middle has no use for an answer.
        thread::spawn(move || answer(stream, &instance).ok());
    }
}

fn answer(mut stream: TcpStream, instance: &Instance) -> io::Result<()> {
    let request = read(&mut stream)?;
    let (status, kind, body) = match instance.answer(&request) {
        // Nothing comes to be of what is only read.
        Some((kind, body)) if request.body.is_empty() => ("200 OK", kind, body),
        Some((kind, body)) => ("201 Created", kind, body),
        None if request.body.is_empty() => {
            ("404 Not Found", "text/plain", b"the stand-in has no such thing\n".to_vec())
        }
        None => ("400 Bad Request", "text/plain", b"the stand-in cannot answer this\n".to_vec()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&body)
}

fn read(stream: &mut TcpStream) -> io::Result<Request> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 1 << 14]);
    while bytes.len() < MAX_BYTES {
        let count = stream.read(&mut piece)?;
        bytes.extend(&piece[..count]);
        if let Some(request) = parse(&bytes) {
            return Ok(request);
        }
        if count == 0 {
            break;
        }
    }
    Err(io::Error::from(io::ErrorKind::InvalidData))
}

/// A request, when all of it is there.
fn parse(bytes: &[u8]) -> Option<Request> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(start) = request.parse(bytes).ok()? else { return None };
    let header = |name: &str| {
        let header = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let length: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let body = bytes.get(start..start.checked_add(length)?)?.to_vec();
    let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    Some(Request { path: request.path?.to_owned(), bearer, body })
}
