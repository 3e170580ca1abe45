//! Processes: this one as the store keeps it, and one that is asked to reload.

use std::fs;
use std::io;

use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal, test_kill_process,
};

use crate::store::ProcessId;

/// Field of `/proc/PID/stat` with the birth of the process, counted from the one after its name.
const BORN: usize = 19;

/// Returns the number and birth of this process.
pub(super) fn own() -> Option<ProcessId> {
    let pid = getpid().as_raw_nonzero().get();
    Some(ProcessId { pid, born: born(pid)? })
}

/// Returns true while this very process lives, not another one of its number.
pub(crate) fn is_alive(process: ProcessId) -> bool {
    born(process.pid) == Some(process.born)
}

/// Returns true when a process of this machine has ended for certain: one that is out of sight may be alive.
pub(super) fn is_gone(process: ProcessId) -> bool {
    let Some(pid) = Pid::from_raw(process.pid) else { return true };
    match test_kill_process(pid) {
        Err(rustix::io::Errno::SRCH) => true,
        Ok(()) | Err(_) => born(process.pid).is_some_and(|born| born != process.born),
    }
}

/// Returns the machine and the namespace in which the number of a process means one process; nothing where that cannot
/// be read. Cloned machines may share an id of their own, and namespaces have the same numbers on many: the kernel draws
/// another one at each start.
pub(super) fn machine() -> String {
    let (Ok(kernel), Ok(space)) =
        (fs::read_to_string("/proc/sys/kernel/random/boot_id"), fs::read_link("/proc/self/ns/pid"))
    else {
        return String::new();
    };
    format!("{} {}", kernel.trim(), space.display())
}

/// Asks the daemon `process` to read its configuration again; `named` as for [`may_be_alive`].
///
/// # Errors
///
/// Fails when it does not live any more, or is another user's.
pub(crate) fn ask_to_reload(process: ProcessId, named: Option<i32>) -> io::Result<()> {
    let gone = || io::Error::from(io::ErrorKind::NotFound);
    let pid = Pid::from_raw(process.pid).ok_or_else(gone)?;
    // The descriptor stays that of the process which is looked at afterwards.
    let opened = pidfd_open(pid, PidfdFlags::empty())?;
    if !may_be_alive(process, named) {
        return Err(gone());
    }
    Ok(pidfd_send_signal(opened, Signal::HUP)?)
}

/// Returns true for a process that is alive, or may be: in the sandbox of a unit the files of its process are
/// out of sight, but systemd has `named` its number.
pub(crate) fn may_be_alive(process: ProcessId, named: Option<i32>) -> bool {
    is_alive(process) || named == Some(process.pid)
}

fn born(pid: i32) -> Option<i64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything, parentheses too.
    let (_, fields) = text.rsplit_once(") ")?;
    fields.split(' ').nth(BORN)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_out_of_sight_may_be_alive_when_systemd_names_it() {
        let process = ProcessId { pid: i32::MAX, born: 1 };
        assert!(may_be_alive(process, Some(i32::MAX)));
        for named in [None, Some(9)] {
            assert!(!may_be_alive(process, named), "{named:?}");
        }
    }

    #[test]
    fn machine_is_named_by_its_kernel_and_namespace() {
        let named = machine();
        let (kernel, space) = named.split_once(' ').unwrap();
        assert!(kernel.len() == 36 && space.starts_with("pid:["), "{named}");
        assert_eq!(machine(), named);
    }

    #[test]
    fn process_is_known_by_its_birth() {
        let own = own().unwrap();
        assert!(is_alive(own));
        let other = ProcessId { born: own.born + 1, ..own };
        assert!(!is_alive(other));
        assert_eq!(ask_to_reload(other, None).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(!is_alive(ProcessId { pid: i32::MAX, born: 1 }));
        assert!(is_gone(other) && !is_gone(own) && is_gone(ProcessId { pid: i32::MAX, born: 1 }));
    }
}
