//! A bundle made with an instance on this machine.

use serde_json::Value;
use waag_signing::keyless::{
    Content, Identity, KeylessError, Services, Signed, Token, TrustedRoot, sign_artifact, sign_statement,
};
use waag_testkit::sigstore::{Instance, Options, Server};

pub(crate) const IDENTITY: &str = "signer@waag.test";
pub(crate) const ISSUER: &str = "https://issuer.waag.test";
pub(crate) const ARTIFACT: &[u8] = b"weights";
pub(crate) const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"model","digest":{"sha256":"506e75aa00000000000000000000000000000000000000000000000000000000"}}],"predicateType":"https://waag.test/predicate","predicate":{}}"#;

/// An instance with what a client of it needs.
pub(crate) struct Local {
    pub(crate) server: Server,
    pub(crate) root: TrustedRoot,
}

impl Local {
    pub(crate) fn new(options: Options) -> Self {
        let server = Instance::new(options).serve(0).unwrap();
        let root = TrustedRoot::from_json(server.instance().trusted_root().to_string().as_bytes()).unwrap();
        Self { server, root }
    }

    pub(crate) fn good() -> Self {
        Self::new(Options::default())
    }

    pub(crate) fn services(&self, log_version: u32) -> Services {
        let config = self.server.instance().signing_config(self.server.address(), log_version);
        Services::from_json(config.to_string().as_bytes()).unwrap()
    }

    pub(crate) fn token(&self, identity: &str) -> Token {
        Token::from_jwt(&self.server.instance().token(identity, ISSUER)).unwrap()
    }

    pub(crate) fn sign(&self, log_version: u32) -> Result<Signed, KeylessError> {
        sign_statement(STATEMENT.as_bytes(), self.token(IDENTITY), &self.services(log_version), &self.root)
    }

    /// A bundle over [`ARTIFACT`].
    pub(crate) fn bundle_of_artifact(&self, log_version: u32) -> Value {
        let (token, services) = (self.token(IDENTITY), self.services(log_version));
        let signed = sign_artifact(Content::Bytes(ARTIFACT), token, &services, &self.root).unwrap();
        serde_json::from_str(&signed.bundle).unwrap()
    }

    /// A bundle that verifies, to be changed.
    pub(crate) fn bundle(&self, log_version: u32) -> Value {
        serde_json::from_str(&self.sign(log_version).unwrap().bundle).unwrap()
    }
}

pub(crate) fn identity() -> Identity {
    Identity { name: IDENTITY.to_owned(), issuer: ISSUER.to_owned() }
}
