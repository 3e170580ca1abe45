#!/usr/bin/env python3
"""Makes the archive of a program that packaging/stage.sh has staged: what the Debian package has, with install.sh.

usage: packaging/archive.py ARCHITECTURE   writes target/package/revalidated-VERSION-ARCHITECTURE-linux-gnu.tar.gz

The same files give the same bytes: owners, times and the order of files are fixed.
"""

import glob
import gzip
import io
import os
import pathlib
import sys
import tarfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
STAGE = ROOT / "target/package"


def files(assets):
    """Returns mode, source and place of every file of the list."""
    for source, place, mode in assets:
        for path in sorted(glob.glob(source, root_dir=ROOT)):
            name = place + pathlib.Path(path).name if place.endswith("/") else place
            yield int(mode, 8), pathlib.Path(path), name


def main():
    architecture = sys.argv[1]
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
    name = f"revalidated-{package['version']}-{architecture}-linux-gnu"
    listed = list(files(package["metadata"]["deb"]["assets"]))
    listed.append((0o644, pathlib.Path("packaging/copyright"), "usr/share/doc/revalidated/copyright"))
    lines = "".join(f"{mode:o} files/{place} {place}\n" for mode, _source, place in listed)
    members = [(0o755, "install.sh", (ROOT / "packaging/install.sh").read_bytes())]
    members.append((0o644, "files.txt", lines.encode()))
    members += [(mode, f"files/{place}", (ROOT / source).read_bytes()) for mode, source, place in listed]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for mode, place, content in members:
            member = tarfile.TarInfo(f"{name}/{place}")
            member.mode, member.size = mode, len(content)
            member.mtime = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
            archive.addfile(member, io.BytesIO(content))
    target = STAGE / f"{name}.tar.gz"
    target.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
