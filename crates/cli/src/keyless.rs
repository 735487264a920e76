//! What commands about keyless signatures have in common: whose word counts, where to sign, and who the signer is.

use std::io::{self, Write as _};
use std::path::Path;

use waag_engine::bounded;
use waag_engine::sanitize::sanitize;
use waag_engine::trust_store::TrustStore;
use waag_signing::keyless::{Prompt, Services, Signer, Token, TrustedRoot};

use crate::failure::Failure;
use crate::folders;

/// Where tokens are looked for that nobody named: other clients use the same.
const TOKEN: &str = "SIGSTORE_ID_TOKEN";
/// Bytes of a token or a configuration that are read.
const MAX_BYTES: u64 = 1 << 20;

/// The user's trust material.
pub(crate) fn store() -> TrustStore {
    TrustStore::new(folders::data())
}

/// The trusted root that counts.
pub(crate) fn trusted_root(named: Option<&Path>) -> Result<TrustedRoot, Failure> {
    Ok(store().trusted_root(named)?.0)
}

/// The trusted root to see a new signature with: the named one, or the one in the same file as the named services.
pub(crate) fn root_of_services(root: Option<&Path>, services: Option<&Path>) -> Result<TrustedRoot, Failure> {
    if let (None, Some(path)) = (root, services)
        && let Ok(root) = TrustedRoot::from_json(&read(path, MAX_BYTES, "--signing-config")?)
    {
        return Ok(root);
    }
    trusted_root(root)
}

/// The services to sign with.
pub(crate) fn services(named: Option<&Path>) -> Result<Services, Failure> {
    Ok(match store().signing_config(named)? {
        Some(json) => Services::from_json(&json)?,
        None => Services::production()?,
    })
}

/// A token from the named file, the environment, or the surroundings of a build; or else somebody signs in.
pub(crate) fn token(named: Option<&Path>, services: &Services) -> Result<Token, Failure> {
    if let Some(path) = named {
        let bytes = read(path, MAX_BYTES, "--identity-token")?;
        return Ok(Token::from_jwt(&String::from_utf8_lossy(&bytes))?);
    }
    if let Ok(text) = std::env::var(TOKEN) {
        return Ok(Token::from_jwt(&text)?);
    }
    match Token::ambient()? {
        Some(token) => Ok(token),
        None => Ok(Token::interactive(services, &Terminal)?),
    }
}

/// Asks at the terminal, on stderr: stdout is for answers.
struct Terminal;

impl Prompt for Terminal {
    fn code(&self, address: &str) -> io::Result<String> {
        if !io::IsTerminal::is_terminal(&io::stdin()) {
            return Err(io::Error::other("no token was given, and there is nobody to ask"));
        }
        let mut talk = anstream::stderr();
        write!(talk, "Open this address, sign in, and type the code that is shown:\n\n  {address}\n\ncode: ")?;
        talk.flush()?;
        let mut code = String::new();
        io::stdin().read_line(&mut code)?;
        Ok(code)
    }
}

/// Reads a file that was named with an option.
pub(crate) fn read(path: &Path, limit: u64, option: &str) -> Result<Vec<u8>, Failure> {
    bounded::read(path, limit).map_err(|error| {
        let path = sanitize(&path.display().to_string());
        Failure::with_hint(format!("cannot read '{path}': {error}"), format!("name another file with {option}"))
    })
}

/// Who signed and when, in a line.
pub(crate) fn told(signer: &Signer) -> String {
    let who = match (&signer.identity, &signer.issuer) {
        (Some(identity), Some(issuer)) => format!("{}, confirmed by {}", sanitize(identity), sanitize(issuer)),
        _ => "the given key".to_owned(),
    };
    let when = signer.time().map_or_else(String::new, |time| format!(", at {} by {}", time.at, time.source.words()));
    let place = signer.log_index.map_or_else(String::new, |index| format!(", log index {index}"));
    format!("{who}{when}{place}")
}
