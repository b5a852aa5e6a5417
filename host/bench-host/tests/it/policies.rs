//! What an agent with a policy of its own grants and denies: what that policy says, and nothing that its user's policy says.

use crate::fleets::add_ssh;
use crate::host::{Host, Ran, cells};
use crate::modules::plugins;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Starts agents with a policy of their own.
const SSH: &str = "#!/bin/sh\nwhile [ \"$1\" != bench-host ]; do shift; done\nexec \"$@\" --policy agent.toml\n";

/// Writes a policy that only this user can change.
fn write(path: &Path, policy: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, policy).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn agent_denies_what_its_own_policy_denies_and_not_what_that_of_its_user_does() {
    let Some(files) = plugins(&["ring-client"]) else { return };
    let host = Host::new();
    // Without its native code, which the submitter may not run.
    fs::create_dir(host.path("components")).unwrap();
    fs::copy(&files[0], host.path("components/ring-client.wasm")).unwrap();
    let digest = bench_sink::digest::of_file(&files[0]).unwrap();
    let printed = host.check("registry keygen acme.key", 0).stdout;
    let key = printed.split("registry trust ").nth(1).unwrap().trim();
    let trusted = format!("[submitters.\"{key}\"]\nname = \"ci\"\n[modules.\"sha256:{digest}\"]\n");
    let of_user = host.path("config/bench-host/policy.toml");
    let check = |agent: &str, user: &str, status: &str, part: &str| {
        write(&host.path("agent.toml"), &format!("{agent}{trusted}"));
        write(&of_user, user);
        let line = "fleet run ring-client/roundtrip -p payload_bytes=64 --quick --time 20ms --format json --on ssh:a \
                    --key acme.key";
        let mut command = host.command(line);
        command.env("XDG_CONFIG_HOME", host.path("config")).env("BENCH_HOST_MODULES", host.path("components"));
        add_ssh(&host, &mut command);
        fs::write(host.path("bin/ssh"), SSH).unwrap();
        let ran = Ran::of(&mut command);
        let document = ran.json();
        let cell = cells(&document, "ring-client/roundtrip")[0];
        assert_eq!(cell["status"], status, "{agent} {user}: {document:#}");
        assert!(cell["reason"].as_str().unwrap_or_default().contains(part), "{cell:#}");
    };
    let denied = "denied = [\"ring\"]\n";
    check(denied, "", "skipped", "it asks to use the host's ring, which is denied");
    check("", denied, "ok", "");
    let granted = format!("[modules.\"sha256:{digest}\"]\ngrants = [\"ring\"]\n");
    check(denied, &granted, "skipped", "which is denied");
}
