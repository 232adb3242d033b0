//! The plan inside of what the model says in plan mode: the lines between two tags, taken out of the message.

const OPENING: &str = "<proposed_plan>";
const CLOSING: &str = "</proposed_plan>";

/// Takes a text apart as it comes in; tags stand on lines of their own.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    inside: bool,
    /// The line that is not complete yet, as long as it may become a tag.
    held: String,
    /// Whether the line was given out in part, so that no tag can come of it.
    midline: bool,
}

/// A piece of the message or of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Message(String),
    Plan(String),
}

impl Splitter {
    /// Takes the next piece of the text in.
    pub(crate) fn feed(&mut self, text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for part in text.split_inclusive('\n') {
            self.held.push_str(part);
            if part.ends_with('\n') {
                self.line(&mut pieces);
            } else if self.midline || !may_become_tag(&self.held) {
                self.midline = true;
                self.give(&mut pieces);
            }
        }
        pieces
    }

    /// Ends the text.
    pub(crate) fn finish(mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        self.line(&mut pieces);
        pieces
    }

    /// Takes a whole text apart: the message, and the plan where there is one.
    pub(crate) fn split(text: &str) -> (String, Option<String>) {
        let mut splitter = Self::default();
        let pieces = splitter.feed(text);
        let (mut message, mut plan) = (String::new(), None);
        for piece in pieces.into_iter().chain(splitter.finish()) {
            match piece {
                Piece::Message(text) => message.push_str(&text),
                Piece::Plan(text) => plan.get_or_insert_with(String::new).push_str(&text),
            }
        }
        (message, plan)
    }

    /// Gives out a line that is complete, or obeys it.
    fn line(&mut self, pieces: &mut Vec<Piece>) {
        let tag = if self.inside { CLOSING } else { OPENING };
        if !self.midline && self.held.trim() == tag {
            self.inside = !self.inside;
            self.held.clear();
        } else {
            self.give(pieces);
        }
        self.midline = false;
    }

    fn give(&mut self, pieces: &mut Vec<Piece>) {
        if self.held.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.held);
        pieces.push(if self.inside { Piece::Plan(text) } else { Piece::Message(text) });
    }
}

fn may_become_tag(line: &str) -> bool {
    let line = line.trim();
    [OPENING, CLOSING].iter().any(|tag| tag.starts_with(line))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const TEXT: &str =
        "Preface\n<proposed_plan>\n# Plan\n- a < b\n</proposed_plan>\nPostscript <proposed_plan>";

    fn split(text: &str) -> (String, Option<String>) {
        Splitter::split(text)
    }

    #[test]
    fn the_plan_is_taken_out_of_the_message() {
        let plan = Some("# Plan\n- a < b\n".to_owned());
        assert_eq!(split(TEXT), ("Preface\nPostscript <proposed_plan>".to_owned(), plan));
    }

    #[test]
    fn the_pieces_do_not_depend_on_how_the_text_came() {
        let whole = split(TEXT);
        for size in 1..TEXT.len() {
            let mut splitter = Splitter::default();
            let mut pieces = Vec::new();
            for part in TEXT.as_bytes().chunks(size) {
                pieces.extend(splitter.feed(std::str::from_utf8(part).unwrap()));
            }
            pieces.extend(splitter.finish());
            let (mut message, mut plan) = (String::new(), String::new());
            for piece in pieces {
                match piece {
                    Piece::Message(text) => message.push_str(&text),
                    Piece::Plan(text) => plan.push_str(&text),
                }
            }
            assert_eq!((message, Some(plan)), whole, "{size}");
        }
    }

    #[test]
    fn a_plan_without_an_end_goes_to_the_end_and_a_text_without_a_plan_stays() {
        assert_eq!(split("<proposed_plan>\nx"), (String::new(), Some("x".to_owned())));
        for text in ["", "plain", "a\n</proposed_plan>\n", "say <proposed_plan>\n"] {
            assert_eq!(split(text), (text.to_owned(), None));
        }
    }
}
