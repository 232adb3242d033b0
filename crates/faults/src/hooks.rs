//! The functions that stand in for those of libc.
//!
//! Each has the arguments that libc's has; where those are variadic, the one that may follow is always taken, since it is
//! passed in the same place. What they pass on goes to the next library that has a function of the name: libc itself.

use std::{
    ffi::{CStr, OsStr, c_char, c_int, c_uint, c_void},
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use crate::plan::{Inside, Op, Plan, Verdict, plan};

/// Returns libc's function of the name.
macro_rules! real {
    ($name:ident as fn($($argument:ty),*) -> $result:ty) => {{
        static REAL: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
        let found = next(&REAL, concat!(stringify!($name), "\0"));
        // SAFETY: the function has this type, by libc's headers.
        unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) -> $result>(found) }
    }};
}

fn next(known: &AtomicPtr<c_void>, name: &str) -> *mut c_void {
    let mut found = known.load(Ordering::Acquire);
    if found.is_null() {
        // SAFETY: the name ends with a zero byte.
        found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr().cast()) };
        if found.is_null() {
            // SAFETY: always. There is nobody to tell: this may be the function that writes.
            unsafe { libc::abort() };
        }
        known.store(found, Ordering::Release);
    }
    found
}

/// What a function that fails returns.
trait Failed {
    const FAILED: Self;
}

impl Failed for c_int {
    const FAILED: Self = -1;
}

impl Failed for isize {
    const FAILED: Self = -1;
}

fn fail<R: Failed>(errno: c_int) -> R {
    // SAFETY: it is this thread's own.
    unsafe { *libc::__errno_location() = errno };
    R::FAILED
}

/// Ends the process as the kernel does, in the midst of it.
fn die(plan: &Plan) -> ! {
    // What others have done to names is noted by then.
    let _ordered = plan.shadow.as_ref().map(|shadow| shadow.ordered());
    loop {
        // SAFETY: the signal cannot be caught, so nothing runs behind it.
        unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
    }
}

/// An operation on something below the home.
struct Found {
    plan: &'static Plan,
    path: PathBuf,
    inside: Inside,
}

/// Finds out what a descriptor is of; `None` if that is nothing of the home.
fn of_descriptor(descriptor: c_int) -> Option<Found> {
    let (plan, inside) = plan()?;
    let path = fs::read_link(format!("/proc/self/fd/{descriptor}")).ok()?;
    plan.below(&path)?;
    Some(Found { plan, path, inside })
}

/// Finds out what a path names; `None` if that is nothing of the home.
///
/// # Safety
///
/// The path is what libc would be given.
unsafe fn of_path(folder: c_int, path: *const c_char) -> Option<Found> {
    let (plan, inside) = plan()?;
    if path.is_null() {
        return None;
    }
    // SAFETY: by the caller.
    let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()));
    let path = match path.is_absolute() || folder == libc::AT_FDCWD {
        true => path.to_owned(),
        false => fs::read_link(format!("/proc/self/fd/{folder}")).ok()?.join(path),
    };
    plan.below(&path)?;
    Some(Found { plan, path, inside })
}

impl Found {
    /// Has the operation done, or fail, as the plan says.
    fn run<R: Failed>(self, op: Op, whole: impl FnOnce() -> R) -> R {
        let Self { plan, path, inside } = self;
        match plan.judge(op, &path) {
            Verdict::Go | Verdict::Half => {
                drop(inside); // before it runs: it may run for long, or call back
                whole()
            }
            Verdict::Fail(errno) => fail(errno),
            Verdict::Die | Verdict::DieTorn => die(plan),
        }
    }

    /// The same for a write that can be done by half.
    fn write(self, bytes: usize, write: impl Fn(usize) -> isize) -> isize {
        let Self { plan, path, inside: _inside } = self;
        match plan.judge(Op::Write, &path) {
            Verdict::Go => write(bytes),
            Verdict::Half => write(bytes.div_ceil(2)),
            Verdict::Fail(errno) => fail(errno),
            Verdict::DieTorn => {
                write(bytes / 2);
                die(plan)
            }
            Verdict::Die => die(plan),
        }
    }

    /// The same for what changes names, which is noted once it is done.
    fn name(self, op: Op, change: impl FnOnce() -> c_int, to: Option<&Path>) -> c_int {
        let Self { plan, path, inside: _inside } = self;
        match plan.judge(op, &path) {
            Verdict::Fail(errno) => return fail(errno),
            Verdict::Die | Verdict::DieTorn => die(plan),
            Verdict::Go | Verdict::Half => {}
        }
        let Some(shadow) = &plan.shadow else { return change() };
        let mut ordered = shadow.ordered();
        match op {
            Op::Unlink => ordered.hold(&path),
            Op::Rename => ordered.hold(to.unwrap_or(&path)),
            _ => {}
        }
        let was_there = path.symlink_metadata().is_ok();
        let done = change();
        if done < 0 {
            return done;
        }
        match (op, to) {
            (Op::Rename, Some(to)) => ordered.renamed(&path, to),
            (Op::Unlink, _) => ordered.removed(&path),
            (Op::MakeFolder, _) => ordered.made_folder(&path),
            (Op::Create, _) if !was_there => ordered.made(&path),
            _ => {}
        }
        done
    }

    /// The same for a sync, before which is kept what it puts on the disk.
    fn sync(self, sync: impl FnOnce() -> c_int, descriptor: c_int) -> c_int {
        let Self { plan, path, inside: _inside } = self;
        match plan.judge(Op::Sync, &path) {
            Verdict::Fail(errno) => return fail(errno),
            Verdict::Die | Verdict::DieTorn => die(plan),
            Verdict::Go | Verdict::Half => {}
        }
        let Some(shadow) = &plan.shadow else { return sync() };
        match path.is_dir() {
            true => shadow.ordered().synced_folder(&path),
            false => shadow.keep(descriptor),
        }
        0 // the disk itself has no part in it
    }
}

/// What an open is.
fn opening(flags: c_int) -> Op {
    if flags & libc::O_CREAT != 0 { Op::Create } else { Op::Open }
}

/// Defines functions that work on a descriptor, or on a path.
macro_rules! hooks {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty
        = |$real:ident| $found:expr => $work:expr;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            ///
            /// As libc's.
            #[cfg_attr(not(test), unsafe(no_mangle))]
            pub unsafe extern "C" fn $name($($argument: $type),*) -> $result {
                let $real = real!($name as fn($($type),*) -> $result);
                let found: Option<Found> = $found;
                match found {
                    // SAFETY: as above.
                    None => unsafe { $real($($argument),*) },
                    Some(found) => $work(found),
                }
            }
        )*
    };
}

type Path0 = *const c_char;
type Bytes = *const c_void;

// SAFETY (of every unsafe block below): the arguments are those that libc would be given, or fewer bytes of them.
hooks! {
    /// Stands in for `write`.
    fn write(fd: c_int, bytes: Bytes, count: usize) -> isize = |real| of_descriptor(fd) =>
        |found: Found| found.write(count, |count| unsafe { real(fd, bytes, count) });
    /// Stands in for `pwrite`.
    fn pwrite(fd: c_int, bytes: Bytes, count: usize, at: i64) -> isize = |real| of_descriptor(fd) =>
        |found: Found| found.write(count, |count| unsafe { real(fd, bytes, count, at) });
    /// Stands in for `pwrite64`.
    fn pwrite64(fd: c_int, bytes: Bytes, count: usize, at: i64) -> isize = |real| of_descriptor(fd) =>
        |found: Found| found.write(count, |count| unsafe { real(fd, bytes, count, at) });
    /// Stands in for `writev`.
    fn writev(fd: c_int, parts: *const libc::iovec, count: c_int) -> isize = |real| of_descriptor(fd) =>
        |found: Found| found.run(Op::Write, || unsafe { real(fd, parts, count) });
    /// Stands in for `copy_file_range`.
    fn copy_file_range(from: c_int, at: *mut i64, fd: c_int, to: *mut i64, count: usize, flags: c_uint) -> isize
        = |real| of_descriptor(fd) =>
        |found: Found| found.write(count, |count| unsafe { real(from, at, fd, to, count, flags) });
    /// Stands in for `sendfile64`.
    fn sendfile64(fd: c_int, from: c_int, at: *mut i64, count: usize) -> isize = |real| of_descriptor(fd) =>
        |found: Found| found.write(count, |count| unsafe { real(fd, from, at, count) });
    /// Stands in for `ftruncate`.
    fn ftruncate(fd: c_int, length: i64) -> c_int = |real| of_descriptor(fd) =>
        |found: Found| found.run(Op::Truncate, || unsafe { real(fd, length) });
    /// Stands in for `ftruncate64`.
    fn ftruncate64(fd: c_int, length: i64) -> c_int = |real| of_descriptor(fd) =>
        |found: Found| found.run(Op::Truncate, || unsafe { real(fd, length) });
    /// Stands in for `futimens`.
    fn futimens(fd: c_int, times: *const libc::timespec) -> c_int = |real| of_descriptor(fd) =>
        |found: Found| found.run(Op::Times, || unsafe { real(fd, times) });
    /// Stands in for `fsync`.
    fn fsync(fd: c_int) -> c_int = |real| of_descriptor_or_home(fd) =>
        |found: Found| found.sync(|| unsafe { real(fd) }, fd);
    /// Stands in for `fdatasync`.
    fn fdatasync(fd: c_int) -> c_int = |real| of_descriptor_or_home(fd) =>
        |found: Found| found.sync(|| unsafe { real(fd) }, fd);
    /// Stands in for `flock`.
    fn flock(fd: c_int, how: c_int) -> c_int
        = |real| of_descriptor(fd).filter(|_| how & libc::LOCK_UN == 0) =>
        |found: Found| found.run(Op::Lock, || unsafe { real(fd, how) });
    /// Stands in for `fcntl`.
    fn fcntl(fd: c_int, what: c_int, argument: *mut c_void) -> c_int
        = |real| if unsafe { is_lock(what, argument) } { of_descriptor(fd) } else { None } =>
        |found: Found| found.run(Op::Lock, || unsafe { real(fd, what, argument) });
    /// Stands in for `fcntl64`.
    fn fcntl64(fd: c_int, what: c_int, argument: *mut c_void) -> c_int
        = |real| if unsafe { is_lock(what, argument) } { of_descriptor(fd) } else { None } =>
        |found: Found| found.run(Op::Lock, || unsafe { real(fd, what, argument) });
    /// Stands in for `open`.
    fn open(path: Path0, flags: c_int, mode: c_uint) -> c_int = |real| unsafe { of_path(libc::AT_FDCWD, path) } =>
        |found: Found| found.name(opening(flags), || unsafe { real(path, flags, mode) }, None);
    /// Stands in for `open64`.
    fn open64(path: Path0, flags: c_int, mode: c_uint) -> c_int = |real| unsafe { of_path(libc::AT_FDCWD, path) } =>
        |found: Found| found.name(opening(flags), || unsafe { real(path, flags, mode) }, None);
    /// Stands in for `openat`.
    fn openat(folder: c_int, path: Path0, flags: c_int, mode: c_uint) -> c_int = |real| unsafe { of_path(folder, path) } =>
        |found: Found| found.name(opening(flags), || unsafe { real(folder, path, flags, mode) }, None);
    /// Stands in for `openat64`.
    fn openat64(folder: c_int, path: Path0, flags: c_int, mode: c_uint) -> c_int = |real| unsafe { of_path(folder, path) } =>
        |found: Found| found.name(opening(flags), || unsafe { real(folder, path, flags, mode) }, None);
    /// Stands in for `mkdir`.
    fn mkdir(path: Path0, mode: c_uint) -> c_int = |real| unsafe { of_path(libc::AT_FDCWD, path) } =>
        |found: Found| found.name(Op::MakeFolder, || unsafe { real(path, mode) }, None);
    /// Stands in for `unlink`.
    fn unlink(path: Path0) -> c_int = |real| unsafe { of_path(libc::AT_FDCWD, path) } =>
        |found: Found| found.name(Op::Unlink, || unsafe { real(path) }, None);
    /// Stands in for `rename`.
    fn rename(from: Path0, to: Path0) -> c_int = |real| unsafe { of_path(libc::AT_FDCWD, from) } =>
        |found: Found| found.name(Op::Rename, || unsafe { real(from, to) }, Some(&owned(to)));
    /// Stands in for `renameat`.
    fn renameat(folder: c_int, from: Path0, new: c_int, to: Path0) -> c_int = |real| unsafe { of_path(folder, from) } =>
        |found: Found| found.name(Op::Rename, || unsafe { real(folder, from, new, to) }, Some(&owned(to)));
    /// Stands in for `renameat2`.
    fn renameat2(folder: c_int, from: Path0, new: c_int, to: Path0, flags: c_uint) -> c_int
        = |real| unsafe { of_path(folder, from) } =>
        |found: Found| found.name(Op::Rename, || unsafe { real(folder, from, new, to, flags) }, Some(&owned(to)));
}

/// A path that libc was given.
fn owned(path: Path0) -> PathBuf {
    // SAFETY: libc would read it too.
    PathBuf::from(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()))
}

/// Finds out what is synced: the home itself counts, since names are in it.
fn of_descriptor_or_home(descriptor: c_int) -> Option<Found> {
    let (plan, inside) = plan()?;
    let path = fs::read_link(format!("/proc/self/fd/{descriptor}")).ok()?;
    plan.holds(&path).then_some(Found { plan, path, inside })
}

/// Tells whether `fcntl` is asked to take a lock.
///
/// # Safety
///
/// The argument is what libc would be given.
unsafe fn is_lock(what: c_int, argument: *const c_void) -> bool {
    let locks = [libc::F_SETLK, libc::F_SETLKW, libc::F_OFD_SETLK, libc::F_OFD_SETLKW].contains(&what);
    // SAFETY: for these the argument is a lock.
    locks
        && !argument.is_null()
        && unsafe { (*argument.cast::<libc::flock>()).l_type } != libc::F_UNLCK as i16
}
