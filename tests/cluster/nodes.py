"""Daemons with the same files on one database, each with a folder of its own."""
import os
import signal
import subprocess
import time
from pathlib import Path

import clusters
from servers import DATABASE, ROLE

FAILURE = 1


class Node:
    def __init__(self, binary, folder, name):
        self.binary, self.name, self.folder = Path(binary).resolve(), name, folder / name
        self.folder.mkdir(mode=0o700)
        self.config, self.log = self.folder / "revalidated.toml", self.folder / "log"
        self.process, self.paused, self.lives = None, False, 0

    def configure(self, servers, platform, receiver, integrations, more=""):
        """Writes files that decide the same on every node; tokens differ."""
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
        self._secret("token", clusters.token(self.name))
        self._secret("webhook", receiver.secret)
        head = f"""
[store]
url = "postgres://{ROLE}@{hosts}/{DATABASE}"
tls = "off"
[node]
name = "{self.name}"
[defaults]
schedule = "*/2 * * * * *"
flap_flips = 0
confirm_runs = 1
[outages]
min = 1024
[limits]
runs_per_host = 32
[[receiver]]
name = "on-call"
url = "{receiver.url}/on-call"
secrets = [{{ credential = "webhook" }}]
events = ["integration.*", "daemon.*"]
allow = ["127.0.0.0/8"]
retry = {["1s"] * 12}
""".replace("'", '"')
        self.config.write_text(head + more + "".join(table(number, platform.url) for number in range(integrations)))

    def _secret(self, name, text):
        with open(self.folder / name, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(text + "\n")

    def start(self):
        environment = {**os.environ, "CREDENTIALS_DIRECTORY": str(self.folder)}
        environment.pop("NOTIFY_SOCKET", None)
        self.lives += 1
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(self.binary), "run", "--config", str(self.config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process, self.paused = None, False

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)
        self.paused = True

    def resume(self):
        self.process.send_signal(signal.SIGCONT)
        self.paused = False

    def stop(self, within=60):
        """Returns the exit status of an orderly stop."""
        self.process.terminate()
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9

    def ended(self):
        """Returns the exit status of a process that has ended by itself."""
        return self.process.poll() if self.process else None

    def said(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def last_words(self, lines=12):
        return "\n".join(self.said().splitlines()[-lines:])


def name(number):
    return f"lake-{number:02}"


def table(number, url):
    return f"""
[[integration]]
name = "{name(number)}"
type = "Trino"
[integration.config]
host = "127.0.0.1"
endpoint = "{url}/{name(number)}"
authenticationType = "jwt"
token = {{ credential = "token" }}
catalogs = ["lake"]
"""
