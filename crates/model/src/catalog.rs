//! The little that is known about models by their names.

/// What is known about a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// How many tokens the model reads at most.
    pub context_window: i64,
    /// How hard it thinks unless told otherwise; `None`: it takes no reasoning settings.
    pub default_effort: Option<&'static str>,
    /// Whether it takes tools whose input is no JSON but a text of a grammar.
    pub custom_tools: bool,
}

/// A window that current models have; for a model that we know nothing about.
const FALLBACK: Facts = Facts { context_window: 272_000, default_effort: None, custom_tools: false };

const MEDIUM: Option<&str> = Some("medium");

/// Families by the beginning of their names; the first that fits counts.
const FAMILIES: [(&str, Facts); 9] = [
    ("gpt-5", Facts { default_effort: MEDIUM, custom_tools: true, ..FALLBACK }),
    ("codex-", Facts { context_window: 200_000, default_effort: MEDIUM, custom_tools: true }),
    ("gpt-oss", Facts { context_window: 128_000, default_effort: MEDIUM, ..FALLBACK }),
    ("gpt-4.1", Facts { context_window: 1_047_576, ..FALLBACK }),
    ("gpt-4o", Facts { context_window: 128_000, ..FALLBACK }),
    ("o1-mini", Facts { context_window: 128_000, ..FALLBACK }),
    ("o1", Facts { context_window: 200_000, default_effort: MEDIUM, ..FALLBACK }),
    ("o3", Facts { context_window: 200_000, default_effort: MEDIUM, ..FALLBACK }),
    ("o4", Facts { context_window: 200_000, default_effort: MEDIUM, ..FALLBACK }),
];

/// Returns what is known about `model`, or what most models have in common.
pub fn facts(model: &str) -> Facts {
    let family = FAMILIES.iter().find(|(family, _)| belongs(model, family));
    family.map_or(FALLBACK, |(_, facts)| *facts)
}

impl Facts {
    /// Returns the part of a window that a conversation may fill; `configured` stands in for the known window.
    ///
    /// The rest is left for what a provider adds on its side.
    pub fn usable_window(&self, configured: Option<i64>) -> i64 {
        const USABLE_PERCENT: i64 = 95;
        configured.unwrap_or(self.context_window).saturating_mul(USABLE_PERCENT) / 100
    }

    /// Tells whether the model takes reasoning settings.
    pub fn reasons(&self) -> bool {
        self.default_effort.is_some()
    }
}

/// Tells whether a name is of a family: `o3-pro` is an `o3`, `o30` is none.
fn belongs(model: &str, family: &str) -> bool {
    model
        .strip_prefix(family)
        .is_some_and(|rest| family.ends_with('-') || !rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_known_by_their_names() {
        for (model, window, effort) in [
            ("gpt-5", 272_000, MEDIUM),
            ("gpt-5.1-codex-max", 272_000, MEDIUM),
            ("codex-mini-latest", 200_000, MEDIUM),
            ("gpt-oss:20b", 128_000, MEDIUM),
            ("o1-mini", 128_000, None),
            ("o3-pro", 200_000, MEDIUM),
            ("o30", 272_000, None),
            ("gpt-50", 272_000, None),
            ("gpt-4.1-mini", 1_047_576, None),
            ("mock-model", 272_000, None),
            ("", 272_000, None),
        ] {
            let known = facts(model);
            assert_eq!((known.context_window, known.default_effort), (window, effort), "{model}");
            assert_eq!(known.reasons(), effort.is_some());
        }
    }

    #[test]
    fn a_part_of_the_window_stays_free() {
        for (configured, usable) in
            [(None, 258_400), (Some(100_000), 95_000), (Some(i64::MAX), i64::MAX / 100)]
        {
            assert_eq!(facts("mock-model").usable_window(configured), usable);
        }
    }
}
