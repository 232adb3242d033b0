//! A report for people: a line a subject, then what was found.

use std::fmt::{self, Display, Formatter};

use crate::{Code, Finding, IndexReport, IndexState, LogReport, Repair, Report, Severity};

/// How many of the largest threads a person is shown.
const LARGEST: usize = 3;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            version: _,
            home,
            healthy,
            rollouts,
            index,
            journal,
            names,
            disk,
            peers,
            findings,
            finding_counts,
        } = self;
        writeln!(f, "Home       {}", home.display())?;
        writeln!(
            f,
            "Rollouts   {} files ({} archived) of {} threads, {} lines, {} damaged",
            rollouts.files, rollouts.archived_files, rollouts.threads, rollouts.lines, rollouts.damaged_lines
        )?;
        writeln!(f, "Index      {index}")?;
        writeln!(f, "Journal    {journal}")?;
        writeln!(f, "Names      {names}")?;
        write!(f, "Disk       {} ({} archived)", size(disk.bytes), size(disk.archived_bytes))?;
        for usage in disk.largest.iter().take(LARGEST) {
            write!(f, "; {} {}", usage.thread_id, size(usage.bytes))?;
        }
        writeln!(
            f,
            "\nPeers      {} files that a reference server chokes on, {} threads that it does not reach",
            peers.files, peers.unreachable_threads
        )?;
        if !findings.is_empty() {
            writeln!(f)?;
        }
        for finding in findings {
            writeln!(f, "{finding}")?;
        }
        for (code, count) in finding_counts {
            let listed = findings.iter().filter(|finding| finding.code == *code).count() as u64;
            if *count > listed {
                writeln!(f, "{:5}  {}: {} more", word(code.severity()), name(*code), count - listed)?;
            }
        }
        let faults = finding_counts.iter().filter(|(code, _)| code.severity() == Severity::Fault);
        match healthy {
            true => writeln!(f, "\nHealthy."),
            false => writeln!(f, "\n{} faults.", faults.map(|(_, count)| count).sum::<u64>()),
        }
    }
}

impl Display for IndexReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { state, rows, missing_rows, orphaned_rows, differing_rows, rows_behind } = self;
        f.write_str(match state {
            IndexState::Readable => "sound",
            IndexState::Missing => "missing",
            IndexState::Damaged => "damaged",
            IndexState::Newer => "of a later version",
            IndexState::Locked => "locked",
            IndexState::Unusable => "unusable",
        })?;
        if let Some(rows) = rows {
            write!(
                f,
                ", {rows} rows: {missing_rows} missing, {orphaned_rows} orphaned, {differing_rows} wrong, {rows_behind} behind"
            )?;
        }
        Ok(())
    }
}

impl Display for LogReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { lines, damaged_lines, threads_gone } = self;
        write!(f, "{lines} lines, {damaged_lines} damaged, {threads_gone} threads that are gone")
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { code, severity, message, path, line, offset, thread_id, peers } = self;
        write!(f, "{:5}  {}", word(*severity), name(*code))?;
        if let Some(path) = path {
            write!(f, "  {}", path.display())?;
        }
        if let (Some(line), Some(offset)) = (line, offset) {
            write!(f, " line {line} (byte {offset})")?;
        }
        if let (Some(thread), None) = (thread_id, path) {
            write!(f, "  {thread}")?;
        }
        write!(f, ": {message}")?;
        match peers {
            Some(peers) => write!(f, " [peers: {peers}]"),
            None => Ok(()),
        }
    }
}

impl Display for Repair {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNeeded => f.write_str("Repair     nothing to do"),
            Self::Rebuilt { set_aside: None } => f.write_str("Repair     the index was built"),
            Self::Rebuilt { set_aside: Some(path) } => {
                write!(f, "Repair     the index was built anew; the old one lies at {}", path.display())
            }
            Self::LeftAlone { reason } => write!(f, "Repair     the index was left alone: {reason}"),
        }
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Fault => "fault",
        Severity::Note => "note",
    }
}

/// Returns the word that stands for a code in JSON too.
fn name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1000.0, 0);
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1000.0, unit + 1);
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_code_reads_in_text_as_in_json() {
        for code in [Code::DamagedLine, Code::RowBehind, Code::Unreadable] {
            assert_eq!(serde_json::json!(code), name(code));
        }
    }

    #[test]
    fn sizes_are_told_in_three_digits_or_four() {
        let told = [0, 999, 1000, 1_250_000, 10_000_000_000].map(size);
        assert_eq!(told, ["0 B", "999 B", "1.0 kB", "1.2 MB", "10.0 GB"]);
    }
}
