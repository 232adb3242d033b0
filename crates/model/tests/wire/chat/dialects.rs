//! One stream of each dialect, written down by hand after the documentation and the sources of the servers, and what is
//! told of it.

use pretty_assertions::assert_eq;

use super::{asked, recorded, short};
use crate::{provider::Provider, settings};

/// A stream, and what is told of it.
pub(super) struct Dialect {
    pub(super) name: &'static str,
    pub(super) stream: &'static str,
    /// How many items are complete behind so many events.
    pub(super) done: &'static [usize],
    pub(super) told: &'static [&'static str],
}

/// The streams differ in more than their names; what is particular is said beside each.
pub(super) const DIALECTS: [Dialect; 9] = [
    // A usage of null in each piece, and the real one behind the end, without an answer.
    Dialect {
        name: "OpenAI",
        stream: include_str!("openai.sse"),
        done: &[0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3],
        told: &[
            "created",
            "message #1 …",
            "+ Let me",
            "+  look.",
            "message #1 \"Let me look.\"",
            "function_call call_a1 run {\"cmd\":\"ls\"}",
            "custom_tool_call call_a2 apply_patch *** Begin Patch",
            "completed chatcmpl-BxZ1 120(64) + 44(0) = 164",
        ],
    },
    // A first piece about the prompt, without an answer and an id.
    Dialect {
        name: "Azure",
        stream: include_str!("azure.sse"),
        done: &[0, 0, 0, 0, 0, 1, 1, 1],
        told: &[
            "created",
            "message #1 …",
            "+ Grüße",
            "+  😀",
            "message #1 \"Grüße 😀\"",
            "completed chatcmpl-Az7 9(0) + 3(0) = 12",
        ],
    },
    // Whole calls, all at index 0; an empty content and the role in every piece.
    Dialect {
        name: "Ollama",
        stream: include_str!("ollama.sse"),
        done: &[0, 0, 0, 1, 2, 3, 3, 3],
        told: &[
            "created",
            "reasoning #1 …",
            "~ Two",
            "~  files.",
            "reasoning #1 \"text\" \"Two files.\"",
            "function_call call_o1 run {\"cmd\":\"cat a\"}",
            "function_call call_o2 run {\"cmd\":\"cat b\"}",
            "completed chatcmpl-362 31(0) + 27(0) = 58",
        ],
    },
    // A usage that grows; line breaks between thought and call; a call that begins without arguments.
    Dialect {
        name: "vLLM",
        stream: include_str!("vllm.sse"),
        done: &[0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2],
        told: &[
            "created",
            "reasoning #1 …",
            "~ List",
            "~  it.\n",
            "reasoning #1 \"reasoning_text\" \"List it.\\n\"",
            "function_call chatcmpl-tool-7d1 run {\"cmd\": \"ls\"}",
            "completed chatcmpl-9f2c 50(0) + 9(0) = 59",
        ],
    },
    // Empty ids and names in later pieces; no usage.
    Dialect {
        name: "LM Studio",
        stream: include_str!("lmstudio.sse"),
        done: &[0, 0, 1, 1, 2, 2, 2, 3, 3],
        told: &[
            "created",
            "reasoning #1 …",
            "~ Greet.",
            "reasoning #1 \"reasoning_text\" \"Greet.\"",
            "message #2 …",
            "+ Hello",
            "+ .",
            "message #2 \"Hello.\"",
            "function_call 412 run {\"cmd\":\"pwd\"}",
            "completed chatcmpl-lm4k",
        ],
    },
    // Comments; reasoning told twice; a usage behind the end, with an answer that says nothing.
    Dialect {
        name: "OpenRouter",
        stream: include_str!("openrouter.sse"),
        done: &[0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2],
        told: &[
            "created",
            "reasoning #1 …",
            "~ Hm",
            "~ , yes.",
            "reasoning #1 \"text\" \"Hm, yes.\"",
            "message #2 …",
            "+ Yes",
            "+ .",
            "message #2 \"Yes.\"",
            "completed gen-1760-abc 14(0) + 20(8) = 34",
        ],
    },
    // A content of null; two calls in pieces.
    Dialect {
        name: "llama.cpp",
        stream: include_str!("llamacpp.sse"),
        done: &[0, 0, 0, 1, 1, 2, 2, 3, 3, 3],
        told: &[
            "created",
            "reasoning #1 …",
            "~ Both.",
            "reasoning #1 \"reasoning_text\" \"Both.\"",
            "function_call Zx1 run {\"cmd\":\"a\"}",
            "function_call Zx2 run {\"cmd\":\"b\"}",
            "completed chatcmpl-Qm8 70(66) + 30(0) = 100",
        ],
    },
    // The usage in the last piece of the answer.
    Dialect {
        name: "DeepSeek",
        stream: include_str!("deepseek.sse"),
        done: &[0, 0, 0, 0, 1, 1, 2, 2],
        told: &[
            "created",
            "reasoning #1 …",
            "~ Well",
            "reasoning #1 \"reasoning_text\" \"Well\"",
            "message #2 …",
            "+ So",
            "+ .",
            "message #2 \"So.\"",
            "completed 5b3f 12(0) + 5(2) = 17",
        ],
    },
    // A content of parts, some of them thoughts.
    Dialect {
        name: "Mistral",
        stream: include_str!("mistral.sse"),
        done: &[0, 0, 0, 0, 1, 1, 2, 2],
        told: &[
            "created",
            "reasoning #1 …",
            "~ Count",
            "~  them.",
            "reasoning #1 \"text\" \"Count them.\"",
            "message #2 …",
            "+ Four",
            "+ .",
            "message #2 \"Four.\"",
            "completed c0ffee 8(0) + 6(0) = 14",
        ],
    },
];

#[tokio::test]
async fn each_dialect_is_understood() {
    for Dialect { name, stream, told, .. } in DIALECTS {
        let provider = Provider::start([recorded(stream)]).await;
        assert_eq!(short(&asked(settings(&provider.url)).await), told, "{name}");
    }
}

#[tokio::test]
async fn the_mark_behind_the_last_event_is_not_needed() {
    for Dialect { name, stream, told, .. } in DIALECTS {
        let provider = Provider::start([recorded(stream.strip_suffix("data: [DONE]\n\n").unwrap())]).await;
        assert_eq!(short(&asked(settings(&provider.url)).await), told, "{name}");
    }
}
