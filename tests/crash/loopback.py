"""A small HTTP/1.1 server on loopback, for the stand-ins of the black-box tests.

Only complete requests count: one that a killed sender left half written is dropped, since it notified no receiver."""
import asyncio
import threading
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit


class Request(NamedTuple):
    path: str
    query: dict
    headers: dict
    body: bytes


class Server:
    """Serves `answer(request)` from a thread of its own until the process ends.

    `answer` is a coroutine function; it returns a status code and a body, or None to hang up without an answer."""

    def __init__(self, answer, port=0):
        self.answer = answer
        self.connections = set()
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        threading.Thread(target=self._serve, args=(port, started), daemon=True).start()
        if not started.wait(10):
            raise OSError(f"nothing listens on port {port}")

    def _serve(self, port, started):
        asyncio.set_event_loop(self.loop)
        self.port = port
        self.loop.run_until_complete(self._listen())
        self.port = self.listening.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()

    async def _listen(self):
        self.listening = await asyncio.start_server(self._connection, "127.0.0.1", self.port, backlog=1024)

    async def _close(self):
        self.listening.close()
        for connection in self.connections:
            connection.close()

    def refuse(self):
        """Refuses connections from now on, and ends those that are open."""
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(10)

    def accept(self):
        """Accepts connections again, at the same port."""
        asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(10)

    async def _connection(self, reader, writer):
        self.connections.add(writer)
        try:
            while (answer := await self.answer(await _request(reader))) is not None:
                code, body = answer
                head = f"HTTP/1.1 {code} {HTTPStatus(code).phrase}\r\ncontent-length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.connections.discard(writer)
            writer.close()


async def _request(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    target = urlsplit(head[0].split(" ")[1])
    fields = (line.split(":", 1) for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, value in fields}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(unquote(target.path), parse_qs(target.query), headers, body)
