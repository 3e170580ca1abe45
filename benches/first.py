#!/usr/bin/env python3
"""Measures how soon 10,000 new integrations have a first result when their host refuses all connections.

Usage: benches/first.py [--store FOLDER] BINARY
Takes a release build of the daemon. INTEGRATIONS in the environment changes the number, AT_ONCE (64) the limit of runs.
Every run waits twice for another attempt within it; those that wait must not keep the others from beginning.
Exit status 1: that takes over a minute."""
import argparse
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "crash"))
from measuring import Platform, free_port, setting
from receiver import Receiver
from scene import Scene, give_up, stop

SECONDS_MAX = 60
GIVE_UP_AFTER = 600
DONE = "SELECT count(DISTINCT integration_id) FROM run"


def refusing():
    """Returns a platform at a port where nothing listens."""
    return Platform(f"http://127.0.0.1:{free_port()}")


def first_results(scene, count):
    """Returns the seconds until every integration has a result."""
    begun = time.monotonic()
    daemon = scene.start()
    try:
        while time.monotonic() - begun < GIVE_UP_AFTER:
            if daemon.poll() is not None:
                give_up(f"the daemon ended by itself:\n{scene.last_words()}")
            if scene.database.exists() and scene.rows(DONE) == [(count,)]:
                return time.monotonic() - begun
            time.sleep(0.25)
        give_up(f"{scene.rows(DONE)[0][0]} of {count} have a result:\n{scene.last_words()}")
    finally:
        stop(daemon)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", type=os.path.abspath, default=str(ROOT / "target"))
    parser.add_argument("binary")
    arguments = parser.parse_args()
    count, at_once = setting("INTEGRATIONS", 10_000), setting("AT_ONCE", 64)
    with Scene(
        arguments.binary, refusing(), Receiver(), count, schedule="0 0 1 1 *", at_once=at_once, parent=arguments.store
    ) as scene:
        took = first_results(scene, count)
    print(f"{count} new integrations on a host that refuses: a first result of each after {took:.1f} s, {count / took:.0f} a second")
    return 0 if took <= SECONDS_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
