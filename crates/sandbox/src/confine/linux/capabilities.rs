//! What root gives up: it would stop neither at a read-only mount nor at a device.

use std::io;

use nix::unistd::geteuid;
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

use crate::error::{Doing, SandboxError};

/// What root keeps, so that it can still work on files of others, as far as mounts and Landlock let it.
///
/// Not `DAC_READ_SEARCH`, which opens files by handle, past all mounts; not `MKNOD`, which makes devices.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID);

/// Gives up capabilities for good: without new privileges, not even root gets them back from a program.
///
/// A user who is not root has them only as the maker of his namespace, and gives all of them up.
pub(super) fn give_up() -> Result<(), SandboxError> {
    let kept = if geteuid().is_root() { KEPT } else { CapabilitySet::empty() };
    let left = capabilities(None).map(|held| held.permitted & kept);
    let sets = left.map(|left| CapabilitySets {
        effective: left,
        permitted: left,
        inheritable: CapabilitySet::empty(),
    });
    sets.and_then(|sets| set_capabilities(None, sets)).map_err(io::Error::from).doing("give up capabilities")
}
