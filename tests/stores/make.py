#!/usr/bin/env python3
"""make.py BINARY OUT: a database with real content as SQL, made by the daemon BINARY, for the tests of migrations. Two integrations pass, fail and
recover, one while the receiver is away and one for the second time; most runs are deleted afterwards. For a version of the schema, build the
commit that introduced it: `git worktree add ../old COMMIT && cd ../old && cargo build --no-default-features --features s3`."""
import os, shutil, signal, sqlite3, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "daemon"))
from lib import FAILING, S3, SINGLE, Daemon, Hook, integration, need, receiver, unplug  # noqa: E402


def live(binary, work):
    """Has the daemon live through it; returns the path of its database. Only the tables say what is so: commands have changed."""
    s3, hook = S3(), Hook()
    daemon = Daemon(os.path.abspath(binary), work)
    parts = receiver("hook", hook), integration("lake", s3), integration("pond", s3)
    for head in (SINGLE, ""):                               # the first versions know no outages
        daemon.write(*parts, head=head)
        daemon.spawn()
        time.sleep(3)
        if daemon.alive():
            break

    def is_so(name, status):
        def look():
            with sqlite3.connect(f"file:{daemon.db}?mode=ro", uri=True, timeout=5) as base:
                return base.execute("select 1 from integration where name = ? and status = ?", (name, status)).fetchone()
        need(look, f"{name} is {status}", 30)

    is_so("lake", "enabled")
    is_so("pond", "enabled")
    s3.missing = {"lake", "pond"}
    is_so("lake", FAILING)
    is_so("pond", FAILING)
    s3.missing = {"pond"}
    is_so("lake", "enabled")
    time.sleep(1.5)
    unplug(hook.port)
    s3.missing = set()
    is_so("pond", "enabled")
    s3.missing = {"lake"}
    is_so("lake", FAILING)
    time.sleep(1)
    daemon.stop()
    return daemon.db


def shorten(base):
    """Deletes the runs that nothing refers to, but the first and the last of each integration, and their results."""
    def refers(target, column):
        found = set()
        for (table,) in base.execute("select name from sqlite_master where type = 'table'").fetchall():
            for row in base.execute(f'pragma table_info("{table}")').fetchall():
                if row[1].endswith(column):
                    found |= {value for (value,) in base.execute(f'select "{row[1]}" from "{table}"') if value is not None}
        return found
    kept = refers("run", "run_id")
    for edge in ("min", "max"):
        kept |= {number for (number,) in base.execute(f"select {edge}(id) from run group by integration_id")}
    base.execute(f"delete from run where id not in ({','.join(map(str, kept))})")
    results = refers("report", "report_id")
    base.execute(f"delete from report where id not in ({','.join(map(str, results)) or 0})")
    assert not base.execute("pragma foreign_key_check").fetchall()


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex().upper()}'"
    return repr(value) if isinstance(value, (int, float)) else "'" + value.replace("'", "''") + "'"


def dump(base):
    version, = base.execute("pragma user_version").fetchone()
    mark, = base.execute("pragma application_id").fetchone()
    lines = [f"-- Database as schema {version} left it, made by the daemon of the commit that introduced it; most runs were deleted.",
             "PRAGMA foreign_keys = OFF;", "BEGIN TRANSACTION;"]
    for name, sql in base.execute("select name, sql from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name").fetchall():
        lines.append(sql + ";")
        lines += [f'INSERT INTO "{name}" VALUES({",".join(map(literal, row))});' for row in base.execute(f'select * from "{name}"')]
    lines += [sql + ";" for (sql,) in base.execute("select sql from sqlite_master where type <> 'table' and sql is not null order by name")]
    if base.execute("select 1 from sqlite_master where name = 'sqlite_sequence'").fetchone():
        rows = base.execute("select name, seq from sqlite_sequence order by name")
        lines += [f'INSERT INTO "sqlite_sequence" VALUES({literal(name)},{number});' for name, number in rows]
    return "\n".join([*lines, "COMMIT;", f"PRAGMA user_version = {version};", f"PRAGMA application_id = {mark};"]) + "\n"


def main(binary, out):
    work = tempfile.mkdtemp()
    try:
        base = sqlite3.connect(live(binary, work))
        base.execute("pragma wal_checkpoint(truncate)")
        base.execute("pragma foreign_keys = off")
        shorten(base)
        base.commit()
        text = dump(base)
        assert work not in text
        sqlite3.connect(":memory:").executescript(text)     # it can be read back
        with open(out, "w") as file:
            file.write(text)
    finally:
        for one in Daemon.all:
            one.stop(signal.SIGKILL)
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
