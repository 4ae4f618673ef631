#!/usr/bin/env bash
# Sends back what it is sent. The arguments are options of the client.
pipe=$(mktemp -u) && mkfifo "$pipe"
answer='select(.event == "message") | {command: "send", peer, text}'
udp-chat client --name echo --accept-all --json "$@" \
  > >(jq --unbuffered -c "$answer" >"$pipe") <"$pipe" &
trap 'kill $!; rm -f "$pipe"' EXIT
wait $!
