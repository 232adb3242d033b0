//! Landlock: what may be opened for writing, whatever the mounts say.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ::landlock::{
    ABI, Access, AccessFs, BitFlags, LandlockStatus, PathBeneath, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, Scope, make_bitflags,
};
use nix::unistd::isatty;

use crate::error::{Doing, SandboxError};
use crate::order::Layers;
use crate::policy::{KERNEL, Map};

/// The newest version that this code knows what to grant for; an older kernel does what it can.
const NEWEST: ABI = ABI::V6;

/// The first version that guards the length of files; before it, anybody could empty any file.
const TRUNCATION: i32 = 3;

const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{Execute | ReadFile | ReadDir});

/// All but making devices: one is a way to the disk below all files.
const WORK: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    Execute | ReadFile | ReadDir | WriteFile | Truncate | Refer | RemoveDir | RemoveFile
        | MakeDir | MakeReg | MakeSock | MakeFifo | MakeSym
});

const DEVICE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate | IoctlDev});

/// Devices that hold nothing, and the terminal of the session.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// What is the sandbox's own where it has mounts: shared memory and terminals.
const OWN: [&str; 3] = ["/dev/shm", "/dev/pts", "/dev/ptmx"];

/// Restricts this process for good; returns the version of Landlock that does so, 0 for none.
pub(super) fn restrict(map: &Map, layers: Layers) -> Result<i32, SandboxError> {
    let needed = match layers {
        Layers::Landlock => TRUNCATION,
        Layers::Namespaces => 1,
        // Bubblewrap leaves nothing to do but for links.
        Layers::InBubblewrap | Layers::None => i32::from(map.read_only().any(Path::is_symlink)),
    };
    let status = rules(map, layers)?.restrict_self().doing("apply Landlock")?;
    let found = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => effective_abi as i32,
        _ => 0,
    };
    if found < needed { Err(SandboxError::LandlockTooOld { found, needed }) } else { Ok(found) }
}

fn rules(map: &Map, layers: Layers) -> Result<RulesetCreated, SandboxError> {
    let rules = Ruleset::default().handle_access(AccessFs::from_all(NEWEST));
    let rules = rules.and_then(|rules| rules.scope(Scope::Signal)).and_then(Ruleset::create);
    let mut grants = Grants(rules.doing("make a Landlock ruleset")?);
    grants.add(open(Path::new("/"), Links::Follow).doing("open /")?, READ)?;
    grants.add_devices(layers)?;
    let closed = map.read_only().filter(|path| layers == Layers::Landlock || !can_be_guarded_by_mounts(path));
    let closed: Vec<_> = closed.collect();
    for path in map.writable() {
        grants.add_except(&closed, path, open(path, Links::Refuse))?;
    }
    Ok(grants.0)
}

/// Whether a read-only mount is enough. It is not for devices, which are written all the same; nor can there be one on
/// a symbolic link, whose target may be safe, but not its name.
fn can_be_guarded_by_mounts(path: &Path) -> bool {
    !KERNEL.iter().any(|folder| path == Path::new(folder)) && !path.is_symlink()
}

/// A ruleset that grows.
struct Grants(RulesetCreated);

impl Grants {
    fn add(&mut self, what: impl AsFd, access: BitFlags<AccessFs>) -> Result<(), SandboxError> {
        (&mut self.0).add_rule(PathBeneath::new(what, access)).map(drop).doing("add a Landlock rule")
    }

    fn add_devices(&mut self, layers: Layers) -> Result<(), SandboxError> {
        let own = if layers == Layers::Landlock { &[] } else { &OWN[..] };
        // Containers do not have all of them.
        let there = DEVICES.iter().chain(own).filter_map(|path| open(Path::new(path), Links::Follow).ok());
        for device in there {
            let is_folder = device.metadata().is_ok_and(|metadata| metadata.is_dir());
            self.add(device, if is_folder { WORK | DEVICE } else { DEVICE })?;
        }
        // The terminal that the command is started on lies in a folder with those of others.
        let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
        let streams = [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
        for terminal in streams.into_iter().filter(|stream| isatty(stream).is_ok_and(|is| is)) {
            self.add(terminal, DEVICE)?;
        }
        Ok(())
    }

    /// Opens a path but for what is closed. Rules only add up, so a folder with something closed in it is opened entry
    /// by entry. What is gone by now is left out, and so are symbolic links, which have no rights of their own.
    fn add_except(
        &mut self,
        closed: &[&Path],
        path: &Path,
        opened: io::Result<File>,
    ) -> Result<(), SandboxError> {
        let opened = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened.doing(format!("open {}", path.display()))?,
        };
        let kind = opened.metadata().doing(format!("look at {}", path.display()))?.file_type();
        if kind.is_symlink() || closed.contains(&path) {
            return Ok(());
        }
        if !closed.iter().any(|closed| closed.starts_with(path)) {
            return self.add(opened, if kind.is_dir() { WORK } else { WORK & AccessFs::from_file(NEWEST) });
        }
        // Through the descriptor, since a path may lead elsewhere by now.
        let folder = PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd()));
        for entry in fs::read_dir(&folder).doing(format!("list {}", path.display()))? {
            let name = entry.doing(format!("list {}", path.display()))?.file_name();
            self.add_except(closed, &path.join(&name), open(&folder.join(&name), Links::Refuse))?;
        }
        Ok(())
    }
}

/// What happens where the last part of a path is a symbolic link.
#[derive(Clone, Copy)]
enum Links {
    Follow,
    /// The link itself is opened.
    Refuse,
}

/// Opens a path only to speak of it.
fn open(path: &Path, links: Links) -> io::Result<File> {
    let links = match links {
        Links::Follow => 0,
        Links::Refuse => libc::O_NOFOLLOW,
    };
    File::options().read(true).custom_flags(libc::O_PATH | links).open(path)
}
