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
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
import zlib
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "crash"))
from measuring import Sink, megabytes, seconds, setting
from receiver import SECRET
from scene import give_up, stop

ALL_BITS = 2**64 - 1
# (receivers, requests at once to each): the default for one, and what an operator may set.
CASES = [(1, 8), (4, 8), (1, 64)]
EVENT = Path(__file__).parent.parent / "share/samples/integration.validation.failed/native.json"


class Measured(NamedTuple):
    """Figures of one round."""

    rate: float
    cpu_ms: float
    peak_mb: float
    requests: int
    syncs: float


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
events = ["integration.validation.*"]
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


def mixed(bits):
    """Mixes 64 bits as the checksums of rows do (`src/store/sqlite/checksum.rs`)."""
    bits = bits + 0x9E3779B97F4A7C15 & ALL_BITS
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 & ALL_BITS
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB & ALL_BITS
    return bits ^ bits >> 31


def row_sum(place, *values):
    """Returns the checksum of a row of null, whole and text values, which the triggers of its table ask for."""
    total = 0
    for at, value in enumerate(values, place):
        kind, bits = 0, 0
        if isinstance(value, int):
            kind, bits = 1, value & ALL_BITS
        elif value is not None:
            text = value.encode()
            kind, bits = 3, zlib.crc32(text) | len(text) << 32
        total += mixed(bits ^ mixed(at * 8 + kind))
    return signed(total)


def signed(bits):
    bits &= ALL_BITS
    return bits - (ALL_BITS + 1) if bits >> 63 else bits


def enqueue(folder, receivers, integrations, events):
    """Writes the rows of an outage of the receivers: of each integration's events the first is due."""
    template, now = json.loads(EVENT.read_text()), int(time.time() * 1000)
    with closing(sqlite3.connect(folder / "state.db")) as db, db:
        db.create_function("row_sum", -1, row_sum)
        db.create_function("row_moved", 3, lambda checksum, was, new: signed((checksum or 0) - was + new))
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
        peak = megabytes(daemon.pid, "VmHWM")
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
        sink.end()
        shutil.rmtree(folder)
    if best.rate < setting("TARGET", 3000):
        print(f"FAIL {best.rate:.0f} per second")
        sys.exit(1)


if __name__ == "__main__":
    main()
