//! Keys and signatures in the formats of minisign (<https://jedisct1.github.io/minisign/>): Ed25519 over the BLAKE2b-512 of the text. A
//! secret key that a password protects is left to minisign itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use blake2::digest::consts::U32;
use blake2::{Blake2b, Blake2b512, Digest as _};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
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

/// A secret key without a password.
pub struct SecretKey {
    id: KeyId,
    seed: [u8; 32],
    pair: Ed25519KeyPair,
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
}

const COMMENT: &str = "untrusted comment: ";
const TRUSTED_COMMENT: &str = "trusted comment: ";

/// The algorithm of keys, and of legacy signatures.
const PLAIN: [u8; 2] = *b"Ed";

/// The algorithm of signatures of a hash.
const HASHED: [u8; 2] = *b"ED";

/// The algorithm of the checksum in a secret key: BLAKE2b-256.
const CHECKSUM: [u8; 2] = *b"B2";

/// The bytes of a secret key: three algorithms, salt and limits of the key derivation, identifier, seed and public key, checksum.
const SECRET_BYTES: usize = 2 + 2 + 2 + 32 + 8 + 8 + 8 + 64 + 32;

/// Where the identifier of a secret key begins.
const SECRET_ID: usize = 2 + 2 + 2 + 32 + 8 + 8;

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
        let key = UnparsedPublicKey::new(&ED25519, self.key);
        let verify = |text: &[u8], signature: &[u8]| key.verify(text, signature).map_err(|_| MinisignError::Wrong);
        verify(&Blake2b512::digest(text), &signature.signature)?;
        verify(&[&signature.signature[..], signature.trusted_comment.as_bytes()].concat(), &signature.global)?;
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

impl SecretKey {
    /// Draws a key.
    pub fn generate() -> Result<Self, MinisignError> {
        let random = SystemRandom::new();
        let (mut id, mut seed) = ([0_u8; 8], [0_u8; 32]);
        random.fill(&mut id).and_then(|()| random.fill(&mut seed)).map_err(|_| MinisignError::Random)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| MinisignError::Random)?;
        Ok(Self { id, seed, pair })
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey { id: self.id, key: public_bytes(&self.pair) }
    }

    /// Signs `text`; the result is the file that minisign writes.
    pub fn sign(&self, text: &[u8], trusted_comment: &str) -> Signature {
        let signature = self.sign_bytes(&Blake2b512::digest(text));
        // A line of the file.
        let trusted_comment = trusted_comment.replace(|letter: char| letter.is_control(), " ");
        let global = self.sign_bytes(&[&signature[..], trusted_comment.as_bytes()].concat());
        Signature { id: self.id, signature, trusted_comment, global }
    }

    fn sign_bytes(&self, bytes: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(bytes).as_ref());
        signature
    }

    /// The file that `minisign -G -W` writes for this key.
    pub fn to_file(&self) -> String {
        let key = [&self.seed[..], &public_bytes(&self.pair)].concat();
        let checksum = Blake2b::<U32>::digest([&PLAIN[..], &self.id, &key].concat());
        // No key derivation, so neither a salt nor limits.
        let derivation = [0_u8; 2 + 32 + 8 + 8];
        let (algorithm, rest) = derivation.split_at(2);
        let bytes = [&PLAIN[..], algorithm, &CHECKSUM, rest, &self.id, &key, &checksum[..]].concat();
        format!("{COMMENT}minisign secret key {}\n{}\n", shown(self.id), BASE64.encode(bytes))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", shown(self.id))
    }
}

/// Parses the file of a key without a password.
impl FromStr for SecretKey {
    type Err = MinisignError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = MinisignError::Malformed("secret key");
        let line = text.strip_prefix(COMMENT).and_then(|_| text.lines().nth(1)).ok_or_else(|| malformed.clone())?;
        let bytes = BASE64.decode(line.trim()).map_err(|_| malformed.clone())?;
        if bytes.len() != SECRET_BYTES || bytes[..2] != PLAIN || bytes[4..6] != CHECKSUM {
            return Err(malformed);
        }
        if bytes[2..4] != [0; 2] {
            return Err(MinisignError::Protected);
        }
        let (Some(id), Some(seed)) = (part::<8>(&bytes, SECRET_ID), part::<32>(&bytes, SECRET_ID + 8)) else {
            return Err(malformed);
        };
        // Checks that the two halves belong together, so a damaged file is found without the checksum.
        let public = &bytes[SECRET_ID + 40..SECRET_ID + 72];
        let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, public).map_err(|_| malformed)?;
        Ok(Self { id, seed, pair })
    }
}

fn public_bytes(pair: &Ed25519KeyPair) -> [u8; 32] {
    let mut key = [0; 32];
    key.copy_from_slice(pair.public_key().as_ref());
    key
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

/// The `N` bytes from `at`, if there are so many.
fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// The identifier as minisign shows it: a number, the last byte first.
fn shown(id: KeyId) -> String {
    format!("{:016X}", u64::from_le_bytes(id))
}

#[cfg(test)]
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
