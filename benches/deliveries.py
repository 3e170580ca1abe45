#!/usr/bin/env python3
"""Measures how fast the daemon delivers pending messages: signed messages to nginx on loopback, every attempt recorded durably.

Usage: benches/deliveries.py BINARY   Use a release build and TMPDIR on the disk that is meant; needs nginx.
INTEGRATIONS and EVENTS (of each) in the environment change the backlog of each receiver, ROUNDS the number of rounds for each case,
TARGET the rate that the best round of the last case must reach. STRACE=1 counts the syncs too, in a round of its own.
Prints per case the best round: deliveries per second from the first request to the last commit, the daemon's processor time per
delivery, its peak memory. Exit status 1: a delivery was not accepted by nginx, the daemon ended badly, or the target was missed."""
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "crash"))
from receiver import SECRET
from scene import give_up, stop

# (receivers, requests at once to each): the default for one, and what an operator may set.
CASES = [(1, 8), (4, 8), (1, 64)]
EVENT = Path(__file__).parent.parent / "src/webhook/format/golden/failed/event.json"
NGINX = """daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; client_max_body_size 1m; client_body_buffer_size 64k;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; location = /seen {{ stub_status; }} location / {{ return 204; }} }}
}}
"""


class Measured(NamedTuple):
    """Figures of one round."""

    rate: float
    cpu_ms: float
    peak_mb: float
    requests: int
    syncs: float


class Sink:
    """nginx, which answers every POST with 204 and counts requests."""

    def __init__(self, folder):
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        conf = folder / "nginx.conf"
        conf.write_text(NGINX.format(folder=folder, port=self.port))
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if nginx is None:
            give_up("nginx is not installed; Debian has it in nginx-light")
        self.process = subprocess.Popen([nginx, "-p", str(folder), "-c", str(conf)], stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                self.seen()
                return
            except OSError:
                time.sleep(0.05)
        give_up("nginx does not start")

    def seen(self):
        """Returns the number of requests that it answered, this one among them."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/seen") as answer:
            return int(answer.read().split(b"\n")[2].split()[2])


def configure(folder, sink, receivers, concurrency):
    """Writes a configuration of receivers alone: the pending deliveries are written into the database."""
    key = folder / "key"
    with open(key, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(SECRET)
    text = f'[store]\npath = "{folder}/state.db"\n[log]\nformat = "json"\n'
    for number in range(receivers):
        text += f"""[[receiver]]
name = "receiver-{number}"
url = "http://127.0.0.1:{sink.port}/hook"
secrets = [{{ file = "{key}" }}]
allow = ["127.0.0.0/8"]
concurrency = {concurrency}
"""
    (folder / "revalidated.toml").write_text(text)


def start(binary, folder, before=()):
    with open(folder / "log", "ab") as log:
        command = [*before, binary, "run", "--config", str(folder / "revalidated.toml")]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def pending(folder):
    with closing(sqlite3.connect(f"file:{folder}/state.db?mode=ro", uri=True, timeout=10)) as db:
        return db.execute("SELECT count(*) FROM delivery WHERE state = 'pending'").fetchone()[0]


def enqueue(folder, receivers, integrations, events):
    """Writes the rows of an outage of the receivers: of each integration's events the first is due."""
    template, now = json.loads(EVENT.read_text()), int(time.time() * 1000)
    with closing(sqlite3.connect(folder / "state.db")) as db, db:
        for integration in range(1, integrations + 1):
            db.execute(
                "INSERT INTO integration (id, name, kind, labels, status, notified_status, cron, zone, next_trigger, sequence, created_at_ms)"
                " VALUES (?, ?, 'Native S3', '{}', 'deleted', 'deleted', '* * * * *', 'UTC', 'schedule', ?, ?)",
                (integration, f"integration-{integration}", events, now),
            )
            for sequence in range(1, events + 1):
                event = f"evt_{uuid.uuid4()}"
                template["data"].update(sequence=sequence)
                template["data"]["integration"].update(id=integration, name=f"integration-{integration}")
                row = (event, integration, sequence, template["type"], now, json.dumps(template))
                db.execute("INSERT INTO event (id, integration_id, sequence, type, created_at_ms, body) VALUES (?, ?, ?, ?, ?, ?)", row)
                db.executemany(
                    "INSERT INTO delivery (event_id, receiver, integration_id, number, state, due_at_ms)"
                    " SELECT ?, ?, ?, number, 'pending', ? FROM event WHERE id = ?",
                    [(event, f"receiver-{to}", integration, now if sequence == 1 else None, event) for to in range(receivers)],
                )


def seconds(pid):
    """Returns the processor time used so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(binary, sink, case, backlog, is_traced):
    """Runs one round on a database of its own, and returns its figures."""
    receivers, concurrency = case
    integrations, events = backlog
    folder = Path(tempfile.mkdtemp(prefix="revalidated-"))
    try:
        configure(folder, sink, receivers, concurrency)
        daemon = start(binary, folder)
        while "started: " not in (folder / "log").read_text():
            if daemon.poll() is not None:
                give_up(f"the daemon does not start:\n{(folder / 'log').read_text()}")
            time.sleep(0.05)
        stop(daemon)
        enqueue(folder, receivers, integrations, events)
        count, before = receivers * integrations * events, sink.seen()
        trace = folder / "trace"
        daemon = start(binary, folder, ["strace", "-f", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-o", trace] if is_traced else ())
        while left := pending(folder):
            if daemon.poll() is not None:
                give_up(f"the daemon ended with {left} deliveries left")
            time.sleep(0.02)
        done = time.time()
        used = seconds(daemon.pid)
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{daemon.pid}/status").read_text()).group(1)) / 1024
        requests = sink.seen() - before - 1
        if is_traced:
            # strace passes no signal on.
            child = Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split()[0]
            os.kill(int(child), signal.SIGTERM)
            daemon.wait(20)
        elif (status := stop(daemon)) != 0:
            give_up(f"exit status {status}")
        with closing(sqlite3.connect(folder / "state.db")) as db:
            begun = db.execute("SELECT min(started_at_ms) FROM attempt").fetchone()[0] / 1000
            delivered = db.execute("SELECT count(*) FROM delivery WHERE state = 'delivered' AND attempts = 1").fetchone()[0]
        if delivered != count or requests != count:
            print(f"FAIL {count} pending, {delivered} delivered at the first attempt, {requests} requests seen")
            sys.exit(1)
        syncs = len(re.findall(r"sync\(\d", trace.read_text())) / count if is_traced else 0
        return Measured(count / (done - begun), used * 1000 / count, peak, requests, syncs)
    finally:
        shutil.rmtree(folder)


def setting(name, default):
    return int(os.environ.get(name, default))


def main():
    binary = str(Path(sys.argv[1]).resolve())
    backlog = setting("INTEGRATIONS", 500), setting("EVENTS", 40)
    folder = Path(tempfile.mkdtemp(prefix="revalidated-nginx-"))
    folder.chmod(0o755)
    sink = Sink(folder)
    try:
        for case in CASES:
            rounds = [measure(binary, sink, case, backlog, False) for _ in range(setting("ROUNDS", 3))]
            best = max(rounds)
            syncs = f", {measure(binary, sink, case, backlog, True).syncs:.3f} syncs" if setting("STRACE", 0) else ""
            receivers = f"{case[0]} receiver{'s' if case[0] > 1 else ''}"
            print(
                f"{receivers}, {case[1]} requests at once each, {best.requests} deliveries: {best.rate:.0f} per second; "
                f"{best.cpu_ms:.3f} ms of processor time{syncs} per delivery; {best.peak_mb:.0f} MB at most",
                flush=True,
            )
    finally:
        sink.process.terminate()
        sink.process.wait(10)
        shutil.rmtree(folder)
    if best.rate < setting("TARGET", 3000):
        print(f"FAIL {best.rate:.0f} per second")
        sys.exit(1)


if __name__ == "__main__":
    main()
