//! The steps of the helper on Linux, in the one order in which they work.

mod bubblewrap;
mod capabilities;
mod landlock;
mod namespaces;
mod seccomp;
mod trial;

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::{self, DirEntry};
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::{env, io};

use nix::sys::prctl;
use nix::unistd;

use crate::error::{Doing, SandboxError};
use crate::order::{Layers, Order, Report, Stage};

/// Confines this process and becomes the command.
pub(super) fn run(order: Order, argv: &[OsString]) -> Result<Infallible, SandboxError> {
    confine(order, argv)?;
    let [program, arguments @ ..] = argv else { return Err(SandboxError::Usage) };
    let source = Command::new(program).args(arguments).exec();
    Err(SandboxError::Run { program: program.clone(), source })
}

/// Confines this process, tries to break out, and prints what it found.
pub(super) fn check(order: Order) -> Result<(), SandboxError> {
    trial::set_deadline();
    trial::run(&confine(order, &[])?)
}

/// Puts the layers on, each of which the next one does not hinder.
fn confine(order: Order, argv: &[OsString]) -> Result<Report, SandboxError> {
    close_inherited()?;
    let Order { stage, policy, cwd } = order;
    let layers = match stage {
        Stage::Bubblewrap(bubblewrap) => match bubblewrap::become_it(bubblewrap, policy, cwd, argv)? {},
        Stage::Here(layers) => layers,
    };
    prctl::set_no_new_privs().map_err(io::Error::from).doing("give up new privileges")?;
    // Landlock alone could keep a name from being made only by closing the whole folder.
    let map = policy.files.map(layers != Layers::Landlock);
    match layers {
        Layers::InBubblewrap => bubblewrap::unblock_keys()?,
        Layers::Namespaces => namespaces::enter(&map, policy.network)?,
        Layers::Landlock | Layers::None => {}
    }
    // Even where it is that already: in new mounts, the folder of that name is another one.
    env::set_current_dir(&cwd).doing(format!("enter {}", cwd.display()))?;
    let landlock = match layers {
        Layers::None => 0,
        Layers::InBubblewrap | Layers::Namespaces | Layers::Landlock => {
            let version = landlock::restrict(&map, layers)?;
            capabilities::give_up()?;
            version
        }
    };
    seccomp::restrict(policy.network, layers)?;
    Ok(Report { landlock })
}

/// Closes what the parent left open by mistake: it could be written to whatever the policy says.
fn close_inherited() -> Result<(), SandboxError> {
    let number = |entry: io::Result<DirEntry>| Ok(entry?.file_name().to_string_lossy().parse().ok());
    let listed = fs::read_dir("/proc/self/fd").and_then(|entries| entries.map(number).collect());
    let listed: Vec<Option<RawFd>> = listed.doing("list the descriptors in /proc/self/fd")?;
    for descriptor in listed.into_iter().flatten().filter(|descriptor| *descriptor > 2) {
        // Fails for the descriptor of the listing itself, which is closed already.
        let _ = unistd::close(descriptor);
    }
    Ok(())
}

/// Whether a path can be made a mount of its own: a symbolic link cannot, and by now something may be gone.
fn is_mountable(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| !found.is_symlink())
}
