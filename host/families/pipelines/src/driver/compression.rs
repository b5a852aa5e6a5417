//! The compression of batches while they wait between the two sides.

use crate::connectors::BatchError;
use bench_model::ModuleError;
use std::borrow::Cow;

/// How hard zstd tries. It is the level that keeps up with a database.
const ZSTD_LEVEL: i32 = 1;

/// A way to pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// As they are.
    None,
    /// One LZ4 block each.
    Lz4,
    /// One zstd frame each.
    Zstd,
}

/// A batch on its way.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    /// Before it was packed.
    pub(super) length: usize,
}

/// Packs batches, one after the other.
pub(super) enum Packer {
    None,
    Lz4,
    Zstd(zstd::bulk::Compressor<'static>),
}

/// Undoes what a [`Packer`] did.
pub(super) enum Unpacker {
    None,
    Lz4,
    Zstd(zstd::bulk::Decompressor<'static>),
}

impl Compression {
    /// Out of the argument `compression`.
    pub(super) fn parse(text: &str) -> Result<Self, ModuleError> {
        match text {
            "none" => Ok(Self::None),
            "lz4" => Ok(Self::Lz4),
            "zstd" => Ok(Self::Zstd),
            other => {
                let reason = format!("`compression` is `{other}`; it knows none, lz4, zstd");
                Err(ModuleError::InvalidArgument(reason))
            }
        }
    }

    pub(super) fn packer(self) -> Result<Packer, ModuleError> {
        Ok(match self {
            Self::None => Packer::None,
            Self::Lz4 => Packer::Lz4,
            Self::Zstd => Packer::Zstd(zstd::bulk::Compressor::new(ZSTD_LEVEL).map_err(unavailable)?),
        })
    }

    pub(super) fn unpacker(self) -> Result<Unpacker, ModuleError> {
        Ok(match self {
            Self::None => Unpacker::None,
            Self::Lz4 => Unpacker::Lz4,
            Self::Zstd => Unpacker::Zstd(zstd::bulk::Decompressor::new().map_err(unavailable)?),
        })
    }
}

fn unavailable(error: std::io::Error) -> ModuleError {
    ModuleError::Unavailable(format!("zstd cannot begin: {error}; use another compression"))
}

impl Packer {
    pub(super) fn pack(&mut self, batch: Cow<'_, [u8]>) -> Result<Packed, BatchError> {
        let length = batch.len();
        let bytes = match self {
            Self::None => batch.into_owned(),
            Self::Lz4 => lz4_flex::block::compress(&batch),
            Self::Zstd(zstd) => zstd.compress(&batch).map_err(|error| damaged("packed", &error))?,
        };
        Ok(Packed { bytes, length })
    }
}

impl Unpacker {
    pub(super) fn unpack(&mut self, packed: Packed) -> Result<Vec<u8>, BatchError> {
        match self {
            Self::None => Ok(packed.bytes),
            Self::Lz4 => {
                lz4_flex::block::decompress(&packed.bytes, packed.length).map_err(|error| damaged("unpacked", &error))
            }
            Self::Zstd(zstd) => {
                zstd.decompress(&packed.bytes, packed.length).map_err(|error| damaged("unpacked", &error))
            }
        }
    }
}

fn damaged(what: &str, error: &dyn std::fmt::Display) -> BatchError {
    BatchError::Other(format!("a batch cannot be {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacking_restores_the_packed_bytes() {
        let batches: [Vec<u8>; 3] = [Vec::new(), vec![7; 100_000], (0..=255).cycle().take(70_001).collect()];
        for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
            let (mut packer, mut unpacker) = (compression.packer().unwrap(), compression.unpacker().unwrap());
            for batch in &batches {
                let packed = packer.pack(batch.as_slice().into()).unwrap();
                assert_eq!(packed.length, batch.len());
                assert!(compression == Compression::None || batch.is_empty() || packed.bytes.len() < batch.len() / 10);
                assert_eq!(unpacker.unpack(packed).unwrap(), *batch, "{compression:?}");
            }
        }
    }

    #[test]
    fn a_damaged_batch_is_refused() {
        for compression in [Compression::Lz4, Compression::Zstd] {
            let packed = Packed { bytes: vec![255; 40], length: 1_000 };
            let error = compression.unpacker().unwrap().unpack(packed).unwrap_err();
            assert!(error.to_string().starts_with("a batch cannot be unpacked: "), "{error}");
        }
    }
}
