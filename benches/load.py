#!/usr/bin/env python3
"""Measures the daemon under load: 10,000 integrations validated every minute by a platform on loopback that takes 50 ms for it.

Usage: benches/load.py BINARY PLATFORM   release builds of the daemon and of the example `load-platform`; INTEGRATIONS, MINUTES
(two), DELAY_MS and AT_ONCE (512 runs) in the environment change the load. Prints how late runs start, counted from the instant their schedule and
spread give, the processor time of a run with its durable row, and the daemon's peak memory.
Exit status 1: the 99th percentile is over a second late, a run is missing or failed, took over half a millisecond of processor time
(and all of them over 2.5 % of a processor: few runs share the cost of being there at all), or memory exceeded 45 MB, 10 MB for
each thousand integrations and 0.07 MB for each run at once."""
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "crash"))
from receiver import Receiver
from scene import Scene, give_up, stop

PERIOD_MS = 60_000
LATE_MAX_MS = 1_000
PROCESSOR_MAX_MS, PROCESSOR_FREE_PERCENT = 0.5, 2.5
MEMORY_MAX_MB, MEMORY_MAX_MB_PER_THOUSAND, MEMORY_MAX_MB_PER_RUN = 45, 10, 0.07
UNSETTLED = """SELECT (SELECT count(*) FROM integration WHERE status <> 'enabled')
                      + (SELECT count(*) FROM delivery WHERE state = 'pending')"""
# The next due instant tells where in the minute an integration's runs belong.
RUNS = """SELECT run.integration_id, (run.started_at_ms - integration.next_run_at_ms) % :period, run.status
          FROM run JOIN integration ON integration.id = run.integration_id
          WHERE run.trigger = 'schedule' AND run.started_at_ms >= :since AND run.started_at_ms < :until"""


class Platform(NamedTuple):
    url: str


@contextmanager
def platform(binary, delay_ms):
    """A platform in a process of its own, for as long as it is needed."""
    with subprocess.Popen([binary, str(delay_ms)], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Platform(process.stdout.readline().strip())
        finally:
            process.terminate()


def settle(scene, daemon):
    """Waits until every integration has passed once, and whoever wants to know has been told."""
    for _ in range(3000):
        if daemon.poll() is not None:
            give_up(f"the daemon ended by itself:\n{scene.last_words()}")
        if scene.database.exists() and scene.rows(UNSETTLED) == [(0,)]:
            return
        time.sleep(0.1)
    give_up(f"integrations are not enabled, or not everybody knows, after five minutes:\n{scene.last_words()}")


def megabytes(daemon, field):
    """A figure of the daemon's memory, such as its peak, `VmHWM`."""
    status = Path(f"/proc/{daemon.pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+) kB", status).group(1)) / 1024


def seconds(daemon):
    """Processor time used so far."""
    fields = Path(f"/proc/{daemon.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(scene, minutes):
    """The lateness and the results of the runs of so many minutes, the processor time they took, and the daemon's memory."""
    daemon = scene.start()
    try:
        settle(scene, daemon)
        since = (int(time.time()) // 60 + 1) * PERIOD_MS
        until = since + minutes * PERIOD_MS
        time.sleep(since / 1000 - time.time())
        before = seconds(daemon)
        time.sleep(until / 1000 - time.time())
        used = seconds(daemon) - before
        # Runs that began in time may have to be recorded yet.
        time.sleep(5)
        memory = megabytes(daemon, "VmHWM"), megabytes(daemon, "RssAnon")
        runs = scene.rows(RUNS, {"period": PERIOD_MS, "since": since, "until": until})
    finally:
        status = stop(daemon)
    if status != 0 or not runs:
        give_up(f"exit status {status} after {len(runs)} runs:\n{scene.last_words()}")
    return runs, used, memory


def main():
    binary, stand_in = sys.argv[1:]
    settings = {"INTEGRATIONS": 10_000, "MINUTES": 2, "DELAY_MS": 50, "AT_ONCE": 512}
    integrations, minutes, delay_ms, at_once = (int(os.environ.get(name, default)) for name, default in settings.items())
    with platform(stand_in, delay_ms) as served, Scene(binary, served, Receiver(), integrations, schedule="* * * * *", at_once=at_once) as scene:
        runs, used, (peak, own) = measure(scene, minutes)
    # An instant that is not in the past of its run is a whole period ahead of it.
    late = sorted(ms + PERIOD_MS if ms < 0 else ms for _, ms, _ in runs)
    failed, missing = sum(status != "passed" for *_, status in runs), integrations * minutes - len(runs)
    p99, each_ms, percent = late[len(late) * 99 // 100], used / len(runs) * 1000, used / (minutes * 60) * 100
    print(
        f"{len(runs)} runs of {integrations} integrations in {minutes} minutes, {missing} missing, {failed} not passed; "
        f"late by {late[len(late) // 2]} ms (median), {p99} ms (99 %), {late[-1]} ms (worst); "
        f"processor {percent:.1f} %, {each_ms:.2f} ms of it for a run; "
        f"memory {peak:.0f} MB at most, {own:.0f} MB of it its own data"
    )
    memory_max = MEMORY_MAX_MB + MEMORY_MAX_MB_PER_THOUSAND * integrations / 1000 + MEMORY_MAX_MB_PER_RUN * at_once
    dear = each_ms > PROCESSOR_MAX_MS and percent > PROCESSOR_FREE_PERCENT
    sys.exit(p99 > LATE_MAX_MS or dear or peak > memory_max or missing > 0 or failed > 0)


if __name__ == "__main__":
    main()
