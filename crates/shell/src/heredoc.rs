//! Patches that a model hands to a shell instead of to the tool.

use crate::words::{LONGEST_SCRIPT, plain_word, script};

/// A patch, and where it is to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyPatch {
    /// The patch.
    pub patch: String,
    /// The folder that the script went into first.
    pub workdir: Option<String>,
}

/// Reads an argv that does nothing but apply a patch: `apply_patch PATCH`, or a script that is one here-document for
/// `apply_patch`, with a `cd` before it at most.
pub fn apply_patch_call(argv: &[String]) -> Option<ApplyPatch> {
    if let [program, patch] = argv
        && is_apply_patch(program)
    {
        return Some(ApplyPatch { patch: patch.clone(), workdir: None });
    }
    let script = script(argv).filter(|script| script.len() <= LONGEST_SCRIPT)?;
    let (first, body) = script.trim_start().split_once('\n')?;
    let (before, delimiter) = first.split_once("<<")?;
    let delimiter = delimiter.trim_start_matches('-').trim();
    let delimiter = ["'", "\""]
        .iter()
        .find_map(|quote| delimiter.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(delimiter);
    let is_word =
        !delimiter.is_empty() && delimiter.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let (workdir, command) = match before.split_once("&&") {
        Some((go, command)) => (Some(plain_word(go.trim().strip_prefix("cd ")?.trim())?), command.trim()),
        None => (None, before.trim()),
    };
    if !is_word || !is_apply_patch(command) {
        return None;
    }
    let mut lines = body.lines();
    let patch: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
    let closed = body.lines().any(|line| line == delimiter);
    let nothing_else = lines.all(|line| line.trim().is_empty());
    (closed && nothing_else).then(|| ApplyPatch { patch: patch.join("\n") + "\n", workdir })
}

fn is_apply_patch(program: &str) -> bool {
    matches!(program, "apply_patch" | "applypatch")
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn read(script: &str) -> Option<(String, Option<String>)> {
        let argv = ["bash", "-lc", script].map(str::to_owned);
        apply_patch_call(&argv).map(|call| (call.patch, call.workdir))
    }

    #[test]
    fn a_script_that_only_applies_a_patch_is_one() {
        let patch = || "*** Begin Patch\n$x `y`\n*** End Patch\n".to_owned();
        for (script, workdir) in [
            (format!("apply_patch <<'EOF'\n{}EOF\n", patch()), None),
            (format!("apply_patch << \"PATCH\"\n{}PATCH", patch()), None),
            (format!("applypatch <<EOF\n{}EOF\n\n", patch()), None),
            (format!("cd sub/dir && apply_patch <<'EOF'\n{}EOF", patch()), Some("sub/dir")),
            (format!("cd 'a b' && apply_patch <<'EOF'\n{}EOF", patch()), Some("a b")),
        ] {
            assert_eq!(read(&script), Some((patch(), workdir.map(str::to_owned))), "{script}");
        }
        let argv = ["apply_patch", "text"].map(str::to_owned);
        assert_eq!(apply_patch_call(&argv), Some(ApplyPatch { patch: "text".into(), workdir: None }));
    }

    #[test]
    fn a_script_that_does_more_is_none() {
        for script in [
            "apply_patch <<'EOF'\nx\nEOF\nrm -rf /",
            "apply_patch <<'EOF'\nx\n",
            "ls && apply_patch <<'EOF'\nx\nEOF",
            "cd $(x) && apply_patch <<'EOF'\nx\nEOF",
            "cat <<'EOF'\nx\nEOF",
            "apply_patch <<'EOF' | tee\nx\nEOF",
            "apply_patch",
            "",
        ] {
            assert_eq!(read(script), None, "{script}");
        }
    }
}
