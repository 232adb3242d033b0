//! What the model reads of a command: pure functions from what came of it to text.

use std::time::Duration;

use serde_json::json;

use super::{Cut, Kept, Progress};

/// How much of an output the model gets to see when it does not say: enough for a test run, and bearable in every later
/// request.
pub const DEFAULT_TOKENS: usize = 10_000;

/// How many bytes make a token, about: vocabularies differ, and a guess on the safe side of most costs nothing.
const BYTES_PER_TOKEN: u64 = 4;

/// What one wait for a session brought, as `exec_command` and `write_stdin` tell it.
#[derive(Clone, Copy, Debug)]
pub struct SessionText<'a> {
    /// Names this piece of the output.
    pub chunk_id: &'a str,
    /// The number to go on with, should the command still run.
    pub session_id: u32,
    /// How far the command has come.
    pub progress: Progress,
    /// How long was waited.
    pub wall_time: Duration,
    /// What was written meanwhile.
    pub output: &'a Kept,
    /// How much of that the model wants to see.
    pub most_tokens: usize,
}

/// Writes what one wait for a session brought.
pub fn session_text(text: &SessionText<'_>) -> String {
    let SessionText { chunk_id, session_id, progress, wall_time, output, most_tokens } = *text;
    let process = match progress.exit() {
        Some(exit) => format!("Process exited with code {}", exit.code()),
        None => format!("Process running with session ID {session_id}"),
    };
    format!(
        "Chunk ID: {chunk_id}\nWall time: {:.4} seconds\n{process}\nOriginal token count: {}\nOutput:\n{}",
        wall_time.as_secs_f64(),
        tokens(output.bytes()),
        fit(output, most_tokens),
    )
}

/// Writes what came of a command that ran to its end, as `shell_command` and `apply_patch` tell it.
pub fn shell_text(exit_code: i32, wall_time: Duration, output: &str) -> String {
    format!("Exit code: {exit_code}\nWall time: {:.1} seconds\nOutput:\n{output}", wall_time.as_secs_f64())
}

/// Writes what came of a command that ran to its end, as `shell` tells it: JSON.
pub fn shell_json(exit_code: i32, wall_time: Duration, output: &str) -> String {
    let seconds = (wall_time.as_secs_f64() * 10.0).round() / 10.0;
    json!({ "output": output, "metadata": { "exit_code": exit_code, "duration_seconds": seconds } })
        .to_string()
}

/// Writes what stands before the output of a command whose time was up.
pub fn timed_out(deadline: Duration, output: &str) -> String {
    format!("command timed out after {} milliseconds\n{output}", deadline.as_millis())
}

/// Returns an output in about so many tokens: whole, or its beginning and its end with lines that say what is missing.
pub fn fit(output: &Kept, most_tokens: usize) -> String {
    let Cut { head, left_out, tail } = output.cut(most_tokens.saturating_mul(BYTES_PER_TOKEN as usize));
    if left_out == 0 {
        return head;
    }
    let (lines, left_out) = (output.lines(), tokens(left_out));
    format!("Total output lines: {lines}\n\n{head}\n[... {left_out} tokens left out ...]\n{tail}")
}

/// Returns a text that is all there in about [`DEFAULT_TOKENS`].
pub fn fit_text(text: &str) -> String {
    let mut kept = Kept::new(2 * text.len());
    kept.push(text.as_bytes());
    fit(&kept, DEFAULT_TOKENS)
}

/// Returns about how many tokens so many bytes are.
pub fn tokens(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::super::Exit;
    use super::*;

    fn kept(output: &str) -> Kept {
        let mut kept = Kept::new(1000);
        kept.push(output.as_bytes());
        kept
    }

    fn told(progress: Progress) -> String {
        session_text(&SessionText {
            chunk_id: "1a2b3c",
            session_id: 4421,
            progress,
            wall_time: Duration::from_micros(74_200),
            output: &kept("out\r\n"),
            most_tokens: DEFAULT_TOKENS,
        })
    }

    #[test]
    fn a_session_tells_how_to_go_on_or_how_it_ended() {
        let running = "Chunk ID: 1a2b3c\nWall time: 0.0742 seconds\nProcess running with session ID 4421\n\
                       Original token count: 2\nOutput:\nout\r\n";
        assert_eq!(told(Progress::Running), running);
        let exited = running.replace("running with session ID 4421", "exited with code 3");
        assert_eq!(told(Progress::Ended(Exit::Code(3))), exited);
        let killed = running.replace("running with session ID 4421", "exited with code 137");
        assert_eq!(told(Progress::Gone(Exit::Signal(9))), killed);
    }

    #[test]
    fn a_shell_tells_its_code_time_and_output() {
        let wall_time = Duration::from_millis(256);
        assert_eq!(shell_text(0, wall_time, "hi\n"), "Exit code: 0\nWall time: 0.3 seconds\nOutput:\nhi\n");
        assert_eq!(
            shell_json(1, wall_time, "a\"b"),
            r#"{"metadata":{"duration_seconds":0.3,"exit_code":1},"output":"a\"b"}"#
        );
        let late = timed_out(Duration::from_millis(1500), "so far");
        assert_eq!(late, "command timed out after 1500 milliseconds\nso far");
    }

    #[test]
    fn what_fits_is_whole_and_what_does_not_loses_its_middle() {
        let output = kept("first\n2\n3\n4\nlast€");
        assert_eq!(fit(&output, 5), "first\n2\n3\n4\nlast€");
        let cut = "Total output lines: 5\n\nfirst\n2\n\n[... 1 tokens left out ...]\n\nlast€";
        assert_eq!(fit(&output, 4), cut);
        assert_eq!(fit(&output, 0), "Total output lines: 5\n\n\n[... 5 tokens left out ...]\n");
    }

    #[test]
    fn a_text_is_whole_or_loses_its_middle() {
        let long = "x".repeat(4 * DEFAULT_TOKENS + 4);
        let half = "x".repeat(2 * DEFAULT_TOKENS);
        let cut = format!("Total output lines: 1\n\n{half}\n[... 1 tokens left out ...]\n{half}");
        for (text, expected) in [("", ""), ("odd", "odd"), (&long[4..], &long[4..]), (&long, &cut)] {
            assert_eq!(fit_text(text), expected);
        }
    }

    proptest! {
        #[test]
        fn a_cut_output_is_no_longer_than_asked_but_for_what_is_said_of_it(text in "\\PC{0,80}", most in 0_usize..30) {
            let said = "Total output lines: 1\n\n\n[... 100 tokens left out ...]\n".len();
            prop_assert!(fit(&kept(&text), most).len() <= 4 * most + said);
        }
    }
}
