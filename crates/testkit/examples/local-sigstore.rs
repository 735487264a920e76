//! Runs a Sigstore instance on this machine, and writes what makes clients use it and believe it into a folder:
//! `trusted_root.json`, `signing_config.json`, both in `trust_config.json`, `root.json` of the repository at `/tuf/`, a `token`
//! and the `address`.
//!
//! `cargo run -p waag-testkit --features sigstore --example local-sigstore -- FOLDER [--rekor 1|2] [--identity NAME] [--issuer URL]`

#![expect(clippy::expect_used, reason = "what fails here fails for the person who ran it")]

use std::path::Path;

use waag_testkit::sigstore::{Instance, Options};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(arguments.first().expect("a folder to write to"));
    let option = |name: &str, otherwise: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).map_or_else(|| otherwise.to_owned(), Clone::clone)
    };
    let version = option("--rekor", "1").parse().expect("a version of Rekor, 1 or 2");
    let (identity, issuer) = (option("--identity", "signer@waag.test"), option("--issuer", "https://issuer.waag.test"));
    let server = Instance::new(Options::default()).serve(0).expect("a port of the loopback device");
    let (instance, address) = (server.instance(), server.address());
    std::fs::create_dir_all(folder).expect("a folder that can be made");
    let write =
        |name: &str, text: String| std::fs::write(folder.join(name), text).expect("a folder that can be written to");
    write("trusted_root.json", format!("{:#}\n", instance.trusted_root()));
    write("signing_config.json", format!("{:#}\n", instance.signing_config(address, version)));
    write("trust_config.json", format!("{:#}\n", instance.trust_config(address, version)));
    write("root.json", String::from_utf8_lossy(&instance.repository_root()).into_owned());
    write("token", instance.token(&identity, &issuer));
    // Written last: whoever waits for it finds the rest.
    write("address", address.to_owned());
    loop {
        std::thread::park();
    }
}
