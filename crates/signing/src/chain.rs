//! Chains of certificates: from a signer's to a root that the verifier named, and to no other.
//!
//! After RFC 5280, section 6, without policies and name constraints: what has any of those is refused, not passed over.
//! There is no list of roots of its own: certificates of the public web say nothing about models.

use jiff::Timestamp;
use x509_cert::der::asn1::ObjectIdentifier;

use crate::certificate::Certificate;
use crate::error::SigningError;

/// Authorities between a signer and a root.
const MAX_DEPTH: usize = 8;
/// Signatures that are verified at most, whatever the certificates say of each other.
const MAX_SIGNATURES: usize = 64;

const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
/// Extensions that are checked, or that ask for nothing: key identifiers, key usages, alternative names, constraints,
/// where revocations are published, policies.
const UNDERSTOOD: [&str; 9] = [
    "2.5.29.14",
    "2.5.29.35",
    "2.5.29.15",
    "2.5.29.37",
    "2.5.29.17",
    "2.5.29.18",
    "2.5.29.19",
    "2.5.29.31",
    "2.5.29.32",
];

/// Checks that a certificate is for signing, and valid at a time.
///
/// # Errors
/// When it is not.
pub fn check_signer(certificate: &Certificate, at: Timestamp) -> Result<(), SigningError> {
    check_time(certificate, at)?;
    check_extensions(certificate)?;
    let not_for_signing = |problem| SigningError::CertificateNotForSigning { subject: certificate.subject(), problem };
    let usage = certificate.key_usage()?;
    if usage.is_some_and(|usage| !usage.digital_signature()) {
        return Err(not_for_signing("its key usage has no digital signatures"));
    }
    // An authority's certificate may stand for anybody. The flag alone, without the usage, gives no such power.
    let authority = certificate.basic_constraints()?.is_some_and(|constraints| constraints.ca);
    if authority && usage.is_none_or(|usage| usage.key_cert_sign()) {
        return Err(not_for_signing("it is an authority's"));
    }
    match certificate.extended_key_usage()? {
        Some(usages) if usages.contains(&CODE_SIGNING) => Ok(()),
        Some(_) => Err(not_for_signing("its extended key usage has no code signing")),
        None => Err(not_for_signing("it has no extended key usage, which would have to be code signing")),
    }
}

/// The root that a certificate leads to.
///
/// # Errors
/// When it leads to none: with what is wrong with the only chain that there is, if there is one.
pub fn root_of<'a>(
    signer: &'a Certificate,
    between: &'a [Certificate],
    roots: &'a [Certificate],
    at: Timestamp,
) -> Result<&'a Certificate, SigningError> {
    // Whoever names a certificate as root trusts it as it is.
    if let Some(root) = roots.iter().find(|root| root.der() == signer.der()) {
        return Ok(root);
    }
    let mut search = Search { between, roots, at, signatures: 0, problem: None };
    let root = search.above(signer, &mut Vec::new());
    root.ok_or_else(|| search.problem.unwrap_or_else(|| SigningError::UntrustedRoot(signer.subject())))
}

struct Search<'a> {
    between: &'a [Certificate],
    roots: &'a [Certificate],
    at: Timestamp,
    signatures: usize,
    /// What was wrong with the first chain that would have led to a root.
    problem: Option<SigningError>,
}

impl<'a> Search<'a> {
    /// A root above a certificate that has these authorities below it.
    fn above(&mut self, certificate: &'a Certificate, below: &mut Vec<usize>) -> Option<&'a Certificate> {
        let roots = self.roots;
        for root in roots {
            if self.issued(certificate, root) {
                match check_authority(root, below.len(), self.at) {
                    Ok(()) => return Some(root),
                    Err(problem) => _ = self.problem.get_or_insert(problem),
                }
            }
        }
        if below.len() >= MAX_DEPTH {
            return None;
        }
        self.through(certificate, below)
    }

    fn through(&mut self, certificate: &'a Certificate, below: &mut Vec<usize>) -> Option<&'a Certificate> {
        let between = self.between;
        for (index, authority) in between.iter().enumerate() {
            if below.contains(&index) || !self.issued(certificate, authority) {
                continue;
            }
            if let Err(problem) = check_between(authority, below.len(), self.at) {
                self.problem.get_or_insert(problem);
                continue;
            }
            below.push(index);
            if let Some(root) = self.above(authority, below) {
                return Some(root);
            }
            below.pop();
        }
        None
    }

    fn issued(&mut self, certificate: &Certificate, issuer: &Certificate) -> bool {
        if !certificate.names_issuer(issuer) || self.signatures >= MAX_SIGNATURES {
            return false;
        }
        self.signatures += 1;
        certificate.is_signed_by(issuer)
    }
}

/// An authority between a signer and a root.
fn check_between(certificate: &Certificate, below: usize, at: Timestamp) -> Result<(), SigningError> {
    check_authority(certificate, below, at)?;
    let usages = certificate.extended_key_usage()?;
    if usages.is_some_and(|usages| !usages.contains(&CODE_SIGNING) && !usages.contains(&ANY_USAGE)) {
        let problem = "its extended key usage has no code signing";
        return Err(SigningError::CertificateNotAnAuthority { subject: certificate.subject(), problem });
    }
    Ok(())
}

/// Whether a certificate may issue others, with so many authorities below it.
fn check_authority(certificate: &Certificate, below: usize, at: Timestamp) -> Result<(), SigningError> {
    check_time(certificate, at)?;
    check_extensions(certificate)?;
    let no_authority = |problem| SigningError::CertificateNotAnAuthority { subject: certificate.subject(), problem };
    let constraints = certificate.basic_constraints()?.filter(|constraints| constraints.ca);
    let constraints = constraints.ok_or_else(|| no_authority("it is no authority's certificate"))?;
    if constraints.path_len_constraint.is_some_and(|longest| below > usize::from(longest)) {
        return Err(no_authority("there are more authorities below it than it allows"));
    }
    if certificate.key_usage()?.is_some_and(|usage| !usage.key_cert_sign()) {
        return Err(no_authority("its key usage has no certificate signing"));
    }
    Ok(())
}

fn check_time(certificate: &Certificate, at: Timestamp) -> Result<(), SigningError> {
    let (start, end) = certificate.validity()?;
    let subject = certificate.subject();
    if at < start {
        return Err(SigningError::CertificateNotYetValid { subject, start: start.to_string() });
    }
    if at > end {
        return Err(SigningError::CertificateExpired { subject, end: end.to_string() });
    }
    Ok(())
}

fn check_extensions(certificate: &Certificate) -> Result<(), SigningError> {
    let refused = certificate.extensions().find_map(|(identifier, critical)| {
        if identifier == NAME_CONSTRAINTS {
            Some("has name constraints, which cannot be checked".to_owned())
        } else if critical && !UNDERSTOOD.contains(&identifier.to_string().as_str()) {
            Some(format!("has the critical extension {identifier}, which cannot be checked"))
        } else {
            None
        }
    });
    match refused {
        Some(problem) => Err(SigningError::UnsupportedCertificate { subject: certificate.subject(), problem }),
        None => Ok(()),
    }
}
