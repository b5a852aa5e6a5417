//! Tests the built program on correct modules, hostile modules, and files that are not modules. No test asserts a time, but for
//! ignored ones, which hold what people wait for to its target.

#[cfg(feature = "kubernetes")]
mod api_server;
mod authors;
mod bombs;
mod browser;
mod builds;
mod cache;
#[cfg(feature = "fleet")]
mod clusters;
mod comparing;
mod conformance;
mod deciding;
mod derived;
#[cfg(all(feature = "fleet", feature = "registry"))]
mod fetched;
mod figures;
#[cfg(feature = "fleet")]
mod fleet_faults;
#[cfg(feature = "fleet")]
mod fleets;
mod foreign;
mod full_disk;
mod functions;
mod grants;
mod history;
mod host;
mod installed;
#[cfg(target_os = "linux")]
mod isolation;
mod kept;
#[cfg(feature = "kubernetes")]
mod launches;
mod listing;
mod live;
mod log_arms;
mod logs;
mod misdeeds;
mod mistakes;
mod modules;
mod mutated;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "nats")]
#[path = "../../../bench-fleet/tests/nats_server/mod.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod nats_server;
mod operators;
mod packages;
mod planning;
#[cfg(feature = "fleet")]
mod policies;
#[cfg(feature = "price")]
mod pricing;
mod profiling;
mod readme;
mod refusals;
#[cfg(feature = "registry")]
mod registries;
#[cfg(all(feature = "fleet", feature = "registry"))]
#[path = "../../../lib/oci-registry/tests/it/stub.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod registry_stub;
mod resumed;
mod revisions;
mod rings;
mod scratch;
#[cfg(feature = "fleet")]
mod shards;
mod stopped;
mod stored;
mod terminals;
mod tools;
mod transfers;
mod tutorial;
mod usage;
mod validation;
#[cfg(all(feature = "price", feature = "serverless"))]
mod waits;
mod webdriver;
