"""Sends back what it is sent. The arguments are options of the client."""
import json, subprocess, sys

command = ["udp-chat", "client", "--name", "echo", "--accept-all", "--json", *sys.argv[1:]]
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8"}
with subprocess.Popen(command, **pipes) as client:
    for event in map(json.loads, client.stdout):
        if event["event"] == "message":
            answer = {"command": "send", "peer": event["peer"], "text": event["text"]}
            print(json.dumps(answer), file=client.stdin, flush=True)
