"""Scene of the black-box tests: a folder with a configuration, the daemon in it, and its database."""
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import standin
from receiver import SECRET

RECEIVERS = ("one", "two")
FILE_MAX = 2000
SETTINGS = """
[defaults]
confirm_runs = 1
flap_flips = 0
recovery_runs = 1
[shutdown]
drain = "2s"
"""


class Scene:
    """A folder in `parent`, or in memory where possible, removed at the end; `integrations` are numbered from 1, and `at_once` of
    them may run."""

    settings = SETTINGS

    def __init__(self, binary, platform, receiver, integrations, schedule="* * * * * *", at_once=64, parent=None):
        self.binary, self.platform, self.receiver = Path(binary).resolve(), platform, receiver
        self.folder = Path(tempfile.mkdtemp(prefix="revalidated-", dir=parent or in_memory()))
        self.state = self.folder / "state"
        self.state.mkdir(mode=0o700)
        self.database, self.config, self.log = self.state / "state.db", self.folder / "revalidated.toml", self.folder / "log"
        self.integrations, self.schedule, self.at_once = integrations, schedule, at_once
        self._secret("webhook", SECRET)
        self._secret("key", "an access key that only tests use")
        self.configure()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def _secret(self, name, text):
        with open(self.folder / name, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(text + "\n")

    def configure(self, edited=(), disabled=()):
        """Writes the configuration; the edited integrations sign with another key, the disabled ones do not run."""
        limits = f"[limits]\nruns = {self.at_once}\nruns_per_host = {self.at_once}\n"
        parts = [f'[store]\npath = "{self.database}"\n', self.settings, limits, *self._receivers()]
        tables = [self._integration(number, number in edited, number in disabled) for number in range(1, self.integrations + 1)]
        self.config.write_text("\n".join(parts + tables[:FILE_MAX]))
        # A file may have 4 MiB.
        for start in range(FILE_MAX, len(tables), FILE_MAX):
            more = self.folder / "integrations.d" / f"from-{start}.toml"
            more.parent.mkdir(exist_ok=True)
            more.write_text("\n".join(tables[start : start + FILE_MAX]))

    def _receivers(self):
        for name in RECEIVERS:
            yield (
                f'[[receiver]]\nname = "{name}"\nurl = "{self.receiver.url}/{name}"\nsecrets = [{{ file = "{self.folder}/webhook" }}]\nevents = ["*", "integration.status.*"]\n'
                f'allow = ["127.0.0.0/8"]\nretry = {["1s"] * 12}\n'.replace("'", '"')
            )

    def _integration(self, number, is_edited, is_disabled):
        url = self.platform.url
        return f"""[[integration]]
name = "integration-{number}"
type = "Native S3"
autoBootstrap = false
schedule = "{self.schedule}"
disabled = {str(is_disabled).lower()}
[integration.config]
name = "integration-{number}"
awsAccountId = "{number:012}"
awsRegion = "{standin.REGION}"
awsLocationRole = "{standin.role(number)}"
awsLocationPath = "{standin.path(number)}"
authenticationType = "accessKey"
awsAccessKeyId = "AKIA{'EDIT' if is_edited else 'TEST'}{number:012}"
awsSecretAccessKey = {{ file = "{self.folder}/key" }}
endpoints = {{ sts = "{url}", s3 = "{url}", s3Control = "{url}" }}
"""

    def start(self, before=()):
        """Starts the daemon; its output is added to the log. `before` is a command it runs under."""
        command = [*map(str, before), str(self.binary), "run", "--config", str(self.config)]
        with open(self.log, "ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def rows(self, statement, values=()):
        """Returns the rows of a statement, read beside the daemon."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(statement, values).fetchall()

    def last_words(self, lines=15):
        """Returns the end of the daemon's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""


def in_memory():
    """Returns a folder that needs no disk, or None."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def give_up(reason):
    """Ends the test with status 2: it could not be carried out, which is neither a pass nor a finding."""
    print(reason, file=sys.stderr)
    sys.exit(2)


def stop(daemon, within=15):
    """Asks the daemon to end; returns its exit status, -9 when it did not end in time."""
    daemon.terminate()
    try:
        return daemon.wait(within)
    except subprocess.TimeoutExpired:
        daemon.kill()
        return daemon.wait()
