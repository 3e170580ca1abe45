"""Runs Buena Vista on four ports of this machine, each in a thread of its own:

http    plain, with the relation system.runtime.nodes that Trino has
broken  plain, without it: a query of the nodes gets Buena Vista's own error
https   as http, with the certificate in server.pem
mutual  as https, for clients with a certificate of the authority in ca.pem

The folder it runs in holds the certificates. Once all answer, the file `ready` there names the ports.
"""

import os
import re
import socket
import ssl
import threading
import time

import duckdb
import uvicorn
from buenavista import bv_dialects
from buenavista.backends.duckdb import DuckDBConnection
from buenavista.examples.duckdb_http import DuckDBHTTPRewriter
from buenavista.http import main
from fastapi import FastAPI

VALIDATE = re.compile(r"EXPLAIN \(TYPE VALIDATE\) (.*)", re.DOTALL)


class Rewriter(DuckDBHTTPRewriter):
    """Buena Vista knows no EXPLAIN (TYPE VALIDATE): the statement is planned, and no row is read."""

    def rewrite(self, sql: str) -> str:
        found = VALIDATE.fullmatch(sql)
        if found is None:
            return super().rewrite(sql)
        planned = super().rewrite(found.group(1))
        return f'SELECT count(*) = 0 AS "Valid" FROM (SELECT * FROM ({planned}) LIMIT 0)'


def app(database, with_nodes: bool) -> FastAPI:
    rewriter = Rewriter(bv_dialects.BVTrino(), bv_dialects.BVDuckDB())
    if with_nodes:

        @rewriter.relation("system.runtime.nodes")
        def nodes() -> str:
            return "SELECT 'worker-1' AS node_id, 'active' AS state"

    served = FastAPI()
    main.quacko(served, DuckDBConnection(database), rewriter)
    return served


def serve(name: str, served: FastAPI, **options) -> tuple[str, int, uvicorn.Server]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(served, log_level="info", **options))
    threading.Thread(target=server.run, args=([listener],), daemon=True).start()
    return name, listener.getsockname()[1], server


database = duckdb.connect()
database.execute("ATTACH ':memory:' AS lake; CREATE SCHEMA lake.raw")
database.execute("""CREATE TABLE lake.raw."or.d""ers" (id INTEGER)""")
tls = {"ssl_certfile": "server.pem", "ssl_keyfile": "server.key"}
mutual = tls | {"ssl_ca_certs": "ca.pem", "ssl_cert_reqs": ssl.CERT_REQUIRED}
servers = [
    serve("http", app(database, True)),
    serve("broken", app(database, False)),
    serve("https", app(database, True), **tls),
    serve("mutual", app(database, True), **mutual),
]
while not all(server.started for _, _, server in servers):
    time.sleep(0.05)
with open("ready.part", "w") as file:
    file.writelines(f"{name}={port}\n" for name, port, _ in servers)
os.rename("ready.part", "ready")
while True:
    time.sleep(60)
