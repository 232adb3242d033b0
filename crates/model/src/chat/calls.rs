//! Calls, put together from pieces that say more or less clearly which call they belong to.
//!
//! Invariant: a call is given out once, in order, and only when it is whole: at the end of the response, or when
//! something follows it and its arguments are an object, to which nothing can be added.

use std::collections::HashSet;

use items::ResponseItem;
use uuid::Uuid;

use super::{chunk::Piece, tools::is_object};

/// The calls of one response.
pub(super) struct Calls {
    calls: Vec<Call>,
    /// How many of them were given out.
    given: usize,
    /// The ids of the conversation. Some servers count calls anew in each response.
    taken: HashSet<String>,
}

/// A call, as far as it has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    index: Option<u64>,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
}

impl Calls {
    /// Begins behind a conversation.
    pub(super) fn behind(items: &[ResponseItem]) -> Self {
        let taken = items.iter().filter_map(|item| item.call_id().map(str::to_owned)).collect();
        Self { calls: Vec::new(), given: 0, taken }
    }

    /// Finds the call that a piece belongs to; `None` when it begins another.
    pub(super) fn find(&mut self, piece: &Piece<'_>) -> Option<&mut Call> {
        let place = match (piece.index, piece.id) {
            (Some(index), _) => self.calls.iter().rposition(|call| call.index == Some(index)),
            (None, Some(id)) => self.calls.iter().rposition(|call| call.id == id),
            (None, None) => self.calls.len().checked_sub(1),
        };
        place.map(|place| &mut self.calls[place]).filter(|call| !call.is_other(piece))
    }

    /// Begins a call.
    pub(super) fn begin(&mut self, piece: Piece<'_>) {
        let Piece { index, id, name, arguments } = piece;
        self.calls.push(Call {
            index,
            id: id.unwrap_or_default().to_owned(),
            name: name.unwrap_or_default().to_owned(),
            arguments: arguments.into_owned(),
        });
    }

    /// Gives out the calls that are whole now that something follows.
    pub(super) fn followed(&mut self) -> Vec<Call> {
        let rest = &self.calls[self.given..];
        let whole = rest.iter().take_while(|call| is_object(&call.arguments)).count();
        self.give(whole)
    }

    /// Gives out all that is left: the response has ended.
    pub(super) fn rest(&mut self) -> Vec<Call> {
        self.give(self.calls.len() - self.given)
    }

    /// Tells whether none is left.
    pub(super) fn is_empty(&self) -> bool {
        self.given == self.calls.len()
    }

    fn give(&mut self, count: usize) -> Vec<Call> {
        let given = self.given;
        self.given += count;
        let mut calls = self.calls[given..self.given].to_vec();
        // Some servers send the place of a call that never comes.
        calls.retain(|call| !(call.name.is_empty() && call.arguments.is_empty()));
        for call in &mut calls {
            if call.id.is_empty() || !self.taken.insert(call.id.clone()) {
                call.id = format!("call_{}", Uuid::now_v7().simple());
            }
        }
        calls
    }
}

impl Call {
    /// Adds a piece; a field that comes again says nothing new.
    pub(super) fn extend(&mut self, piece: Piece<'_>) {
        let Piece { id, name, arguments, .. } = piece;
        fill(&mut self.id, id);
        fill(&mut self.name, name);
        self.arguments.push_str(&arguments);
    }

    /// Tells whether a piece in the place of this call is of another: Ollama gives all calls the same index, others
    /// give none. A call always begins with its name.
    fn is_other(&self, piece: &Piece<'_>) -> bool {
        let Some(name) = piece.name else { return false };
        let other_id = piece.id.is_some_and(|id| !self.id.is_empty() && id != self.id);
        let other_name = !self.name.is_empty() && name != self.name;
        other_id || other_name || !piece.arguments.is_empty() && is_object(&self.arguments)
    }
}

fn fill(field: &mut String, told: Option<&str>) {
    if let Some(told) = told.filter(|_| field.is_empty()) {
        told.clone_into(field);
    }
}

#[cfg(test)]
mod tests {
    use items::Role;
    use pretty_assertions::assert_eq;

    use super::*;

    /// Index, id, name and arguments of a piece.
    type Given = (Option<u64>, &'static str, &'static str, &'static str);

    fn piece(given: &Given) -> Piece<'static> {
        let (index, id, name, arguments) = *given;
        let some = |text: &'static str| Some(text).filter(|text| !text.is_empty());
        Piece { index, id: some(id), name: some(name), arguments: arguments.into() }
    }

    fn heard(calls: &mut Calls, pieces: &[Given]) {
        for piece in pieces.iter().map(piece) {
            match calls.find(&piece) {
                Some(call) => call.extend(piece),
                None => calls.begin(piece),
            }
        }
    }

    fn told(calls: Vec<Call>) -> Vec<String> {
        calls.into_iter().map(|Call { id, name, arguments, .. }| format!("{id} {name} {arguments}")).collect()
    }

    #[test]
    fn pieces_find_their_calls() {
        for (dialect, pieces, calls) in [
            (
                "one after the other",
                vec![
                    (Some(0), "c1", "f", ""),
                    (Some(0), "", "", "{\"a\""),
                    (Some(0), "", "", ":1}"),
                    (Some(1), "c2", "g", ""),
                    (Some(1), "", "", "{}"),
                ],
                vec!["c1 f {\"a\":1}", "c2 g {}"],
            ),
            (
                "mixed",
                vec![
                    (Some(0), "c1", "f", ""),
                    (Some(1), "c2", "g", ""),
                    (Some(0), "", "", "{\"a\""),
                    (Some(1), "", "", "{\"b\""),
                    (Some(0), "", "", ":1}"),
                    (Some(1), "", "", ":2}"),
                ],
                vec!["c1 f {\"a\":1}", "c2 g {\"b\":2}"],
            ),
            (
                "whole, always at 0",
                vec![(Some(0), "c1", "f", "{}"), (Some(0), "c2", "f", "{}")],
                vec!["c1 f {}", "c2 f {}"],
            ),
            (
                "whole, without an index",
                vec![(None, "c1", "f", "{}"), (None, "c2", "f", "{}")],
                vec!["c1 f {}", "c2 f {}"],
            ),
            (
                "id and name in every piece",
                vec![
                    (Some(0), "c1", "f", ""),
                    (Some(0), "c1", "f", "{"),
                    (Some(0), "c1", "f", "}"),
                    (Some(0), "c1", "f", ""),
                ],
                vec!["c1 f {}"],
            ),
            (
                "id in every piece, no index",
                vec![
                    (None, "c1", "f", "{"),
                    (None, "c2", "g", "{"),
                    (None, "c1", "", "}"),
                    (None, "c2", "", "}"),
                ],
                vec!["c1 f {}", "c2 g {}"],
            ),
            (
                "id and name late",
                vec![(Some(0), "", "", "{"), (Some(0), "c1", "", ""), (Some(0), "", "f", "}")],
                vec!["c1 f {}"],
            ),
            (
                "no name at all",
                vec![(Some(0), "c1", "", "{}"), (Some(1), "c2", "g", "{}")],
                vec!["c1  {}", "c2 g {}"],
            ),
            (
                "a place without a call",
                vec![(Some(0), "c1", "", ""), (Some(1), "c2", "g", "{}")],
                vec!["c2 g {}"],
            ),
        ] {
            let mut all = Calls::behind(&[]);
            heard(&mut all, &pieces);
            assert_eq!(told(all.rest()), calls, "{dialect}");
            assert_eq!(all.rest(), [], "{dialect}");
        }
    }

    #[test]
    fn only_what_is_whole_and_followed_is_given_out_early() {
        let mut calls = Calls::behind(&[]);
        heard(
            &mut calls,
            &[(Some(0), "c1", "f", "{}"), (Some(1), "c2", "g", "{"), (Some(2), "c3", "h", "{}")],
        );
        assert_eq!(told(calls.followed()), ["c1 f {}"]);
        heard(&mut calls, &[(Some(1), "", "", "}")]);
        assert_eq!(told(calls.followed()), ["c2 g {}", "c3 h {}"]);
        heard(&mut calls, &[(Some(3), "c4", "i", "")]);
        assert_eq!(told(calls.followed()), [""; 0]);
        assert_eq!(told(calls.rest()), ["c4 i "]);
    }

    #[test]
    fn an_id_that_is_missing_or_taken_is_made_up() {
        let before = ResponseItem::of([("type", "function_call".into()), ("call_id", "c1".into())]);
        let mut calls = Calls::behind(&[ResponseItem::message(Role::User, "hi"), before]);
        let pieces = [
            (Some(0), "c1", "f", "{}"),
            (Some(1), "c2", "f", "{}"),
            (Some(2), "c2", "f", "{}"),
            (Some(3), "", "f", "{}"),
        ];
        heard(&mut calls, &pieces);
        let ids: Vec<_> = calls.rest().into_iter().map(|call| call.id).collect();
        let distinct: HashSet<_> = ids.iter().collect();
        assert_eq!((distinct.len(), ids[1].as_str()), (4, "c2"), "{ids:?}");
        assert!(!ids.contains(&"c1".to_owned()), "{ids:?}");
    }
}
