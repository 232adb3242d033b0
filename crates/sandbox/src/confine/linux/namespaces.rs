//! A user and a mount namespace of our own, in which all is read-only that the policy does not open.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{getegid, geteuid, ttyname};

use super::is_mountable;
use crate::error::{Doing, SandboxError};
use crate::policy::{Access, Map, Network};

/// Moves this process into namespaces of its own and mounts what the map says.
///
/// Devices stay what they are, since a read-only mount does not stop who writes to one: Landlock must.
pub(super) fn enter(map: &Map, network: Network) -> Result<(), SandboxError> {
    become_maker(network)?;
    let root = Path::new("/");
    // Nothing that is mounted outside from now on appears here, where it would be writable.
    change(root, MsFlags::MS_REC | MsFlags::MS_PRIVATE).doing("make the mounts private")?;
    for path in map.mounts().into_keys().filter(|path| *path != root && is_mountable(path)) {
        bind(path, path).doing(format!("mount {}", path.display()))?;
    }
    make_read_only(Mount::all()?.into_iter().filter(|mount| map.at(&mount.path) == Access::Read).collect())?;
    own_devices()
}

/// Makes mounts read-only, as far as anybody in here could write to them.
fn make_read_only(mounts: Vec<Mount>) -> Result<(), SandboxError> {
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    let failed: Vec<_> = mounts
        .iter()
        .filter_map(|mount| change(&mount.path, flags | mount.flags).err().map(|error| (mount, error)))
        .collect();
    for (Mount { path, .. }, error) in failed {
        // It may be out of reach for this user, or covered by another mount, which must be read-only by now.
        if statvfs(path).is_ok_and(|found| !found.flags().contains(FsFlags::ST_RDONLY)) {
            return Err(error).doing(format!("make {} read-only", path.display()));
        }
    }
    Ok(())
}

/// Makes the namespaces. In them this user is who he was, and nobody else is anybody.
fn become_maker(network: Network) -> Result<(), SandboxError> {
    let (user, group) = (geteuid(), getegid());
    let mut namespaces = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC;
    if network == Network::Denied {
        namespaces |= CloneFlags::CLONE_NEWNET;
    }
    unshare(namespaces).map_err(io::Error::from).doing("make namespaces")?;
    let written = fs::write("/proc/self/setgroups", "deny")
        .and_then(|()| fs::write("/proc/self/uid_map", format!("{user} {user} 1")))
        .and_then(|()| fs::write("/proc/self/gid_map", format!("{group} {group} 1")));
    written.doing("say who is who in the user namespace")
}

/// Gives the sandbox its own shared memory and terminals; the one that it was started on is `/dev/console`.
fn own_devices() -> Result<(), SandboxError> {
    let console = Path::new("/dev/console");
    if let Some(terminal) = terminal()
        && console.exists()
    {
        bind(&terminal, console).doing("mount /dev/console")?;
    }
    let own =
        [("tmpfs", "/dev/shm", "mode=1777"), ("devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620")];
    for (kind, folder, options) in own.into_iter().filter(|(_, folder, _)| Path::new(folder).is_dir()) {
        let mounted = mount(Some(kind), folder, Some(kind), MsFlags::MS_NOSUID, Some(options));
        mounted.map_err(io::Error::from).doing(format!("mount {folder}"))?;
    }
    Ok(())
}

fn terminal() -> Option<PathBuf> {
    let streams = [ttyname(io::stdin()), ttyname(io::stdout()), ttyname(io::stderr())];
    streams.into_iter().find_map(Result::ok)
}

/// A mount as this process sees it.
struct Mount {
    path: PathBuf,
    /// What a user namespace may not take off, so it has to be said again.
    flags: MsFlags,
}

impl Mount {
    fn all() -> Result<Vec<Self>, SandboxError> {
        let text = fs::read("/proc/self/mountinfo").doing("read /proc/self/mountinfo")?;
        Ok(text.split(|byte| *byte == b'\n').filter_map(Self::parse).collect())
    }

    /// Reads a line: numbers, the root, the path, the flags, and more (proc_pid_mountinfo(5)).
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ').skip(4);
        let path = PathBuf::from(OsString::from_vec(unescaped(fields.next()?)));
        let flags = fields.next()?.split(|byte| *byte == b',').map(|word| match word {
            b"nosuid" => MsFlags::MS_NOSUID,
            b"nodev" => MsFlags::MS_NODEV,
            b"noexec" => MsFlags::MS_NOEXEC,
            _ => MsFlags::empty(),
        });
        Some(Self { path, flags: flags.collect() })
    }
}

fn bind(from: &Path, to: &Path) -> io::Result<()> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(from), to, None::<&str>, flags, None::<&str>).map_err(io::Error::from)
}

fn change(path: &Path, flags: MsFlags) -> io::Result<()> {
    mount(None::<&str>, path, None::<&str>, flags, None::<&str>).map_err(io::Error::from)
}

/// Undoes the kernel's writing of space, tab, newline and backslash as three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = (byte == b'\\').then(|| octal(after.get(..3)?)).flatten();
        text.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &after[3..] } else { after };
    }
    text
}

fn octal(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(str::from_utf8(digits).ok()?, 8).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mount_is_read_with_the_flags_that_must_stay() {
        let cases = [
            ("22 27 0:21 / /proc rw,relatime - proc proc rw", Some(("/proc", MsFlags::empty()))),
            (
                "28 27 0:25 /x /a\\040b rw,nosuid,nodev,noexec,relatime shared:3 - tmpfs t ro",
                Some(("/a b", MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC)),
            ),
            ("22 27 0:21 /", None),
            ("", None),
        ];
        for (line, expected) in cases {
            let found = Mount::parse(line.as_bytes()).map(|mount| (mount.path, mount.flags));
            assert_eq!(found, expected.map(|(path, flags)| (PathBuf::from(path), flags)), "{line}");
        }
    }

    proptest! {
        #[test]
        fn a_path_of_any_bytes_is_read_back(name in proptest::collection::vec(1u8..=255, 0..20)) {
            let escaped = |byte: u8| match byte {
                b' ' | b'\t' | b'\n' | b'\\' => format!("\\{byte:03o}").into_bytes(),
                byte => vec![byte],
            };
            let mut line = b"1 2 3:4 / /".to_vec();
            line.extend(name.iter().copied().flat_map(escaped));
            line.extend(b" rw - x x rw");
            let path = Mount::parse(&line).unwrap().path;
            prop_assert_eq!(&path.as_os_str().as_bytes()[1..], &name[..]);
        }

        #[test]
        fn no_line_is_a_reason_to_panic(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Mount::parse(&line);
        }
    }
}
