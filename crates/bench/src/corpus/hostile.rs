//! Files as crashes, editors, full disks and other programs leave them among the rollouts.

use std::{fs, path::Path};

use anyhow::Result;
use chrono::TimeDelta;
use fastrand::Rng;

use super::{begin, path, thread::About, uuid_v7, write_file};

/// Writes one file of each kind; returns the ids of the threads that a list has to show all the same.
pub fn write(home: &Path, random: &mut Rng) -> Result<Vec<String>> {
    let mut shown = Vec::new();
    for (number, damage) in DAMAGES.iter().enumerate() {
        let at = begin() + TimeDelta::days(1) + TimeDelta::seconds(i64::try_from(number)?);
        let id = uuid_v7(at, random);
        let whole = About::of_number(&id, at, "vscode", random).head(random);
        let path = path(home, at, &id, /*is_archived*/ false);
        let (bytes, is_shown) = damage(whole);
        write_file(&path, &bytes, at)?;
        if is_shown {
            shown.push(id);
        }
    }
    // What has the name of a rollout, and is none.
    let at = begin() + TimeDelta::days(2);
    let folder = path(home, at, &uuid_v7(at, random), /*is_archived*/ false);
    fs::create_dir_all(&folder)?;
    fs::write(folder.with_file_name("notes.txt"), "not a rollout")?;
    Ok(shown)
}

/// What happens to the text of a thread, and whether the thread is still one to be shown.
type Damage = fn(String) -> (Vec<u8>, bool);

const DAMAGES: &[Damage] = &[
    // A last line that a crash has cut.
    |text| (text.as_bytes()[..text.len() - 10].to_vec(), true),
    // A last line without its line break.
    |text| (text.trim_end().as_bytes().to_vec(), true),
    // A byte that is not UTF-8, in a line in the middle.
    |text| {
        (text.replacen("rg ", "rg\u{1}", 1).bytes().map(|b| if b == 1 { 0xff } else { b }).collect(), true)
    },
    // An editor's byte order mark.
    |text| (format!("\u{feff}{text}").into_bytes(), true),
    // Zeros where the file system had not written yet.
    |text| ([text.as_bytes(), &[0; 4096], b"\n"].concat(), true),
    // A line of another program.
    |text| (format!("{text}hello\n").into_bytes(), true),
    // A blank line.
    |text| (text.replacen('\n', "\n\n", 1).into_bytes(), true),
    // Nothing at all.
    |_| (Vec::new(), false),
];
