//! What a review says, as one text.

use serde_json::Value;

/// Stands where a review ended without a word.
const NO_WORDS: &str = "Reviewer failed to output a response.";

/// Renders a stored review: the explanation, then each finding with its place.
pub fn text(output: Option<&Value>) -> String {
    let Some(output) = output.filter(|output| !output.is_null()) else { return NO_WORDS.to_owned() };
    let explanation = str(output, "overall_explanation").trim();
    let findings: Vec<String> = output["findings"].as_array().into_iter().flatten().map(finding).collect();
    let heading = if findings.len() == 1 { "Review comment:" } else { "Full review comments:" };
    match (explanation.is_empty(), findings.is_empty()) {
        (true, true) => NO_WORDS.to_owned(),
        (false, true) => explanation.to_owned(),
        (true, false) => format!("{heading}\n\n{}", findings.join("\n\n")),
        (false, false) => format!("{explanation}\n\n{heading}\n\n{}", findings.join("\n\n")),
    }
}

fn finding(finding: &Value) -> String {
    let place = &finding["code_location"];
    let lines = &place["line_range"];
    let mut text = format!(
        "- {} — {}:{}-{}",
        str(finding, "title"),
        str(place, "absolute_file_path"),
        lines["start"],
        lines["end"]
    );
    for line in str(finding, "body").lines() {
        text.push_str("\n  ");
        text.push_str(line);
    }
    text
}

fn str<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_review_reads_as_its_agent_message_did() {
        let finding = |title: &str, body: &str| json!({"title": title, "body": body, "code_location": {"absolute_file_path": "/x.rs", "line_range": {"start": 1, "end": 2}}});
        let two = [finding("T1", "line1\nline2"), finding("T2", "b")];
        for (output, expected) in [
            (None, NO_WORDS),
            (Some(json!(null)), NO_WORDS),
            (Some(json!({"findings": [], "overall_explanation": " "})), NO_WORDS),
            (Some(json!({"findings": [], "overall_explanation": "exp"})), "exp"),
            (
                Some(json!({"findings": [finding("T", "")], "overall_explanation": "exp"})),
                "exp\n\nReview comment:\n\n- T — /x.rs:1-2",
            ),
            (
                Some(json!({"findings": two, "overall_explanation": "EXPL"})),
                "EXPL\n\nFull review comments:\n\n- T1 — /x.rs:1-2\n  line1\n  line2\n\n- T2 — /x.rs:1-2\n  b",
            ),
        ] {
            assert_eq!(text(output.as_ref()), expected);
        }
    }
}
