//! Messages on stdio: the handshake, lines that are no requests, floods, and the end.

use std::path::PathBuf;

use pretty_assertions::assert_eq;
use protocol::{
    ClientInfo, InitializeCapabilities, InitializeParams, RequestId, ThreadList, ThreadListParams,
    ThreadLoadedList, ThreadLoadedListParams, ThreadStart, ThreadStartParams, TurnStatus,
};
use serde_json::{Value, json};
use testkit::{Daemon, Home, Launch, Rollout, json_lines};

use crate::steps::{begin_slow, ended, refused, start, texts, turn, turns};

fn client(name: &str) -> InitializeParams {
    let client_info = ClientInfo { name: name.into(), title: None, version: "1.2.3".into() };
    InitializeParams { client_info, capabilities: None }
}

#[tokio::test]
async fn nothing_is_served_before_the_handshake_and_there_is_one_handshake() {
    let home = Home::new();
    let mut d = Launch::on(&home).without_handshake().start().await;
    for method in ["thread/list", "thread/start", "account/read"] {
        assert_eq!(refused(d.fail_raw(method, json!({})).await), "Not initialized");
    }
    let nameless = refused(d.fail_raw("initialize", json!({ "clientInfo": { "version": "1" } })).await);
    assert_eq!(nameless, "Invalid request: missing field `name`");
    let unfit = refused(d.fail_raw("initialize", json!(client("two\nlines"))).await);
    assert_eq!(unfit, "Invalid clientInfo.name: 'two\nlines'. Must be a valid HTTP header value.");
    // A refused handshake may be tried again.
    let greeting = d.initialize(client("editor")).await;
    assert!(greeting.user_agent.starts_with("editor/0.169.0 ("), "{}", greeting.user_agent);
    assert!(greeting.user_agent.ends_with("(editor; 1.2.3)"), "{}", greeting.user_agent);
    assert_eq!(PathBuf::from(greeting.codex_home), home.root());
    assert_eq!((greeting.platform_family.as_str(), greeting.platform_os.as_str()), ("unix", "linux"));
    assert_eq!(refused(d.fail_raw("initialize", json!(client("again"))).await), "Already initialized");
    assert!(d.call::<ThreadList>(ThreadListParams::default()).await.data.is_empty());
}

#[tokio::test]
async fn an_id_comes_back_as_it_was_sent() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let text = |text: &str| RequestId::String(text.to_owned());
    for id in [
        text(""),
        text("7"),
        text("a\0b"),
        text("ü"),
        RequestId::Integer(7),
        RequestId::Integer(i64::MIN),
        RequestId::Integer(i64::MAX),
    ] {
        let sent = d.send_raw(id, "thread/loaded/list", Some(json!({})));
        d.answer(sent).await;
    }
}

#[tokio::test]
async fn one_id_used_twice_is_answered_twice() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let twice = [(); 2].map(|()| d.send_raw(RequestId::String("x".into()), "thread/list", Some(json!({}))));
    for sent in twice {
        d.answer(sent).await;
    }
}

#[tokio::test]
async fn lines_that_are_no_requests_are_not_answered_and_harm_nothing() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let deep = "[".repeat(5000);
    let nested = format!(r#"{{"id":1,"method":"thread/list","params":{deep}"#);
    let lines: &[&[u8]] = &[
        b"",
        b"   ",
        b"words",
        b"5",
        b"null",
        b"{}",
        b"[]",
        br#"{"id":900,"method":"thread/list""#,
        br#"[{"id":900,"method":"thread/list","params":{}}]"#,
        br#"{"id":null,"method":"thread/list","params":{}}"#,
        br#"{"id":1.5,"method":"thread/list","params":{}}"#,
        br#"{"id":true,"method":"thread/list","params":{}}"#,
        br#"{"id":{},"method":"thread/list","params":{}}"#,
        br#"{"id":9223372036854775808,"method":"thread/list","params":{}}"#,
        br#"{"id":900,"id":901,"method":"thread/list","params":{}}"#,
        br#"{"id":900,"method":"thread/list","params":{}} {}"#,
        br#"{"method":"thread/list","params":{}}"#,
        br#"{"method":"made/up","params":{}}"#,
        br#"{"id":900,"result":{}}"#,
        br#"{"id":900,"error":{"code":1,"message":"m"}}"#,
        b"\xff\xfe",
        b"{\"id\":900,\"method\":\"thread/list\",\"params\":{\"cwd\":\"\xff\"}}",
        nested.as_bytes(),
        deep.as_bytes(),
    ];
    for line in lines {
        d.raw(line);
    }
    d.call::<ThreadLoadedList>(ThreadLoadedListParams::default()).await;
    // An answer to any of them would be one that nothing asked for.
    assert_eq!(d.lines().len(), 2);
}

#[tokio::test]
async fn blanks_line_ends_and_further_members_do_not_matter() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    d.raw("\r");
    let params = json!({ "unknown": { "member": [1] }, "limit": null });
    assert_eq!(d.call_raw("thread/list", params).await["data"], json!([]));
    let id = start(&mut d).await;
    assert_eq!(d.call_raw("thread/loaded/list", json!({})).await["data"], json!([id]));
}

#[tokio::test]
async fn an_unknown_method_is_told_which_there_are() {
    let home = Home::new();
    let mut d = Launch::on(&home).without_handshake().start().await;
    let message = refused(d.fail_raw("thread/levitate", json!({})).await);
    let begin = "Invalid request: unknown variant `thread/levitate`, expected one of `initialize`, ";
    assert!(message.starts_with(begin) && message.contains("`turn/steer`"), "{message}");
}

#[tokio::test]
async fn a_method_that_is_not_built_yet_says_so() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    for method in ["fs/copy", "fs/watch", "thread/realtime/start"] {
        let message = refused(d.fail_raw(method, json!({})).await);
        assert_eq!(message, format!("{method} is not supported by this server yet"));
    }
}

#[tokio::test]
async fn params_are_needed_where_a_method_takes_some() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let sent = d.send_raw(RequestId::Integer(500), "thread/list", None);
    assert_eq!(refused(d.refusal(sent).await), "Invalid request: missing field `params`");
    for params in [None, Some(Value::Null), Some(json!({}))] {
        let sent = d.send_raw(RequestId::Integer(501), "configRequirements/read", params);
        d.answer(sent).await;
    }
    let message = refused(d.fail_raw("configRequirements/read", json!([])).await);
    assert!(message.starts_with("Invalid request: "), "{message}");
}

#[tokio::test]
async fn what_is_experimental_has_to_be_asked_for() {
    let home = Home::new();
    let mut d = Launch::on(&home).capabilities(None).start().await;
    for (method, params, what) in [
        ("thread/search", json!({}), "thread/search"),
        ("collaborationMode/list", json!({}), "collaborationMode/list"),
        ("thread/start", json!({ "experimentalRawEvents": true }), "thread/start.experimentalRawEvents"),
        ("thread/start", json!({ "approvalPolicy": { "granular": {} } }), "askForApproval.granular"),
    ] {
        let message = refused(d.fail_raw(method, params).await);
        assert_eq!(message, format!("{what} requires experimentalApi capability"));
    }
    // Null counts as absent.
    d.call_raw("thread/start", json!({ "experimentalRawEvents": null })).await;
}

#[tokio::test]
async fn a_client_is_spared_exactly_the_notifications_that_it_named() {
    let home = Home::new();
    let unwanted = ["thread/started", "item/agentMessage", "made/up", "item/agentMessage/delta"];
    let capabilities = InitializeCapabilities {
        experimental_api: Some(true),
        opt_out_notification_methods: Some(unwanted.map(str::to_owned).to_vec()),
    };
    let mut d = Launch::on(&home).capabilities(Some(capabilities)).start().await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "hi").await;
    let told = d.methods_from(0);
    assert!(!told.iter().any(|method| unwanted.contains(method)), "{told:?}");
    assert!(told.contains(&"item/started") && told.contains(&"thread/status/changed"), "{told:?}");
}

#[tokio::test]
async fn every_request_of_a_flood_is_answered() {
    const MANY: usize = 3000;
    // What clients rely on: so many at once are never too many.
    const SAFE: usize = 128;
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let sent: Vec<_> = (0..MANY).map(|_| d.send::<ThreadList>(ThreadListParams::default())).collect();
    for (index, sent) in sent.iter().enumerate() {
        match d.either(sent).await {
            Ok(list) => assert_eq!(list["data"].as_array().unwrap().len(), 1),
            Err(error) => {
                assert_eq!((error.code, error.message.as_str()), (-32001, "Server overloaded; retry later."));
                assert!(index >= SAFE, "request {index} was refused");
            }
        }
    }
    d.call::<ThreadList>(ThreadListParams::default()).await;
}

#[tokio::test]
async fn requests_with_the_end_of_input_right_behind_are_answered() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let sent: Vec<_> = (0..100).map(|_| d.send::<ThreadList>(ThreadListParams::default())).collect();
    let started = d.send::<ThreadStart>(ThreadStartParams::default());
    assert_eq!(d.stop().await, Some(0));
    for sent in sent {
        assert_eq!(d.answer(sent).await.data.len(), 1);
    }
    d.answer(started).await;
}

#[tokio::test]
async fn input_that_ends_before_the_handshake_is_a_good_end() {
    let home = Home::new();
    let mut d = Launch::on(&home).without_handshake().start().await;
    assert_eq!(d.stop().await, Some(0));
}

#[tokio::test]
async fn a_running_turn_is_closed_on_disk_when_the_server_ends() {
    for by_signal in [true, false] {
        let home = Home::new();
        let mut d = Daemon::start(&home).await;
        let id = start(&mut d).await;
        let (running, _gate) = begin_slow(&home, &mut d, &id, "hi").await;
        if by_signal {
            d.signal("TERM");
            // While its input is still open: it is the signal that ends the turn.
            assert_eq!(ended(&mut d, &running).await.status, TurnStatus::Interrupted);
        }
        d.close_input();
        assert_eq!(d.ended().await, Some(0), "by signal: {by_signal}");
        let [rollout] = &home.files("rollout-")[..] else { panic!("one file") };
        let aborted = json_lines(rollout).into_iter().find(|line| line["payload"]["type"] == "turn_aborted");
        assert_eq!(aborted.unwrap()["payload"]["turn_id"], json!(running));
        let stored = turns(d.restart().await, &id).await;
        assert_eq!((stored[0].status, texts(&stored)), (TurnStatus::Interrupted, vec![vec!["hi", "at "]]));
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_for_a_while_loses_nothing() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    d.hold_reading(true);
    let sent: Vec<_> = (0..500).map(|_| d.send::<ThreadList>(ThreadListParams::default())).collect();
    d.hold_reading(false);
    for sent in sent {
        assert_eq!(d.answer(sent).await.data.len(), 1);
    }
}
