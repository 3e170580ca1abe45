"""Trials of one product: processor time and memory while it checks, detection of failures, and failures that are lost."""

import os
import random
import shutil
import signal
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

from accounts import Group
from loopback import Server
from measuring import platform
from products import Setup
from scene import give_up

DELAY_MS = 50
# Numbers of failures that begin one after another within a period.
SINGLE = 40
LOSS_CHECKS, LOSS_PERIOD_S = 20, 2


class Inbox:
    """A receiver that notes when changes arrive, and may refuse all connections for a while."""

    def __init__(self):
        self.changes, self.arrived, self.lock = None, [], threading.Lock()
        self.server = Server(self.answer)
        self.url = f"http://127.0.0.1:{self.server.port}"

    async def answer(self, request):
        now = time.time()
        for change in self.changes(request):
            with self.lock:
                self.arrived.append((now, change))
        return 200, b""

    def since(self, begun, is_bad):
        """Returns the instants of arrival of each check's failures, or recoveries, since an instant."""
        found = defaultdict(list)
        with self.lock:
            for at, change in self.arrived:
                if begun <= at and change.is_bad == is_bad:
                    found[change.number].append(at)
        return found

    def wait(self, numbers, begun, is_bad, within_s):
        """Waits until a change of each check has arrived; returns the instants of arrival."""
        deadline = time.time() + within_s
        while True:
            found = self.since(begun, is_bad)
            if deadline < time.time() or all(number in found for number in numbers):
                return {number: found[number] for number in numbers if number in found}
            time.sleep(0.02)


class Target:
    """The platform of the checks, which this process may change."""

    def __init__(self, served):
        self.url = served.url

    def put(self, is_bad, first, last):
        """Removes these buckets, or brings them back; returns the instant before."""
        begun = time.time()
        request = urllib.request.Request(f"{self.url}/{'gone' if is_bad else 'back'}/{first}/{last}", method="PUT")
        urllib.request.urlopen(request, timeout=10).close()
        return begun

    def checks(self):
        """Returns the number of checks so far, and of different buckets among them."""
        with urllib.request.urlopen(f"{self.url}/checks", timeout=10) as answer:
            return tuple(map(int, answer.read().split()))


class Trial:
    """A product that is running."""

    def __init__(self, product, target, inbox):
        self.product, self.target, self.inbox = product, target, inbox
        self.checks, self.period_s = product.setup.checks, product.setup.period_s
        inbox.changes = product.changes
        self.group = Group()
        self.processes = {}
        for name in product.commands():
            self.start(name)

    def start(self, name):
        product = self.product
        folder = getattr(product, "place", product.folder)
        log = product.folder / f"{name}.log"
        self.processes[name] = self.group.start(product.commands()[name], log, folder, product.environment())

    def kill(self):
        """Kills the program that notifies with all its processes, and starts it again."""
        process = self.processes[self.product.sender]
        for pid in self.group.processes():
            # Others have sessions of their own; so have commands that a program alone in its group has started.
            with suppress(ProcessLookupError):
                if len(self.processes) == 1 or os.getsid(pid) == process.pid:
                    os.kill(pid, signal.SIGKILL)
        process.wait(10)
        time.sleep(0.3)
        self.start(self.product.sender)

    def wait_until_checked(self, within_s=240):
        """Waits until every check was carried out once; returns the seconds that it took."""
        begun = time.time()
        while self.target.checks()[1] < self.checks:
            ended = [name for name, process in self.processes.items() if process.poll() is not None]
            if ended or begun + within_s < time.time():
                log = self.product.folder / f"{(ended or [self.product.sender])[0]}.log"
                give_up(f"{self.product.name} carried out {self.target.checks()[1]} of {self.checks} checks:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        return time.time() - begun

    def wait_for_phase(self, share):
        """Waits until this share of a period has passed since the last whole one of the clock."""
        time.sleep((share * self.period_s - time.time()) % self.period_s)


@contextmanager
def trial(product, binaries, checks, period_s, parent):
    """A product in a new folder, with a platform and a receiver of its own."""
    folder = Path(tempfile.mkdtemp(prefix="revalidated-peer-", dir=parent))
    group = None
    try:
        with platform(binaries.platform, DELAY_MS) as served:
            target, inbox = Target(served), Inbox()
            setup = Setup(binaries.daemon, folder, checks, period_s, target, inbox)
            running = Trial(product(setup), target, inbox)
            group = running.group
            try:
                yield running
            finally:
                group.end()
                inbox.server.refuse()
    finally:
        shutil.rmtree(folder)


def warm(running):
    """Waits until all checks have been carried out for a period; returns what was asked for."""
    first_s = running.wait_until_checked()
    time.sleep(max(0, running.period_s - first_s))
    return {"checks": running.checks, "period_s": running.period_s, "first_s": first_s}


def check(running, seconds):
    """Measures processor time and memory for so many seconds."""
    figures = {**warm(running), "seconds": seconds}
    running.wait_for_phase(0.5)
    (before, _), used, begun, memory = running.target.checks(), running.group.seconds(), time.time(), []
    while time.time() < begun + seconds:
        time.sleep(max(0, min(2, begun + seconds - time.time())))
        memory.append(running.group.megabytes())
    used, took = running.group.seconds() - used, time.time() - begun
    done = running.target.checks()[0] - before
    return figures | {"done": done, "asked": running.checks * took / running.period_s, "each_ms": used * 1000 / max(done, 1), "memory_mb": median(memory)}


def detect(running):
    """Measures how long failures take to be reported, one by one and all at once, and passes all at once."""
    figures = warm(running)
    begun = single(running)
    arrived = running.inbox.wait(begun, min(begun.values()), True, 3 * running.period_s)
    figures["single_s"] = sorted(min(at) - begun[number] for number, at in arrived.items())
    figures["single_missing"] = len(begun) - len(arrived)
    everything = range(1, running.checks + 1)
    others = [number for number in everything if number not in begun]
    figures["burst"] = [burst(running, others, True, 0.3), burst(running, everything, False, 0.8)]
    return figures


def single(running):
    """Has checks fail one after another within a period, drawn from all, whose order may be that of their instants; returns when each began to."""
    numbers = random.Random(7).sample(range(1, running.checks + 1), min(SINGLE, running.checks // 2))
    begun = {}
    for number in numbers:
        begun[number] = running.target.put(True, number, number)
        time.sleep(running.period_s / len(numbers))
    return begun


def burst(running, numbers, is_bad, phase):
    """Has all checks fail, or pass again, at once, at a share of the period; returns the times until those of these numbers are reported."""
    running.wait_for_phase(phase)
    begun = running.target.put(is_bad, 1, running.checks)
    arrived = running.inbox.wait(numbers, begun, is_bad, 4 * running.period_s)
    times = sorted(min(at) - begun for at in arrived.values())
    return {"changes": len(numbers), "reported": len(times), "half_s": median(times) if times else None, "all_s": times[-1] if times else None}


def lose(running, rounds, patience_s):
    """Counts failures that are not reported, and messages that come twice, while the receiver is away or the sender is killed."""
    random.seed(7)
    running.wait_until_checked()
    time.sleep(2 * running.period_s)
    found = {"outage": away(running, False, patience_s), "killed_in_outage": away(running, True, patience_s)}
    total = lost = doubled = 0
    for number in range(rounds):
        is_bad = number % 2 == 0
        begun = running.target.put(is_bad, 1, running.checks)
        time.sleep(random.uniform(0.1, 1.5 * running.period_s + 0.5))
        running.kill()
        running.inbox.wait(range(1, running.checks + 1), begun, is_bad, patience_s)
        # Whatever comes twice comes by then.
        time.sleep(3 * running.period_s)
        arrived = running.inbox.since(begun, is_bad)
        total, lost = total + running.checks, lost + running.checks - len(arrived)
        doubled += sum(len(at) - 1 for at in arrived.values())
    return {**found, "kills": {"changes": total, "lost": lost, "doubled": doubled}}


def away(running, is_killed, patience_s):
    """Has all checks fail while the receiver refuses connections for half a minute; counts the failures that it gets afterwards."""
    numbers = range(1, running.checks + 1)
    running.inbox.server.refuse()
    began = time.time()
    running.target.put(True, 1, running.checks)
    time.sleep(4 * running.period_s + 4)
    if is_killed:
        running.kill()
    time.sleep(max(0, began + 30 - time.time()))
    running.inbox.server.accept()
    back = time.time()
    arrived = running.inbox.wait(numbers, back, True, patience_s)
    begun = running.target.put(False, 1, running.checks)
    recovered = running.inbox.wait(numbers, begun, False, patience_s if arrived else 0)
    time.sleep(3 * running.period_s)
    doubled = sum(len(at) - 1 for at in running.inbox.since(back, True).values())
    return {
        "changes": running.checks,
        "lost": running.checks - len(arrived),
        "doubled": doubled,
        "recovered": len(recovered),
        "last_s": max((min(at) - back for at in arrived.values()), default=None),
    }
