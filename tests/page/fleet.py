#!/usr/bin/env python3
"""fleet.py BINARY [PORT|--proxy]: a daemon with forty integrations among stand-ins, some of which fail, flap or are muted; serves the pages until it is
ended, and breaks or repairs an integration for each line `break NAME` or `repair NAME` of its standard input. Prints `ready URL TOKEN`.
With --proxy it takes its callers for those of a proxy: each needs a token."""
import json, os, socket, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "daemon"))
import lib

# Names that break out of what is not escaped, or mislead a reader.
HOSTILE = ["<script>alert(1)</script>", "a/b %2f é", "..", "\"quoted\" & 'named'", "漢字" * 30]
NAMES = [f"{team}-{what}" for team in ("lake", "sales", "risk", "web", "ops") for what in ("orders", "users", "events", "clicks", "audit", "archive", "stage")]


if os.environ.get("PLAIN"):                 # for pictures
    HOSTILE = []


def free():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def main(binary, port=None):
    behind_proxy = port == "--proxy"
    folder, port = tempfile.mkdtemp(prefix="page-"), free() if behind_proxy or not port else port
    printed = subprocess.run([binary, "token", "tests"], capture_output=True, text=True, check=True).stdout.split()
    token = next(word for word in printed if word.startswith("rvt_"))
    digest = next(word.strip('",') for word in printed if word.strip('",').startswith("sha256:"))
    os.environ["TOKENHASH"] = digest
    s3, good, bad = lib.S3(), lib.Hook(), lib.Hook(code=503)
    daemon = lib.Daemon(binary, folder)
    head = f'''
[outages]
min = 1000
[http]
listen = ["127.0.0.1:{port}"]
public = ["page"]
behind_proxy = {str(behind_proxy).lower()}
[[http.token]]
name = "tests"
scope = "act"
hash = {{ env = "TOKENHASH" }}
[[maintenance]]
name = "weekend"
schedule = "0 12 * * 6"
zone = "Europe/Berlin"
duration = "4h"
'''
    parts = [lib.integration(name, s3, bucket=f"bkt-{number}", schedule="*/5 * * * * *", extra=f'labels = {{ team = "{name[:4].strip()}x" }}' if name in NAMES else "")
             for number, name in enumerate(NAMES + HOSTILE)]
    buckets = {name: f"bkt-{number}" for number, name in enumerate(NAMES + HOSTILE)}
    daemon.write(head, *parts, lib.receiver("on-call", good), lib.receiver("ticketing", bad), head="")
    daemon.start()
    daemon.is_well(60)
    for name in ("lake-orders", "sales-users", *HOSTILE[:1]):
        s3.buckets.discard(buckets[name])
        daemon.becomes(name, lib.FAILING, 30)
    daemon.cli("silences", "add", "--label", "team=webx", "--for", "4h", "--comment", "moving the <buckets>")
    daemon.cli("acknowledge", "sales-users", "--for", "4h", "--comment", "bucket is being restored")
    print("ready", f"http://127.0.0.1:{port}", token, flush=True)
    for line in sys.stdin:
        action, _, name = line.strip().partition(" ")
        if action == "break":
            s3.buckets.discard(buckets[name])
        elif action == "repair":
            s3.buckets.add(buckets[name])
        elif action == "restart":
            daemon.stop()
            daemon.start()
        print("done", line.strip(), flush=True)
    daemon.stop()


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]), *(word if word == "--proxy" else int(word) for word in sys.argv[2:]))
