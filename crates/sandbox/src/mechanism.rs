//! The ways to hold a command to its policy, and what each of them leaves open.

use std::fmt;

/// A way to hold a command to its policy, best first.
///
/// All of them: no privileges are gained or kept, nothing but the three standard streams is inherited, system calls
/// that reach into other processes, make namespaces or mounts, load code into the kernel or type into the terminal are
/// refused, and so are sockets unless granted. With the network granted, Unix sockets are too, and with them whatever
/// the daemons behind them do for this user.
///
/// | | `Bubblewrap` | `Namespaces` | `Landlock` |
/// | --- | --- | --- | --- |
/// | what a write elsewhere is told | read-only file system | the same | permission denied |
/// | protected paths that exist | read-only, cannot be replaced | the same | the same, at the price below |
/// | protected names that do not exist | cannot be made: an empty folder stands there meanwhile | the same | **can be made**; protected from the next command on |
/// | modes, owners and times of files elsewhere | kept | kept | **can be changed** |
/// | processes outside | hidden | seen, and can be ended where Landlock is older than version 6 | the same |
/// | what still runs when the command ends | is ended with it | runs on | runs on |
/// | a command ended by a signal | exit code 128 + number | the signal | the signal |
/// | `/dev/shm`, System V memory, new terminals | its own | its own | none |
///
/// Landlock rules only ever add, so a folder that holds something protected cannot be opened as a whole. There each
/// entry is opened by itself: below those all is possible, but directly in that folder nothing can be made, removed or
/// renamed. That is less than the policy allows, and the safe side of it. The other two pay the same price where a
/// protected path is a symbolic link, on which nothing can be mounted.
///
/// In `Bubblewrap` and `Namespaces` there is one user, so root is not root over the files of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// The program `bwrap` of the system: systems that forbid namespaces often make an exception for it.
    Bubblewrap,
    /// A user and a mount namespace that the helper makes for itself, with Landlock for what mounts cannot say.
    Namespaces,
    /// Landlock alone.
    Landlock,
}

impl Mechanism {
    /// Every mechanism, best first.
    pub const ALL: [Self; 3] = [Self::Bubblewrap, Self::Namespaces, Self::Landlock];
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Bubblewrap => "bubblewrap",
            Self::Namespaces => "namespaces",
            Self::Landlock => "Landlock",
        })
    }
}
