#!/usr/bin/env python3
"""Lets calls of the daemon to the system fail, life after life, and checks that it neither panics nor hangs, and that no
status change and no message was lost, doubled, invented or sent out of order.

Usage: syscalls.py FAULTS BINARY   goes on until so many calls have failed; SEED=n repeats the same dice. Needs gcc.
Each life has one to three calls that fail (`faults.c`), once or again and again, from its start on or later. At the end the
daemon runs undisturbed until nothing is pending, and `store check --full` verifies its database."""
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor


from crashloop import PENDING, check_deliveries, check_history
from faults import CALLS, Faults, compiled
from receiver import Receiver
from scene import Scene, stop
from standin import StandIn

INTEGRATIONS = 12
SCENES = 2
# Seconds: a life with faults, its end after SIGTERM, and the time in which everything that is pending is sent.
LIFE, END, DRAIN = 1.2, 20, 40
# Of one life so many faults count at most, in a short run and in a long one, so that many kinds are met.
COUNTED_MAX, COUNTED_LONG_MAX, SHORT = 12, 40, 500
# A process that gets no memory ends, and is started again.
NO_MEMORY = re.compile(r"memory allocation of \d+ bytes failed|<jemalloc>|failed to allocate a guard page|failed to allocate an alternative stack|failed to initiate panic")
PANIC = re.compile(r"panicked at [^\n]*|a fault in revalidated: [^\n]*")


class Served(Scene):
    """A scene whose daemon serves its interface, which is asked all the time."""

    def configure(self, *edited, **disabled):
        super().configure(*edited, **disabled)
        self.socket = self.folder / "api.sock"
        with open(self.config, "a") as file:
            file.write(f'[http]\nlisten = ["unix:{self.socket}"]\n')

    def ask(self):
        while self.folder.exists():
            with socket.socket(socket.AF_UNIX) as asked:
                asked.settimeout(0.5)
                try:
                    asked.connect(str(self.socket))
                    asked.sendall(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                    asked.recv(65536)
                except OSError:
                    pass
            time.sleep(0.02)


def drawn(dice):
    """Returns one to three faults: a call, its error, the first call that fails and the distance of further ones."""
    faults = []
    for call in dice.sample(sorted(CALLS), dice.choice([1, 1, 2, 3])):
        first = max(1, int(dice.choice([1, 1, 3, 12, 50]) * dice.uniform(0.2, 9)))
        faults.append((call, dice.choice(CALLS[call].split()), first, dice.choice([0, 1, 2, 3, 7, 20, 60])))
    return faults


def keeps_failing(chosen):
    return any(call == "pread" and step for call, _, _, step in chosen)


def life(scene, faults, chosen):
    """One life with faults; returns the calls that failed, and what was wrong."""
    mark = scene.log.stat().st_size if scene.log.exists() else 0
    faults.set(chosen)
    daemon = scene.start(faults.before)
    try:
        daemon.wait(LIFE)
    except subprocess.TimeoutExpired:
        pass
    failed = faults.end()
    status = stop(daemon, END)
    text = scene.log.read_bytes()[mark:].decode(errors="replace")
    without_memory = NO_MEMORY.search(text)
    wrong = [found.group() for found in [PANIC.search(text)] if found and not without_memory]
    if status == -9:
        wrong.append(f"did not end within {END} s of SIGTERM")
    # A daemon that is told to end before it listens to signals ends by the signal. 69 says that its address cannot be had, 78
    # that a file of the configuration cannot be read.
    # 65 is right for a disk that keeps failing to answer reads, which the database engine calls damage.
    elif status not in (0, 1, -15, 69) and not (status == 78 and "(os error " in text) and not (status == 65 and keeps_failing(chosen)) and not without_memory:
        wrong.append(f"exit status {status}: {text.splitlines()[-1:]}")
    if "VERBOSE" in os.environ:
        print(chosen, failed, status, text.splitlines()[-1:], file=sys.stderr)
    return failed, [f"{chosen}: {one}" for one in wrong]


def run_undisturbed(scene, platform, receiver):
    """Runs the daemon without faults until nothing is pending; returns what was wrong."""
    platform.stabilise()
    receiver.recover()
    daemon = scene.start()
    end = time.monotonic() + DRAIN
    time.sleep(2.5)
    while daemon.poll() is None and time.monotonic() < end and scene.rows(PENDING) != [(0,)]:
        time.sleep(0.1)
    if daemon.poll() is not None:
        return [f"without faults it ended with {daemon.poll()}:\n{scene.last_words(4)}"]
    pending, status = scene.rows(PENDING)[0][0], stop(daemon)
    wrong = [f"{pending} messages were pending after {DRAIN} s without faults"] if pending else []
    return wrong + ([f"without faults it ended with {status}"] if status else [])


def play(faults, binary, library, seed):
    """Lives in one scene until `faults` calls have failed; returns their number, the lives, the kinds of faults, status changes,
    events, and what was wrong."""
    dice, platform, receiver = random.Random(seed), StandIn(seed), Receiver(seed)
    most = COUNTED_MAX if faults <= SHORT else COUNTED_LONG_MAX
    count, lives, wrong, met = 0, 0, [], set()
    with Served(binary, platform, receiver, INTEGRATIONS) as scene:
        threading.Thread(target=scene.ask, daemon=True).start()
        control = Faults(scene.folder, library)
        while count < faults and len(wrong) < 5 and lives < faults:
            chosen = drawn(dice)
            failed, found = life(scene, control, chosen)
            count, lives, wrong = count + min(sum(failed.values()), most), lives + 1, wrong + found
            met |= {(call, error) for call, error, *_ in chosen if call in failed}
        wrong += run_undisturbed(scene, platform, receiver)
        history, transitions = check_history(scene)
        wrong += history + check_deliveries(scene, receiver)
        checked = subprocess.run([binary, "store", "check", "--full", "--config", scene.config], capture_output=True, text=True)
        if checked.returncode != 0:
            wrong.append(f"store check: {checked.returncode} {checked.stdout[-300:]}{checked.stderr[-300:]}")
        return count, lives, met, transitions, len({taken.id for taken in receiver.taken}), wrong


def main():
    faults, binary = int(sys.argv[1]), os.path.abspath(sys.argv[2])
    seed, began = int(os.environ.get("SEED", "1")), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        library = compiled(folder)
        with ThreadPoolExecutor(SCENES) as pool:
            played = list(pool.map(lambda place: play(-(-faults // SCENES), binary, library, seed * 1000 + place), range(SCENES)))
    wrong = [one for found in played for one in found[-1]]
    count, lives, transitions, events = (sum(found[place] for found in played) for place in (0, 1, 3, 4))
    kinds = len(set().union(*(found[2] for found in played)))
    print(
        f"{count} calls failed in {lives} lives of {time.monotonic() - began:.0f} s, {kinds} of {sum(len(errors.split()) for errors in CALLS.values())} kinds;"
        f" {transitions} status changes, {events} events; {len(wrong)} violations"
    )
    for one in wrong[:20]:
        print(" ", one)
    sys.exit(bool(wrong) or count < faults)


if __name__ == "__main__":
    main()
