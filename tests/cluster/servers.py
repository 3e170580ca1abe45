"""Two places for a PostgreSQL server: one is the primary, the other its standby, or down."""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

ROLE, DATABASE = "keeper", "state"
LIMIT = 120
SETTINGS = """
fsync = off
shared_buffers = 16MB
max_connections = 100
max_wal_size = 96MB
min_wal_size = 32MB
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
hot_standby = on
wal_receiver_timeout = 10s
wal_sender_timeout = 10s
"""


class Failed(Exception):
    """The campaign cannot be carried out, which is neither a pass nor a finding."""


def programs():
    """Returns the folder of the newest PostgreSQL that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise Failed("PostgreSQL is not installed: apt-get install postgresql")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A place with a folder and a port of its own."""

    def __init__(self, folder, name):
        self.data, self.log, self.port = folder / name, folder / f"{name}.log", free_port()
        self.bin = programs()
        # PostgreSQL refuses root.
        self.user = "nobody" if os.geteuid() == 0 else None
        self.standbys = 0

    def _run(self, *command, check=True):
        log = open(self.log, "ab")
        owner = pwd.getpwnam(self.user).pw_gid if self.user else None
        done = subprocess.run(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", timeout=2 * LIMIT,
            user=self.user, group=owner, extra_groups=[] if self.user else None)
        log.close()
        if check and done.returncode:
            raise Failed(f"{command[0]} fails:\n{self.last_words()}")
        return done.returncode

    def _empty(self):
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        if self.user:
            shutil.chown(self.data, self.user)

    def create(self):
        """Makes a database, and starts the server as the primary."""
        self._empty()
        self._run(self.bin / "initdb", "-D", self.data, "-U", ROLE, "-A", "trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        with open(self.data / "postgresql.conf", "a") as file:
            file.write(SETTINGS)
        self.start()
        self.sql(f"CREATE DATABASE {DATABASE}", "postgres")

    def start(self):
        self._run(self.bin / "pg_ctl", "-D", self.data, "-w", "-t", LIMIT, "-o", f"-p {self.port}", "-l", self.data / "server.log", "start")

    def stop(self):
        """Stops it at once, as a crash does."""
        if (self.data / "postmaster.pid").exists():
            self._run(self.bin / "pg_ctl", "-D", self.data, "-m", "immediate", "-w", "-t", LIMIT, "stop", check=False)

    def kill(self):
        """Kills the postmaster; its children end by themselves."""
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + LIMIT
        while any(self._children()):
            if deadline < time.monotonic():
                raise Failed("processes of a server whose postmaster was killed do not end")
            time.sleep(0.1)
        # Where no one awaits it, its number stays in use.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _children(self):
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(entry / "cwd") == str(self.data):
                    yield entry
            except OSError:
                pass

    def follow(self, primary):
        """Becomes a standby of `primary`, from a new copy of it."""
        self.stop()
        self._empty()
        self.standbys += 1
        self._run(self.bin / "pg_basebackup", "-d", f"host=127.0.0.1 port={primary.port} user={ROLE}", "-D", self.data, "-R", "-X", "stream",
                  "-c", "fast", "--no-sync")
        self.start()
        primary.wait("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", "1")

    def synchronise(self):
        """Lets commits wait for the standby."""
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.sql("SELECT pg_reload_conf()")
        self.wait("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", "1")

    def go_alone(self, standby):
        """Lets commits wait for nothing, and cuts the standby off."""
        self.sql("ALTER SYSTEM SET synchronous_standby_names = ''")
        self.sql("SELECT pg_reload_conf()")
        self.wait("SHOW synchronous_standby_names", "")
        with open(standby.data / "postgresql.auto.conf", "a") as file:
            file.write("primary_conninfo = ''\n")
        standby._run(self.bin / "pg_ctl", "-D", standby.data, "reload")
        self.wait("SELECT count(*) FROM pg_stat_replication", "0")

    def promote(self):
        self._run(self.bin / "pg_ctl", "-D", self.data, "-w", "-t", LIMIT, "promote")

    def sql(self, statement, database=DATABASE):
        """Returns what the statement prints."""
        environment = {**os.environ, "PGCONNECT_TIMEOUT": "20", "PGOPTIONS": "-c synchronous_commit=local -c statement_timeout=60s"}
        done = subprocess.run(
            [str(self.bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", ROLE,
             "-d", database, "-c", statement],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, timeout=LIMIT)
        if done.returncode:
            raise Failed(f"{statement}: {done.stderr.strip()}")
        return done.stdout.strip()

    def rows(self, statement):
        """Returns the rows of a statement, as texts."""
        return [line.split("|") for line in self.sql(statement).splitlines()]

    def wait(self, statement, expected):
        deadline = time.monotonic() + LIMIT
        while (found := self.sql(statement, "postgres")) != expected:
            if deadline < time.monotonic():
                raise Failed(f"{statement} is {found} in place of {expected} after {LIMIT} s")
            time.sleep(0.1)

    def last_words(self):
        texts = [path.read_text(errors="replace") for path in (self.log, self.data / "server.log") if path.exists()]
        return "\n".join("\n".join(text.splitlines()[-10:]) for text in texts)
