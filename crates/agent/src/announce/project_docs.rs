//! Instructions that lie beside the work: the `AGENTS.md` of the home and of each folder from the repository's root
//! down to the working folder.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

/// Replaces the `AGENTS.md` of its folder, for what a person wants to keep to themselves.
const OVERRIDE: &str = "AGENTS.override.md";

const PLAIN: &str = "AGENTS.md";

/// Stands between the home's instructions and those of the project.
const SEPARATOR: &str = "\n\n--- project-doc ---\n\n";

/// How instructions are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectDocs {
    /// The folder of the person's own instructions.
    pub home: PathBuf,
    /// How many bytes of the project's are told, together; 0 for none.
    pub max_bytes: u64,
    /// File names that count where a folder has no `AGENTS.md`, the first that is there.
    pub fallbacks: Vec<String>,
}

impl ProjectDocs {
    /// Returns the files whose instructions hold in a folder, the most general first.
    pub fn sources(&self, cwd: &Path) -> Vec<PathBuf> {
        let own = file_in(&self.home, &[]);
        own.into_iter().chain(self.of_project(cwd)).collect()
    }

    /// Reads the instructions that hold in a folder; `None` where there are none.
    ///
    /// A file that cannot be read is left out: the person can do without it, and a turn must not fail for it.
    pub(crate) fn read(&self, cwd: &Path) -> Option<String> {
        let own = file_in(&self.home, &[]).and_then(|file| text(&file, u64::MAX));
        let mut left = self.max_bytes;
        let mut parts = Vec::new();
        for file in self.of_project(cwd) {
            if let Some(text) = text(&file, left) {
                left = left.saturating_sub(text.len() as u64);
                parts.push(text);
            }
        }
        let project = (!parts.is_empty()).then(|| parts.join("\n\n"));
        match (own, project) {
            (Some(own), Some(project)) => Some(format!("{own}{SEPARATOR}{project}")),
            (own, project) => own.or(project),
        }
    }

    fn of_project(&self, cwd: &Path) -> Vec<PathBuf> {
        if self.max_bytes == 0 {
            return Vec::new();
        }
        let root = tools::repository_root(cwd).unwrap_or(cwd);
        let mut folders: Vec<_> = cwd.ancestors().take_while(|folder| folder.starts_with(root)).collect();
        folders.reverse();
        folders.into_iter().filter_map(|folder| file_in(folder, &self.fallbacks)).collect()
    }
}

fn file_in(folder: &Path, fallbacks: &[String]) -> Option<PathBuf> {
    let names = [OVERRIDE, PLAIN].into_iter().chain(fallbacks.iter().map(String::as_str));
    // A name is one of a file in this folder, whatever stands in a config.
    let files = names.filter(|name| Path::new(name).file_name() == Some(name.as_ref()));
    files.map(|name| folder.join(name)).find(|file| fs::metadata(file).is_ok_and(|file| file.is_file()))
}

/// Reads the beginning of a file, to the end of a character; `None` where nothing is in it.
fn text(file: &Path, max: u64) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(max).read_to_end(&mut bytes).ok()?;
    let whole = match std::str::from_utf8(&bytes) {
        Ok(text) => text.len(),
        // Cut inside of a character; what is no text in the middle stays visible as such.
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => bytes.len(),
    };
    let text = String::from_utf8_lossy(&bytes[..whole]).into_owned();
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn docs(home: &Path, max_bytes: u64) -> ProjectDocs {
        ProjectDocs { home: home.to_owned(), max_bytes, fallbacks: vec!["RULES.txt".into(), "../up".into()] }
    }

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn every_folder_down_to_the_work_has_its_say() {
        let root = tree(&[
            ("home/AGENTS.md", "HOME"),
            ("AGENTS.md", "OUTSIDE"),
            ("repo/.git/HEAD", ""),
            ("repo/AGENTS.md", "ROOT"),
            ("repo/a/RULES.txt", "FALLBACK"),
            ("repo/a/b/AGENTS.md", "PLAIN"),
            ("repo/a/b/AGENTS.override.md", "OVERRIDE"),
            ("up", "no"),
        ]);
        let docs = docs(&root.path().join("home"), 1000);
        let read = docs.read(&root.path().join("repo/a/b")).unwrap();
        assert_eq!(read, "HOME\n\n--- project-doc ---\n\nROOT\n\nFALLBACK\n\nOVERRIDE");
        let names: Vec<_> = docs.sources(&root.path().join("repo/a/b"));
        let names: Vec<_> = names.iter().map(|path| path.strip_prefix(root.path()).unwrap()).collect();
        assert_eq!(
            names,
            ["home/AGENTS.md", "repo/AGENTS.md", "repo/a/RULES.txt", "repo/a/b/AGENTS.override.md"]
                .map(Path::new)
        );
    }

    #[test]
    fn outside_of_a_repository_only_the_folder_itself_counts() {
        let root = tree(&[("AGENTS.md", "UP"), ("work/AGENTS.md", "WORK")]);
        assert_eq!(docs(Path::new("/none"), 1000).read(&root.path().join("work")).as_deref(), Some("WORK"));
        assert_eq!(docs(Path::new("/none"), 0).read(&root.path().join("work")), None);
        assert_eq!(docs(Path::new("/none"), 9).read(Path::new("/none/at/all")), None);
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let root = tree(&[(".git/HEAD", ""), ("AGENTS.md", "\u{e9}\u{e9}\u{e9}"), ("sub/AGENTS.md", "abc")]);
        for (max, expected) in
            [(7, "\u{e9}\u{e9}\u{e9}\n\na"), (6, "\u{e9}\u{e9}\u{e9}"), (5, "\u{e9}\u{e9}\n\na"), (1, "a")]
        {
            let read = docs(Path::new("/none"), max).read(&root.path().join("sub"));
            assert_eq!(read.unwrap_or_default(), expected, "{max}");
        }
    }
}
