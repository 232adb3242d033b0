//! Questions that servers put to people.

use std::{collections::HashMap, mem, sync::Arc};

use mcp::{Answer, Call, McpError};
use pretty_assertions::assert_eq;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Folder, call, entries, kill, question, run, run_with};

#[tokio::test]
async fn a_question_is_answered_by_who_called() {
    let folder = Folder::new();
    let mut running = run(&entries([("fake", folder.fake(""))]));
    for (answer, seen) in [
        (
            Answer::Accept { content: Some(json!({ "ok": true })) },
            json!({ "action": "accept", "content": { "ok": true } }),
        ),
        (Answer::Accept { content: None }, json!({ "action": "accept" })),
        (Answer::Decline, json!({ "action": "decline" })),
        (Answer::Cancel, json!({ "action": "cancel" })),
    ] {
        let mut asking = question();
        asking["_meta"] = json!({ "mark": 1 });
        let answered = async {
            let (asked, reply) = running.told.question().await;
            assert_eq!((asked.server.as_str(), asked.message.as_str()), ("fake", "Really?"));
            assert_eq!(asked.requested_schema, question()["requestedSchema"]);
            assert_eq!(asked.meta, json!({ "mark": 1 }).as_object().cloned());
            reply.send(answer).unwrap();
        };
        let (result, ()) = tokio::join!(call(&running.lease, "ask", asking), answered);
        assert_eq!(result.unwrap().structured_content, Some(seen));
    }
}

#[tokio::test]
async fn a_form_that_the_protocol_does_not_foresee_is_shown_as_it_is() {
    let folder = Folder::new();
    let mut running = run(&entries([("fake", folder.fake(""))]));
    let schema = json!({ "type": "object", "properties": { "x": { "type": "object", "x-wide": true } } });
    let asking = json!({ "mode": "form", "message": "Fill in", "requestedSchema": schema });
    let answered = async {
        let (asked, reply) = running.told.question().await;
        assert_eq!(asked.requested_schema, schema);
        reply.send(Answer::Decline).unwrap();
    };
    let (result, ()) = tokio::join!(call(&running.lease, "ask", asking), answered);
    assert_eq!(result.unwrap().structured_content, Some(json!({ "action": "decline" })));
}

#[tokio::test]
async fn what_is_no_form_is_not_shown() {
    let folder = Folder::new();
    let mut running = run(&entries([("fake", folder.fake(""))]));
    let url =
        json!({ "mode": "url", "message": "Go there", "url": "http://localhost", "elicitationId": "1" });
    let result = call(&running.lease, "ask", url).await.unwrap();
    assert_eq!(result.structured_content, Some(json!({ "action": "decline" })));
    let result = call(&running.lease, "ask", json!({ "message": "No schema" })).await.unwrap();
    assert_eq!(result.structured_content.unwrap()["code"], -32602);
    assert!(running.told.questions.try_recv().is_err());
}

#[tokio::test]
async fn a_question_is_taken_back_when_its_call_is_cancelled() {
    let folder = Folder::new();
    let mut running = run(&entries([("fake", folder.fake(""))]));
    let cancel = CancellationToken::new();
    let arguments = question().as_object().cloned();
    let asking = Call { server: "fake", tool: "ask", arguments, meta: None, progress: None };
    let asked = async {
        let asked = running.told.question().await;
        cancel.cancel();
        asked
    };
    let (result, _open) = tokio::join!(running.lease.call(asking, &cancel), asked);
    assert!(matches!(result, Err(McpError::Cancelled)), "{result:?}");
    running.told.moot(1).await;
}

#[tokio::test]
async fn a_question_is_taken_back_when_its_server_dies() {
    let folder = Folder::new();
    let mut running = run(&entries([("fake", folder.fake(""))]));
    let asked = async {
        let asked = running.told.question().await;
        kill(&folder.started()[0]);
        asked
    };
    let (result, _open) = tokio::join!(call(&running.lease, "ask", question()), asked);
    assert_eq!(result.unwrap_err().to_string(), "MCP server `fake` closed the connection");
    running.told.moot(1).await;
}

#[tokio::test]
async fn a_question_from_a_shared_server_reaches_the_thread_that_called() {
    let folder = Folder::new();
    let entries = entries([("fake", folder.fake(""))]);
    let mut first = run(&entries);
    let mut second = run_with(&first.servers, &entries, &HashMap::new());
    for _ in 0..2 {
        let lease = Arc::clone(&first.lease);
        let answered = async { first.told.question().await.1.send(Answer::Decline).unwrap() };
        let (result, ()) = tokio::join!(call(&lease, "ask", question()), answered);
        assert_eq!(result.unwrap().structured_content, Some(json!({ "action": "decline" })));
        assert!(second.told.questions.try_recv().is_err());
        mem::swap(&mut first, &mut second);
    }
    assert_eq!(folder.started().len(), 1);
}
