//! Shell commands that are no commands: `apply_patch` with a patch, as models write it.
//!
//! There is no such program; the patch is taken out and applied. Only where the call is the whole script: of a script
//! that does anything else, nothing is taken.

use crate::words::{self, Joint};

/// A patch that a model gave to the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchCall {
    /// The patch, unread.
    pub patch: String,
    /// The folder that the script goes to first, as it is written there.
    pub workdir: Option<String>,
}

/// Recognises `apply_patch PATCH`, and in a shell's script also `apply_patch <<'EOF'` with the patch in the lines below;
/// `cd FOLDER &&` may stand before it.
///
/// The patch is taken literally even where the shell would expand it (`<<EOF` without quotes): models mean it so.
pub fn apply_patch_call(argv: &[String]) -> Option<PatchCall> {
    let (commands, body) = match words::plain_of(argv) {
        Some(commands) => (commands, None),
        None => {
            let (before, body) = heredoc(words::script(argv)?)?;
            (words::plain(before)?, Some(body))
        }
    };
    let (workdir, call) = match &commands[..] {
        [call] => (None, call),
        [cd, call] if call.joint == Joint::And => match &cd.words[..] {
            [program, folder] if program == "cd" => (Some(folder.clone()), call),
            _ => return None,
        },
        _ => return None,
    };
    let (program, arguments) = call.words.split_first()?;
    let patch = match (arguments, body) {
        ([patch], None) => patch.clone(),
        ([], Some(body)) => body.lines()?,
        _ => return None,
    };
    matches!(program.as_str(), "apply_patch" | "applypatch").then_some(PatchCall { patch, workdir })
}

/// What stands below the line with `<<`, up to a line that ends it.
struct Body<'a> {
    /// The word behind `<<`, as it is written.
    end: &'a str,
    rest: &'a str,
    is_indented: bool,
}

/// Splits a script at its first `<<`.
fn heredoc(script: &str) -> Option<(&str, Body<'_>)> {
    let (before, behind) = script.split_once("<<")?;
    // In a comment it would be none.
    if before.lines().last()?.contains('#') {
        return None;
    }
    let (end, rest) = behind.split_once('\n')?;
    let (end, is_indented) = end.strip_prefix('-').map_or((end, false), |end| (end, true));
    Some((before, Body { end: end.trim_matches([' ', '\t']), rest, is_indented }))
}

impl Body<'_> {
    /// Returns the lines, if the script ends with them.
    fn lines(self) -> Option<String> {
        let end = words::plain_word(self.end)?;
        let mut lines = self.rest.split_inclusive('\n').map(|line| match self.is_indented {
            true => line.trim_start_matches('\t'),
            false => line,
        });
        let mut body = String::new();
        for line in lines.by_ref() {
            if line.strip_suffix('\n').unwrap_or(line) == end {
                return lines.all(|line| line.trim().is_empty()).then_some(body);
            }
            body.push_str(line);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn called(argv: &[&str]) -> Option<(String, Option<String>)> {
        let argv: Vec<_> = argv.iter().map(|&word| word.to_owned()).collect();
        apply_patch_call(&argv).map(|PatchCall { patch, workdir }| (patch, workdir))
    }

    #[test]
    fn a_patch_is_taken_out_of_a_script() {
        let patch = "*** Begin Patch\n*** Add File: a\n+$HOME `it's` <<EOF\n*** End Patch\n";
        for (script, workdir) in [
            ("apply_patch <<'EOF'\n{}EOF", None),
            ("apply_patch <<'EOF'\n{}EOF\n\n", None),
            ("\n apply_patch<<\"EOF\"  \n{}EOF\n", None),
            ("applypatch << EOF\n{}EOF\n", None),
            ("apply_patch <<'END OF IT'\n{}END OF IT\n", None),
            ("# look\napply_patch <<'EOF'\n{}EOF\n", None),
            ("cd sub && apply_patch <<'EOF'\n{}EOF\n", Some("sub")),
            ("cd 'a b' &&\napply_patch <<'EOF'\n{}EOF\n", Some("a b")),
            ("apply_patch <<-'EOF'\n\t\t{}\tEOF\n", None),
        ] {
            let script = script.replace("{}", patch);
            assert_eq!(
                called(&["/bin/bash", "-lc", &script]),
                Some((patch.to_owned(), workdir.map(str::to_owned))),
                "{script:?}"
            );
        }
    }

    #[test]
    fn a_patch_is_taken_from_an_argument() {
        let expected = |workdir: Option<&str>| Some(("p\nq".to_owned(), workdir.map(str::to_owned)));
        assert_eq!(called(&["apply_patch", "p\nq"]), expected(None));
        assert_eq!(called(&["applypatch", "p\nq"]), expected(None));
        assert_eq!(
            called(&["sh", "-c", "apply_patch '+cout << 1\n<<EOF'"]),
            Some(("+cout << 1\n<<EOF".to_owned(), None))
        );
        assert_eq!(called(&["bash", "-c", "apply_patch 'p\nq'"]), expected(None));
        assert_eq!(called(&["bash", "-c", "cd x && apply_patch \"p\nq\""]), expected(Some("x")));
    }

    #[test]
    fn a_script_that_does_anything_else_is_left_alone() {
        for script in [
            "apply_patch",
            "apply_patch a b",
            "apply_patch < x",
            "apply_patch <<< x",
            "apply_patch $x",
            "ls",
            "",
            "apply_patch <<'EOF'\np\n",
            "apply_patch <<'EOF'",
            "apply_patch <<'EOF'\np\n EOF\n",
            "apply_patch <<'EOF'\np\nEOF \n",
            "apply_patch <<\np\n\n",
            "apply_patch <<'EOF'\np\nEOF\nls",
            "apply_patch <<'EOF' && ls\np\nEOF\n",
            "apply_patch <<'EOF' > x\np\nEOF\n",
            "apply_patch x <<'EOF'\np\nEOF\n",
            "ls; apply_patch <<'EOF'\np\nEOF\n",
            "cd x; apply_patch <<'EOF'\np\nEOF\n",
            "cd x || apply_patch <<'EOF'\np\nEOF\n",
            "cd x y && apply_patch <<'EOF'\np\nEOF\n",
            "cd && apply_patch <<'EOF'\np\nEOF\n",
            "cd $x && apply_patch <<'EOF'\np\nEOF\n",
            "cd x && ls && apply_patch <<'EOF'\np\nEOF\n",
            "cat <<'EOF' | apply_patch\np\nEOF\n",
            "cat <<'EOF'\np\nEOF\n",
            "apply_patch # <<'EOF'\np\nEOF\n",
            "# apply_patch <<'EOF'\np\nEOF\n",
            "apply_patch <<$x\np\n$x\n",
            "X=1 apply_patch <<'EOF'\np\nEOF\n",
            "./apply_patch <<'EOF'\np\nEOF\n",
        ] {
            assert_eq!(called(&["bash", "-lc", script]), None, "{script:?}");
        }
        assert_eq!(called(&["/tmp/bash", "-lc", "apply_patch p"]), None);
        assert_eq!(called(&["apply_patch"]), None);
        assert_eq!(called(&[]), None);
    }
}
