//! Finding rollouts by their names.
//!
//! Nothing outside of the home is found: a link inside of `sessions` or `archived_sessions` is passed over. The two
//! folders themselves may be links, as people do who keep their history elsewhere.

use std::{
    fs, io, iter,
    path::{Path, PathBuf},
};

use chrono::Days;
use uuid::Uuid;

use crate::{Home, RolloutName, ThreadId, form};

/// A rollout that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Where it lies.
    pub path: PathBuf,
    /// What its name says.
    pub name: RolloutName,
    /// Whether it lies among the archived ones.
    pub archived: bool,
}

/// Where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Among the active ones.
    Active,
    /// Among the archived ones.
    Archived,
    /// Among the active ones, then among the archived ones.
    Anywhere,
}

/// Finds the rollout of a thread by file name; of several the newest, which stands for the thread.
pub fn find(home: &Home, id: ThreadId, place: Place) -> io::Result<Option<Located>> {
    Ok(pieces(home, id, place)?.pop())
}

/// Returns all files of a thread, oldest first; archived ones only where there is no active one.
///
/// They are several where release 0.169 cut the history back. They belong together: one that is left behind when the
/// others are moved would stand for the thread.
pub fn pieces(home: &Home, id: ThreadId, place: Place) -> io::Result<Vec<Located>> {
    let mut files = Vec::new();
    if place != Place::Archived {
        files = active_files_of(home, id)?;
    }
    if place == Place::Archived || (place == Place::Anywhere && files.is_empty()) {
        files = rollouts_in(&home.archived(), true)?.filter(|file| file.name.id == id).collect();
    }
    // Pieces of one second are told apart by their ids, which grow with time; the first piece has none.
    files.sort_by_key(|file| (file.name.local_time, file.name.segment));
    Ok(files)
}

/// Finds the one file that has this id itself: the first of a thread, or a later piece of one.
pub(crate) fn find_piece(home: &Home, id: Uuid) -> io::Result<Option<PathBuf>> {
    let in_folder = |folder: &Path, archived| -> io::Result<Option<PathBuf>> {
        Ok(rollouts_in(folder, archived)?.find(|file| file.name.piece() == id).map(|file| file.path))
    };
    let near = near_folders(home, id.into());
    let all = iter::once_with(|| day_folders(home)).flat_map(|folders| match folders {
        Ok(folders) => folders.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    });
    for folder in near.into_iter().map(Ok).chain(all) {
        if let Some(path) = in_folder(&folder?, /*archived*/ false)? {
            return Ok(Some(path));
        }
    }
    in_folder(&home.archived(), /*archived*/ true)
}

/// Looks where the id tells, and only where that may not be all in every folder.
fn active_files_of(home: &Home, id: ThreadId) -> io::Result<Vec<Located>> {
    let of_thread = |folder: &Path| -> io::Result<Vec<Located>> {
        Ok(rollouts_in(folder, false)?.filter(|file| file.name.id == id).collect())
    };
    let mut files = Vec::new();
    for folder in near_folders(home, id) {
        files.extend(of_thread(&folder)?);
    }
    if !files.is_empty() && !may_have_pieces(&files) {
        return Ok(files);
    }
    files.clear();
    for folder in day_folders(home)? {
        files.extend(of_thread(&folder)?);
    }
    Ok(files)
}

/// Returns the folder of the day that an id tells, and the ones beside it: clocks on walls differ by up to 14 hours
/// from the one that made the id.
fn near_folders(home: &Home, id: ThreadId) -> Vec<PathBuf> {
    let Some(day) = id.created_hint().map(|made| made.date_naive()) else { return Vec::new() };
    let days = [Some(day), day.checked_add_days(Days::new(1)), day.checked_sub_days(Days::new(1))];
    let folders = days.into_iter().flatten().map(|day| home.day_folder(day));
    // The folders of the year and the month have to be real ones too.
    let is_real = |folder: &Path| fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir());
    folders.filter(|folder| folder.ancestors().take(3).all(is_real)).collect()
}

/// Tells whether a thread may go on in a file of another day: only newer releases do that, in files of their own form.
fn may_have_pieces(files: &[Located]) -> bool {
    files.iter().any(|file| file.name.segment.is_some() || form::is_numbered(&file.path))
}

/// Walks all rollouts of a kind, newest folder and newest name first; files that are no rollouts are passed over.
pub fn walk(home: &Home, archived: bool) -> impl Iterator<Item = io::Result<Located>> + use<> {
    let folders = match archived {
        true => Ok(vec![home.archived()]),
        false => day_folders(home),
    };
    let (folders, failed) = match folders {
        Ok(folders) => (folders, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let files = folders.into_iter().flat_map(move |folder| match newest_first(&folder, archived) {
        Ok(files) => files.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    });
    failed.map(Err).into_iter().chain(files)
}

fn newest_first(folder: &Path, archived: bool) -> io::Result<Vec<Located>> {
    let mut files: Vec<_> = rollouts_in(folder, archived)?.collect();
    files.sort_by(|a, b| b.path.cmp(&a.path));
    Ok(files)
}

/// Returns the folders of all days, newest first.
pub fn day_folders(home: &Home) -> io::Result<Vec<PathBuf>> {
    let mut folders = vec![home.sessions()];
    for _year_month_day in 0..3 {
        let mut next = Vec::new();
        for folder in &folders {
            let mut below: Vec<_> =
                entries(folder)?.filter(|(_, kind)| kind.is_dir()).map(|(path, _)| path).collect();
            below.sort_unstable_by(|a, b| b.cmp(a));
            next.append(&mut below);
        }
        folders = next;
    }
    Ok(folders)
}

fn rollouts_in(folder: &Path, archived: bool) -> io::Result<impl Iterator<Item = Located> + use<>> {
    Ok(entries(folder)?.filter(|(_, kind)| kind.is_file()).filter_map(move |(path, _)| {
        let name = RolloutName::of(&path)?;
        Some(Located { path, name, archived })
    }))
}

/// Lists a folder, links not followed; a folder that is not there is empty.
fn entries(folder: &Path) -> io::Result<impl Iterator<Item = (PathBuf, fs::FileType)> + use<>> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => Some(listed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", folder.display()))),
    };
    Ok(listed.into_iter().flatten().filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.path(), entry.file_type().ok()?))
    }))
}
