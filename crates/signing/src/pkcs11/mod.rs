//! Keys in tokens: a PKCS#11 module is loaded, the one that the user names and no other, and asked to sign. The module is
//! somebody else's program, and runs with all that waag may do.

mod uri;

use std::fmt;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use pkcs8::ObjectIdentifier;
use pkcs8::der::Decode as _;
use pkcs8::der::asn1::OctetStringRef;

pub use uri::Pkcs11Uri;

use crate::error::SigningError;
use crate::key::{Curve, PublicKey, SigningKey};

/// A key in a token, with a session open.
pub struct TokenKey {
    session: Session,
    key: ObjectHandle,
    public: PublicKey,
    /// The module stays loaded for as long as its session is used.
    _module: Pkcs11,
}

impl TokenKey {
    /// Opens a session and finds the key.
    ///
    /// # Errors
    /// When the module cannot be loaded, the token is not there or does not open, or there is not just one such key.
    pub fn open(uri: &Pkcs11Uri, pin: Option<&str>) -> Result<Self, SigningError> {
        let module = Pkcs11::new(&uri.module_path)
            .map_err(|error| token(format_args!("'{}' is no module: {error}", uri.module_path)))?;
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(token(error)),
        }
        let slot = slot(&module, uri)?;
        let session = module.open_ro_session(slot).map_err(token)?;
        if let Some(pin) = pin {
            session.login(UserType::User, Some(&AuthPin::new(pin.into()))).map_err(token)?;
        }
        let key = only_object(&session, uri, ObjectClass::PRIVATE_KEY)?;
        let public = public_key(&session, only_object(&session, uri, ObjectClass::PUBLIC_KEY)?)?;
        Ok(Self { session, key, public, _module: module })
    }
}

impl SigningKey for TokenKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let digest = self.public.curve().digest(message);
        let raw = self.session.sign(&Mechanism::Ecdsa, self.key, &digest).map_err(token)?;
        let der = match self.public.curve() {
            Curve::P256 => {
                p256::ecdsa::Signature::from_slice(&raw).map(|signature| signature.to_der().as_bytes().to_vec())
            }
            Curve::P384 => {
                p384::ecdsa::Signature::from_slice(&raw).map(|signature| signature.to_der().as_bytes().to_vec())
            }
            Curve::P521 => {
                p521::ecdsa::Signature::from_slice(&raw).map(|signature| signature.to_der().as_bytes().to_vec())
            }
        };
        der.map_err(|_| token("it signed with something that is no signature"))
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TokenKey of {:?}", self.public)
    }
}

/// The slot with the token that a URI names.
fn slot(module: &Pkcs11, uri: &Pkcs11Uri) -> Result<Slot, SigningError> {
    let agrees = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found.trim_end());
    let mut matching = Vec::new();
    for slot in module.get_slots_with_token().map_err(token)? {
        let found = module.get_token_info(slot).map_err(token)?;
        let named = agrees(&uri.token, found.label())
            && agrees(&uri.serial, found.serial_number())
            && agrees(&uri.manufacturer, found.manufacturer_id())
            && agrees(&uri.model, found.model())
            && uri.slot.is_none_or(|wanted| wanted == slot.id());
        if named && found.token_initialized() {
            matching.push(slot);
        }
    }
    match matching.as_slice() {
        [only] => Ok(*only),
        [] => Err(token("there is no such token")),
        _ => Err(token("several tokens are like that: name 'token' or 'serial' in the URI")),
    }
}

fn only_object(session: &Session, uri: &Pkcs11Uri, class: ObjectClass) -> Result<ObjectHandle, SigningError> {
    let mut template = vec![Attribute::Class(class)];
    template.extend(uri.object.as_ref().map(|label| Attribute::Label(label.clone().into_bytes())));
    template.extend(uri.id.as_ref().map(|id| Attribute::Id(id.clone())));
    let half = if class == ObjectClass::PRIVATE_KEY { "private" } else { "public" };
    match session.find_objects(&template).map_err(token)?.as_slice() {
        [only] => Ok(*only),
        [] if class == ObjectClass::PRIVATE_KEY => {
            Err(token("it has no such private key, or shows none without the PIN"))
        }
        [] => Err(token(format_args!("it has no such {half} key"))),
        _ => Err(token(format_args!("it has several such {half} keys: name 'object' and 'id' in the URI"))),
    }
}

fn public_key(session: &Session, object: ObjectHandle) -> Result<PublicKey, SigningError> {
    let wanted = [AttributeType::EcParams, AttributeType::EcPoint];
    let (mut parameters, mut point) = (Vec::new(), Vec::new());
    for attribute in session.get_attributes(object, &wanted).map_err(token)? {
        match attribute {
            Attribute::EcParams(bytes) => parameters = bytes,
            Attribute::EcPoint(bytes) => point = bytes,
            _ => {}
        }
    }
    let unsupported = || SigningError::UnsupportedKey("not an elliptic curve key".to_owned());
    let curve = ObjectIdentifier::from_der(&parameters).map_err(|_| unsupported())?;
    let curve = Curve::of_identifier(curve)?;
    // The standard asks for an octet string around the point, and some tokens leave it out.
    let point = <&OctetStringRef>::from_der(&point).map_or(point.as_slice(), |inner| inner.as_bytes());
    PublicKey::from_point(curve, point)
}

fn token(problem: impl fmt::Display) -> SigningError {
    SigningError::Token(problem.to_string())
}
