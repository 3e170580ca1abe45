#!/usr/bin/env python3
"""Measures the daemon under load: 10,000 integrations validated every minute by a platform on loopback that takes 50 ms for it.

Usage: benches/load.py [--store FOLDER|--memory] BINARY PLATFORM
       benches/load.py [--store FOLDER|--memory] --requests RATE BINARY PLATFORM
       benches/load.py [--store FOLDER|--memory] --pairs N BEFORE AFTER PLATFORM
The first takes release builds of the daemon and of the example `load-platform`, the second measures once more with so many requests a
second at the daemon's socket (benches/requests.py), the third takes two daemons to compare. The database is
in a folder below FOLDER, by default target/, which must be on a disk: in memory a sync costs nothing, and --memory shows how much it costs.
INTEGRATIONS, MINUTES (two), DELAY_MS and AT_ONCE (512 runs) in the environment change the load.

Prints how late runs start, counted from the instant their schedule and spread give, the processor time of a run with its durable
row, the daemon's peak memory, and the file system of the database.
Exit status 1: the 99th percentile is over a second late, a run is missing or failed, took over half a millisecond of processor time
(and all of them over 2.5 % of a processor: few runs share the cost of being there at all), or memory exceeded 45 MB, 10 MB for
each thousand integrations and 0.07 MB for each run at once.
With --requests: the 99th percentile is over 50 ms later than without them, or it is slow to answer.
With --pairs the two daemons take turns, N times each, in changing order; exit status 1: the median of AFTER's processor time for a
run is more than 5 % above that of BEFORE, or a run is missing or failed."""
import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "crash"))
from measuring import file_system, megabytes, platform, seconds, setting
from receiver import Receiver
from scene import Scene, give_up, in_memory, stop

PERIOD_MS = 60_000
LATE_MAX_MS = 1_000
PROCESSOR_MAX_MS, PROCESSOR_FREE_PERCENT = 0.5, 2.5
MEMORY_MAX_MB, MEMORY_MAX_MB_PER_THOUSAND, MEMORY_MAX_MB_PER_RUN = 45, 10, 0.07
SLOWER_MAX = 1.05
LATER_MAX_MS = 50
UNFINISHED = """SELECT (SELECT count(*) FROM integration WHERE status <> 'enabled')
                      + (SELECT count(*) FROM delivery WHERE state = 'pending')"""
# The next due instant gives the offset in the minute of an integration's runs.
RUNS = """SELECT run.integration_id, (run.started_at_ms - integration.next_run_at_ms) % :period, run.status
          FROM run JOIN integration ON integration.id = run.integration_id
          WHERE run.trigger = 'schedule' AND run.started_at_ms >= :since AND run.started_at_ms < :until"""


def wait_until_idle(scene, daemon):
    """Waits until every integration has passed once and every notification is delivered."""
    for _ in range(3000):
        if daemon.poll() is not None:
            give_up(f"the daemon ended by itself:\n{scene.last_words()}")
        if scene.database.exists() and scene.rows(UNFINISHED) == [(0,)]:
            return
        time.sleep(0.1)
    give_up(f"integrations are not enabled, or deliveries are pending, after five minutes:\n{scene.last_words()}")


class Load(NamedTuple):
    """The load, and the folder of the database."""

    parent: Path
    integrations: int
    minutes: int
    delay_ms: int
    at_once: int

    @classmethod
    def read(cls, parent):
        defaults = {"INTEGRATIONS": 10_000, "MINUTES": 2, "DELAY_MS": 50, "AT_ONCE": 512}
        return cls(parent, *(setting(name, default) for name, default in defaults.items()))


class Measured(NamedTuple):
    """Figures of one daemon under one load."""

    runs: int
    missing: int
    failed: int
    late_ms: list
    used: float
    minutes: int
    peak_mb: float
    own_mb: float
    answered: list

    @property
    def late_p99_ms(self):
        return self.late_ms[len(self.late_ms) * 99 // 100]

    @property
    def each_ms(self):
        return self.used / self.runs * 1000

    @property
    def percent(self):
        return self.used / (self.minutes * 60) * 100

    def __str__(self):
        return (
            f"{self.runs} runs, {self.missing} missing, {self.failed} not passed; "
            f"late by {median(self.late_ms):.0f} ms (median), {self.late_p99_ms} ms (99 %), {self.late_ms[-1]} ms (worst); "
            f"processor {self.percent:.1f} %, {self.each_ms:.3f} ms of it for a run; "
            f"memory {self.peak_mb:.0f} MB at most, {self.own_mb:.0f} MB of it its own data"
        )

    def is_complete(self):
        return self.missing == 0 and self.failed == 0

    def is_good(self, load):
        allowed_mb = MEMORY_MAX_MB + MEMORY_MAX_MB_PER_THOUSAND * load.integrations / 1000 + MEMORY_MAX_MB_PER_RUN * load.at_once
        is_dear = self.each_ms > PROCESSOR_MAX_MS and self.percent > PROCESSOR_FREE_PERCENT
        return self.is_complete() and self.late_p99_ms <= LATE_MAX_MS and self.peak_mb <= allowed_mb and not is_dear


class Served(Scene):
    """A scene whose daemon answers at a socket."""

    def configure(self, *edits):
        super().configure(*edits)
        self.socket = self.folder / "api.sock"
        self.config.write_text(f'[http]\nlisten = ["unix:{self.socket}"]\n' + self.config.read_text())


@contextmanager
def asked(scene, rate, seconds):
    """Asks the daemon so often meanwhile; the list gets what came of it."""
    found = []
    if not rate:
        yield found
        return
    command = [sys.executable, str(ROOT / "benches" / "requests.py"), str(scene.socket), str(rate), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield found
        found.append(json.loads(process.communicate()[0]))


def observe(scene, minutes, rate):
    """Returns the lateness and the results of the runs of so many minutes, the processor time they took, and the daemon's memory."""
    daemon = scene.start()
    try:
        wait_until_idle(scene, daemon)
        since = (int(time.time()) // 60 + 1) * PERIOD_MS
        until = since + minutes * PERIOD_MS
        time.sleep(since / 1000 - time.time())
        before = seconds(daemon.pid)
        with asked(scene, rate, minutes * 60) as answered:
            time.sleep(until / 1000 - time.time())
            used = seconds(daemon.pid) - before
        # Runs that began in time may have to be recorded yet.
        time.sleep(5)
        memory = megabytes(daemon.pid, "VmHWM"), megabytes(daemon.pid, "RssAnon")
        runs = scene.rows(RUNS, {"period": PERIOD_MS, "since": since, "until": until})
    finally:
        status = stop(daemon)
    if status != 0 or not runs:
        give_up(f"exit status {status} after {len(runs)} runs:\n{scene.last_words()}")
    return runs, used, memory, answered


def measure(binary, stand_in, load, rate=0):
    """Returns the figures of a daemon with a new database, which is asked so often a second."""
    # A daemon that is compared may be older than the interface.
    made = Served if rate else Scene
    with platform(stand_in, load.delay_ms) as served, made(
        binary, served, Receiver(), load.integrations, schedule="* * * * *", at_once=load.at_once, parent=load.parent
    ) as scene:
        runs, used, (peak, own), answered = observe(scene, load.minutes, rate)
    # An instant that is not in the past of its run is a whole period ahead of it.
    late = sorted(ms + PERIOD_MS if ms < 0 else ms for _, ms, _ in runs)
    failed, missing = sum(status != "passed" for *_, status in runs), load.integrations * load.minutes - len(runs)
    return Measured(len(runs), missing, failed, late, used, load.minutes, peak, own, answered)


def compare(before, after, stand_in, load, pairs):
    """Prints the figures of two daemons that take turns, and their medians; true when the second is not slower."""
    found = {"before": [], "after": []}
    for pair in range(pairs):
        turns = [("before", before), ("after", after)]
        for name, binary in turns if pair % 2 == 0 else turns[::-1]:
            found[name].append(measure(binary, stand_in, load))
            print(f"pair {pair + 1}, {name}: {found[name][-1]}", flush=True)
    medians = {}
    for name, measured in found.items():
        medians[name] = median(each.each_ms for each in measured)
        print(
            f"{name}, median of {pairs}: processor {medians[name]:.3f} ms for a run, "
            f"late by {median(each.late_p99_ms for each in measured):.0f} ms (99 %), memory {median(each.peak_mb for each in measured):.0f} MB"
        )
    ratio = medians["after"] / medians["before"]
    print(f"processor time for a run: {(ratio - 1) * 100:+.1f} %")
    return ratio <= SLOWER_MAX and all(each.is_complete() for each in found["before"] + found["after"])


def disturb(binary, stand_in, load, rate):
    """Prints the figures without requests and with them; true when the schedule is kept as it was."""
    calm, busy = measure(binary, stand_in, load), measure(binary, stand_in, load, rate)
    print(f"without requests: {calm}", flush=True)
    [answered] = busy.answered
    print(f"with {rate} requests a second: {busy}")
    times = ", ".join(f"{kind} {took['p50']:.1f} ms (median), {took['p99']:.1f} ms (99 %)" for kind, took in sorted(answered["times"].items()))
    print(f"requests: {answered['rate']:.0f} a second, by status {answered['codes']}; {times}; the slowest {answered['slowest'][0]:.1f} s, after {answered['slowest'][1]:.0f} s")
    later = busy.late_p99_ms - calm.late_p99_ms
    print(f"late at p99: {calm.late_p99_ms} ms without requests, {busy.late_p99_ms} ms with them ({later:+d} ms)")
    return calm.is_complete() and busy.is_complete() and later <= LATER_MAX_MS and 0.98 * rate <= answered["rate"]


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("--store", type=os.path.abspath, default=str(ROOT / "target"))
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--requests", type=int)
    parser.add_argument("binaries", nargs="+")
    arguments = parser.parse_args()
    if len(arguments.binaries) != (3 if arguments.pairs else 2):
        parser.error("wrong number of binaries")
    load = Load.read(in_memory() if arguments.memory else arguments.store)
    kind = file_system(load.parent)
    print(f"{load.integrations} integrations in {load.minutes} minutes; database on {kind} ({load.parent})", flush=True)
    if kind == "tmpfs" and not arguments.memory:
        give_up("a sync to memory costs nothing: name a folder on a disk by --store")
    if arguments.pairs:
        sys.exit(not compare(*arguments.binaries, load, arguments.pairs))
    if arguments.requests:
        sys.exit(not disturb(*arguments.binaries, load, arguments.requests))
    measured = measure(*arguments.binaries, load)
    print(measured)
    sys.exit(not measured.is_good(load))


if __name__ == "__main__":
    main()
