//! System calls that reach around files and mounts.

use pretty_assertions::assert_eq;

use crate::ground::{Free, Ground, UNRESTRICTED, assert_refused, python, run, sandboxes, succeeds};

/// Makes a call by its number on this processor's table for x86-64, or the common one.
fn call(name: &str, arguments: &str) -> String {
    let (wide, common) = match name {
        "io_uring_setup" => (425, 425),
        "add_key" => (248, 217),
        "userfaultfd" => (323, 282),
        "clone3" => (435, 435),
        "shmget" => (29, 194),
        "clone" => (56, 220),
        other => panic!("no number for {other}"),
    };
    let number = if cfg!(target_arch = "x86_64") { wide } else { common };
    format!(
        "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True); \
         result = libc.syscall({number}, {arguments}); error = ctypes.get_errno()"
    )
}

#[test]
fn refused_calls_say_that_they_are_not_permitted() {
    let attempts = [
        call("io_uring_setup", "1, ctypes.create_string_buffer(120)"),
        call("add_key", "b\"user\", b\"name\", b\"x\", 1, -2"),
        call("userfaultfd", "1"),
        // A thread in a new user namespace: invalid, but for a reason that is found later.
        call("clone", "0x10000000 | 17, 0, 0, 0, 0"),
    ];
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        for attempt in &attempts {
            let script = python(&format!("{attempt}; exit(error if result < 0 else 99 if result else 0)"));
            let held = run(sandbox, &ground, &ground.policy(), &script).status.code();
            assert_eq!(held, Some(1), "EPERM, {mechanism}: {attempt}");
        }
    }
}

#[test]
fn the_call_whose_flags_cannot_be_seen_is_missing() {
    let script = python(&format!("{}; exit(error)", call("clone3", "0, 0")));
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        assert_eq!(run(sandbox, &ground, &UNRESTRICTED, &script).status.code(), Some(22), "EINVAL");
        assert_eq!(run(sandbox, &ground, &ground.policy(), &script).status.code(), Some(38), "{mechanism}");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_calls_of_another_processor_end_the_program() {
    // getpid: as the kernel knows it with 32 bits, and in the x32 table.
    let code = "import ctypes, mmap; memory = mmap.mmap(-1, 4096, prot=7); \
                memory.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3])); \
                ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()";
    let x32 = "import ctypes; ctypes.CDLL(None).syscall(0x40000000 + 39)";
    for (mechanism, sandbox) in sandboxes() {
        for script in [code, x32] {
            let ground = Ground::new();
            let script = python(script);
            assert!(succeeds(sandbox, &ground, &UNRESTRICTED, &script), "is no attempt");
            let script = format!("({script}); test $? = 159"); // 128 + SIGSYS
            assert!(succeeds(sandbox, &ground, &ground.policy(), &script), "{mechanism}: {script}");
        }
    }
}

#[test]
fn files_are_not_opened_by_their_handles() {
    // What is below a mount is one file system, and a handle knows no folder.
    let script = "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True); \
                  handle = ctypes.create_string_buffer(136); handle[0] = b\"\\x80\"; mount = ctypes.c_int(); \
                  file = os.environb[b\"OUTSIDE\"] + b\"/file\"; \
                  assert libc.name_to_handle_at(-100, file, handle, ctypes.byref(mount), 0) == 0; \
                  here = os.open(\".\", os.O_RDONLY); \
                  opened = libc.open_by_handle_at(here, handle, os.O_WRONLY | os.O_TRUNC); \
                  exit(opened < 0)";
    assert_refused(|_| {}, Free::Root, &python(script));
}

#[test]
fn privileges_are_gone_and_do_not_come_back() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        let output = run(sandbox, &ground, &ground.policy(), "cat /proc/self/status");
        let status = String::from_utf8(output.stdout).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim_start_matches(':').trim().to_owned()
        };
        assert_eq!(field("NoNewPrivs"), "1", "{mechanism}");
        assert_eq!(field("Seccomp"), "2", "{mechanism}");
        // CHOWN, DAC_OVERRIDE, FOWNER, SETGID, SETUID; only root has any.
        let kept = 0b1100_1011;
        for set in ["CapPrm", "CapEff", "CapInh", "CapAmb"] {
            let held = u64::from_str_radix(&field(set), 16).unwrap();
            assert_eq!(held & !kept, 0, "{mechanism}: {set}");
        }
    }
}

#[test]
fn memory_without_a_file_is_not_shared_with_those_outside() {
    // Made outside with a key that is found by all; the command may have its own under that key.
    let make = python(&format!("{}; print(result)", call("shmget", "0x5e551, 4096, 0o1600")));
    let find = python(&format!("{}; exit(result < 0)", call("shmget", "0x5e551, 4096, 0o600")));
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        let made = run(sandbox, &ground, &UNRESTRICTED, &make);
        assert!(succeeds(sandbox, &ground, &UNRESTRICTED, &find), "is no attempt");
        assert!(!succeeds(sandbox, &ground, &ground.policy(), &find), "{mechanism}");
        let id = String::from_utf8(made.stdout).unwrap();
        let removed = format!("ipcrm -m {}", id.trim());
        assert!(succeeds(sandbox, &ground, &UNRESTRICTED, &removed));
    }
}
