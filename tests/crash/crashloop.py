#!/usr/bin/env python3
"""Kills the daemon at random moments, again and again, and checks that no status change was lost, doubled, invented or
sent out of order.

Usage: crashloop.py KILLS BINARY   SEED=n in the environment repeats the same dice.
Kills spare the page cache: what they show is that the steps are cut at the right places. powercut.py shows durability."""
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict

from receiver import Receiver
from scene import RECEIVERS, Scene, give_up, stop
from standin import StandIn

INTEGRATIONS = 40
LIFE_MIN, LIFE_MAX = 0.4, 1.0
PENDING = "SELECT count(*) FROM delivery WHERE state = 'pending'"


def warm_up(scene, platform):
    """Returns the seconds from the start of the daemon to its first request."""
    before, began = platform.requests, time.monotonic()
    daemon = scene.start()
    while platform.requests == before and daemon.poll() is None and time.monotonic() - began < 20:
        time.sleep(0.002)
    took = time.monotonic() - began
    time.sleep(0.5)
    status = daemon.poll()
    kill(daemon)
    if status is not None or platform.requests == before:
        give_up(f"the daemon does not run (status {status}):\n{scene.last_words()}")
    return took


def kill(daemon):
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()


def storm(scene, platform, kills, dice):
    """Starts and kills the daemon; returns the number of kills of a daemon at work, and of daemons that ended by themselves."""
    busy = ended = 0
    # Long enough to get to work on a slow machine, and bounded however slow it is.
    longest = min(max(LIFE_MIN, 2 * warm_up(scene, platform)), LIFE_MAX)
    numbers = range(1, scene.integrations + 1)
    for _ in range(kills):
        scene.configure(edited=dice.sample(numbers, 2), disabled=dice.sample(numbers, 2))
        before = platform.requests
        daemon = scene.start()
        try:
            daemon.wait(dice.uniform(0, longest))
            ended += 1
        except subprocess.TimeoutExpired:
            kill(daemon)
        busy += before < platform.requests
    return busy, ended


def drain(scene, platform, receiver):
    """Waits until the statuses are stable and no delivery is pending; returns the violations."""
    platform.stabilise()
    receiver.recover()
    scene.configure()
    daemon = scene.start()
    time.sleep(3)
    for _ in range(300):
        if daemon.poll() is not None or scene.rows(PENDING) == [(0,)]:
            break
        time.sleep(0.1)
    faults = [f"the daemon ended by itself:\n{scene.last_words()}"] if daemon.poll() is not None else []
    if (status := stop(daemon)) != 0 and not faults:
        faults.append(f"exit status {status} when asked to stop")
    return faults


def check_history(scene):
    """Each integration's transitions form a chain, its events lead through the same statuses, and are numbered without gaps."""
    faults = [f"integrity: {found}" for (found,) in scene.rows("PRAGMA integrity_check") if found != "ok"]
    chains, events = defaultdict(list), defaultdict(list)
    for integration, old, new in scene.rows("SELECT integration_id, from_status, to_status FROM transition ORDER BY id"):
        if chains[integration] and chains[integration][-1][1] != old:
            faults.append(f"integration {integration}: {chains[integration][-1][1]} is followed by {old} -> {new}")
        chains[integration].append((old, new))
    counted = defaultdict(int)
    for integration, sequence, kind, body in scene.rows("SELECT integration_id, sequence, type, body FROM event WHERE integration_id IS NOT NULL ORDER BY number"):
        data = json.loads(body)["data"]
        # The end of an incident and the step of an operation are two events of one transition.
        if events[integration][-1:] != [data["status"]]:
            events[integration].append(data["status"])
        counted[integration] += kind != "integration.status.changed"
        if not sequence == data["sequence"] == counted[integration]:
            faults.append(f"integration {integration}: event {counted[integration]} has the sequence {sequence}")
    for integration, status, sequence in scene.rows("SELECT id, status, sequence FROM integration"):
        chain, notified = chains[integration], events[integration]
        if not chain or chain[-1][1] != status:
            faults.append(f"integration {integration}: is {status} after {chain[-1:]}")
        if [new for _, new in chain] != notified or sequence != counted[integration]:
            faults.append(f"integration {integration}: {len(chain)} transitions, {len(notified)} notified, sequence {sequence}")
    return faults, sum(map(len, chains.values()))


def check_deliveries(scene, receiver):
    """Every event reached every receiver, unchanged and first in order; nothing else did."""
    faults = [f"{len(receiver.unsigned)} requests without a valid signature"] if receiver.unsigned else []
    events = {event: rest for event, *rest in scene.rows(
        "SELECT id, integration_id, row_number() OVER (PARTITION BY integration_id ORDER BY number), body FROM event")}
    accepted, latest = set(), defaultdict(int)
    for taken in receiver.taken:
        if taken.id not in events:
            faults.append(f"{taken.receiver} was sent {taken.id}, which the database does not have")
            continue
        integration, sequence, body = events[taken.id]
        if taken.body != (body if isinstance(body, bytes) else body.encode()):
            faults.append(f"{taken.id} was sent with another body")
        if latest[taken.receiver, integration] + 1 < sequence:
            faults.append(f"{taken.receiver} was sent {integration}/{sequence} after {latest[taken.receiver, integration]}")
        latest[taken.receiver, integration] = max(latest[taken.receiver, integration], sequence)
        if taken.accepted:
            accepted.add((taken.receiver, taken.id))
    states = {(name, event): state for name, event, state in scene.rows("SELECT receiver, event_id, state FROM delivery")}
    for name in RECEIVERS:
        for event, (integration, sequence, _) in events.items():
            state = states.get((name, event), "not there")
            if state != "delivered" or (name, event) not in accepted:
                faults.append(f"{integration}/{sequence} to {name}: {state}, {'' if (name, event) in accepted else 'not '}accepted")
    return faults


def main():
    kills, binary = int(sys.argv[1]), sys.argv[2]
    seed = int(os.environ.get("SEED", "1"))
    platform, receiver = StandIn(seed), Receiver(seed)
    with Scene(binary, platform, receiver, INTEGRATIONS) as scene:
        began = time.monotonic()
        busy, ended = storm(scene, platform, kills, random.Random(seed))
        took = time.monotonic() - began
        faults = drain(scene, platform, receiver)
        if ended:
            faults.append(f"{ended} times the daemon ended by itself:\n{scene.last_words()}")
        history, transitions = check_history(scene)
        deliveries = check_deliveries(scene, receiver)
    faults += history + deliveries
    print(
        f"{kills} kills in {took:.0f} s, {busy} at work; {transitions} transitions, {len(receiver.taken)} requests"
        f" for {len({taken.id for taken in receiver.taken})} events; {len(faults)} violations"
    )
    for fault in faults[:10]:
        print(" ", fault)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
