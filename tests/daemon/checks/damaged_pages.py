"""Pages of the database are damaged while the daemon is stopped, in 18 ways drawn by a seed (a bit, zeroes, another page, the
end cut off): each start either ends with 65, leaves the file as it is, unless an operation met the damage later, and names the newest backup with the line that restores
it, or the database is sound by `store check --full`."""
import random
from lib import *
LIMIT = 50


def damage(rng, sound):
    file, page = bytearray(sound), rng.randrange(len(sound) // 4096) * 4096
    how = rng.choice(["bit", "bit", "bit", "zeroes", "swap", "cut"])
    if how == "bit":
        file[page + rng.randrange(4096)] ^= 1 << rng.randrange(8)
    elif how == "zeroes":
        file[page : page + 512] = bytes(512)
    elif how == "swap":
        other = rng.randrange(len(sound) // 4096) * 4096
        file[page : page + 4096] = sound[other : other + 4096]
    else:
        del file[page:]
    return how, bytes(file)


def check(binary, workdir):
    rng = random.Random(int(os.environ.get("SEED", "1")))
    s3, hook = S3(), Hook()
    daemon = Daemon(binary, workdir)
    text = [integration(f"i{n}", s3, extra="flap_flips = 0") for n in range(8)]
    daemon.write(receiver("h", hook), *text)
    daemon.start()
    daemon.is_well()
    for gone in ({"i1", "i2"}, set()):
        s3.missing = gone
        daemon.becomes("i1", FAILING if gone else WELL)
    os.makedirs(daemon.dir + "/backups")
    need(lambda: daemon.cli("backup", daemon.dir + "/backups")[0] == 0, "a backup")
    # It is killed, so that it verifies its file at the next start.
    daemon.stop(signal.SIGKILL)
    base = sqlite3.connect(daemon.db)
    base.execute("pragma wal_checkpoint(truncate)")
    base.close()
    with open(daemon.db, "rb") as file:
        sound = file.read()
    refused, late, wrong = 0, 0, []
    for _ in range(18):
        how, bad = damage(rng, sound)
        for end in ("-wal", "-shm"):
            if os.path.exists(daemon.db + end):
                os.unlink(daemon.db + end)
        with open(daemon.db, "wb") as file:
            file.write(bad)
        mark = os.path.getsize(daemon.log)
        daemon.spawn()
        until(lambda: not daemon.alive() or "started" in daemon.text(mark), 6, 0.02)
        if daemon.alive():
            code, said, _ = daemon.cli("store", "check", "--full")
            daemon.stop(signal.SIGKILL)
            if code != 0:
                wrong.append(f"{how}: it runs, and store check says {code} {said[-160:]}")
            continue
        refused += 1
        text = daemon.text(mark)
        with open(daemon.db, "rb") as file:
            untouched = file.read() == bad or "started" in text
        # A flipped bit in a table without checksums may be noticed by the statement that reads it, and no sooner.
        late += not untouched and how == "bit"
        untouched = untouched or (how == "bit" and late <= 1)
        if daemon.process.returncode != 65 or not untouched or "revalidated restore " not in text:
            wrong.append(f"{how}: exit {daemon.process.returncode}, untouched {untouched}: {text[-200:]}")
    return refused > 2 and not wrong, f"{refused} of 18 refused; {wrong[:3]}"
