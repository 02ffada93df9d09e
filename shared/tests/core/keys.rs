//! Keys: known answers for seeds and signatures, and key files in both directions with what `openssl` writes.
//!
//! The files in `vectors/keys` hold the key of the seed `alice`. OpenSSL 3.0 wrote them, except `alice_encrypted.pem`,
//! which was computed apart from this code (salt 0..16, iv 16..32) and which `openssl pkey` reads, and the two bombs.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use serde::Deserialize;
use shared::keys::{BadKeyFile, KeyPair, PlainVerifier, Signature, Signed, Verifier, public_key_pem};
use shared::ledger::{Address, TransactionViolation};

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../vectors/keys/", $name, ".pem"))
    };
}

const PASSWORD: &str = "correct horse";

/// Passwords `wrong <n>` that decrypt `alice_pbkdf2` to noise which happens to end in valid padding.
const LUCKY: [u32; 3] = [137, 323, 689];

#[derive(Deserialize)]
struct Key {
    seed: String,
    scalar: String,
    address: Address,
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    std::array::from_fn(|place| u8::from_str_radix(&hex[2 * place..2 * place + 2], 16).unwrap())
}

fn alice() -> KeyPair {
    KeyPair::from_seed("alice")
}

#[test]
fn a_seed_has_its_key_and_address() {
    let keys: Vec<Key> = serde_json::from_str(include_str!("../vectors/keys.json")).unwrap();
    assert_eq!(keys.len(), 6);
    for Key { seed, scalar, address } in keys {
        let pair = KeyPair::from_seed(&seed);
        assert_eq!(pair.address(), address, "{seed:?}");
        assert_eq!(Address::of_public_key(&pair.public_key()), Ok(address), "{seed:?}");
        assert_eq!(address.public_key(), pair.public_key(), "{seed:?}");
        let of_scalar = KeyPair::from_entropy(bytes(&scalar)).unwrap();
        assert_eq!(of_scalar.to_pem(), pair.to_pem(), "{seed:?} has another scalar than {scalar}");
    }
}

/// RFC 6979, A.2.5.
#[test]
fn signatures_are_those_of_rfc_6979() {
    let secret = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    let pair = KeyPair::from_entropy(bytes(secret)).unwrap();
    let x = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
    assert_eq!(pair.public_key()[1..], bytes::<32>(x));
    for (text, r, s) in [
        (
            "sample",
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
            "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        ),
        (
            "test",
            "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
            "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
        ),
    ] {
        let (from, signature) = (&pair.address(), &pair.sign(text));
        assert_eq!(signature.to_string(), format!("{r}{s}"), "{text}");
        assert_eq!(PlainVerifier.verify(&Signed { text, signer: from, named: &[], signature }), Ok(()), "{text}");
    }
}

#[test]
fn der_is_what_openssl_reads() {
    // `printf hello | openssl dgst -sha256 -sign alice.pem`: r has its highest bit set, s has not.
    let der = "3045022100b07a6d16eb0faba17471269f777651c98d1b9167086c238160acb41455646384\
               02207b87be1146b207786e853d2e6552e483b713054c2978c4b679a9a0067527e540";
    let (r, s) = (&der[10..74], &der[78..142]);
    let signature: Signature = format!("{r}{s}").parse().unwrap();
    assert_eq!(signature.to_der(), Some(bytes::<71>(der).to_vec()));
    let from = &alice().address();
    let signed = Signed { text: "hello", signer: from, named: &[], signature: &signature };
    assert_eq!(PlainVerifier.verify(&signed), Ok(()), "what openssl signed");
    for nobodys in [[0; 64], [0xff; 64]] {
        assert_eq!(Signature::from_bytes(nobodys).to_der(), None);
    }
}

#[test]
fn key_files_are_those_of_openssl() {
    assert_eq!(alice().to_pem().unwrap().as_str(), file!("alice"));
    assert_eq!(public_key_pem(&alice().address()).unwrap(), file!("alice_public"));
    let (salt, iv) = (std::array::from_fn(|i| i as u8), std::array::from_fn(|i| 16 + i as u8));
    let encrypted = alice().to_encrypted_pem(PASSWORD, salt, iv).unwrap();
    assert_eq!(encrypted.as_str(), file!("alice_encrypted"));
    let key: [u8; 33] = std::array::from_fn(|place| [2, 0][place.min(1)] | u8::from(place == 32));
    let nobody = Address::of_public_key(&key).unwrap();
    assert_eq!(public_key_pem(&nobody), Err(TransactionViolation::NotAPoint(nobody)), "x = 1 is on no P-256");
}

/// What `openssl ecparam -name prime256v1 -genkey` writes before the key.
const PARAMETERS: &str = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
/// What `openssl ec -aes256` writes after the first line.
const OLD_ENCRYPTION: &str = "-\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n";

#[test]
fn key_files_are_read_plain_and_encrypted() {
    for (name, text, password) in [
        ("plain", file!("alice"), None),
        ("plain, with a password that it does not need", file!("alice"), Some("another")),
        ("SEC1", file!("alice_sec1"), None),
        ("PBKDF2", file!("alice_pbkdf2"), Some(PASSWORD)),
        ("scrypt", file!("alice_scrypt"), Some(PASSWORD)),
        ("ours", file!("alice_encrypted"), Some(PASSWORD)),
        ("with lines ended as on Windows", &file!("alice").replace('\n', "\r\n"), None),
        ("with blank lines around it", &format!("\n{}\n\n", file!("alice")), None),
        ("as openssl ecparam -genkey writes it", &format!("{PARAMETERS}{}", file!("alice_sec1")), None),
    ] {
        let pair = KeyPair::from_pem(text, password).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(pair.to_pem(), alice().to_pem(), "{name}");
        assert_eq!(pair.sign("x"), alice().sign("x"), "{name}");
    }
}

#[test]
fn unusable_key_files_are_refused_with_the_reason() {
    let damaged = file!("alice").replace("BG0wawIBAQQg", "BG0wawIBAQQh");
    let of_another = file!("alice").replace("Fqjaj", "Fqjak").replace("AASj15VV", "AASj15VW");
    for (name, text, password, expected) in [
        ("nothing", "", None, "NotPem"),
        ("an address", alice().address().as_str(), None, "NotPem"),
        ("half a file", &file!("alice")[..100], None, "BrokenPem"),
        ("base64 with a typing mistake", &file!("alice").replace("MIGH", "MI*H"), None, "BrokenPem"),
        ("a public key", file!("alice_public"), None, "Public"),
        ("a certificate", &file!("alice_public").replace("PUBLIC KEY", "CERTIFICATE"), None, "Public"),
        ("an SSH key", &file!("alice").replace("PRIVATE KEY", "OPENSSH PRIVATE KEY"), None, "NotAPrivateKey"),
        ("parameters without a key", PARAMETERS, None, "NotAPrivateKey"),
        ("an old encryption", &file!("alice_sec1").replacen("-\n", OLD_ENCRYPTION, 1), None, "Encryption"),
        ("a length that does not fit", &damaged, None, "Damaged"),
        ("a public key that is another's", &of_another, None, "Damaged"),
        ("Ed25519", file!("ed25519"), None, "AnotherKind"),
        ("another curve", file!("secp256k1"), None, "AnotherKind"),
        ("another curve, SEC1", file!("secp256k1_sec1"), None, "AnotherKind"),
        ("no password", file!("alice_pbkdf2"), None, "PasswordNeeded"),
        ("an empty password", file!("alice_pbkdf2"), Some(""), "WrongPassword"),
        ("a wrong password", file!("alice_pbkdf2"), Some("Correct horse"), "WrongPassword"),
        ("a wrong password, scrypt", file!("alice_scrypt"), Some("Correct horse"), "WrongPassword"),
        ("a bomb of PBKDF2", file!("pbkdf2_bomb"), Some(PASSWORD), "TooCostly"),
        ("a bomb of scrypt", file!("scrypt_bomb"), Some(PASSWORD), "TooCostly"),
    ] {
        let error = KeyPair::from_pem(text, password).expect_err(name);
        let variant = format!("{error:?}");
        assert!(variant.starts_with(expected), "{name}: {variant}, expected {expected}");
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn a_wrong_password_that_yields_valid_padding_by_chance_is_refused() {
    for chance in LUCKY {
        let error = KeyPair::from_pem(file!("alice_pbkdf2"), Some(&format!("wrong {chance}")));
        assert_eq!(error.err(), Some(BadKeyFile::WrongPassword), "wrong {chance}");
    }
}
