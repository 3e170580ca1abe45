#!/usr/bin/env python3
"""fleet.py BINARY [PORT|--proxy]: a daemon with forty integrations among stand-ins, some of which fail, flap or are muted; serves the pages until it is
ended, and breaks or repairs an integration for each line `break NAME` or `repair NAME` of its standard input. Prints `ready URL TOKEN`.
In the environment: OUTAGE for failures that share an outage, FLIPS for a change a second.
With --proxy it takes its callers for those of a proxy: each needs a token."""
import itertools, json, os, socket, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "daemon"))
import lib

# Names that break out of what is not escaped, or mislead a reader.
HOSTILE = ["<script>alert(1)</script>", "a/b %2f é", "..", "\"quoted\" & 'named'", "漢字" * 30]
NAMES = [f"{team}-{what}" for team in ("lake", "sales", "risk", "web", "ops") for what in ("orders", "users", "events", "clicks", "audit", "archive", "stage")]


MARTS = [f"mart-{number}" for number in range(5)]


def free():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Refusing(lib.S3):
    """A platform that may refuse all who log in, which is one cause for all of their failures."""
    refuses = False

    def answer(self, path):
        return self.error(403, "InvalidClientTokenId") if self.refuses else super().answer(path)


def flip(s3, buckets):
    """Breaks one after the other, a second apart, and repairs it when all others have been."""
    for bucket in itertools.cycle(buckets):
        (s3.buckets.discard if bucket in s3.buckets else s3.buckets.add)(bucket)
        time.sleep(1)


def main(binary, port=None):
    behind_proxy = port == "--proxy"
    folder, port = tempfile.mkdtemp(prefix="page-"), free() if behind_proxy or not port else port
    printed = subprocess.run([binary, "token", "tests"], capture_output=True, text=True, check=True).stdout.split()
    token = next(word for word in printed if word.startswith("rvt_"))
    digest = next(word.strip('",') for word in printed if word.strip('",').startswith("sha256:"))
    os.environ["TOKENHASH"] = digest
    s3, other, good, bad = lib.S3(), Refusing(), lib.Hook(), lib.Hook(code=503)
    daemon = lib.Daemon(binary, folder)
    head = f'''
[outages]
min = {3 if os.environ.get("OUTAGE") else 1000}
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
    parts = [lib.integration(name, s3, bucket=f"bkt-{number}", schedule="* * * * * *" if os.environ.get("FLIPS") else "*/5 * * * * *", extra=f'labels = {{ team = "{name[:4].strip()}x" }}' if name in NAMES else "")
             for number, name in enumerate(NAMES + HOSTILE)]
    buckets = {name: f"bkt-{number}" for number, name in enumerate(NAMES + HOSTILE)}
    if os.environ.get("OUTAGE"):
        parts += [lib.integration(name, other, schedule="*/5 * * * * *", access="AKIAREVALIDATEDDEMO2") for name in MARTS]
    daemon.write(head, *parts, lib.receiver("on-call", good), lib.receiver("ticketing", bad), head="")
    daemon.start()
    daemon.is_well(60)
    for name in ("lake-orders", "sales-users", *HOSTILE[:1]):
        s3.buckets.discard(buckets[name])
        daemon.becomes(name, lib.FAILING, 30)
    daemon.cli("silences", "add", "--label", "team=webx", "--for", "4h", "--comment", "moving the <buckets>")
    daemon.cli("acknowledge", "sales-users", "--for", "4h", "--comment", "bucket is being restored")
    if os.environ.get("OUTAGE"):
        other.refuses = True
        for name in MARTS:
            daemon.becomes(name, lib.FAILING, 60)
    if os.environ.get("FLIPS"):
        threading.Thread(target=flip, args=(s3, [buckets[name] for name in NAMES]), daemon=True).start()
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
