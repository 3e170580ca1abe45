#!/usr/bin/env python3
"""Cuts the power, in simulation: records what the daemon writes, syncs and sends, rebuilds the disk as a cut at a random moment
could leave it (writes without a sync lost, kept, kept in part or torn) and checks that no event that was sent is missing from the database.

Usage: powercut.py CUTS BINARY   SEED=n in the environment repeats the same dice. Needs strace."""
import bisect
import os
import random
import re
import shutil
import signal
import sqlite3
import sys
import time
from contextlib import closing
from typing import NamedTuple

from receiver import Receiver
from scene import Scene, give_up, stop
from standin import StandIn

INTEGRATIONS = 40
RECORDING = 8.0
SECTOR = 512
SENDS, SYNCS = ("write", "writev", "sendto", "sendmsg"), ("fsync", "fdatasync")
TRACED = ",".join((*SENDS, *SYNCS, "pwrite64", "ftruncate", "unlink", "rename"))
CALL = re.compile(r"(\w+)\((.*)\)\s+= (\d+)")
NAME = re.compile(r'(?:\d<|^"|, ")([^<>"]+)[>"]')
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
SENT = re.compile(rb"webhook-id: ?([^\r]+)\r\n", re.IGNORECASE)


class Step(NamedTuple):
    """A call of the daemon: `began` and `ended` are line numbers of the recording; what is sent counts from its beginning,
    what is written or synced from its end."""

    kind: str
    began: int
    ended: int
    file: str = ""
    offset: int = 0
    data: bytes = b""

    def moment(self):
        return self.began if self.kind == "sent" else self.ended


def record(scene):
    """Runs the daemon under strace; returns its steps in order."""
    trace = scene.folder / "trace"
    daemon = scene.start(["strace", "-f", "--seccomp-bpf", "-qq", "-xx", "-y", "-s", "200000", "-o", trace, "-e", f"trace={TRACED}"])
    time.sleep(RECORDING)
    if daemon.poll() is not None:
        give_up(f"the daemon or strace ended by itself:\n{scene.last_words()}")
    for child in children(daemon.pid):
        os.kill(child, signal.SIGTERM)
    try:
        daemon.wait(20)
    finally:
        stop(daemon)
    return sorted(steps(trace, str(scene.database)), key=Step.moment)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def steps(trace, database):
    """Yields the steps of a recording; a call that another thread interrupts is on two lines."""
    unfinished = {}
    with open(trace, errors="replace") as lines:
        for number, line in enumerate(lines):
            thread, _, text = line.rstrip("\n").partition(" ")
            text, began = text.strip(), number
            if text.endswith("<unfinished ...>"):
                unfinished[thread] = number, text.removesuffix("<unfinished ...>").rstrip()
                yield from sent(text, number)
                continue
            if text.startswith("<... ") and thread in unfinished:
                began, start = unfinished.pop(thread)
                text = start + text.partition("resumed>")[2]
            else:
                yield from sent(text, number)
            if found := CALL.match(text):
                yield from disk(*found.groups(), began, number, database)


def sent(text, number):
    """Yields the events that a call sends; also when the call never returned."""
    if text.partition("(")[0] in SENDS:
        for id in SENT.findall(b"".join(map(plain, STRING.findall(text)))):
            yield Step("sent", number, number, data=id)


def disk(call, arguments, result, began, ended, database):
    """Yields the effect of a finished call on the database's files."""
    named = [plain(name).decode(errors="replace") for name in NAME.findall(arguments)]
    file = named[0] if named else ""
    if call in SYNCS and file == os.path.dirname(database):
        yield Step("sync-folder", began, ended, file)
    if not file.startswith(database) or file.endswith("-shm"):
        return
    if call == "pwrite64":
        data, offset = STRING.search(arguments), int(arguments.rpartition(",")[2])
        yield Step("write", began, ended, file, offset, plain(data.group(1))[: int(result)])
    elif call in SYNCS:
        yield Step("sync", began, ended, file)
    elif call == "ftruncate":
        yield Step("truncate", began, ended, file, int(arguments.rpartition(",")[2]))
    elif call == "unlink":
        yield Step("unlink", began, ended, file)
    elif call == "rename":
        yield Step("rename", began, ended, file, data=named[1])


def plain(hexadecimal):
    return bytes.fromhex(hexadecimal.replace("\\x", "")) if hexadecimal.startswith("\\x") else hexadecimal.encode()


class Disk:
    """Content of each file that is durable, and its writes that are not yet; a renaming is durable once the folder is synced."""

    def __init__(self):
        self.safe, self.under_way, self.renamed = {}, {}, {}

    def apply(self, step):
        if step.kind == "sync":
            steps = self.under_way.get(step.file, [])
            done = bisect.bisect_left([each.ended for each in steps], step.began)
            for each in steps[:done]:
                change(self.safe.setdefault(step.file, bytearray()), each)
            del steps[:done]
        elif step.kind == "unlink":
            self.safe.pop(step.file, None)
            self.under_way.pop(step.file, None)
        elif step.kind == "rename":
            for files in (self.safe, self.under_way):
                if step.file in files:
                    files[step.data] = files.pop(step.file)
            self.renamed[step.data] = step.file
        elif step.kind == "sync-folder":
            self.renamed.clear()
        elif step.kind in ("write", "truncate"):
            self.under_way.setdefault(step.file, []).append(step)

    def after_cut(self, dice):
        """Returns the files as a cut at this moment may leave them."""
        fate = dice.choice(["lost", "kept", "some", "first", "torn"])
        files = {}
        for file in self.safe.keys() | self.under_way.keys():
            content, waiting = bytearray(self.safe.get(file, b"")), self.under_way.get(file, [])
            if fate == "first":
                waiting = waiting[: dice.randint(0, len(waiting))]
            for step in waiting:
                if fate == "lost" or (fate == "some" and dice.random() < 0.5):
                    continue
                is_torn = fate == "torn" and step.kind == "write" and dice.random() < 0.3
                change(content, step, SECTOR * dice.randint(0, len(step.data) // SECTOR) if is_torn else None)
            files[self.renamed.get(file, file) if fate == "lost" else file] = content
        return fate, files


def change(content, step, length=None):
    if step.kind == "truncate":
        del content[step.offset :]
    content.extend(bytes(max(0, step.offset - len(content))))
    if step.kind == "write":
        data = step.data[:length]
        content[step.offset : step.offset + len(data)] = data


def check(scene, files, sent_ids):
    """Returns the violation in the database after a cut; None when there is none."""
    folder = scene.folder / "cut"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file, content in files.items():
        (folder / os.path.basename(file)).write_bytes(content)
    database = folder / scene.database.name
    if not database.exists():
        return f"no database, yet {len(sent_ids)} events were sent" if sent_ids else None
    try:
        with closing(sqlite3.connect(database)) as connection:
            rows = lambda statement: connection.execute(statement).fetchall()
            if (found := rows("PRAGMA integrity_check")) != [("ok",)]:
                return f"integrity: {found[0][0]}"
            is_young = not rows("SELECT 1 FROM sqlite_master WHERE name = 'event'")
            known = set() if is_young else {id for (id,) in rows("SELECT id FROM event")}
    except sqlite3.DatabaseError as error:
        return repr(error)
    missing = sent_ids - known
    return f"{len(missing)} of {len(sent_ids)} sent events are missing, such as {min(missing)}" if missing else None


def main():
    cuts, binary = int(sys.argv[1]), sys.argv[2]
    seed = int(os.environ.get("SEED", "1"))
    dice, faults = random.Random(seed), []
    with Scene(binary, StandIn(seed), Receiver(seed), INTEGRATIONS) as scene:
        recorded = record(scene)
        kinds = {kind: sum(step.kind == kind for step in recorded) for kind in ("write", "sync", "sent")}
        if min(kinds["write"], kinds["sent"]) < 100 or len(recorded) < cuts:
            give_up(f"too little was recorded to cut {cuts} times: {kinds}\n{scene.last_words()}")
        began, state, sent_ids = time.monotonic(), Disk(), set()
        moments = set(dice.sample(range(len(recorded)), cuts))
        for moment, step in enumerate(recorded):
            state.apply(step)
            if step.kind == "sent":
                sent_ids.add(step.data.decode())
            if moment in moments:
                fate, files = state.after_cut(dice)
                if fault := check(scene, files, sent_ids):
                    faults.append(f"cut {moment}, unsynced writes {fate}: {fault}")
        took = time.monotonic() - began
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    print(f"{cuts} cuts in {took:.0f} s over {len(recorded)} steps ({counts}); {len(faults)} violations")
    for fault in faults[:10]:
        print(" ", fault)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
