//! As much of an MLflow server as the tests ask, on the loopback device: anybody may do anything, as with the real one.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use serde_json::{Value, json};

/// What the server has.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Artifacts by path below the server's root.
    pub(crate) artifacts: BTreeMap<String, Vec<u8>>,
    /// Tags of the run.
    pub(crate) run_tags: BTreeMap<String, String>,
    /// Tags of versions.
    pub(crate) version_tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Where the alias `champion` leads.
    pub(crate) champion: String,
    /// Answers that stand in for the right ones, by the start of the path.
    pub(crate) instead: Vec<(&'static str, &'static str, String)>,
    /// What came in `Authorization`.
    pub(crate) seen: Vec<String>,
}

/// A server.
pub(crate) struct StandIn {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    /// Two versions of one model: run `r1` with folder `model`, and the same with other bytes in `r2`.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mut state = State { champion: "1".into(), ..State::default() };
        for (run, bytes) in [("r1", "good"), ("r2", "other")] {
            state.artifacts.insert(format!("1/{run}/artifacts/model/model.onnx"), bytes.into());
            state.artifacts.insert(format!("1/{run}/artifacts/model/a b/vocab.txt"), "words".into());
        }
        let state = Arc::new(Mutex::new(state));
        let served = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&served);
                thread::spawn(move || answer(stream, &state));
            }
        });
        Self { address, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    body: Vec<u8>,
    authorization: String,
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let request = read(&mut stream)?;
    let mut state = state.lock().unwrap();
    state.seen.push(request.authorization.clone());
    let instead = state.instead.iter().find(|(path, ..)| request.path.starts_with(path)).cloned();
    let (head, body) = match instead {
        Some((_, head, body)) => (head.to_owned(), body.into_bytes()),
        None => match state.answer(&request) {
            Some(body) => ("200 OK".to_owned(), body),
            None => ("404 Not Found".to_owned(), br#"{"message": "no such thing"}"#.to_vec()),
        },
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n").ok()?;
    stream.write_all(&body).ok()
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 1 << 14]);
    loop {
        let count = stream.read(&mut piece).ok()?;
        bytes.extend(&piece[..count]);
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(start) = request.parse(&bytes).ok()? else { continue };
        let header = |name: &str| {
            let found = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| String::from_utf8_lossy(header.value).into_owned()).unwrap_or_default()
        };
        let length: usize = header("content-length").parse().unwrap_or(0);
        if bytes.len() < start + length {
            continue;
        }
        let (path, query) = request.path?.split_once('?').unwrap_or((request.path?, ""));
        let pair = |pair: &str| pair.split_once('=').map(|(key, value)| (decoded(key), decoded(value)));
        return Some(Request {
            method: request.method?.to_owned(),
            path: decoded(path),
            query: query.split('&').filter_map(pair).collect(),
            body: bytes[start..start + length].to_vec(),
            authorization: header("authorization"),
        });
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => u8::from_str_radix(
                &[rest.next(), rest.next()].map(|d| char::from(d.unwrap())).iter().collect::<String>(),
                16,
            )
            .unwrap(),
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

impl State {
    fn answer(&mut self, request: &Request) -> Option<Vec<u8>> {
        if let Some(path) = request.path.strip_prefix("/api/2.0/mlflow-artifacts/artifacts") {
            return self.artifact(request, path.trim_start_matches('/'));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let asked = |key: &str| request.query.get(key).cloned().unwrap_or_default();
        let given = match request.path.strip_prefix("/api/2.0/mlflow/")? {
            "runs/get" => self.run(&asked("run_id"))?,
            "runs/set-tag" => {
                self.run_tags.insert(text("key"), text("value"));
                json!({})
            }
            "model-versions/set-tag" => {
                self.version_tags.entry(text("version")).or_default().insert(text("key"), text("value"));
                json!({})
            }
            "registered-models/alias" => json!({ "model_version": self.version(&self.champion) }),
            "model-versions/get" => json!({ "model_version": self.version(&asked("version")) }),
            "model-versions/search" => json!({ "model_versions": [self.version("1"), self.version("2")] }),
            "model-versions/get-download-uri" => {
                json!({ "artifact_uri": format!("mlflow-artifacts:/1/r{}/artifacts/model", asked("version")) })
            }
            _ => return None,
        };
        Some(given.to_string().into_bytes())
    }

    fn artifact(&mut self, request: &Request, path: &str) -> Option<Vec<u8>> {
        if request.method == "PUT" {
            self.artifacts.insert(path.to_owned(), request.body.clone());
            return Some(b"{}".to_vec());
        }
        if !path.is_empty() {
            return self.artifacts.get(path).cloned();
        }
        let folder = format!("{}/", request.query.get("path")?);
        let mut entries = BTreeMap::new();
        for rest in self.artifacts.keys().filter_map(|path| path.strip_prefix(&folder)) {
            let (name, is_folder) = rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
            entries.insert(name, is_folder);
        }
        let files: Vec<Value> =
            entries.iter().map(|(name, is_folder)| json!({ "path": name, "is_dir": is_folder })).collect();
        Some(json!({ "files": files }).to_string().into_bytes())
    }

    fn run(&self, id: &str) -> Option<Value> {
        let tags: Vec<Value> = pairs(&self.run_tags);
        matches!(id, "r1" | "r2").then(|| {
            json!({ "run": {
                "info": { "run_id": id, "experiment_id": "1", "status": "FINISHED", "start_time": 1795318960619u64,
                          "end_time": 1795318965619u64, "artifact_uri": format!("mlflow-artifacts:/1/{id}/artifacts") },
                "data": { "params": [{ "key": "seed", "value": "7" }], "tags": tags },
                "inputs": {}, "outputs": {},
            } })
        })
    }

    fn version(&self, version: &str) -> Value {
        let tags = self.version_tags.get(version).map(pairs).unwrap_or_default();
        json!({ "name": "iris", "version": version, "run_id": format!("r{version}"), "tags": tags,
                "source": format!("mlflow-artifacts:/1/r{version}/artifacts/model") })
    }
}

fn pairs(tags: &BTreeMap<String, String>) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}
