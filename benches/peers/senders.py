"""Webhook senders: this daemon's deliveries beside BullMQ with Redis, each with a backlog of the same signed message for nginx."""

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import deliveries
from accounts import Group
from measuring import Sink, free_port
from products import NODE, Missing, version_of
from scene import give_up

SENDER = Path(__file__).resolve().parent / "sender.mjs"
AT_ONCE = (8, 64)
# When Redis syncs its log of changes to the disk, and how its configuration says so.
SYNCS = {"once a second": "everysec", "each command": "always"}


def version():
    """Returns the versions of BullMQ and Redis, or raises `Missing`."""
    found = NODE / "node_modules" / "bullmq" / "package.json"
    if not found.exists():
        raise Missing("the npm package bullmq is not installed")
    return f"bullmq {json.loads(found.read_text())['version']}, redis-server {version_of('redis-server')}"


def own(binary, sink, integrations, events):
    """Returns the figures of the daemon, by requests at once."""
    found = []
    for at_once in AT_ONCE:
        measured = deliveries.measure(binary, sink, (1, at_once), (integrations, events), False)
        found.append(
            {
                "sender": "revalidated",
                "at_once": at_once,
                "sync": "each commit",
                "total": measured.requests,
                "rate": measured.rate,
                "each_ms": measured.cpu_ms,
                "memory_mb": measured.peak_mb,
            }
        )
    return found


def bullmq(sink, total, parent):
    """Returns the figures of BullMQ and its Redis together, by the way Redis syncs and requests at once."""
    return [queued(sink, total, parent, sync, at_once) for sync in SYNCS for at_once in AT_ONCE]


def queued(sink, total, parent, sync, at_once):
    """Returns the figures of one backlog in a Redis of its own."""
    folder, group, port = Path(tempfile.mkdtemp(prefix="revalidated-redis-", dir=parent)), Group(), free_port()
    try:
        options = ["--port", port, "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--appendfsync", SYNCS[sync], "--save", "", "--maxmemory-policy", "noeviction"]
        group.start(["redis-server", *options], folder / "redis.log")
        wait_for(port, folder / "redis.log")
        arguments = [NODE, port, f"http://127.0.0.1:{sink.port}/hook", deliveries.EVENT, total, at_once]
        run(group, ["node", SENDER, "queue", *arguments], folder / "queue.log")
        before, used = sink.seen(), group.seconds()
        sending = group.start(["node", SENDER, "send", *arguments], folder / "send.log")
        peak = 0
        while sending.poll() is None:
            peak = max(peak, group.megabytes())
            time.sleep(0.2)
        used, seen = group.seconds() - used, sink.seen() - before - 1
        text = (folder / "send.log").read_text()
        figures = json.loads(text.splitlines()[-1]) if sending.returncode == 0 else give_up(f"BullMQ ended with {sending.returncode}:\n{text}")
        if figures["done"] != total or seen < total:
            give_up(f"BullMQ delivered {figures['done']} of {total}, {seen} arrived")
        return {
            "sender": "BullMQ with Redis",
            "at_once": at_once,
            "sync": sync,
            "total": total,
            "rate": total / figures["seconds"],
            "each_ms": used * 1000 / total,
            "memory_mb": peak,
        }
    finally:
        group.end()
        shutil.rmtree(folder)


def run(group, command, log):
    if group.start(command, log).wait(120) != 0:
        give_up(log.read_text())


def wait_for(port, log):
    for _ in range(100):
        if subprocess.run(["redis-cli", "-p", str(port), "ping"], capture_output=True).stdout == b"PONG\n":
            return
        time.sleep(0.1)
    give_up(log.read_text())


def measure(binary, integrations, events, parent):
    """Returns the figures of both senders, each with a backlog of as many messages."""
    folder = Path(tempfile.mkdtemp(prefix="revalidated-nginx-"))
    folder.chmod(0o755)
    sink = Sink(folder)
    try:
        return own(binary, sink, integrations, events) + bullmq(sink, integrations * events, parent)
    finally:
        sink.end()
        shutil.rmtree(folder)
