//! Checks of the program, its unit and the limits of the unit.

use super::check::{Check, Found, Look, Looked, listed};
use super::facts::Facts;
use super::unit::{Setting, Unit};

/// Reason why checks of a unit cannot be made.
const NO_UNIT: &str = "the unit revalidated.service is not installed";
/// Settings of the unit that harden the service.
const HARDENING: [&str; 34] = [
    "AmbientCapabilities",
    "CapabilityBoundingSet",
    "DevicePolicy",
    "DynamicUser",
    "KeyringMode",
    "LimitCORE",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "NoExecPaths",
    "NoNewPrivileges",
    "PrivateDevices",
    "PrivateIPC",
    "PrivateMounts",
    "PrivateTmp",
    "PrivateUsers",
    "ProcSubset",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "RemoveIPC",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "StateDirectoryMode",
    "SystemCallArchitectures",
    "SystemCallFilter",
    "UMask",
];
/// Parts of names of variables that hold secrets.
const SECRET_WORDS: [&str; 9] = [
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "TOKEN",
    "PRIVATE_KEY",
    "ACCESS_KEY",
    "API_KEY",
    "CREDENTIAL",
    "PASSPHRASE",
];
/// Ends of names that point to a secret in place of holding it.
const POINTERS: [&str; 4] = ["_FILE", "_PATH", "_ID", "_URI"];
/// Memory of a daemon without integrations, in bytes.
const MEMORY: u64 = 45 * 1024 * 1024;
/// Memory of each integration, in bytes.
const MEMORY_EACH: u64 = 10 * 1024;
/// Descriptors of a daemon without runs and deliveries.
const DESCRIPTORS: u64 = 256;
/// Descriptors of each run and delivery.
const DESCRIPTORS_EACH: u64 = 4;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "unit-outdated",
        finds: "The unit file lacks settings of this version, systemd has not read it since it changed, or the daemon \
                still runs the program from before an upgrade.",
        why: "The service then runs with the limits and the program of another version.",
        line: "systemctl daemon-reload && systemctl try-restart revalidated",
        look: Look::Where(outdated),
    },
    Check {
        name: "hardening-weakened",
        finds: "A setting that hardens the service is missing or changed.",
        why: "A fault in the program, or in an answer that it reads, could then reach more of this machine.",
        line: "systemctl edit revalidated",
        look: Look::Where(hardening),
    },
    Check {
        name: "program-not-allowed",
        finds: "The program of the unit does not exist, or its path is not among ExecPaths=.",
        why: "The service cannot start.",
        line: "systemctl edit revalidated",
        look: Look::Where(program),
    },
    Check {
        name: "few-descriptors",
        finds: "LimitNOFILE= is less than 256 and 4 for each concurrent run and delivery.",
        why: "Runs fail for want of file descriptors when many are due at once.",
        line: "systemctl edit revalidated",
        look: Look::Where(descriptors),
    },
    Check {
        name: "little-memory",
        finds: "MemoryMax= is less than 45 MiB and 10 KiB for each integration.",
        why: "The kernel ends the daemon when it needs more.",
        line: "systemctl edit revalidated",
        look: Look::Where(memory),
    },
    Check {
        name: "secret-in-environment",
        finds: "Environment= of the unit has a variable whose name is that of a secret.",
        why: "Every local user is shown it by `systemctl show`.",
        line: "systemctl edit revalidated",
        look: Look::Where(secret_variables),
    },
];

fn unit(facts: &Facts) -> Result<&Unit, &'static str> {
    facts.service.unit.as_ref().ok_or(NO_UNIT)
}

fn is_hardening(key: &str) -> bool {
    HARDENING.contains(&key)
}

fn outdated(facts: &Facts) -> Looked {
    let unit = unit(facts)?;
    let mut found = Vec::new();
    let (shipped, file) = (Unit::shipped(), unit.path.display());
    let is_there = |key: &str| unit.settings.iter().any(|one| one.key == key);
    let lacks = |one: &&Setting| !is_hardening(&one.key) && !is_there(&one.key);
    let mut lacking: Vec<_> =
        shipped.settings.iter().filter(lacks).map(|one| one.key.as_str()).collect();
    lacking.dedup();
    if !lacking.is_empty() {
        found.push(Found::new(format!(
            "{file} lacks settings of the unit of this version: {}.",
            listed(&lacking)
        )));
    }
    if facts.service.is_reload_due == Some(true) {
        found.push(Found::new(format!("systemd has not read {file} since it changed.")));
    }
    let running = facts.service.running.as_ref().map(|path| path.display().to_string());
    if let Some(path) = running.as_deref().and_then(|path| path.strip_suffix(" (deleted)")) {
        let what = format!("The daemon still runs the former program of {path}.");
        found.push(Found::new(what).type_in("systemctl restart revalidated"));
    }
    Ok(found)
}

fn hardening(facts: &Facts) -> Looked {
    let (unit, shipped) = (unit(facts)?, Unit::shipped());
    let mut found = Vec::new();
    for key in HARDENING {
        let values = |unit: &Unit| -> Vec<String> {
            unit.all(key).iter().map(|one| one.value.clone()).collect()
        };
        let is_list = matches!(key, "SystemCallFilter" | "RestrictAddressFamilies");
        let is_same = if is_list {
            values(unit) == values(&shipped)
        } else {
            unit.last(key).map(|one| &one.value) == shipped.last(key).map(|one| &one.value)
        };
        if is_same {
            continue;
        }
        let wanted = values(&shipped).join(" ");
        let what = match unit.last(key) {
            Some(Setting { value, origin, .. }) => {
                format!("{key}={value} in {}, in place of {key}={wanted}.", origin.display())
            }
            None => format!("{} lacks {key}={wanted}.", unit.path.display()),
        };
        found.push(Found::new(what));
    }
    Ok(found)
}

fn program(facts: &Facts) -> Looked {
    let unit = unit(facts)?;
    let Some(start) = unit.last("ExecStart").filter(|start| !start.value.is_empty()) else {
        return Ok(vec![Found::new(format!("{} has no ExecStart=.", unit.path.display()))]);
    };
    let program = start.value.split_whitespace().next().unwrap_or_default();
    let program = program.trim_start_matches(['-', '@', ':', '+', '!']);
    let path = std::path::Path::new(program);
    if !facts.service.programs.contains(path) {
        let what =
            format!("{program}, which ExecStart= names, does not exist or cannot be executed.");
        let line = format!("install -D -m 0755 revalidated {program}");
        return Ok(vec![Found::new(what).type_in(line)]);
    }
    let all = unit.all("ExecPaths");
    let mut allowed = all.iter().flat_map(|one| one.value.split_whitespace());
    let is_limited = !unit.all("NoExecPaths").is_empty();
    if !is_limited || allowed.any(|one| path.starts_with(one.trim_start_matches('-'))) {
        return Ok(Vec::new());
    }
    Ok(vec![Found::new(format!("{program}, which ExecStart= names, is not in ExecPaths=."))])
}

fn descriptors(facts: &Facts) -> Looked {
    let unit = unit(facts)?;
    let limits = facts.configuration.assembly.as_ref().ok_or("the configuration cannot be read")?;
    let runs = u64::try_from(limits.settings.limits.runs).unwrap_or(u64::MAX);
    let deliveries = u64::try_from(limits.receivers.len()).unwrap_or(u64::MAX);
    let each = runs.saturating_add(deliveries).saturating_mul(DESCRIPTORS_EACH);
    let needed = each.saturating_add(DESCRIPTORS);
    let Some(limit) = unit.last("LimitNOFILE") else { return Ok(Vec::new()) };
    let soft = limit.value.split(':').next().and_then(number);
    let Some(soft) = soft.filter(|soft| *soft < needed) else { return Ok(Vec::new()) };
    Ok(vec![Found::new(format!(
        "LimitNOFILE={soft} in {} is less than the {needed} that {runs} runs and {deliveries} receivers can need.",
        limit.origin.display()
    ))])
}

fn memory(facts: &Facts) -> Looked {
    let unit = unit(facts)?;
    let assembly = facts.configuration.assembly.as_ref();
    let assembly = assembly.ok_or("the configuration cannot be read")?;
    let count = u64::try_from(assembly.integrations.len()).unwrap_or(u64::MAX);
    let needed = count.saturating_mul(MEMORY_EACH).saturating_add(MEMORY);
    let Some(limit) = unit.last("MemoryMax") else { return Ok(Vec::new()) };
    let Some(most) = number(&limit.value).filter(|most| *most < needed) else {
        return Ok(Vec::new());
    };
    let mib = |bytes: u64| bytes / (1024 * 1024);
    Ok(vec![Found::new(format!(
        "MemoryMax={} ({} MiB) in {} is less than the {} MiB that {count} integrations can need.",
        limit.value,
        mib(most),
        limit.origin.display(),
        mib(needed)
    ))])
}

/// Returns a number of systemd, such as `512M`; none where there is no limit.
fn number(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text.strip_prefix(digits)? {
        "" => 1,
        "K" => 1024,
        "M" => 1024 * 1024,
        "G" => 1024 * 1024 * 1024,
        "T" => 1024 * 1024 * 1024 * 1024,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn secret_variables(facts: &Facts) -> Looked {
    let found = unit(facts)?.environment().into_iter().filter(|(name, value, _)| {
        let name = name.to_ascii_uppercase();
        let is_pointer = POINTERS.iter().any(|end| name.ends_with(end)) || value.starts_with('/');
        let is_secret = SECRET_WORDS.iter().any(|word| name.contains(word));
        is_secret && !is_pointer && !value.is_empty()
    });
    let found = found.map(|(name, _, origin)| {
        let what = format!(
            "{} has a value for {name}, which is shown to every local user.",
            origin.display()
        );
        Found::new(what)
    });
    Ok(found.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_systemd_are_read() {
        let table = [
            ("0", Some(0)),
            ("8192", Some(8192)),
            ("512K", Some(512 * 1024)),
            ("46M", Some(46 * 1024 * 1024)),
            ("2G", Some(2 * 1024 * 1024 * 1024)),
            ("1T", Some(1024 * 1024 * 1024 * 1024)),
            ("infinity", None),
            ("10%", None),
            ("", None),
            ("99999999999999T", None),
        ];
        for (text, expected) in table {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
