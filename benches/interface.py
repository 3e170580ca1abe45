#!/usr/bin/env python3
"""Measures the interface and the page of a daemon with 10,000 integrations and two million runs that has nothing else to do.

Usage: benches/interface.py BINARY PLATFORM
Takes release builds of the daemon and of the example `load-platform`. INTEGRATIONS and RUNS (200 of each integration) in the environment
change the store, CHROMIUM names the browser; without one its figure is left out.

Prints for each request its median and 99th percentile, the size of the page, and its Largest Contentful Paint in the browser.
Exit status 1: a figure exceeds its bound."""
import gzip
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benches"))
from load import Scene, give_up, stop, wait_until_idle
from measuring import free_port, megabytes, platform, setting
from receiver import Receiver

INTEGRATIONS, RUNS = setting("INTEGRATIONS", 10_000), setting("RUNS", 200)
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
NODE = os.path.abspath(os.path.join(os.environ.get("REVALIDATED_NODE", ROOT / "target" / "node"), "page"))
# The history of integrations that have been validated for as long: their latest run again and again, a quarter of an hour apart. The
# latest run stays what it is, since rows of integrations are protected by checksums: older runs get numbers below.
HISTORY = """WITH RECURSIVE run_of (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM run_of WHERE n < :runs)
    INSERT INTO run (id, integration_id, subject, trigger, started_at_ms, duration_ms, status, class, rule, report_id, drift, took, evidence)
    SELECT -row_number() OVER (ORDER BY n, id), integration_id, subject, trigger, started_at_ms - n * 900000, duration_ms + n % 60, status, class, rule, report_id,
           drift, took, evidence
    FROM run, run_of WHERE run.id IN (SELECT last_run_id FROM integration) AND :runs > 0"""


class Served(Scene):
    """A scene whose daemon answers at a port of the loopback."""

    def configure(self, *edits):
        super().configure(*edits)
        self.port = free_port()
        self.config.write_text(f'[http]\nlisten = ["127.0.0.1:{self.port}"]\n' + self.config.read_text())


class Connection:
    """A connection that is kept."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, path, **headers):
        """Status, headers and body of an answer, the seconds until its first byte and until its end."""
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        begun = time.perf_counter()
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}\r\n".encode())
        text = self.socket.recv(1 << 16)
        first = time.perf_counter() - begun
        while b"\r\n\r\n" not in text:
            text += self.socket.recv(1 << 16)
        head, _, body = text.partition(b"\r\n\r\n")
        found = dict(re.findall(rb"\r\n([^:]+): ([^\r]*)", head))
        parts = [body]
        if b"content-length" in found and head[9:12] != b"304":
            left = int(found[b"content-length"]) - len(body)
            while 0 < left:
                parts.append(self.socket.recv(1 << 20))
                left -= len(parts[-1])
        elif found.get(b"transfer-encoding") == b"chunked":
            while not parts[-1].endswith(b"0\r\n\r\n"):
                parts.append(self.socket.recv(1 << 20))
        return int(head[9:12]), found, b"".join(parts), first, time.perf_counter() - begun


class Figures:
    """What was measured, each with its bound."""

    def __init__(self):
        self.exceeded = 0

    def say(self, what, value, bound, unit):
        is_good = value <= bound
        self.exceeded += not is_good
        print(f"{what}: {value:.1f} {unit}, bound {bound} {unit}{'' if is_good else '  EXCEEDED'}", flush=True)

    def times(self, what, times, bound_ms):
        ordered = sorted(times)
        print(f"{what}, median of {len(ordered)}: {ordered[len(ordered) // 2] * 1000:.2f} ms")
        self.say(f"{what}, 99 %", ordered[len(ordered) * 99 // 100] * 1000, bound_ms, "ms")


def wait_until_validated(scene):
    for _ in range(3000):
        if scene.database.exists() and scene.rows("SELECT count(*) FROM sqlite_master WHERE name = 'run'") != [(0,)]:
            if scene.rows("SELECT count(*) FROM integration WHERE last_run_id IS NOT NULL") == [(INTEGRATIONS,)]:
                return
        time.sleep(0.1)
    sys.exit(f"not all integrations were validated within five minutes:\n{scene.last_words()}")


def fill(scene):
    with closing(sqlite3.connect(scene.database)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(HISTORY, {"runs": RUNS - 1})


def ready(scene):
    for _ in range(600):
        try:
            return Connection(scene.port) if Connection(scene.port).ask("/readyz")[0] == 200 else time.sleep(0.2)
        except OSError:
            time.sleep(0.2)
    give_up(f"the daemon does not answer:\n{scene.last_words()}")


def measure(scene, daemon, figures):
    connection = ready(scene)
    time.sleep(5)
    ask, api = connection.ask, "/api/v1/integrations"
    name = lambda number: f"integration-{number * 37 % INTEGRATIONS + 1}"
    pages = [f"{api}?sort={order}" for order in ("name", "next", "since", "expires")]
    # What changes nothing between two questions is answered from memory only by its tag, which these do not send.
    figures.times("list of 100", [ask(pages[number % 4])[4] for number in range(300)], 30)
    figures.times("one integration", [ask(f"{api}/{name(number)}")[4] for number in range(1000)], 10)
    tag = ask(pages[0])[1][b"etag"].decode()
    same = [ask(pages[0], if_none_match=tag) for _ in range(1000)]
    figures.say("answers other than 304", sum(status != 304 for status, *_ in same), 0, "of 1000")
    figures.times("304", [took for *_, took in same], 2)
    Path(f"/proc/{daemon.pid}/clear_refs").write_text("5")
    before = megabytes(daemon.pid, "VmRSS")
    whole = ask("/integrations")
    figures.say(f"/integrations, {len(whole[2]) / 1e6:.1f} MB", whole[4] * 1000, 3000, "ms")
    figures.say("memory for it", megabytes(daemon.pid, "VmHWM") - before, 8, "MiB")
    page = ask("/")
    figures.times("first byte of the page", [ask(path)[3] for path in ("/", "/?q=integration-9", "/?sort=next", "/?show=failing") for _ in range(25)], 100)
    figures.say("page", len(page[2]) / 1000, 160, "KB")
    figures.say("page, gzip", len(ask("/", accept_encoding="gzip")[2]) / 1000, 25, "KB")
    figures.say("page, gzip by us", len(gzip.compress(page[2])) / 1000, 25, "KB")
    if os.path.exists(CHROMIUM) and os.path.isdir(NODE):
        paint = subprocess.run(["node", ROOT / "tests" / "page" / "paint.mjs", f"http://127.0.0.1:{scene.port}"], env={**os.environ, "REVALIDATED_NODE": NODE, "CHROMIUM": CHROMIUM}, capture_output=True, text=True, check=True)
        figures.say("Largest Contentful Paint, median of 7", float(paint.stdout), 400, "ms")
    else:
        print("Largest Contentful Paint: left out, without a browser")


def main(binary, stand_in):
    figures = Figures()
    with platform(stand_in, 1) as served, Served(binary, served, Receiver(), INTEGRATIONS, schedule="0 0 1 1 *", at_once=512, parent=ROOT / "target") as scene:
        daemon = scene.start()
        wait_until_validated(scene)
        wait_until_idle(scene, daemon)
        stop(daemon)
        fill(scene)
        daemon = scene.start()
        try:
            print(f"{INTEGRATIONS} integrations, {scene.rows('SELECT count(*) FROM run')[0][0]} runs, {scene.database.stat().st_size / 1e6:.0f} MB")
            measure(scene, daemon, figures)
        finally:
            stop(daemon)
    sys.exit(0 < figures.exceeded)


if __name__ == "__main__":
    main(*sys.argv[1:])
