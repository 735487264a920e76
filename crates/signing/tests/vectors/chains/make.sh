#!/usr/bin/env bash
# Makes the certificates of this folder with OpenSSL, and throws the private keys away: each shows one thing that a chain
# may have or must not have. Written 2026-11-27 to 2126; `expired-between.crt` ended after a day.
set -euo pipefail
cd "$(dirname "$0")"
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT

key() { # NAME [rsa]
  if [ "${2:-}" = rsa ]; then openssl genrsa -out "$keys/$1.key" 2048 2>/dev/null
  else openssl ecparam -name prime256v1 -genkey -noout -out "$keys/$1.key"; fi
}
root() { # NAME [rsa]
  key "$1" "${2:-}"
  openssl req -x509 -new -key "$keys/$1.key" -out "$1.crt" -days 36500 -subj "/CN=$1" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
}
issue() { # NAME ISSUER EXTENSIONS [DAYS] [DIGEST]
  key "$1"
  openssl req -new -key "$keys/$1.key" -subj "/CN=$1" -out "$keys/$1.csr"
  printf '%b' "$3" > "$keys/$1.ext"
  openssl x509 -req -in "$keys/$1.csr" -CA "$2.crt" -CAkey "$keys/$2.key" -CAcreateserial -CAserial "$keys/serial" \
    -out "$1.crt" -days "${4:-36500}" "-${5:-sha256}" -extfile "$keys/$1.ext" 2>/dev/null
}
authority='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n'
signer='basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n'

root root
root other-root
root rsa-root rsa
issue good root "$signer"
issue rsa-good rsa-root "$signer" 36500 sha384
issue sha1 root "$signer" 36500 sha1
issue between root "$authority"
issue below-between between "$signer"
issue second-between between "$authority"
issue below-second second-between "$signer"
issue short root 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n'
issue below-short short "$signer"
issue too-deep short "$authority"
issue below-too-deep too-deep "$signer"
issue below-signer good "$signer"
issue no-usage root 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n'
issue below-no-usage no-usage "$signer"
issue constrained root "${authority}nameConstraints=permitted;email:example.org\n"
issue below-constrained constrained "$signer"
issue for-servers root "${authority}extendedKeyUsage=serverAuth\n"
issue below-for-servers for-servers "$signer"
issue expired-between root "$authority" 1
issue below-expired expired-between "$signer"
issue odd root "${signer}1.2.3.4=critical,ASN1:NULL\n"
issue authority-flag root 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n'
issue authority-usage root 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature,keyCertSign\nextendedKeyUsage=codeSigning\n'
issue no-purpose root 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n'
key self
openssl req -x509 -new -key "$keys/self.key" -out self.crt -days 36500 -subj /CN=self \
  -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=codeSigning
