#!/bin/sh
# An MCP server for tests: needs nothing but a shell. Called with the way in which it is to behave.

say() { printf '{"jsonrpc":"2.0",%s}\n' "$1"; }
answer() { say "\"id\":$id,\"result\":$1"; }
text() { answer "{\"content\":[{\"type\":\"text\",\"text\":\"$1\"}]}"; }

case $1 in
dead)
    echo "no configuration found" >&2
    exit 3
    ;;
stubborn)
    trap '' TERM
    (setsid sh -c 'trap "" TERM; sleep 1000; :' &)
    sleep 1000 &
    ;;
esac

while IFS= read -r line; do
    id=${line#*\"id\":} id=${id%%[,\}]*}
    case $line in
    *'"method":"initialize"'*)
        answer '{"protocolVersion":"2025-06-18","capabilities":{"tools":{},"resources":{}},"serverInfo":{"name":"shell","version":"1"}}'
        ;;
    *'"method":"tools/list"'*)
        schema='"inputSchema":{"type":"object","properties":{"x":{"type":"string"}}}'
        answer "{\"tools\":[
            {\"name\":\"look\",\"description\":\"Looks.\",\"annotations\":{\"readOnlyHint\":true},$schema},
            {\"name\":\"change\",\"description\":\"Changes.\",$schema},
            {\"name\":\"work\",\"annotations\":{\"readOnlyHint\":true},$schema},
            {\"name\":\"fail\",\"annotations\":{\"readOnlyHint\":true},$schema},
            {\"name\":\"ask\",\"annotations\":{\"readOnlyHint\":true},$schema}]}" | tr -d '\n'
        echo
        ;;
    *'"name":"look"'*) text looked ;;
    *'"name":"change"'*) text changed ;;
    *'"name":"fail"'*) answer '{"content":[{"type":"text","text":"went wrong"}],"isError":true}' ;;
    *'"name":"work"'*)
        token=${line#*\"progressToken\":} token=${token%%[,\}]*}
        note='"method":"notifications/progress"'
        say "$note,\"params\":{\"progressToken\":$token,\"progress\":1,\"total\":2,\"message\":\"half of it\"}"
        while [ ! -e "$CODEX_HOME/worked" ]; do sleep 0.02; done
        text worked
        ;;
    *'"name":"ask"'*)
        form='{"type":"object","properties":{"name":{"type":"string"}}}'
        say "\"id\":\"q\",\"method\":\"elicitation/create\",\"params\":{\"message\":\"Who?\",\"requestedSchema\":$form}"
        IFS= read -r told
        answer "{\"content\":[],\"structuredContent\":$told}"
        ;;
    *'"method":"resources/list"'*) answer '{"resources":[{"uri":"shell://a","name":"a"}]}' ;;
    *'"method":"resources/templates/list"'*)
        answer '{"resourceTemplates":[{"uriTemplate":"shell://{x}","name":"t"}]}'
        ;;
    *'"uri":"shell://a"'*) answer '{"contents":[{"uri":"shell://a","text":"hello"}]}' ;;
    *'"method":"resources/read"'*)
        say "\"id\":$id,\"error\":{\"code\":-32002,\"message\":\"no such thing\"}"
        ;;
    esac
done

[ "$1" != stubborn ] || while :; do sleep 1000; done
