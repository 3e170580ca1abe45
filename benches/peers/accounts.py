"""Processor time and memory of all processes of a product, those that have ended included: a control group of Linux (version 2).

Checks and notifications of most products are processes that live for milliseconds, which no sampling sees."""

import itertools
import os
import signal
import subprocess
import time
from pathlib import Path

from scene import give_up

NUMBERS = itertools.count()


def mounted():
    """Returns the folder of the control groups."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(point)
    give_up("no control groups of version 2 are mounted")


class Group:
    """A control group, and the processes that are started in it."""

    def __init__(self):
        self.started = []
        self.folder = mounted() / f"revalidated-peers-{os.getpid()}-{next(NUMBERS)}"
        try:
            self.folder.mkdir()
        except OSError as error:
            give_up(f"a control group cannot be made, which needs root: {error}")

    def start(self, command, log, folder=None, environment=None):
        """Starts a command whose output is added to a file; it enters the group before it does anything."""
        shell = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', self.folder / "cgroup.procs", *command]
        with open(log, "ab") as output:
            process = subprocess.Popen(
                [str(part) for part in shell],
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def seconds(self):
        """Returns the processor time used so far, in seconds."""
        [used] = [line.split()[1] for line in (self.folder / "cpu.stat").read_text().splitlines() if line.startswith("usage_usec")]
        return int(used) / 1e6

    def processes(self):
        return [int(pid) for pid in (self.folder / "cgroup.procs").read_text().split()]

    def megabytes(self):
        """Returns the memory of the group's processes; a page that several share is counted once (PSS)."""
        total = 0
        for pid in self.processes():
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024

    def end(self, within=10):
        """Ends every process of the group and removes it."""
        deadline = time.monotonic() + within
        while processes := self.processes():
            for pid in processes:
                try:
                    os.kill(pid, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.2)
        for process in self.started:
            process.wait(within)
        self.folder.rmdir()
