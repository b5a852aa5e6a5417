//! Keys and signatures in the formats of minisign (<https://jedisct1.github.io/minisign/>): Ed25519 over the BLAKE2b-512 of the text. A
//! secret key that a password protects is left to minisign itself.

#[cfg(feature = "signatures")]
mod secret;

#[cfg(feature = "signatures")]
pub use secret::SecretKey;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::fmt;
use std::str::FromStr;

/// The identifier of a pair of keys, which is drawn with them.
type KeyId = [u8; 8];

/// A public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    id: KeyId,
    key: [u8; 32],
}

/// A signature and its trusted comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    id: KeyId,
    signature: [u8; 64],
    trusted_comment: String,
    /// Signs the signature and the trusted comment.
    global: [u8; 64],
}

/// Why a key or a signature is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MinisignError {
    /// The text is not what minisign writes.
    #[error("not a {0} of minisign")]
    Malformed(&'static str),
    /// The secret key is encrypted.
    #[error("the secret key is protected by a password; sign the statement with `minisign -S` and give the signature")]
    Protected,
    /// The signature is of the text itself and not of its hash.
    #[error("a signature in minisign's legacy format; sign again with minisign 0.10 or later")]
    Legacy,
    /// Another key has signed.
    #[error("signed with the key {signed}, not with {key}")]
    OtherKey {
        /// The identifier of the key that has signed.
        signed: String,
        /// The identifier of the key that was given.
        key: String,
    },
    /// The signature does not fit the text and the key.
    #[error("the signature is wrong: the text or the signature was changed")]
    Wrong,
    /// The system gave no random bytes.
    #[error("the system gives no random bytes for a key")]
    Random,
    /// The program has no code that checks signatures.
    #[error("this program was built without the cargo feature `signatures`, so it cannot check one")]
    Unsupported,
}

const COMMENT: &str = "untrusted comment: ";
const TRUSTED_COMMENT: &str = "trusted comment: ";

/// The algorithm of keys, and of legacy signatures.
const PLAIN: [u8; 2] = *b"Ed";

/// The algorithm of signatures of a hash.
const HASHED: [u8; 2] = *b"ED";

impl PublicKey {
    /// The identifier as minisign shows it.
    pub fn id(&self) -> String {
        shown(self.id)
    }

    /// Checks that `signature` is this key's signature of `text`, and returns the trusted comment.
    pub fn verify<'a>(&self, text: &[u8], signature: &'a Signature) -> Result<&'a str, MinisignError> {
        if signature.id != self.id {
            return Err(MinisignError::OtherKey { signed: shown(signature.id), key: self.id() });
        }
        ensure_signed(self.key, text, signature)?;
        Ok(&signature.trusted_comment)
    }

    /// The file that minisign writes for this key.
    pub fn to_file(&self) -> String {
        format!("{COMMENT}minisign public key {}\n{self}\n", self.id())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode([&PLAIN[..], &self.id, &self.key].concat()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Parses the key in one line, or the file with a comment above it.
impl FromStr for PublicKey {
    type Err = MinisignError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = MinisignError::Malformed("public key");
        let line = match text.strip_prefix(COMMENT) {
            Some(_) => text.lines().nth(1).unwrap_or_default(),
            None => text,
        };
        let bytes = BASE64.decode(line.trim()).map_err(|_| malformed.clone())?;
        match (bytes.get(..2), part(&bytes, 2), part(&bytes, 10)) {
            (Some(algorithm), Some(id), Some(key)) if algorithm == PLAIN && bytes.len() == 42 => Ok(Self { id, key }),
            _ => Err(malformed),
        }
    }
}

impl Signature {
    /// The identifier of the key that it claims to be of.
    pub fn key_id(&self) -> String {
        shown(self.id)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signature = BASE64.encode([&HASHED[..], &self.id, &self.signature].concat());
        writeln!(f, "{COMMENT}signature of bench-host\n{signature}")?;
        writeln!(f, "{TRUSTED_COMMENT}{}\n{}", self.trusted_comment, BASE64.encode(self.global))
    }
}

impl FromStr for Signature {
    type Err = MinisignError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = MinisignError::Malformed("signature");
        let mut lines = text.lines();
        let mut next = |begin: &str| lines.next().and_then(|line| line.strip_prefix(begin)).ok_or(malformed.clone());
        next(COMMENT)?;
        let first = BASE64.decode(next("")?.trim()).map_err(|_| malformed.clone())?;
        let trusted_comment = next(TRUSTED_COMMENT)?.to_owned();
        let second = BASE64.decode(next("")?.trim()).map_err(|_| malformed.clone())?;
        match (first.get(..2), part(&first, 2), part(&first, 10), part(&second, 0)) {
            (Some(algorithm), ..) if algorithm == PLAIN => Err(MinisignError::Legacy),
            (Some(algorithm), Some(id), Some(signature), Some(global))
                if algorithm == HASHED && first.len() == 74 && second.len() == 64 =>
            {
                Ok(Self { id, signature, trusted_comment, global })
            }
            _ => Err(malformed),
        }
    }
}

/// An error unless the key with these bytes has signed both the text and the trusted comment.
#[cfg(feature = "signatures")]
fn ensure_signed(key: [u8; 32], text: &[u8], signature: &Signature) -> Result<(), MinisignError> {
    use blake2::{Blake2b512, Digest as _};
    use ring::signature::{ED25519, UnparsedPublicKey};
    let key = UnparsedPublicKey::new(&ED25519, key);
    let verify = |text: &[u8], signature: &[u8]| key.verify(text, signature).map_err(|_| MinisignError::Wrong);
    verify(&Blake2b512::digest(text), &signature.signature)?;
    verify(&[&signature.signature[..], signature.trusted_comment.as_bytes()].concat(), &signature.global)
}

/// No signature is right where none can be checked.
#[cfg(not(feature = "signatures"))]
fn ensure_signed(_: [u8; 32], _: &[u8], _: &Signature) -> Result<(), MinisignError> {
    Err(MinisignError::Unsupported)
}

/// The `N` bytes from `at`, if there are so many.
fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// The identifier as minisign shows it: a number, the last byte first.
fn shown(id: KeyId) -> String {
    format!("{:016X}", u64::from_le_bytes(id))
}

#[cfg(all(test, feature = "signatures"))]
mod tests {
    use super::*;

    /// An example of minisign's documentation, signed by minisign itself.
    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    const SIGNATURE: &str = "untrusted comment: signature from minisign secret key\n\
        RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n\
        trusted comment: timestamp:1633700835\tfile:test\tprehashed\n\
        wLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==\n";

    #[test]
    fn signature_of_minisign_is_verified() {
        let (key, signature): (PublicKey, Signature) = (KEY.parse().unwrap(), SIGNATURE.parse().unwrap());
        assert_eq!(key.verify(b"test", &signature), Ok("timestamp:1633700835\tfile:test\tprehashed"));
        assert_eq!(key.verify(b"Test", &signature), Err(MinisignError::Wrong));
        assert_eq!(key.to_string(), KEY);
        let other: Signature = SIGNATURE.replace("file:test", "file:tost").parse().unwrap();
        assert_eq!(key.verify(b"test", &other), Err(MinisignError::Wrong), "the trusted comment is signed too");
    }

    #[test]
    fn own_signature_is_verified_by_its_key_alone() {
        let (secret, stranger) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
        let signature = secret.sign(b"text", "a\ncomment");
        assert_eq!(secret.public().verify(b"text", &signature), Ok("a comment"));
        let refused = stranger.public().verify(b"text", &signature).unwrap_err();
        assert!(matches!(refused, MinisignError::OtherKey { .. }), "{refused}");
        // The same identifier does not help.
        let forged = PublicKey { id: secret.id, ..stranger.public() };
        assert_eq!(forged.verify(b"text", &signature), Err(MinisignError::Wrong));
    }

    #[test]
    fn files_of_keys_and_signatures_are_read_back() {
        let secret = SecretKey::generate().unwrap();
        let again: SecretKey = secret.to_file().parse().unwrap();
        assert_eq!(again.public(), secret.public());
        assert_eq!(again.to_file(), secret.to_file());
        assert_eq!(secret.public().to_file().parse::<PublicKey>(), Ok(secret.public()));
        let signature = secret.sign(b"text", "comment");
        assert_eq!(signature.to_string().parse::<Signature>(), Ok(signature));
    }

    #[test]
    fn malformed_key_or_signature_is_refused() {
        let malformed = |what| Some(MinisignError::Malformed(what));
        for text in ["", "RWQ", "untrusted comment: x", "untrusted comment: x\n\n", &KEY.replace("RWQ", "RVQ"), "é"] {
            assert_eq!(text.parse::<PublicKey>().err(), malformed("public key"), "{text:?}");
        }
        let file = SecretKey::generate().unwrap().to_file();
        for text in ["", &file[..file.len() / 2], KEY, &KEY.repeat(4)] {
            assert_eq!(text.parse::<SecretKey>().err(), malformed("secret key"), "{text:?}");
        }
        let bytes: Vec<&str> = file.lines().collect();
        let mut decoded = BASE64.decode(bytes[1]).unwrap();
        decoded[2..4].copy_from_slice(b"Sc");
        let text = format!("{COMMENT}x\n{}\n", BASE64.encode(&decoded));
        assert_eq!(text.parse::<SecretKey>().err(), Some(MinisignError::Protected));
        let lines: Vec<&str> = SIGNATURE.lines().collect();
        for count in 0..4 {
            assert_eq!(lines[..count].join("\n").parse::<Signature>().err(), malformed("signature"), "{count} lines");
        }
        let legacy = SIGNATURE.replace("\nRUQ", "\nRWQ").parse::<Signature>();
        assert_eq!(legacy.err(), Some(MinisignError::Legacy));
    }
}
