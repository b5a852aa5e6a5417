//! The arguments of `registry`.

use crate::show::ShowArgs;
use clap::{Args, Subcommand};
use module_store::{Grant, ModuleName};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// List the modules of the store: digests, arms, trusted keys that signed them, and where they came from; or the versions of a repository
    #[command(
        after_help = "Examples:\n  bench-host registry list\n  bench-host registry list --format json\n  bench-host registry list oci://registry.example/acme/json"
    )]
    List(StoredArgs),
    /// Add a component, a probe for this machine, or both, under a name and a version
    #[command(
        after_help = "Example:\n  bench-host registry add acme:json@1.2.0 json.wasm json.so\n  bench-host load acme:json@1.2.0"
    )]
    Add(AddArgs),
    /// Check the digest of every file, and every signature
    #[command(
        after_help = "Examples:\n  bench-host registry verify\n  bench-host registry verify acme:json@1.2.0 json.wasm"
    )]
    Verify(VerifyArgs),
    /// Remove modules, and the files that no other module has
    #[command(after_help = "Example:\n  bench-host registry remove acme:json@1.2.0")]
    Remove(RemoveArgs),
    /// Make a pair of keys to sign modules with: FILE, and FILE.pub to give to others
    #[cfg(feature = "signatures")]
    #[command(after_help = "Example:\n  bench-host registry keygen ~/.config/bench-host/acme.key")]
    Keygen(KeygenArgs),
    /// Sign which files a module is, or print the statement that minisign can sign
    #[cfg(feature = "signatures")]
    #[command(
        after_help = "Examples:\n  bench-host registry sign acme:json@1.2.0 --key acme.key\n\nWith a key that a password protects:\n  bench-host registry sign acme:json@1.2.0 > json.txt\n  minisign -S -m json.txt\n  bench-host registry sign acme:json@1.2.0 --signature json.txt.minisig --public-key minisign.pub"
    )]
    Sign(SignArgs),
    /// Trust a key or a file: say whether its native code runs, and what its components are granted
    #[command(
        after_help = "Examples:\n  bench-host registry trust acme.key.pub --namespace acme --natives\n  bench-host registry trust sha256:9c82… --grant 'net 127.0.0.1:5432'\n  bench-host registry trust sha256:9c82… --revoke"
    )]
    Trust(TrustArgs),
    /// Push a module with its probes and signatures to an OCI registry, such as that of GitHub or one of your own
    #[cfg(feature = "registry")]
    #[command(
        after_help = "Example:\n  docker login registry.example\n  bench-host registry push acme:json@1.2.0 oci://registry.example/acme/json"
    )]
    Push(PushArgs),
    /// Pull a module with its probes and signatures into the store; one that is there is not fetched again
    #[cfg(feature = "registry")]
    #[command(
        after_help = "Examples:\n  bench-host registry pull oci://registry.example/acme/json:1.2.0\n  bench-host registry pull oci://localhost:5000/acme/json@sha256:9c82…"
    )]
    Pull(PullArgs),
}

#[derive(Debug, Args)]
pub(crate) struct StoredArgs {
    /// List the versions of this repository instead of the modules of the store
    #[cfg(feature = "registry")]
    #[arg(value_name = "oci://HOST/REPOSITORY")]
    pub(crate) repository: Option<String>,
    #[cfg(feature = "registry")]
    #[command(flatten)]
    pub(crate) transport: TransportArgs,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Name and version, such as `acme:json@1.2.0`
    #[arg(value_name = "NAMESPACE:NAME@VERSION")]
    pub(crate) name: ModuleName,
    /// A component or core module (`.wasm`), a probe (`.so`, `.dylib`), or one of each
    #[arg(required = true, num_args = 1..=2, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Licence, as an SPDX expression such as `Apache-2.0`
    #[arg(long, value_name = "SPDX")]
    pub(crate) license: Option<String>,
    /// URL of the sources
    #[arg(long, value_name = "URL")]
    pub(crate) source: Option<String>,
    /// One sentence about it
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Modules by name or digest, or files, which must be of a module of the store [default: all modules of the store]
    #[arg(value_name = "NAME|DIGEST|FILE")]
    pub(crate) what: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Modules by name or digest
    #[arg(required = true, value_name = "NAME|DIGEST")]
    pub(crate) what: Vec<String>,
}

#[cfg(feature = "signatures")]
#[derive(Debug, Args)]
pub(crate) struct KeygenArgs {
    /// File for the secret key, which only you can read; it must not exist yet
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[cfg(feature = "signatures")]
#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    /// Module by name
    #[arg(value_name = "NAME")]
    pub(crate) name: ModuleName,
    /// Sign with this secret key, which has no password [default: print the statement]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Attach the signature that minisign made of the statement
    #[arg(long, value_name = "FILE", conflicts_with = "key", requires = "public_key")]
    pub(crate) signature: Option<PathBuf>,
    /// Public key of that signature: the key in one line, or its file
    #[arg(long, value_name = "KEY|FILE", requires = "signature")]
    pub(crate) public_key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    /// A public key of minisign in one line or as a file, or the digest of a file
    #[arg(value_name = "KEY|FILE|DIGEST")]
    pub(crate) what: String,
    /// Run its native code: of a key, all that it signed
    #[arg(long)]
    pub(crate) natives: bool,
    /// Trust the key only for modules of this namespace; may be given several times [default: all]
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) namespace: Vec<String>,
    /// Grant its components this: `net HOST:PORT`, `dir HOST[::GUEST][:ro]`, `env NAME`, or what the policy denies others (`ring`, `log`, `control-plane`); may be given several times
    #[arg(long, value_name = "GRANT")]
    pub(crate) grant: Vec<Grant>,
    /// Remove the trust in it
    #[arg(long, conflicts_with_all = ["natives", "namespace", "grant"])]
    pub(crate) revoke: bool,
}

#[cfg(feature = "registry")]
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// Module by name
    #[arg(value_name = "NAME")]
    pub(crate) name: ModuleName,
    /// Repository, and the tag if it is not the version
    #[arg(value_name = "oci://HOST/REPOSITORY[:TAG]")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

#[cfg(feature = "registry")]
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    // Parsed by the command, because the parser of options would repeat a password that is in it.
    /// Repository with a version or the digest of a manifest
    #[arg(value_name = "oci://HOST/REPOSITORY[:TAG][@DIGEST]")]
    pub(crate) from: String,
    /// Ask the registry even if the store has the module: for probes and signatures that were added since, and whether the tag has moved
    #[arg(long)]
    pub(crate) refresh: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

/// How a registry is reached, and whether its tags may move.
#[cfg(feature = "registry")]
#[derive(Debug, Args)]
pub(crate) struct RemoteArgs {
    #[command(flatten)]
    pub(crate) transport: TransportArgs,
    /// Accept a tag that is not a version, or that means another module than before
    #[arg(long)]
    pub(crate) allow_moving: bool,
}

/// How a registry is reached.
#[cfg(feature = "registry")]
#[derive(Debug, Args)]
pub(crate) struct TransportArgs {
    /// Reach this registry without TLS; on this machine that is the default
    #[arg(long, value_name = "HOST")]
    pub(crate) plain_http: Option<String>,
    /// Use TLS on this machine too, as on every other; trusted authorities are those of the system or of `SSL_CERT_FILE`
    #[arg(long, conflicts_with = "plain_http")]
    pub(crate) tls: bool,
}
