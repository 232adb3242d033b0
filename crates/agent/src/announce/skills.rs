//! The skills of the home: folders with a `SKILL.md`, of which the model is told names and purposes.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

/// How much of a skill's file is read for its name and purpose; the rest is for the model to read.
const MAX_HEAD: u64 = 16 << 10;

/// How many skills are listed; more would fill the context of every thread.
const MAX_SKILLS: usize = 200;

#[derive(Debug, PartialEq, Eq)]
struct Skill {
    name: String,
    description: String,
    path: PathBuf,
}

/// Describes the skills below a home; `None` where there are none.
pub(crate) fn describe(home: &Path) -> Option<String> {
    let skills = skills(&home.join("skills"));
    if skills.is_empty() {
        return None;
    }
    let list: String = skills
        .iter()
        .map(|skill| format!("- {}: {} (`{}`)\n", skill.name, skill.description, skill.path.display()))
        .collect();
    Some(format!(
        "<skills_instructions>\n\
         A skill is a file of instructions for one kind of task. When a task is of that kind, or the person writes \
         `$name`, read the file first and follow it; what it refers to lies beside it.\n\n{list}\
         </skills_instructions>"
    ))
}

fn skills(folder: &Path) -> Vec<Skill> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path().join("SKILL.md"));
    let mut skills: Vec<_> = files.filter_map(|file| skill(&file)).collect();
    skills.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.path.cmp(&b.path)));
    skills.truncate(MAX_SKILLS);
    skills
}

/// Reads the front matter of a skill; one without name or description cannot be chosen by anybody.
fn skill(file: &Path) -> Option<Skill> {
    let mut lines = BufReader::new(File::open(file).ok()?.take(MAX_HEAD)).lines().map_while(Result::ok);
    lines.next().filter(|line| line.trim_end() == "---")?;
    let (mut name, mut description) = (None, None);
    for line in lines.take_while(|line| line.trim_end() != "---") {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim().trim_matches(['"', '\'']).to_owned();
        match key {
            "name" => name = Some(value),
            "description" => description = Some(value),
            _ => {}
        }
    }
    Some(Skill { name: name?, description: description?, path: file.to_owned() })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_skill_is_listed_when_it_says_what_it_is_for() {
        let home = tempfile::tempdir().unwrap();
        for (folder, text) in [
            ("b", "---\nname: beta\ndescription: \"Second: one\"\n---\nbody"),
            ("a", "---\ndescription: First\nname: alpha\nother: x\n---\n"),
            ("no-head", "name: x\ndescription: y\n"),
            ("no-name", "---\ndescription: y\n---\n"),
            ("no-end", "---\nname: z\n"),
        ] {
            let folder = home.path().join("skills").join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("SKILL.md"), text).unwrap();
        }
        let found: Vec<_> =
            skills(&home.path().join("skills")).into_iter().map(|s| (s.name, s.description)).collect();
        assert_eq!(found, [("alpha".into(), "First".into()), ("beta".into(), "Second: one".into())]);
        assert_eq!(describe(&home.path().join("none")), None);
    }
}
