//! Secret keys, which sign. The format is that of minisign for a key without a password.

use super::{COMMENT, KeyId, MinisignError, PLAIN, PublicKey, Signature, part, shown};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use blake2::digest::consts::U32;
use blake2::{Blake2b, Blake2b512, Digest as _};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::fmt;
use std::str::FromStr;

/// A secret key without a password.
pub struct SecretKey {
    pub(super) id: KeyId,
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

/// The algorithm of the checksum in a secret key: BLAKE2b-256.
const CHECKSUM: [u8; 2] = *b"B2";

/// The bytes of a secret key: three algorithms, salt and limits of the key derivation, identifier, seed and public key, checksum.
const SECRET_BYTES: usize = 2 + 2 + 2 + 32 + 8 + 8 + 8 + 64 + 32;

/// Where the identifier of a secret key begins.
const SECRET_ID: usize = 2 + 2 + 2 + 32 + 8 + 8;

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
