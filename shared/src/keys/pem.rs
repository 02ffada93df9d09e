//! Keys as PEM texts that `openssl` reads and writes: PKCS#8, plain or encrypted, and public keys (docs/protocol.md
//! §6).
//!
//! Reads and writes texts, never files, and draws no random number: salt and initialisation vector come in.

use super::KeyPair;
use crate::ledger::{Address, TransactionViolation};
use p256::SecretKey;
use p256::elliptic_curve::ALGORITHM_OID;
use p256::pkcs8::{AssociatedOid, EncodePrivateKey, EncodePublicKey};
use pkcs8::der::pem::PemLabel;
use pkcs8::der::zeroize::Zeroizing;
use pkcs8::der::{Decode, SecretDocument};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef};

/// Rounds of PBKDF2-SHA256 when we encrypt a key: OWASP's recommendation.
pub const PASSWORD_ROUNDS: u32 = 600_000;
/// The most rounds that a file may demand: some seconds.
const MOST_ROUNDS: u32 = 10_000_000;
/// The most that a file may demand of scrypt: N · r is 1/128 of its bytes of memory, p the number of passes.
const MOST_SCRYPT: (u64, u16) = (1 << 21, 16);

/// Why a text is not a usable key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyFile {
    /// Not PEM at all.
    #[error("not a key file: expected PEM, which begins with -----BEGIN PRIVATE KEY-----")]
    NotPem,
    /// PEM whose lines are not as they were written.
    #[error("the key file was cut short or changed: copy all of it again, from -----BEGIN to the last -----")]
    BrokenPem,
    /// A public key, or something that contains one.
    #[error(
        "this is a {0}, which anybody may have; expected the private key that belongs to it, in a file with \
         -----BEGIN PRIVATE KEY-----"
    )]
    Public(&'static str),
    /// The PEM label is not that of a private key.
    #[error("this is a {0}, expected a PRIVATE KEY: `openssl pkcs8 -topk8` may turn it into one")]
    NotAPrivateKey(String),
    /// A private key of another algorithm or curve.
    #[error("a private key of another kind or curve: expected an EC key on P-256 (prime256v1)")]
    AnotherKind,
    /// The label is right, the content is not.
    #[error("the key is damaged: {0}")]
    Damaged(String),
    /// Encrypted, and no password was given.
    #[error("the key is encrypted: it needs its password")]
    PasswordNeeded,
    /// The password does not decrypt it.
    #[error("the password is wrong, or the file is damaged")]
    WrongPassword,
    /// Encrypted with an unsupported scheme.
    #[error(
        "the key is encrypted in a way that is not supported here ({0}): expected PBES2 with PBKDF2 or scrypt and AES"
    )]
    Encryption(String),
    /// Decryption would take too long.
    #[error("the key asks for too much work to decrypt: at most {MOST_ROUNDS} rounds of PBKDF2 or 256 MiB of scrypt")]
    TooCostly,
}

/// The key cannot be written as PEM, which does not happen with valid keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot write the key as PEM: {0}")]
pub struct NotWritten(String);

impl From<pkcs8::Error> for NotWritten {
    fn from(error: pkcs8::Error) -> Self {
        Self(error.to_string())
    }
}

impl KeyPair {
    /// The key as PKCS#8 PEM, including the public key: for a file that only its owner may read.
    ///
    /// # Errors
    /// [`NotWritten`].
    pub fn to_pem(&self) -> Result<Zeroizing<String>, NotWritten> {
        Ok(SecretKey::from(&self.key).to_pkcs8_pem(LineEnding::LF)?)
    }

    /// The key as encrypted PKCS#8 PEM: PBES2 with PBKDF2-SHA256 and AES-256-CBC.
    ///
    /// `salt` and `iv` must be new random numbers for each file.
    ///
    /// # Errors
    /// [`NotWritten`].
    pub fn to_encrypted_pem(
        &self,
        password: &str,
        salt: [u8; 16],
        iv: [u8; 16],
    ) -> Result<Zeroizing<String>, NotWritten> {
        let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(PASSWORD_ROUNDS, &salt, iv);
        let plain = SecretKey::from(&self.key).to_pkcs8_der()?;
        let info = PrivateKeyInfoRef::from_der(plain.as_bytes()).map_err(pkcs8::Error::from)?;
        let encrypted = info.encrypt_with_params(parameters.map_err(pkcs8::Error::from)?, password)?;
        let text = encrypted.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF);
        Ok(text.map_err(pkcs8::Error::from)?)
    }

    /// Reads a key as PKCS#8, plain or encrypted, or as SEC1, which `openssl ecparam -genkey` writes.
    ///
    /// The password is ignored if the key is not encrypted.
    ///
    /// # Errors
    /// Why it is not a usable key, for people.
    pub fn from_pem(text: &str, password: Option<&str>) -> Result<Self, BadKeyFile> {
        let text = without_parameters(text.trim_ascii())?;
        if text.contains("Proc-Type: 4,ENCRYPTED") {
            let advice = "the old form of OpenSSL; `openssl pkcs8 -topk8 -in OLD -out NEW` converts it";
            return Err(BadKeyFile::Encryption(advice.to_owned()));
        }
        if !text.contains("-----BEGIN ") {
            return Err(BadKeyFile::NotPem);
        }
        let (label, document) = SecretDocument::from_pem(text).map_err(|error| match error.kind() {
            pkcs8::der::ErrorKind::Pem(_) => BadKeyFile::BrokenPem,
            other => BadKeyFile::Damaged(other.to_string()),
        })?;
        let secret = match label {
            "PRIVATE KEY" => read_pkcs8(document.as_bytes())?,
            "ENCRYPTED PRIVATE KEY" => {
                let plain = decrypt(document.as_bytes(), password.ok_or(BadKeyFile::PasswordNeeded)?)?;
                read_pkcs8(plain.as_bytes())?
            }
            "EC PRIVATE KEY" => SecretKey::from_sec1_der(document.as_bytes()).map_err(|_| BadKeyFile::AnotherKind)?,
            "PUBLIC KEY" => return Err(BadKeyFile::Public("public key")),
            "CERTIFICATE" => return Err(BadKeyFile::Public("certificate")),
            "CERTIFICATE REQUEST" => return Err(BadKeyFile::Public("certificate request")),
            other => return Err(BadKeyFile::NotAPrivateKey(other.to_owned())),
        };
        Self::of(secret.into()).ok_or(BadKeyFile::AnotherKind)
    }
}

/// The text after the block that names the curve, which `openssl ecparam -genkey` writes before the key. The key itself
/// names its curve, too.
fn without_parameters(text: &str) -> Result<&str, BadKeyFile> {
    const END: &str = "-----END EC PARAMETERS-----";
    match text.strip_prefix("-----BEGIN EC PARAMETERS-----").and_then(|rest| rest.split_once(END)) {
        Some((_, key)) if key.trim_ascii().is_empty() => {
            Err(BadKeyFile::NotAPrivateKey("file that names a curve and has no key".to_owned()))
        }
        Some((_, key)) => Ok(key.trim_ascii()),
        None => Ok(text),
    }
}

fn read_pkcs8(der: &[u8]) -> Result<SecretKey, BadKeyFile> {
    let damaged = |error: pkcs8::Error| BadKeyFile::Damaged(error.to_string());
    let info = PrivateKeyInfoRef::from_der(der).map_err(|error| damaged(error.into()))?;
    info.algorithm.assert_oids(ALGORITHM_OID, p256::NistP256::OID).map_err(|_| BadKeyFile::AnotherKind)?;
    SecretKey::try_from(info).map_err(damaged)
}

fn decrypt(der: &[u8], password: &str) -> Result<SecretDocument, BadKeyFile> {
    let encrypted =
        EncryptedPrivateKeyInfoRef::from_der(der).map_err(|error| BadKeyFile::Encryption(error.to_string()))?;
    if !is_affordable(&encrypted.encryption_algorithm) {
        return Err(BadKeyFile::TooCostly);
    }
    encrypted.decrypt(password).map_err(|error| match error {
        // A wrong password decrypts to noise: its padding is wrong, or it is not DER.
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::DecryptFailed) | pkcs8::Error::Asn1(_) => {
            BadKeyFile::WrongPassword
        }
        other => BadKeyFile::Encryption(other.to_string()),
    })
}

/// Whether decryption takes a bounded amount of work: the file may come from a stranger.
fn is_affordable(scheme: &EncryptionScheme) -> bool {
    match scheme.pbes2().map(|parameters| &parameters.kdf) {
        Some(Kdf::Pbkdf2(asked)) => asked.iteration_count <= MOST_ROUNDS,
        Some(Kdf::Scrypt(asked)) => {
            let (most_memory, most_passes) = MOST_SCRYPT;
            let memory = asked.cost_parameter.checked_mul(u64::from(asked.block_size));
            memory.is_some_and(|memory| memory <= most_memory) && asked.parallelization <= most_passes
        }
        // Other schemes are refused anyway.
        _ => true,
    }
}

/// The public key of an address as PEM (SubjectPublicKeyInfo), for `openssl dgst -verify`.
///
/// # Errors
/// [`TransactionViolation::NotAPoint`].
pub fn public_key_pem(address: &Address) -> Result<String, TransactionViolation> {
    let wrong = || TransactionViolation::NotAPoint(*address);
    let key = p256::PublicKey::from_sec1_bytes(&address.public_key()).map_err(|_| wrong())?;
    key.to_public_key_pem(LineEnding::LF).map_err(|_| wrong())
}
