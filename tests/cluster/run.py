#!/usr/bin/env python3
"""Several daemons on a PostgreSQL with a standby: kills, pauses, crashes and failovers, while the platform's truth changes.

Usage: run.py BINARY   in the environment: MINUTES=2, FAILOVERS=4 (a quarter of them synchronous), SEED=n for the same dice.
Checks that every change that lasts reaches the receiver, once and in order, signed; that no two nodes validate an integration at
once; and that each failover that loses commits is noticed, by a new epoch. Exit 1 for a violation, 2 where it cannot be carried out.
Nothing is timed: limits are for machines that do much else."""
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parent.parent / "crash"))

from books import Books
from clusters import Platform
from nodes import FAILURE, Node, name
from receiver import SECRET, Receiver
from servers import Failed, Server

NODES = ("a", "b", "c", "d")
INTEGRATIONS = 16
BROKEN, WELL = "recurringValidationError", "enabled"
# Seconds for which something may take, on a machine that does much else.
PATIENCE = 180
PAUSE = (22.5, 26)
PER_TWO_MINUTES = ["immediate", "postmaster", "pause", "pause", "kill", "kill", "kill", "kill", "kill"]


class Campaign:
    def __init__(self, binary, seed, folder):
        self.dice, self.faults, self.counts = random.Random(seed), [], Counter()
        self.platform, self.receiver = Platform(), Receiver(seed)
        self.receiver.secret = SECRET
        self.books = Books(self.receiver)
        self.primary, self.standby = Server(folder, "left"), Server(folder, "right")
        self.nodes = [Node(binary, folder, node) for node in NODES]
        # Node with the instant at which it goes on, or is started again.
        self.later = {}
        self.flipping, self.ended = threading.Event(), threading.Event()

    # The platform's truth: an integration changes only once the receiver knows of its change before.
    def flip_forever(self):
        dice = random.Random(self.dice.random())
        while not self.ended.wait(0.25):
            if self.flipping.is_set():
                number = dice.randrange(INTEGRATIONS)
                cluster = name(number)
                believed = self.books.status(cluster, WELL)
                if believed == self.truth(cluster):
                    (self.platform.broken.discard if believed == BROKEN else self.platform.broken.add)(cluster)
                    self.counts["changes"] += 1

    def truth(self, cluster):
        return BROKEN if cluster in self.platform.broken else WELL

    def set_up(self):
        self.primary.create()
        self.standby.follow(self.primary)
        self.primary.synchronise()
        for node in self.nodes:
            node.configure((self.primary, self.standby), self.platform, self.receiver, INTEGRATIONS)
            node.start()
        self.until("every integration to be validated", self.is_enabled)
        threading.Thread(target=self.flip_forever, daemon=True).start()
        self.flipping.set()

    def is_enabled(self):
        tables = self.primary.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'revalidated'")
        return tables != "0" and self.primary.sql(f"SELECT count(*) FROM revalidated.integration WHERE status = '{WELL}'") == str(INTEGRATIONS)

    # Waiting, while nodes go on or are started again.
    def keep(self):
        now = time.monotonic()
        for node, (at, act) in list(self.later.items()):
            if at <= now:
                del self.later[node]
                act()
        for node in self.nodes:
            if (status := node.ended()) is None:
                continue
            self.counts[f"exits with {status}"] += 1
            # A start that meets the end of the server is repeated, as by a service manager.
            if status != FAILURE or "the store cannot be reached" not in node.last_words(1):
                self.faults.append(f"node {node.name} has ended by itself with {status}:\n{node.last_words()}")
            node.start()

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.keep()
            time.sleep(0.05)

    def until(self, what, is_there, limit=PATIENCE):
        end = time.monotonic() + limit
        while not is_there():
            if end < time.monotonic():
                raise Failed(f"waited {limit} s in vain for {what}\n" + "\n".join(node.last_words() for node in self.nodes))
            self.keep()
            time.sleep(0.2)

    def awake(self):
        return [node for node in self.nodes if node.process and not node.paused]

    # Actions.
    def kill(self):
        if len(self.awake()) < 3:
            return self.wait(1)
        node = self.dice.choice(self.awake())
        self.platform.absent.add(node.name)
        node.kill()

        def again():
            self.platform.absent.discard(node.name)
            node.start()

        self.later[node] = (time.monotonic() + self.dice.uniform(0, 7), again)
        self.wait(self.dice.uniform(1, 4))

    def pause(self):
        if len(self.awake()) < 3 or any(node.paused for node in self.nodes):
            return self.wait(1)
        node = self.dice.choice(self.awake())
        self.platform.absent.add(node.name)
        node.pause()

        def here():
            self.platform.absent.discard(node.name)

        def again():
            node.resume()
            # What it had begun may go on for a moment; its result is refused.
            self.later[node] = (time.monotonic() + 5, here)

        self.later[node] = (time.monotonic() + self.dice.uniform(*PAUSE), again)
        self.wait(self.dice.uniform(1, 4))

    def crash(self):
        self.dice.choice((self.primary.stop, self.primary.kill))()
        self.wait(self.dice.uniform(0, 3))

    def immediate(self):
        self.primary.stop()
        self.wait(self.dice.uniform(0, 4))
        self.primary.start()
        self.wait(2)

    def postmaster(self):
        self.primary.kill()
        self.wait(self.dice.uniform(0, 4))
        self.primary.start()
        self.wait(2)

    def promote(self):
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def renew_standby(self):
        self.standby.follow(self.primary)
        self.primary.synchronise()

    def synchronous(self):
        """What was acknowledged is on the standby too, so that nothing is lost."""
        self.primary.wait("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", "1")
        epoch = self.epoch()
        self.crash()
        self.promote()
        self.wait(self.dice.uniform(0, 3))
        self.renew_standby()
        if self.epoch() != epoch:
            self.faults.append("a synchronous failover lost nothing, and has a new epoch")

    def asynchronous(self):
        """What the standby does not have is lost, and a node notices. One that was away when it was lost cannot know."""
        self.until("nodes that go on", lambda: not self.later)
        self.settle("before an asynchronous failover")
        epoch = self.epoch()
        self.primary.go_alone(self.standby)
        known = self.beats()
        self.flipping.set()
        self.until("heartbeats", lambda: all(known.get(life, 0) + 1 < beat for life, beat in self.beats().items()))
        self.wait(self.dice.uniform(0, 2))
        self.platform.lossy = True
        self.crash()
        self.promote()
        end = time.monotonic() + PATIENCE
        while self.epoch() == epoch and time.monotonic() < end:
            self.wait(0.2)
        if self.epoch() == epoch:
            self.faults.append("an asynchronous failover was not noticed")
        else:
            self.counts["noticed"] += 1
        self.flipping.clear()
        self.renew_standby()
        self.settle("after an asynchronous failover")
        self.books.forget({name(number): self.truth(name(number)) for number in range(INTEGRATIONS)})
        self.platform.lossy = False
        self.flipping.set()

    def epoch(self):
        return self.primary.sql("SELECT epoch FROM revalidated.meta")

    def beats(self):
        """Heartbeats of the nodes, by the life in which they are counted."""
        rows = self.primary.rows("SELECT name, incarnation, beat FROM revalidated.node WHERE beat_at_ms IS NOT NULL")
        awake = {node.name for node in self.awake()}
        return {(node, life): int(beat) for node, life, beat in rows if node in awake}

    # Judgements.
    def settle(self, when):
        """Waits until the database and the receiver know the truth: nothing is lost until here."""
        self.flipping.clear()
        end, differs = time.monotonic() + PATIENCE, ["not read"]
        while differs and time.monotonic() < end:
            self.wait(0.3)
            differs = self.differences()
        for found in differs:
            self.faults.append(f"{when}, after {PATIENCE} s: {found}")

    def differences(self):
        epoch = self.epoch()
        rows = self.primary.rows("SELECT name, status, sequence FROM revalidated.integration ORDER BY name")
        pending = self.primary.sql("SELECT count(*) FROM revalidated.delivery WHERE state = 'pending'")
        found = [f"{pending} messages are pending"] if pending != "0" else []
        for cluster, status, sequence in rows:
            if status != self.truth(cluster):
                found.append(f"{cluster} is {status} and not {self.truth(cluster)}")
            latest, known = self.books.latest(epoch, cluster)
            if latest is not None and (latest, known) != (int(sequence), status):
                found.append(f"lost: {cluster} is {status} by message {sequence}, and the receiver has {known} by {latest}")
        return found

    def finish(self):
        self.until("nodes that go on", lambda: not self.later)
        self.settle("in the end")
        self.receiver.recover()
        overlaps = self.primary.rows("""
            SELECT count(*) FROM (
                SELECT started_at_ms, lag(started_at_ms + duration_ms) OVER (PARTITION BY integration_id ORDER BY started_at_ms) AS ended_ms
                FROM revalidated.run) AS runs WHERE started_at_ms < ended_ms - 250""")
        if overlaps != [["0"]]:
            self.faults.append(f"{overlaps[0][0]} recorded runs overlap")
        doubled = self.primary.rows("""
            SELECT integration_id, sequence FROM revalidated.event WHERE integration_id IS NOT NULL AND type NOT LIKE 'integration.status.%'
            GROUP BY integration_id, sequence HAVING count(*) > 1""")
        self.faults += [f"events of integration {integration} have the number {sequence} twice" for integration, sequence in doubled if not self.counts["asynchronous"]]
        for node in self.nodes:
            if (status := node.stop()) != 0:
                self.faults.append(f"node {node.name} ends with {status} when it is asked to:\n{node.last_words()}")
            if "panicked" in node.said():
                self.faults.append(f"node {node.name} has panicked")
        self.faults += self.books.faults() + self.platform.overlaps

    def plan(self, minutes, failovers):
        synchronous = (failovers + 3) // 4
        actions = ["synchronous"] * synchronous + ["asynchronous"] * (failovers - synchronous)
        actions += PER_TWO_MINUTES * max(1, round(minutes / 2))
        self.dice.shuffle(actions)
        return actions

    def run(self, minutes, failovers):
        self.set_up()
        for action in self.plan(minutes, failovers):
            print(f"  {time.strftime('%H:%M:%S')} {action}", flush=True)
            getattr(self, action)()
            self.counts[action] += 1
            if len(self.faults) > 20:
                break
        self.finish()

    def close(self):
        self.ended.set()
        for node in self.nodes:
            if node.process and node.process.poll() is None:
                node.kill()
        for server in (self.primary, self.standby):
            server.stop()


def main():
    binary, seed = sys.argv[1], int(os.environ.get("SEED", "1"))
    minutes, failovers = float(os.environ.get("MINUTES", "2")), int(os.environ.get("FAILOVERS", "4"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    folder = Path(tempfile.mkdtemp(prefix="revalidated-cluster-"))
    folder.chmod(0o711)
    began, status = time.monotonic(), 2
    campaign = None
    try:
        campaign = Campaign(binary, seed, folder)
        campaign.run(minutes, failovers)
        status = int(bool(campaign.faults))
    except (Failed, OSError) as failed:
        traceback.print_exc()
        print(failed, file=sys.stderr)
    finally:
        if campaign:
            campaign.close()
        if status == 0 or "KEEP" not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"kept: {folder}")
    counts = ", ".join(f"{number} {what}" for what, number in sorted(campaign.counts.items())) if campaign else ""
    print(f"seed {seed}, {time.monotonic() - began:.0f} s: {counts}; runs {dict(sorted(campaign.platform.runs.items()))}; "
          f"{campaign.books.summary()}; {len(campaign.faults)} violations")
    for fault in campaign.faults[:20]:
        print(" ", fault)
    sys.exit(status)


if __name__ == "__main__":
    main()
