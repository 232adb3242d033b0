//! What stands at a path, and what a path leads to.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The largest file that is looked at: a model edits source, and what is larger is data. A few copies of each are held.
pub const MAX_FILE: u64 = 16 * 1024 * 1024;

/// As many links as Linux follows from one name.
const MAX_LINKS: usize = 40;

/// What stands at a path; links are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No file, or a link to none.
    Nothing,
    /// A folder.
    Folder,
    /// A file.
    File(Content),
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its bytes, which need not be text.
    pub bytes: Vec<u8>,
    /// Whether its owner may execute it.
    pub executable: bool,
}

/// Reads what stands at a path of this machine.
///
/// Fails for what cannot be read, is larger than [`MAX_FILE`], or is a pipe, a socket or a device.
pub fn on_disk(path: &Path) -> io::Result<Found> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        // Below a file there is nothing either.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Found::Nothing);
        }
        Err(error) => return Err(error),
    };
    if metadata.is_dir() {
        return Ok(Found::Folder);
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is neither a file nor a folder"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        let message = format!("it is larger than {MAX_FILE} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(Found::File(Content { bytes, executable: metadata.permissions().mode() & 0o100 != 0 }))
}

/// Follows the links that a path itself is, to the path where a file is to be written.
///
/// Behind a link the folder must be there: made only then, `missing/../..` in a link would lead elsewhere than it
/// seemed to.
pub(crate) fn landing(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        // Whatever keeps this from being read as a link will keep the file from being written.
        let Ok(target) = fs::read_link(&path) else { return Ok(path) };
        let target = path.parent().unwrap_or(Path::new("/")).join(target);
        let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(io::ErrorKind::IsADirectory.into());
        };
        path = fs::canonicalize(folder)?.join(name);
    }
    Err(io::Error::other("too many links"))
}

/// Returns a path without links in its folders, as far as those are there; what the path itself is stays.
pub(crate) fn in_real_folder(path: &Path) -> io::Result<PathBuf> {
    for folder in path.ancestors().skip(1) {
        match fs::canonicalize(folder) {
            Ok(real) => return Ok(path.strip_prefix(folder).map_or(real.clone(), |rest| real.join(rest))),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn only_files_of_a_bounded_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "text").unwrap();
        File::create(at("large")).unwrap().set_len(MAX_FILE + 1).unwrap();
        File::create(at("largest")).unwrap().set_len(MAX_FILE).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        symlink("file", at("link")).unwrap();
        let text = Found::File(Content { bytes: b"text".to_vec(), executable: false });
        for (name, found) in [
            ("missing", Found::Nothing),
            ("file/below", Found::Nothing),
            ("dangling", Found::Nothing),
            (".", Found::Folder),
            ("file", text.clone()),
            ("link", text),
        ] {
            assert_eq!(on_disk(&at(name)).unwrap(), found, "{name}");
        }
        fs::set_permissions(at("file"), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(on_disk(&at("link")).unwrap(), Found::File(content) if content.executable));
        assert!(matches!(on_disk(&at("largest")).unwrap(), Found::File(_)));
        assert_eq!(on_disk(&at("large")).unwrap_err().to_string(), "it is larger than 16777216 bytes");
        let device = on_disk(Path::new("/dev/null")).unwrap_err();
        assert_eq!(device.to_string(), "it is neither a file nor a folder");
    }

    #[test]
    fn a_link_leads_to_where_the_system_would_write() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let at = |name: &str| root.join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        for (target, link) in [
            ("a/b/file", "link"),
            ("link", "a/wrong"),
            ("../link", "a/chain"),
            ("a/b", "folder"),
            ("../up", "a/b/up"),
            ("missing/../../escaped", "a/escape"),
            ("loop", "loop"),
            ("a/..", "dots"),
        ] {
            symlink(target, at(link)).unwrap();
        }
        for (path, expected) in [
            ("plain", Some("plain")),
            ("missing/plain", Some("missing/plain")),
            ("link", Some("a/b/file")),
            ("a/chain", Some("a/b/file")),
            ("folder/up", Some("a/up")),
            ("a/wrong", Some("a/link")),
            ("a/escape", None),
            ("loop", None),
            ("dots", None),
        ] {
            assert_eq!(landing(&at(path)).ok(), expected.map(at), "{path}");
        }
        assert_eq!(in_real_folder(&at("folder/new/file")).unwrap(), at("a/b/new/file"));
        assert_eq!(in_real_folder(&at("folder/up")).unwrap(), at("a/b/up"));
        assert_eq!(in_real_folder(Path::new("/")).unwrap(), Path::new("/"));
    }
}
