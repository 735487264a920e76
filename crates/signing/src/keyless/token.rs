//! Identity tokens: what a signer shows to the certificate authority.

use std::fmt;
use std::io;

use sigstore_sign::oidc::{
    AuthCallback, AuthMode, AuthOptions, HtmlTemplates, IdentityToken, OAuthClient, OAuthConfig, SecretString,
};

use super::code::{Code, KeylessError};
use super::fetch::wait;
use super::services::Services;

/// A token of OpenID Connect. It is a secret for some minutes: it is never printed.
#[derive(Clone)]
pub struct Token {
    inner: IdentityToken,
}

/// How somebody is asked to sign in.
pub trait Prompt {
    /// Shows an address, and gives the code that is shown there after signing in.
    ///
    /// # Errors
    ///
    /// Nobody can be asked.
    fn code(&self, address: &str) -> io::Result<String>;
}

impl Token {
    /// Reads a token that was got elsewhere. Its claims are not checked here: the certificate authority does that.
    ///
    /// # Errors
    ///
    /// [`Code::TokenInvalid`]: it is no JSON Web Token.
    pub fn from_jwt(text: &str) -> Result<Self, KeylessError> {
        let token = IdentityToken::from_jwt(text.trim());
        token.map(|inner| Self { inner }).map_err(invalid)
    }

    /// Asks the surroundings, such as GitHub Actions, GitLab or Buildkite, for a token. None where there are none.
    ///
    /// # Errors
    ///
    /// [`Code::TokenInvalid`]: the surroundings promise a token and give none.
    pub fn ambient() -> Result<Option<Self>, KeylessError> {
        let token = wait(IdentityToken::detect_ambient())?;
        Ok(token.map_err(invalid)?.map(|inner| Self { inner }))
    }

    /// Lets somebody sign in with a browser of theirs, on any machine, and asks for the code they are shown.
    ///
    /// # Errors
    ///
    /// [`Code::TokenInvalid`]: the instance has no such service, nobody can be asked, or the code is wrong.
    pub fn interactive(services: &Services, prompt: &dyn Prompt) -> Result<Self, KeylessError> {
        let address =
            services.inner().oidc_url().ok_or_else(|| invalid("the signing configuration names no issuer"))?;
        let client = OAuthClient::new(OAuthConfig::dex(address)).map_err(invalid)?;
        let asking = Asking { prompt, address: std::sync::Mutex::new(String::new()) };
        let options = AuthOptions::new().with_force_oob(true);
        let token = wait(client.authenticate_with_options(asking, options))?;
        token.map(|inner| Self { inner }).map_err(invalid)
    }

    /// The identity that the token claims, and the issuer.
    #[must_use]
    pub fn claims(&self) -> (&str, &str) {
        (self.inner.identity(), self.inner.issuer())
    }

    pub(super) fn into_inner(self) -> IdentityToken {
        self.inner
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token")
    }
}

/// The library tells the address first and asks for the code later; a person gets both at once.
struct Asking<'a> {
    prompt: &'a dyn Prompt,
    address: std::sync::Mutex<String>,
}

impl HtmlTemplates for Asking<'_> {}

impl AuthCallback for Asking<'_> {
    fn auth_url_ready(&self, url: &str, _mode: AuthMode) {
        if let Ok(mut address) = self.address.lock() {
            url.clone_into(&mut address);
        }
    }

    fn prompt_for_code(&self) -> io::Result<SecretString> {
        let address = self.address.lock().map_err(|_| io::Error::other("no address to show"))?;
        self.prompt.code(&address).map(|code| SecretString::new(code.trim()))
    }
}

fn invalid(why: impl fmt::Display) -> KeylessError {
    KeylessError::new(Code::TokenInvalid, format_args!("the identity token cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_token_is_refused_and_never_shown() {
        for text in ["", "a.b", "a.!.c", "aaa.e30.ccc"] {
            let error = Token::from_jwt(text).unwrap_err();
            assert_eq!(error.code(), Code::TokenInvalid, "{text}");
            assert!(text.is_empty() || !error.to_string().contains(text), "{error}");
        }
    }
}
