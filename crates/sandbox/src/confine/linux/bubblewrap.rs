//! Bubblewrap makes the mounts; the helper is started again inside of it for the rest.

use std::convert::Infallible;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::execv;

use super::is_mountable;
use crate::error::{Doing, SandboxError};
use crate::order::{Bubblewrap, Layers, Order, Stage};
use crate::policy::{Access, Map, Network, Policy};
use crate::sandbox::launch;

/// Becomes bubblewrap.
pub(super) fn become_it(
    bubblewrap: Bubblewrap,
    policy: Policy,
    cwd: PathBuf,
    argv: &[OsString],
) -> Result<Infallible, SandboxError> {
    let Bubblewrap { program, helper } = bubblewrap;
    // Bubblewrap would say so too, but with the exit code 1 of an ordinary command.
    fs::metadata(&cwd).doing(format!("enter {}", cwd.display()))?;
    let mut arguments = vec![program.clone().into_os_string()];
    arguments.extend(namespaces(policy.network).map(OsString::from));
    arguments.extend(mounts(&policy.files.map(/*with_absent*/ true)));
    arguments.extend(["--chdir".into(), cwd.clone().into(), "--".into()]);
    arguments.extend(launch(
        &helper,
        &Order { stage: Stage::Here(Layers::InBubblewrap), policy, cwd },
        argv,
    )?);

    keys().thread_block().map_err(io::Error::from).doing("block signals")?;
    let arguments = arguments.into_iter().map(c_string).collect::<Result<Vec<_>, _>>()?;
    execv(&arguments[0], &arguments).map_err(io::Error::from).doing(format!("start {}", program.display()))
}

/// No new session among them: the terminal of the command has to stay its own.
fn namespaces(network: Network) -> impl Iterator<Item = &'static str> {
    let always = ["--die-with-parent", "--unshare-user", "--unshare-pid", "--unshare-ipc"];
    always.into_iter().chain((network == Network::Denied).then_some("--unshare-net"))
}

fn mounts(map: &Map) -> Vec<OsString> {
    let root = Path::new("/");
    let own = ["/dev", "/proc"].map(Path::new);
    let mut mounts = map.mounts();
    mounts.retain(|path, _| *path != root && !own.contains(path) && is_mountable(path));
    let mut arguments = bind(root, map.at(root)).to_vec();
    arguments.extend(mounts.into_iter().flat_map(|(path, access)| bind(path, access)));
    arguments.extend(["--dev", "/dev", "--proc", "/proc"].map(OsString::from));
    arguments
}

fn bind(path: &Path, access: Access) -> [OsString; 3] {
    let option = match access {
        Access::Read => "--ro-bind",
        Access::Write => "--bind",
    };
    [option.into(), path.into(), path.into()]
}

/// Lets the keys of the terminal through again, inside.
pub(super) fn unblock_keys() -> Result<(), SandboxError> {
    keys().thread_unblock().map_err(io::Error::from).doing("unblock signals")
}

/// The signals of Ctrl-C and its like. They must not end bubblewrap, which shares the terminal with the command: that
/// one decides what it does. Bubblewrap leaves signals as it finds them, and what is blocked stays so over an exec.
fn keys() -> SigSet {
    [Signal::SIGINT, Signal::SIGQUIT].into_iter().collect()
}

fn c_string(text: OsString) -> Result<CString, SandboxError> {
    CString::new(text.into_vec()).doing("pass on an argument with a NUL in it")
}
