#!/usr/bin/env python3
"""Prints what is asked of several nodes on one PostgreSQL beside what was measured.

Usage: benches/cluster.py [PROFILE] [BINARY]   PROFILE is that of the measured tests (simulation), BINARY a daemon for the last line.
Runs: nodes in one process, each with the engine, the decisions and the planner's rounds of a daemon, and validators that wait for 50 ms
and ask nothing, 64 at once. Deliveries: the same with receivers that take everything at once. The server keeps its data in TMPDIR and
syncs each commit. The last line is of daemons as processes in PID namespaces of their own, so that none sees another end: one is killed,
and the time counts until all that it was validating is begun elsewhere; it needs root. Exit status 1: a target was missed."""
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests/cluster"), str(ROOT / "tests/crash")]

import clusters
import nodes as daemons
import servers
from measuring import seconds
from receiver import SECRET, Receiver

TICKS = os.sysconf("SC_CLK_TCK")
TESTS = "store::conformance::speed::"
DURABLE = "fsync = on\nshared_buffers = 128MB\nmax_wal_size = 1GB\n"


def cpu_of(folder):
    """Seconds of processor time of all processes whose folder this is, those that have ended included."""
    total = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd") == str(folder):
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
                total += sum(map(int, fields[11:13]))
                # The postmaster has the time of its children that have ended.
                total += sum(map(int, fields[13:15])) if (entry / "cmdline").read_bytes().split(b"\0")[0].endswith(b"postgres") and b"-D" in (entry / "cmdline").read_bytes() else 0
        except (OSError, ValueError):
            pass
    return total / TICKS


def fresh(server):
    server.sql(f"DROP DATABASE IF EXISTS {servers.DATABASE} WITH (FORCE)", "postgres")
    server.sql(f"CREATE DATABASE {servers.DATABASE}", "postgres")
    server.sql("CHECKPOINT", "postgres")


def measured(program, server, test, count):
    """Returns the figures of a test, with the processor time of the server and of the nodes for each thing done, in ms."""
    fresh(server)
    environment = {**os.environ, "REVALIDATED_BENCH_PORT": str(server.port), "REVALIDATED_BENCH_NODES": str(count)}
    command = [program, "--ignored", "--exact", "--nocapture", TESTS + test]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT)
    before, figures, output = None, None, []
    for line in child.stdout:
        output.append(line)
        now = (cpu_of(server.data), seconds(child.pid))
        if " begin " in f" {line}":
            before = now
        if " end " in f" {line}":
            figures = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}
            figures["server_ms"], figures["nodes_ms"] = (1000 * (after - earlier) / max(figures["done"], 1) for after, earlier in zip(now, before))
    if child.wait() or not figures:
        sys.exit("".join(output[-30:]))
    return figures


def built(profile):
    command = ["cargo", "test", "--locked", "--profile", profile, "--lib", "--no-run"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    found = re.search(r"Executable .*\((.*)\)", done.stderr)
    if not found:
        sys.exit(done.stderr[-2000:])
    return ROOT / found.group(1)


def taken_over(binary, server, folder):
    """Seconds from the kill of a node until others have begun all that it was validating."""
    fresh(server)
    platform, receiver = clusters.Platform(delay=0.2), Receiver()
    receiver.secret = SECRET
    apart = folder / "apart"
    apart.write_text(f'#!/bin/sh\nexec unshare --pid --fork --mount-proc --kill-child "{Path(binary).resolve()}" "$@"\n')
    apart.chmod(0o755)
    all_nodes = [daemons.Node(apart, folder, name) for name in "ab"]
    try:
        for node in all_nodes:
            node.configure([server], platform, receiver, 32)
            node.start()
        deadline = time.monotonic() + 120
        while min(platform.runs[node.name] for node in all_nodes) < 20:
            if deadline < time.monotonic():
                sys.exit("the nodes do not share the work:\n" + all_nodes[0].last_words())
            time.sleep(0.1)
        dead = all_nodes[1]
        while not (left := [cluster for cluster, asking in list(platform.asking.items()) if dead.name in asking]):
            time.sleep(0.01)
        killed = time.monotonic()
        dead.kill()
        time.sleep(0.5)
        while not all(platform.latest.get(cluster, ("", 0))[0] == "a" and platform.latest[cluster][1] > killed for cluster in left):
            if killed + 90 < time.monotonic():
                sys.exit("what the node had begun is begun nowhere else")
            time.sleep(0.02)
        return max(platform.latest_first(cluster, killed) for cluster in left) - killed
    finally:
        for node in all_nodes:
            if node.process:
                node.kill()


class Table:
    def __init__(self):
        self.missed = 0

    def line(self, what, target, found, holds):
        self.missed += not holds
        print(f"{what:<58} {target:<18} {found:<34} {'ok' if holds else 'MISSED'}", flush=True)


def main():
    profile = sys.argv[1] if len(sys.argv) > 1 else "simulation"
    program = built(profile)
    table = Table()
    with tempfile.TemporaryDirectory(prefix="revalidated-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        server = servers.Server(folder, "server")
        server.create()
        try:
            with open(server.data / "postgresql.conf", "a") as file:
                file.write(DURABLE)
            server.stop()
            server.start()
            runs = {count: measured(program, server, "runs_that_nodes_record", count) for count in (1, 2, 4, 8)}
            rates = {count: found["rate"] for count, found in runs.items()}
            shown = " ".join(f"{count}: {rate}" for count, rate in rates.items())
            best = max(rates.values())
            table.line("runs recorded a second, by the number of nodes", ">= 3,000", shown, best >= 3000)
            table.line("work of 8 nodes against 1", ">= 7 times", f"{rates[8] / max(rates[1], 1):.1f} times", rates[8] >= 7 * rates[1])
            one = min(runs.values(), key=lambda found: found["server_ms"] + found["nodes_ms"])
            total = one["server_ms"] + one["nodes_ms"]
            table.line("processor time of the store for a run", "<= 0.25 ms", f"{total:.3f} ms ({one['server_ms']:.3f} server)", total <= 0.25)
            for count in (4, 8):
                claim, record = runs[count]["claim_p99_ms"], runs[count]["record_p99_ms"]
                table.line(f"claim and record with {count} nodes, p99", "<= 100 ms", f"{claim} ms, {record} ms", max(claim, record) <= 100)
            sent = {count: measured(program, server, "deliveries_that_nodes_record", count)["rate"] for count in (1, 2, 4)}
            shown = " ".join(f"{count}: {rate}" for count, rate in sent.items())
            table.line("deliveries recorded a second, by the number of nodes", ">= 3,000 on one", shown, sent[1] >= 3000)
            table.line("deliveries of 4 nodes against 1", ">= 3 times", f"{sent[4] / max(sent[1], 1):.1f} times", sent[4] >= 3 * sent[1])
            if len(sys.argv) > 2:
                took = taken_over(sys.argv[2], server, folder)
                table.line("a killed node's runs begun elsewhere", "<= 25 s", f"{took:.1f} s", took <= 25)
        finally:
            server.stop()
    sys.exit(bool(table.missed))


if __name__ == "__main__":
    main()
