//! A patch as the model wrote it, before any file was looked at.

/// A list of files to add, delete and update.
///
/// Made by [`Patch::parse`]; it has at least one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    pub(crate) sections: Vec<Section>,
}

/// What is to be done to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// As written: absolute, or relative to a folder that is yet to be named.
    pub path: String,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Add { content: String },
    Delete,
    Update { move_to: Option<String>, hunks: Vec<Hunk> },
}

/// One place of a file that changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hunk {
    /// Where it begins in the text of the patch, from 1.
    pub line: usize,
    /// Lines above the place, each below the one before it.
    pub anchors: Vec<String>,
    pub lines: Vec<HunkLine>,
    /// The place is the end of the file.
    pub at_end: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HunkLine {
    Keep(String),
    Remove(String),
    Insert(String),
}

impl Patch {
    /// Returns what the model is told when the patch was applied: the files, with the paths that it wrote.
    ///
    /// A file that moved is named where it is now.
    pub fn summary(&self) -> String {
        let mut lines: Vec<_> = self.sections.iter().map(Section::outcome).collect();
        lines.sort_by_key(|(order, ..)| *order);
        let mut text = "Success. Updated the following files:\n".to_owned();
        let mut told: Vec<String> = Vec::new();
        for (_, letter, path) in lines {
            let line = format!("{letter} {path}\n");
            if !told.contains(&line) {
                text.push_str(&line);
                told.push(line);
            }
        }
        text
    }
}

impl Section {
    fn outcome(&self) -> (u8, char, &str) {
        match &self.action {
            Action::Add { .. } => (0, 'A', &self.path),
            Action::Update { move_to, .. } => (1, 'M', move_to.as_ref().unwrap_or(&self.path)),
            Action::Delete => (2, 'D', &self.path),
        }
    }
}

impl HunkLine {
    /// Returns the line if the file has it before the patch.
    pub(crate) fn old(&self) -> Option<&str> {
        match self {
            Self::Keep(text) | Self::Remove(text) => Some(text),
            Self::Insert(_) => None,
        }
    }

    pub(crate) fn is_blank_context(&self) -> bool {
        matches!(self, Self::Keep(text) if text.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_summary_names_each_file_once_by_what_was_done() {
        let text = "*** Begin Patch\n*** Delete File: c.txt\n*** Update File: ./b.txt\n-x\n*** Update File: b\n\
                    *** Move to: /moved\n*** Add File: new.txt\n+x\n*** Update File: ./b.txt\n-y\n*** End Patch";
        let summary = Patch::parse(text).unwrap().summary();
        assert_eq!(
            summary,
            "Success. Updated the following files:\nA new.txt\nM ./b.txt\nM /moved\nD c.txt\n"
        );
    }
}
