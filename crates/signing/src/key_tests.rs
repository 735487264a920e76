use super::*;

const MESSAGE: &[u8] = b"sample";

/// RFC 6979, A.2.5: P-256 with SHA-256 over "sample".
#[test]
fn p256_signs_as_rfc_6979_says() {
    let scalar = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
    let key = PrivateKey::new(Curve::P256, &hex(scalar)).unwrap();
    let signature = p256::ecdsa::Signature::from_der(&key.sign(MESSAGE).unwrap()).unwrap();
    let expected = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716\
                    F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
    assert_eq!(signature.to_bytes().to_vec(), hex(expected));
}

/// RFC 6979, A.2.6: P-384 with SHA-384 over "sample".
#[test]
fn p384_signs_as_rfc_6979_says() {
    let scalar = "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5";
    let key = PrivateKey::new(Curve::P384, &hex(scalar)).unwrap();
    let signature = p384::ecdsa::Signature::from_der(&key.sign(MESSAGE).unwrap()).unwrap();
    let expected = "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46\
                    99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8";
    assert_eq!(signature.to_bytes().to_vec(), hex(expected));
}

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn key(curve: Curve) -> PrivateKey {
    let length = match curve {
        Curve::P256 => 32,
        Curve::P384 => 48,
        Curve::P521 => 66,
    };
    let mut scalar = vec![0; length];
    scalar[length - 2] = 3;
    PrivateKey::new(curve, &scalar).unwrap()
}

#[test]
fn every_curve_verifies_what_it_signs_and_nothing_else() {
    for curve in Curve::ALL {
        let key = key(curve);
        let signature = key.sign(MESSAGE).unwrap();
        assert_eq!(key.sign(MESSAGE).unwrap(), signature, "{curve:?} signs the same twice");
        assert_eq!(key.public_key().verify(MESSAGE, &signature), Ok(()));
        assert_eq!(key.public_key().verify(b"simple", &signature), Err(SigningError::SignatureInvalid));
        for index in 0..signature.len() {
            let mut other = signature.clone();
            other[index] ^= 1;
            assert_eq!(
                key.public_key().verify(MESSAGE, &other),
                Err(SigningError::SignatureInvalid),
                "{curve:?} {index}"
            );
        }
        for length in 0..signature.len() {
            assert!(key.public_key().verify(MESSAGE, &signature[..length]).is_err());
        }
    }
}

/// Version 0.2 signed SHA-256 with every curve.
#[test]
fn a_short_digest_is_verified_on_every_curve() {
    use p521::ecdsa::signature::hazmat::PrehashSigner as _;
    let digest = Sha256::digest(MESSAGE);
    let Signing::P521(signing) = key(Curve::P521).key else { panic!("P-521") };
    let mut wide = [0; 66];
    wide[34..].copy_from_slice(&digest);
    let signature: p521::ecdsa::Signature = signing.sign_prehash(&wide).unwrap();
    let public = key(Curve::P521).public;
    assert_eq!(public.verify_digest(&digest, signature.to_der().as_bytes()), Ok(()));
}

#[test]
fn a_public_key_is_read_as_it_is_written() {
    for curve in Curve::ALL {
        let public = key(curve).public;
        assert_eq!(PublicKey::from_pem(&public.to_pem()), Ok(public.clone()));
        assert_eq!(public.curve(), curve);
    }
}

/// Made with openssl; the algorithm is all that is looked at.
#[test]
fn other_keys_are_refused_by_name() {
    for (file, words) in [
        (include_str!("../tests/vectors/keys/ed25519.pub.pem"), "an Ed25519 key"),
        (include_str!("../tests/vectors/keys/rsa2048.pub.pem"), "an RSA key"),
        (include_str!("../tests/vectors/keys/k256.pub.pem"), "secp256k1"),
    ] {
        let error = PublicKey::from_pem(file).unwrap_err();
        assert_eq!(error.code(), "unsupported-key");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn what_is_no_key_is_said() {
    assert_eq!(PublicKey::from_pem("hello").map_err(|error| error.code()), Err("malformed-key"));
    let private = "-----BEGIN PRIVATE KEY-----\nAAE=\n-----END PRIVATE KEY-----\n";
    assert!(PublicKey::from_pem(private).unwrap_err().to_string().contains("private key"));
    assert_eq!(PrivateKey::from_pem(private, None).map(|_| ()).map_err(|error| error.code()), Err("malformed-key"));
    let encrypted = private.replace("PRIVATE", "ENCRYPTED PRIVATE");
    assert_eq!(PrivateKey::from_pem(&encrypted, None).map(|_| ()), Err(SigningError::PasswordNeeded));
    let old = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAE=\n-----END EC PRIVATE KEY-----\n";
    assert!(PrivateKey::from_pem(old, Some(b"x")).unwrap_err().to_string().contains("openssl pkcs8"));
}
