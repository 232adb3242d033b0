//! The system calls that are refused: those that reach around files and mounts, and those of the network.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Is,
    SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

use crate::error::{Doing, SandboxError};
use crate::order::Layers;
use crate::policy::Network;

/// Refused under every policy.
const REFUSED: &[i64] = &[
    // Into other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // A second way to make system calls, which no filter sees.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Other views of files.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_mount_setattr,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_by_handle_at,
    libc::SYS_unshare,
    libc::SYS_setns,
    // Keys of the session, with which its daemons are asked.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // New code in the kernel, and calls that have too often been a way into it.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    #[cfg(not(target_arch = "riscv64"))]
    libc::SYS_kexec_file_load,
];

/// Refused without the network. Without `socket` there are none; the rest is for one that is a standard stream.
const OF_THE_NETWORK: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
];

/// Memory and queues that have no files. Refused where no namespace keeps those of others out.
const OF_SHARED_MEMORY: &[i64] =
    &[libc::SYS_shmget, libc::SYS_shmat, libc::SYS_msgget, libc::SYS_semget, libc::SYS_mq_open];

/// The requests of a terminal that put words into its input, as if typed by whoever sits there.
const TYPING: [u64; 2] = [0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */];

const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// The bits of the type of a socket that are not flags.
const SOCKET_TYPE: u64 = 0xf;

/// Filters the calls of this process for good. Calls of another processor (32 bits on 64) end it.
pub(super) fn restrict(network: Network, layers: Layers) -> Result<(), SandboxError> {
    let refused = rules(network, layers).doing("make the seccomp rules")?;
    // Its flags lie in memory, where no filter sees them; told that there is no such call, libc uses `clone`.
    let missing = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let programs = [program(refused, libc::EPERM), program(missing, libc::ENOSYS)];
    for program in programs {
        let program = program.doing("make a seccomp filter")?;
        apply_filter(&program).doing("apply a seccomp filter")?;
    }
    #[cfg(target_arch = "x86_64")]
    apply_filter(&x32::KILLED).doing("apply a seccomp filter")?;
    Ok(())
}

/// The calls that are refused, and with which arguments; without rules, with all.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn rules(network: Network, layers: Layers) -> Result<Rules, BackendError> {
    let mut rules = always(REFUSED);
    rules.insert(libc::SYS_ioctl, any(TYPING.map(|request| when(1, Is::Eq, request)))?);
    let making = NAMESPACES.map(|flag| u64::from(flag.unsigned_abs()));
    rules.insert(libc::SYS_clone, any(making.map(|flag| when(0, Is::MaskedEq(flag), flag)))?);
    // The limits of another process.
    rules.insert(libc::SYS_prlimit64, any([when(0, Is::Ne, 0)])?);
    if layers == Layers::Landlock {
        rules.extend(always(OF_SHARED_MEMORY));
    }
    if network == Network::Denied {
        rules.extend(always(OF_THE_NETWORK));
        // A pair is harmless, and many tools use one; but a datagram can be sent from it to any other socket.
        let kind = |kind: i32| when(1, Is::MaskedEq(SOCKET_TYPE), u64::from(kind.unsigned_abs()));
        let foreign = when(0, Is::Ne, u64::from(libc::AF_UNIX.unsigned_abs()));
        rules.insert(libc::SYS_socketpair, any([foreign, kind(libc::SOCK_DGRAM), kind(libc::SOCK_RAW)])?);
    }
    Ok(rules)
}

fn always(calls: &[i64]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

type Condition = Result<SeccompCondition, BackendError>;

/// Rules of one condition each.
fn any(conditions: impl IntoIterator<Item = Condition>) -> Result<Vec<SeccompRule>, BackendError> {
    conditions.into_iter().map(|condition| SeccompRule::new(vec![condition?])).collect()
}

/// The kernel looks at the lower half of these arguments only, so the filter must too.
fn when(argument: u8, is: Is, value: u64) -> Condition {
    SeccompCondition::new(argument, Length::Dword, is, value)
}

fn program(rules: Rules, errno: i32) -> Result<BpfProgram, BackendError> {
    let action = SeccompAction::Errno(errno.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, action, TargetArch::try_from(ARCH)?)?.try_into()
}

/// The x32 calls: the same processor for seccomp, but with numbers that no rule names.
#[cfg(target_arch = "x86_64")]
mod x32 {
    use seccompiler::sock_filter;

    const FIRST: u32 = 0x4000_0000;
    /// Calls with negative numbers are nobody's, and only fail.
    const BEHIND: u32 = 0x8000_0000;

    const LOAD: u16 = 0x20;
    const JUMP_IF_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;

    /// Loads the number and ends the process if it is one of them.
    pub(super) const KILLED: [sock_filter; 5] = [
        sock_filter { code: LOAD, jt: 0, jf: 0, k: 0 },
        sock_filter { code: JUMP_IF_AT_LEAST, jt: 0, jf: 2, k: FIRST },
        sock_filter { code: JUMP_IF_AT_LEAST, jt: 1, jf: 0, k: BEHIND },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_KILL_PROCESS },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW },
    ];
}
