#!/usr/bin/env python3
"""A webhook receiver that sometimes misbehaves and remembers every complete request.

Usage: receiver.py PORT SECRETFILE   prints one JSON line per complete request until it is ended."""
import base64
import hashlib
import hmac
import json
import random
import sys
import time
from pathlib import Path
from typing import NamedTuple

from loopback import Server

SECRET = "whsec_" + base64.b64encode(b"a secret that only tests share ....").decode()


class Taken(NamedTuple):
    """One complete request: its receiver, its event, its body, and true when a 2xx answer was sent."""

    receiver: str
    id: str
    body: bytes
    accepted: bool


class Receiver:
    """Several receivers on one port, distinguished by path.

    With a seed, 2 % of the answers are lost and 2 % are a 500, until `recover` is called."""

    def __init__(self, seed=None, port=0, secret=SECRET):
        self.dice = random.Random(seed) if seed is not None else None
        self.key = base64.b64decode(secret.removeprefix("whsec_"))
        self.taken = []
        self.unsigned = []
        self.server = Server(self.answer, port)
        self.url = f"http://127.0.0.1:{self.server.port}"

    def recover(self):
        """Answers everything with 200 from now on."""
        self.dice = None

    async def answer(self, request):
        chance = self.dice.random() if self.dice else 1.0
        accepted = chance >= 0.04
        receiver, event = request.path.strip("/"), request.headers.get("webhook-id", "")
        self.taken.append(Taken(receiver, event, request.body, accepted))
        if not self.is_signed(request):
            self.unsigned.append(event)
        if chance < 0.02:
            return None
        return (200, b"") if accepted else (500, b"later")

    def is_signed(self, request):
        stamp = request.headers.get("webhook-timestamp", "0")
        signed = f"{request.headers.get('webhook-id')}.{stamp}.".encode() + request.body
        wanted = "v1," + base64.b64encode(hmac.digest(self.key, signed, hashlib.sha256)).decode()
        return wanted in request.headers.get("webhook-signature", "").split() and abs(time.time() - int(stamp)) < 300


if __name__ == "__main__":
    receiver = Receiver(port=int(sys.argv[1]), secret=Path(sys.argv[2]).read_text().strip())
    shown = 0
    while True:
        time.sleep(0.1)
        for taken in receiver.taken[shown:]:
            signed = taken.id not in receiver.unsigned
            line = {"receiver": taken.receiver, "id": taken.id, "signed": signed, "type": json.loads(taken.body)["type"]}
            print(json.dumps(line), flush=True)
            shown += 1
