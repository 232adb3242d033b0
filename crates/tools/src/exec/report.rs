//! What a supervisor tells the server: five bytes a report.

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal. SIGKILL also stands for a command whose supervisors were killed before they could tell.
    Signal(i32),
}

impl Exit {
    /// How a command ended of which nobody can tell: whoever could was killed, and the command with them.
    pub(super) const LOST: Self = Self::Signal(rustix::process::Signal::KILL.as_raw());

    /// Returns the code as shells tell it: 128 and the number of the signal, where there was one.
    pub fn code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

/// One thing that a supervisor tells the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// The command runs, as this process.
    Started(i32),
    /// The command did not start: which step failed, and the system's number for why.
    Failed(Step, i32),
    /// The command ended; what it started may still run.
    Ended(Exit),
}

/// A step on the way to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A process of its own, with a terminal where one is wanted.
    Process,
    /// Its folder.
    Folder,
    /// Its program.
    Program,
}

/// How long a report is.
pub(super) const LENGTH: usize = 5;

impl Report {
    /// Writes a report: a letter and a number.
    pub(super) fn encode(self) -> [u8; LENGTH] {
        let (letter, number) = match self {
            Self::Started(pid) => (b'S', pid),
            Self::Failed(Step::Process, errno) => (b'p', errno),
            Self::Failed(Step::Folder, errno) => (b'f', errno),
            Self::Failed(Step::Program, errno) => (b'x', errno),
            Self::Ended(Exit::Code(code)) => (b'C', code),
            Self::Ended(Exit::Signal(signal)) => (b'K', signal),
        };
        let [a, b, c, d] = number.to_le_bytes();
        [letter, a, b, c, d]
    }

    /// Reads a report; `None` for a letter that stands for none.
    pub(super) fn decode([letter, a, b, c, d]: [u8; LENGTH]) -> Option<Self> {
        let number = i32::from_le_bytes([a, b, c, d]);
        Some(match letter {
            b'S' => Self::Started(number),
            b'p' => Self::Failed(Step::Process, number),
            b'f' => Self::Failed(Step::Folder, number),
            b'x' => Self::Failed(Step::Program, number),
            b'C' => Self::Ended(Exit::Code(number)),
            b'K' => Self::Ended(Exit::Signal(number)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let reports = [
            Report::Started(4_194_304),
            Report::Failed(Step::Process, 11),
            Report::Failed(Step::Folder, 2),
            Report::Failed(Step::Program, 13),
            Report::Ended(Exit::Code(-1)),
            Report::Ended(Exit::Signal(9)),
        ];
        for report in reports {
            assert_eq!(Report::decode(report.encode()), Some(report));
        }
        assert_eq!(Report::decode(*b"?0000"), None);
    }

    #[test]
    fn a_signal_reads_as_shells_tell_it() {
        assert_eq!([Exit::Code(3).code(), Exit::Signal(9).code()], [3, 137]);
    }
}
