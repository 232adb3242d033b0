//! Which mechanism works here, found by trying, and the launches that use it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::confine;
use crate::error::SandboxError;
use crate::mechanism::Mechanism;
use crate::order::{Bubblewrap, Layers, Order, Report, Stage};
use crate::placeholder::Placeholders;
use crate::policy::{Files, Network, Policy};

/// Where bubblewrap is looked for. Not along `PATH`, which may lead through folders that commands can change; and the
/// first before all, since it is the path that AppArmor profiles name.
const BUBBLEWRAP: [&str; 4] =
    ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/run/wrappers/bin/bwrap", "/run/current-system/sw/bin/bwrap"];

/// The first version of Landlock that keeps signals inside.
const LANDLOCK_SIGNALS: i32 = 6;

/// What holds commands to their policies on this machine.
#[derive(Clone, Debug)]
pub struct Sandbox {
    helper: PathBuf,
    in_force: Option<InForce>,
    why_not: Vec<(Mechanism, String)>,
}

#[derive(Clone, Debug)]
struct InForce {
    mechanism: Mechanism,
    stage: Stage,
    report: Report,
}

impl Sandbox {
    /// Finds the best mechanism that works, by starting the helper in each until one does.
    ///
    /// `helper` is the absolute path of a program that gives its arguments after [`confine::ARGUMENT`] to
    /// [`confine::main`]. Blocks for some milliseconds, at most for some seconds. Nothing is tried again later: should
    /// a mechanism stop working, commands fail.
    pub fn probe(helper: PathBuf) -> Self {
        Self::among(&Mechanism::ALL, helper)
    }

    /// Tries one mechanism only.
    pub fn with(mechanism: Mechanism, helper: PathBuf) -> Self {
        Self::among(&[mechanism], helper)
    }

    fn among(mechanisms: &[Mechanism], helper: PathBuf) -> Self {
        let mut why_not = Vec::new();
        for &mechanism in mechanisms {
            let stages = stages(mechanism, &helper);
            if stages.is_empty() {
                why_not.push((mechanism, format!("not installed (looked for {})", BUBBLEWRAP.join(", "))));
            }
            for stage in stages {
                match tried(&stage, &helper) {
                    Ok(report) => {
                        let in_force = Some(InForce { mechanism, stage, report });
                        return Self { helper, in_force, why_not };
                    }
                    Err(reason) => why_not.push((mechanism, reason)),
                }
            }
        }
        Self { helper, in_force: None, why_not }
    }

    /// Returns the mechanism in force, or nothing where none works.
    pub fn in_force(&self) -> Option<Mechanism> {
        self.in_force.as_ref().map(|in_force| in_force.mechanism)
    }

    /// Returns why better mechanisms than the one in force do not work, one line a try.
    pub fn why_not(&self) -> &[(Mechanism, String)] {
        &self.why_not
    }

    /// Returns a sentence or two on what holds commands here, and on what that leaves open.
    pub fn describe(&self) -> String {
        let Some(InForce { mechanism, stage, report }) = &self.in_force else {
            return format!(
                "No sandbox works on this system, so commands run under full access only ({}).",
                self.reasons()
            );
        };
        let with = match report.landlock {
            0 => String::from("seccomp"),
            version => format!("Landlock (version {version}) and seccomp"),
        };
        let processes = if report.landlock >= LANDLOCK_SIGNALS {
            "They see other processes."
        } else {
            "They see other processes, and can end those of the same user."
        };
        match (mechanism, stage) {
            (_, Stage::Bubblewrap(Bubblewrap { program, .. })) => {
                format!("Commands run in bubblewrap ({}), with {with}.", program.display())
            }
            (Mechanism::Landlock, _) => format!(
                "Commands run under {with} alone: directly in a folder that holds a protected path, nothing can be \
                 made, removed or renamed; modes and times of files elsewhere can be changed. {processes}"
            ),
            _ => format!("Commands run in {mechanism} of their own, with {with}. {processes}"),
        }
    }

    /// Returns the arguments to launch instead of `argv`, with `cwd` as the working folder.
    ///
    /// Where the policy holds nothing back, that is `argv` itself. Otherwise the launch ends with 125 when it cannot be
    /// confined, with 126 when the program cannot be run and with 127 when it is not there, each with a line on
    /// stderr; else as the command does.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Unavailable`] where the policy holds something back and nothing can hold it.
    pub fn plan(
        &self,
        policy: &Policy,
        argv: &[OsString],
        cwd: &Path,
    ) -> Result<Vec<OsString>, SandboxError> {
        if policy.is_unrestricted() {
            return Ok(argv.to_vec());
        }
        let Some(in_force) = &self.in_force else {
            return Err(SandboxError::Unavailable { why_not: self.reasons() });
        };
        let stage = match policy.files {
            Files::Full => Stage::Here(Layers::None),
            Files::ReadOnly | Files::Workspace { .. } => in_force.stage.clone(),
        };
        let order = Order { stage, policy: policy.clone(), cwd: cwd.to_owned() };
        launch(&self.helper, &order, argv)
    }

    /// Puts something in the place of what a command may not make, so that it can be guarded; to be held from before
    /// [`Sandbox::plan`] until nothing is left of the command.
    pub fn hold(&self, policy: &Policy) -> Placeholders {
        match (&policy.files, self.in_force()) {
            (Files::Workspace { absent, .. }, Some(Mechanism::Bubblewrap | Mechanism::Namespaces)) => {
                Placeholders::hold(absent)
            }
            _ => Placeholders::default(),
        }
    }

    fn reasons(&self) -> String {
        let reasons: Vec<_> =
            self.why_not.iter().map(|(mechanism, reason)| format!("{mechanism}: {reason}")).collect();
        reasons.join("; ")
    }
}

/// The arguments that start a helper.
pub(crate) fn launch(helper: &Path, order: &Order, argv: &[OsString]) -> Result<Vec<OsString>, SandboxError> {
    let order = serde_json::to_string(order).map_err(SandboxError::Encode)?;
    let first = [helper.into(), confine::ARGUMENT.into(), order.into(), "--".into()];
    Ok(first.into_iter().chain(argv.iter().cloned()).collect())
}

/// The ways to use a mechanism, best first.
fn stages(mechanism: Mechanism, helper: &Path) -> Vec<Stage> {
    match mechanism {
        Mechanism::Bubblewrap => {
            let found = BUBBLEWRAP.iter().map(PathBuf::from).filter(|program| program.exists());
            let stage = |program| Stage::Bubblewrap(Bubblewrap { program, helper: helper.to_owned() });
            found.map(stage).collect()
        }
        Mechanism::Namespaces => vec![Stage::Here(Layers::Namespaces)],
        Mechanism::Landlock => vec![Stage::Here(Layers::Landlock)],
    }
}

/// Starts the helper without a command, under the strictest policy.
fn tried(stage: &Stage, helper: &Path) -> Result<Report, String> {
    let policy = Policy { files: Files::ReadOnly, network: Network::Denied };
    let order = Order { stage: stage.clone(), policy, cwd: "/".into() };
    let argv = launch(helper, &order, &[]).map_err(|error| error.report())?;
    let started = Command::new(&argv[0]).args(&argv[1..]).stdin(Stdio::null()).output();
    let output = started.map_err(|error| format!("cannot start {}: {error}", helper.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next_back().unwrap_or("nothing said");
        return Err(format!("{said} ({})", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("no report: {error}"))
}
