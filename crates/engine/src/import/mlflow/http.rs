//! As much of HTTP as a tracking server needs: bounded in bytes and time, and never led to another host.

use std::fmt;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);
/// Between two pieces of an answer.
const SILENCE: Duration = Duration::from_secs(60);
/// Redirections that are followed.
const MAX_REDIRECTS: usize = 5;
/// Bytes of an answer that is not an artifact.
const MAX_ANSWER: u64 = 32 << 20;

/// Who asks, as MLflow's own client has it from the environment.
#[derive(Default)]
pub struct Credentials {
    /// A name and a password.
    basic: Option<(String, Zeroizing<String>)>,
    /// A token, which counts before them.
    token: Option<Zeroizing<String>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// From `MLFLOW_TRACKING_TOKEN`, or `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`.
    #[must_use]
    pub fn from_environment() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let name = variable("MLFLOW_TRACKING_USERNAME");
        let password = variable("MLFLOW_TRACKING_PASSWORD").map(Zeroizing::new);
        Self { basic: name.zip(password), token: variable("MLFLOW_TRACKING_TOKEN").map(Zeroizing::new) }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// No address of a server.
    #[error("'{}' is no address of a server", crate::sanitize::sanitize(.0))]
    Address(String),
    /// A connection could not be made or broke.
    #[error("{}", crate::sanitize::sanitize(.0))]
    Connection(String),
    /// The server refuses.
    #[error("the server answers {status}{}", detail(message))]
    Status {
        /// The code.
        status: u16,
        /// What it says.
        message: String,
    },
    /// More bytes than are read.
    #[error("the answer has more than {0} bytes")]
    TooLong(u64),
    /// An answer of another form.
    #[error("the answer is not what MLflow gives: {}", crate::sanitize::sanitize(.0))]
    Form(String),
}

fn detail(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {}", crate::sanitize::sanitize(message)) }
}

impl HttpError {
    /// Whether there is no such thing on the server.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { status: 404, .. })
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Address(_) => "write it as http://host:port, or set MLFLOW_TRACKING_URI",
            Self::Connection(_) => "check that the server runs and can be reached from here, also through a proxy",
            Self::Status { status: 401 | 403, .. } => {
                "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
            }
            Self::Status { .. } => "check the name of the run or model, and that the server is one of MLflow",
            Self::TooLong(_) | Self::Form(_) => "check that the address is that of an MLflow server",
        }
    }
}

/// A server that is asked.
pub(super) struct Client {
    base: Url,
    http: reqwest::Client,
    runtime: Runtime,
    credentials: Credentials,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// What to add to the address, in parts: each is escaped on its own.
pub(super) type Query<'a> = &'a [(&'a str, &'a str)];

impl Client {
    pub(super) fn new(address: &str, credentials: Credentials) -> Result<Self, HttpError> {
        let wrong = || HttpError::Address(without_password(address));
        let base = Url::parse(address).map_err(|_| wrong())?;
        // What is secret does not belong into an address, which is printed and kept.
        let has_secret = !base.username().is_empty() || base.password().is_some() || base.query().is_some();
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() || has_secret {
            return Err(wrong());
        }
        let connection = |error: &dyn fmt::Display| HttpError::Connection(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .redirect(same_host())
            .user_agent(concat!("waag/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            base,
            http: http.map_err(|error| connection(&error))?,
            runtime: runtime.map_err(|error| connection(&error))?,
            credentials,
        })
    }

    /// Host and port.
    pub(super) fn authority(&self) -> String {
        self.base.authority().to_owned()
    }

    /// The server's address, for people.
    pub(super) fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    fn url(&self, path: &[&str], query: Query<'_>) -> Result<Url, HttpError> {
        let mut url = self.base.clone();
        url.path_segments_mut().map_err(|()| HttpError::Address(self.base.to_string()))?.pop_if_empty().extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.http.request(method, url);
        match (&self.credentials.token, &self.credentials.basic) {
            (Some(token), _) => request.bearer_auth(token.as_str()),
            (None, Some((name, password))) => request.basic_auth(name, Some(password.as_str())),
            (None, None) => request,
        }
    }

    /// Sends a request and hands over its answer piece by piece. The number of its bytes.
    fn send(&self, request: RequestBuilder, most: u64, take: &mut dyn FnMut(&[u8])) -> Result<u64, HttpError> {
        self.runtime.block_on(async {
            let mut answer = request.send().await.map_err(|error| connection(&error))?;
            let status = answer.status();
            if !status.is_success() {
                return Err(refusal(status, answer).await);
            }
            let mut total = 0u64;
            while let Some(piece) = answer.chunk().await.map_err(|error| connection(&error))? {
                total += piece.len() as u64;
                if total > most {
                    return Err(HttpError::TooLong(most));
                }
                take(&piece);
            }
            Ok(total)
        })
    }

    /// The bytes of an answer.
    pub(super) fn get(&self, path: &[&str], query: Query<'_>) -> Result<Vec<u8>, HttpError> {
        let mut bytes = Vec::new();
        let request = self.request(Method::GET, self.url(path, query)?);
        self.send(request, MAX_ANSWER, &mut |piece| bytes.extend_from_slice(piece))?;
        Ok(bytes)
    }

    /// An answer piece by piece.
    pub(super) fn stream(
        &self,
        path: &[&str],
        query: Query<'_>,
        most: u64,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<u64, HttpError> {
        self.send(self.request(Method::GET, self.url(path, query)?), most, take)
    }

    /// Sends JSON.
    pub(super) fn post(&self, path: &[&str], body: &serde_json::Value) -> Result<(), HttpError> {
        let request = self.request(Method::POST, self.url(path, &[])?);
        let request = request.header("content-type", "application/json").body(body.to_string());
        self.send(request, MAX_ANSWER, &mut |_| ()).map(drop)
    }

    /// Sends a file.
    pub(super) fn put(&self, path: &[&str], bytes: Vec<u8>) -> Result<(), HttpError> {
        let request = self.request(Method::PUT, self.url(path, &[])?);
        let request = request.header("content-type", "application/octet-stream").body(bytes);
        self.send(request, MAX_ANSWER, &mut |_| ()).map(drop)
    }
}

/// Where an answer may send us: to the same host and port, and never from encrypted to plain.
fn same_host() -> Policy {
    Policy::custom(|attempt| {
        let Some(first) = attempt.previous().first() else { return attempt.stop() };
        let next = attempt.url();
        let is_same = first.host_str() == next.host_str()
            && first.port_or_known_default() == next.port_or_known_default()
            && first.scheme() == next.scheme();
        match is_same && attempt.previous().len() <= MAX_REDIRECTS {
            true => attempt.follow(),
            false => attempt.error("the server sends us to another host"),
        }
    })
}

/// What went wrong underneath: the outermost error says hardly more than that something did.
fn connection(error: &reqwest::Error) -> HttpError {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    let place = error.url().map(|url| format!("{}: ", url.authority())).unwrap_or_default();
    HttpError::Connection(format!("{place}{text}"))
}

/// What the server says when it refuses, in short.
async fn refusal(status: StatusCode, mut answer: reqwest::Response) -> HttpError {
    let mut bytes = Vec::new();
    while let Ok(Some(piece)) = answer.chunk().await {
        bytes.extend_from_slice(&piece);
        if bytes.len() > 64 << 10 {
            break;
        }
    }
    let read = super::super::document::json(&bytes).ok();
    let message = read.as_ref().and_then(|read| read.root.get("message")?.as_str()).unwrap_or_default();
    HttpError::Status { status: status.as_u16(), message: message.chars().take(300).collect() }
}

/// An address without what stands before its `@`.
fn without_password(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    match address.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}://…@{rest}"),
        None => address.to_owned(),
    }
}
