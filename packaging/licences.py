#!/usr/bin/env python3
"""Prints the licences of the libraries in the program as HTML: each text once, with the libraries that it is of.

usage: packaging/licences.py [--list]   --list prints names, versions and licences only

It reads the resolved dependencies (the lock file) and the files in the sources of each library. A library without such a file
is listed with the name of its licence. The same lock file gives the same bytes.
"""

import collections
import html
import json
import pathlib
import re
import subprocess
import sys

# Names of files with licences, in the sources of libraries.
NAMES = re.compile(r"^(un)?licen[cs]e|^copying|^notice|^copyright", re.IGNORECASE)
TARGETS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")


def libraries():
    """Returns the libraries that are linked on the supported systems, by name and version."""
    found = {}
    for target in TARGETS:
        command = ["cargo", "metadata", "--locked", "--format-version=1", f"--filter-platform={target}"]
        metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        packages = {package["id"]: package for package in metadata["packages"]}
        nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
        ahead, seen = [metadata["resolve"]["root"]], set()
        while ahead:
            one = ahead.pop()
            if one in seen:
                continue
            seen.add(one)
            # What only tests use is in no program; what builds it may leave code in it.
            ahead += [
                other["pkg"]
                for other in nodes[one]["deps"]
                if any(kind["kind"] in (None, "build") for kind in other["dep_kinds"])
            ]
        for one in seen - {metadata["resolve"]["root"]}:
            package = packages[one]
            found[package["name"], package["version"]] = package
    return [found[key] for key in sorted(found)]


def texts(package):
    """Returns the texts of the licences in the sources of a library."""
    folder = pathlib.Path(package["manifest_path"]).parent
    files = sorted(path for path in folder.iterdir() if NAMES.match(path.name) and path.is_file())
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in files]


def main():
    packages = libraries()
    if "--list" in sys.argv:
        for package in packages:
            print(package["name"], package["version"], package["license"] or "see its file")
        return
    users = collections.defaultdict(list)
    for package in packages:
        label = f"{package['name']} {package['version']} ({package['license'] or 'see below'})"
        for text in texts(package) or ["No file with its licence is in its sources."]:
            users[text].append(label)
    print('<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Licences of libraries</title>')
    print("<h1>Licences of the libraries in revalidated</h1>")
    for text, labels in sorted(users.items(), key=lambda item: item[1]):
        print(f"<h2>{html.escape(', '.join(labels))}</h2>\n<pre>{html.escape(text)}</pre>")
    print("</html>")


if __name__ == "__main__":
    main()
