//! The instance: who is in it, and which request goes to whom.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::certificate::{Issuer, TIME_STAMPING, Validity, Wish, authority_key, subject_key, usages};
use super::fulcio::Fulcio;
use super::key::Key;
use super::log::Log;
use super::rekor;
use super::repository;
use super::timestamp::Stamper;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How an instance deviates from a good one.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Added to each number that keys are made from: other instances have other keys.
    pub keys: u8,
    /// How long certificates live.
    pub lifetime: SignedDuration,
    /// How far the log's clock is ahead.
    pub log_ahead: SignedDuration,
    /// How far the timestamp authority's clock is ahead.
    pub stamper_ahead: SignedDuration,
    /// How far everybody's clock is ahead; negative for what was signed long ago.
    pub ahead: SignedDuration,
}

impl Default for Options {
    fn default() -> Self {
        let none = SignedDuration::ZERO;
        Self { keys: 0, lifetime: SignedDuration::from_mins(10), log_ahead: none, stamper_ahead: none, ahead: none }
    }
}

/// What is asked of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The path of the service.
    pub path: String,
    /// A token that was sent beside the body.
    pub bearer: Option<String>,
    /// JSON, or a timestamp request.
    pub body: Vec<u8>,
}

/// A Sigstore instance.
#[derive(Debug)]
pub struct Instance {
    pub(super) fulcio: Fulcio,
    pub(super) stamper_chain: [Vec<u8>; 2],
    pub(super) since: Timestamp,
    stamper: Stamper,
    logs: [Mutex<Log>; 2],
    serial: AtomicU64,
    options: Options,
}

impl Instance {
    /// A new instance, believed from ten days ago until in ten days.
    pub fn new(options: Options) -> Self {
        let key = |number: u8| Key::of(number + options.keys);
        let now = Timestamp::now() + options.ahead;
        let since = Timestamp::from_second(now.as_second()).expect("the clock is right") - DAY * 10;
        let validity = Validity(since, since + DAY * 20);
        let (stamper, stamper_chain) = stamper([key(3), key(4)], validity);
        let logs = [("rekor.waag.test", 5), ("log.rekor.waag.test", 6)];
        let logs = logs.map(|(origin, number)| Mutex::new(Log::new(key(number), origin)));
        let fulcio = fulcio([key(1), key(2)], key(7), key(8), options.lifetime, validity);
        Self { fulcio, stamper_chain, since, stamper, logs, serial: AtomicU64::new(100), options }
    }

    /// A token that the certificate authority believes.
    pub fn token(&self, identity: &str, issuer: &str) -> String {
        self.fulcio.token(identity, issuer, self.now())
    }

    /// Answers a request: the content type and the body, or None for what cannot be answered.
    pub fn answer(&self, request: &Request) -> Option<(&'static str, Vec<u8>)> {
        let Request { path, bearer, body } = request;
        let now = self.now();
        let read = || serde_json::from_slice::<Value>(body).ok();
        if let Some(name) = path.strip_prefix(repository::PLACE) {
            return Some(("application/json", self.repository_file(name)?));
        }
        if path == "/api/v1/timestamp" {
            let token = self.stamper.answer(body, self.serial(), now + self.options.stamper_ahead)?;
            return Some(("application/timestamp-reply", token));
        }
        let answer = match path.as_str() {
            "/auth/.well-known/openid-configuration" => issuer(),
            "/api/v2/signingCert" => self.fulcio.answer(&read()?, bearer.as_deref(), self.serial(), now)?,
            "/api/v1/log/entries" => rekor::first_version(&mut self.log(0), &read()?, now + self.options.log_ahead)?,
            "/api/v2/log/entries" => rekor::second_version(&mut self.log(1), &read()?)?,
            _ => return None,
        };
        Some(("application/json", answer.to_string().into_bytes()))
    }

    pub(super) fn repository_key(&self) -> Key {
        Key::of(9 + self.options.keys)
    }

    /// When everything of the instance expires.
    pub(super) fn until(&self) -> Timestamp {
        self.since + DAY * 20
    }

    pub(super) fn log_keys(&self) -> [Key; 2] {
        [0, 1].map(|version| self.log(version).key.clone())
    }

    fn log(&self, version: usize) -> MutexGuard<'_, Log> {
        self.logs[version].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serial(&self) -> u64 {
        self.serial.fetch_add(1, Relaxed)
    }

    fn now(&self) -> Timestamp {
        Timestamp::now() + self.options.ahead
    }
}

/// What an issuer of tokens says of itself. Nobody can sign in: tokens come from [`Instance::token`].
fn issuer() -> Value {
    json!({
        "issuer": "https://issuer.waag.test",
        "authorization_endpoint": "https://issuer.waag.test/auth",
        "token_endpoint": "https://issuer.waag.test/token",
    })
}

fn fulcio([above, own]: [Key; 2], log: Key, tokens: Key, lifetime: SignedDuration, validity: Validity) -> Fulcio {
    let above = Issuer { key: above, name: "root" };
    let issuer = Issuer { key: own, name: "intermediate" };
    let chain = [above.authorize(2, &issuer, validity), above.authorize(1, &above, validity)];
    Fulcio { issuer, chain, log, tokens, lifetime }
}

fn stamper([above, own]: [Key; 2], validity: Validity) -> (Stamper, [Vec<u8>; 2]) {
    let above = Issuer { key: above, name: "timestamp root" };
    let public_key = own.public();
    let mut extensions = usages(TIME_STAMPING, true).to_vec();
    extensions.extend([subject_key(&own.id()), authority_key(&above.key.id())]);
    let wish = Wish { serial: 4, subject: "timestamp", public_key: &public_key, validity, extensions };
    let certificate = above.issue(&wish);
    let root = above.authorize(3, &above, validity);
    (Stamper { key: own, certificate: certificate.clone() }, [certificate, root])
}
