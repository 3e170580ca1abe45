#!/usr/bin/env python3
"""Asks a daemon at its Unix socket: of ten requests seven are answered by 304, two are for an integration, one is for a page of the list.

Usage: benches/requests.py SOCKET RATE SECONDS
Requests are due at fixed instants, whatever the answers take. Prints how many were answered a second, and how long each kind took from
the instant it was due, and the slowest: its time, and when it was due, in seconds."""
import json
import random
import select
import socket
import sys
import time

CONNECTIONS = 16
# Integrations whose tags are known: what a screen asks for again and again.
KNOWN = 200
PATH = "/api/v1/integrations"


class Connection:
    """One connection, with at most one request under way. The daemon closes those that are idle or old: then it is made anew, and what was asked is asked again."""

    def __init__(self, path, poll, by_number):
        self.path, self.poll, self.by_number, self.socket, self.text = path, poll, by_number, None, None
        self.open()

    def open(self):
        if self.socket:
            self.poll.unregister(self.socket)
            del self.by_number[self.socket.fileno()]
            self.socket.close()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self.path)
        self.poll.register(self.socket, select.EPOLLIN)
        self.by_number[self.socket.fileno()] = self
        self.buffer = b""
        if self.text:
            self.socket.sendall(self.text)

    def ask(self, due, kind, path, tag=None):
        condition = f"if-none-match: {tag}\r\n" if tag else ""
        self.asked = (due, kind, path)
        self.text = f"GET {path} HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\n{condition}\r\n".encode()
        try:
            self.socket.sendall(self.text)
        except OSError:
            self.open()

    def read(self):
        """Status and tag once the answer is complete, else none."""
        try:
            part = self.socket.recv(1 << 20)
        except OSError:
            part = b""
        if not part:
            self.open()
            return None
        self.buffer += part
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        status, length, tag = int(head[9:12]), 0, None
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b": ")
            if name == b"content-length":
                length = int(value)
            elif name == b"etag":
                tag = value.decode()
        if status != 304 and len(body) < length:
            return None
        self.buffer, self.text = b"", None
        return status, tag


def connected(path):
    made = socket.socket(socket.AF_UNIX)
    made.connect(path)
    return made


def names(path):
    """Names of integrations, from the first pages of the list."""
    found, after = [], ""
    while after is not None and len(found) < 5000:
        with connected(path) as peer:
            peer.sendall(f"GET {PATH}?limit=1000{after} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
            text = b""
            while part := peer.recv(1 << 20):
                text += part
        page = json.loads(text.partition(b"\r\n\r\n")[2])
        found += [one["name"] for one in page["items"]]
        after = page["next"] and f"&after={page['next']}"
    return found


def main(path, rate, seconds):
    rate, seconds, rng = int(rate), float(seconds), random.Random(7)
    all_names, tags, times, codes = names(path), {}, {}, {}
    known = [f"{PATH}/{name}" for name in all_names[:KNOWN]]
    poll, by_number = select.epoll(), {}
    free = [Connection(path, poll, by_number) for _ in range(CONNECTIONS)]
    for target in known:                    # their tags
        free[0].ask(0, "tag", target)
        while not (answer := free[0].read()):
            pass
        tags[target] = answer[1]
    begun, sent, slowest = time.monotonic(), 0, (0, 0)
    wanted = int(rate * seconds)
    while sent < wanted or len(free) < CONNECTIONS:
        now = time.monotonic() - begun
        while free and sent < min(wanted, int(now * rate) + 1):
            kind = ("same",) * 7 + ("detail",) * 2 + ("list",)
            kind, due, connection = kind[sent % 10], begun + sent / rate, free.pop()
            if kind == "same":
                target = rng.choice(known)
                connection.ask(due, kind, target, tags[target])
            elif kind == "detail":
                connection.ask(due, kind, f"{PATH}/{rng.choice(all_names)}")
            else:
                connection.ask(due, kind, f"{PATH}?sort={rng.choice(('name', 'next'))}&limit=100")
            sent += 1
        for number, _ in poll.poll(0.001 if sent < wanted else 0.1):
            connection = by_number.get(number)
            if connection and (answer := connection.read()):
                (due, kind, target), (status, tag) = connection.asked, answer
                times.setdefault(kind, []).append(time.monotonic() - due)
                slowest = max(slowest, (time.monotonic() - due, due - begun))
                codes[status] = codes.get(status, 0) + 1
                if target in tags:
                    tags[target] = tag or tags[target]
                free.append(connection)
    took = time.monotonic() - begun
    figures = {kind: {"p50": sorted(all)[len(all) // 2] * 1000, "p99": sorted(all)[len(all) * 99 // 100] * 1000} for kind, all in times.items()}
    print(json.dumps({"rate": sent / took, "codes": codes, "times": figures, "slowest": slowest}))


if __name__ == "__main__":
    main(*sys.argv[1:])
