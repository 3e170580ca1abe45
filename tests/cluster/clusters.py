"""A stand-in for Trino clusters, one for each integration below a path of its own, whose truth the campaign sets.

The token of a request ends in the name of the node that sends it."""
import asyncio
import base64
import json
import threading
import time
from collections import Counter, defaultdict

from loopback import Server

ANSWER = 0.06
FIRST = "SELECT current_user"
HEAD = ".".join(
    base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
    for part in ({"alg": "HS256", "typ": "JWT"}, {"sub": "reader", "iss": "campaign", "exp": 4_000_000_000}))


def token(node):
    return f"{HEAD}.{base64.urlsafe_b64encode(node.encode()).rstrip(b'=').decode()}"


def node_of(request):
    sent = request.headers.get("authorization", "")
    if not sent.startswith("Bearer "):
        return None
    name = sent.rsplit(".", 1)[-1]
    return base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()


class Platform:
    """Clusters by name; the catalog of those in `broken` is gone."""

    def __init__(self, delay=ANSWER):
        self.delay = delay
        self.lock = threading.Lock()
        self.broken = set()
        self.asking = defaultdict(list)
        self.runs = Counter()
        self.latest = {}
        self.begun = defaultdict(list)
        self.overlaps = []
        # Nodes that were killed or paused: a request of theirs that waits for its answer is nobody's.
        self.absent = set()
        # While claims may be forgotten, two nodes may begin one run.
        self.lossy = False
        self.server = Server(self.answer)
        self.url = f"http://127.0.0.1:{self.server.port}"

    async def answer(self, request):
        cluster = request.path.split("/")[1]
        statement, node = request.body.decode(), node_of(request)
        if node is not None:
            self.enter(cluster, node, statement)
        try:
            await asyncio.sleep(self.delay)
            return 200, json.dumps(self.reply(cluster, statement)).encode()
        finally:
            if node is not None:
                with self.lock:
                    self.asking[cluster].remove(node)

    def enter(self, cluster, node, statement):
        with self.lock:
            others = {other for other in self.asking[cluster] if other != node and other not in self.absent}
            if others and node not in self.absent and not self.lossy:
                self.overlaps.append(f"{node} asks about {cluster} while {', '.join(sorted(others))} does, at {time.time():.1f}")
            self.asking[cluster].append(node)
            if statement == FIRST:
                self.runs[node] += 1
                self.latest[cluster] = (node, time.monotonic())
                self.begun[cluster].append((node, time.monotonic()))

    def latest_first(self, cluster, since):
        """Returns the instant of the first run of a cluster that was begun after another one."""
        with self.lock:
            return min(at for _, at in self.begun[cluster] if since < at)

    def reply(self, cluster, statement):
        if not statement:
            return {"nodeVersion": {"version": "476"}, "environment": "test", "coordinator": True, "starting": False, "uptime": "12.00d"}
        if statement == FIRST:
            kind, rows = "varchar", [["reader"]]
        elif statement == "SHOW CATALOGS":
            kind, rows = "varchar", [["system"]] if cluster in self.broken else [["lake"], ["system"]]
        elif statement.startswith("SELECT"):
            kind, rows = "bigint", [[1]]
        else:
            kind, rows = "boolean", [[True]]
        return {
            "id": "20261122_210000_00001_tests", "infoUri": "http://127.0.0.1/ui/query.html?20261122_210000_00001_tests",
            "columns": [{"name": "_col0", "type": kind, "typeSignature": {"rawType": kind, "arguments": []}}], "data": rows,
            "stats": {"state": "FINISHED", "queued": False, "nodes": 1, "elapsedTimeMillis": 3}, "warnings": [],
        }
