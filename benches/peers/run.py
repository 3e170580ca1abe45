#!/usr/bin/env python3
"""Measures the daemon beside what people would pick instead, and writes docs/performance.md from it.

Usage: benches/peers/run.py install
       benches/peers/run.py [--store FOLDER] measure PART BINARY PLATFORM
       benches/peers/run.py render
`install` gets the products: Debian packages (without starting their services) and npm packages into $REVALIDATED_NODE/peers.
`measure` takes release builds of the daemon and of the example `load-platform` and, as root, measures one product after another, in
folders below FOLDER (by default target/, which must be on a disk). PART is `checks`, `deliveries`, `detection`, `loss` or `all`; each is added to
target/peers as JSON. `render` writes docs/performance.md and its plots from all that is there.
CHECKS (1,000), PERIOD (10 seconds), SECONDS_EACH (60), INTEGRATIONS and EVENTS (500 with 40 messages each), ROUNDS (5 kills) and
PATIENCE (90 seconds) in the environment change the sizes, PRODUCTS names those that are measured, separated by commas.
A product that is not installed is left out, and the document says so. It takes three quarters of an hour. Exit status 2: a product that is there cannot be measured."""

import argparse
import datetime
import json
import os
import signal
import sys
from pathlib import Path
from typing import NamedTuple

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(ROOT / "tests" / "crash")]
import document
import install
import products
import senders
import trials
from measuring import file_system, setting
from scene import give_up

RESULTS = ROOT / "target" / "peers"
PARTS = ("checks", "deliveries", "detection", "loss")


class Binaries(NamedTuple):
    """Release builds of the daemon and of the platform beside it."""

    daemon: str
    platform: str


def machine(parent):
    """Returns what the figures depend on."""
    info = Path("/proc/cpuinfo").read_text()
    models = {line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")}
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024**2
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return {
        "processors": os.cpu_count(),
        "model": ", ".join(sorted(models)),
        "memory_gb": round(memory),
        "disk": file_system(parent),
        "system": f"{release['PRETTY_NAME'].strip(chr(34))}, Linux {os.uname().release.split('-')[0]}",
        "date": datetime.date.today().isoformat(),
    }


def chosen():
    """Returns the products that are to be measured: the names in PRODUCTS, or all."""
    names = [name for name in os.environ.get("PRODUCTS", "").split(",") if name]
    known = {product.name: product for product in products.PRODUCTS}
    if unknown := set(names) - set(known):
        give_up(f"no product is named {', '.join(sorted(unknown))}")
    return [product for name, product in known.items() if not names or name in names]


class Found:
    """Rows of figures, and what is not installed with the reason."""

    def __init__(self):
        self.rows, self.missing = [], {}

    def version(self, name, ask):
        """Returns the version of a product, or None where there is none."""
        try:
            return ask()
        except products.Missing as missing:
            self.missing[name] = str(missing)
            print(f"{name}: left out, {missing}", flush=True)
            return None

    def add(self, row):
        self.rows.append(row)
        print(json.dumps({key: value for key, value in row.items() if not isinstance(value, list) or len(value) <= 2}), flush=True)


def plan_of(checks):
    """Returns the products with their numbers of checks, in the order in which they are measured."""
    plan = [(product, min(checks, product.checks_max or checks)) for product in chosen()]
    # Products that cannot have as many are compared with the daemon at as many.
    fewer = sorted({count for _, count in plan if count < checks}, reverse=True)
    plan[1:1] = [(products.Revalidated, count) for count in fewer if plan[0][0] is products.Revalidated]
    return plan


def measure_each(found, binaries, parent, measure_one):
    """Measures one product after another by a function of a trial."""
    for product, count in plan_of(setting("CHECKS", 1000)):
        if version := found.version(product.name, product.version):
            with trials.trial(product, binaries, count, setting("PERIOD", 10), parent) as running:
                found.add({"product": product.name, "version": version, **measure_one(running)})


def measure_checks(found, binaries, parent):
    measure_each(found, binaries, parent, lambda running: trials.check(running, setting("SECONDS_EACH", 60)))


def measure_detection(found, binaries, parent):
    measure_each(found, binaries, parent, trials.detect)


def measure_loss(found, binaries, parent):
    rounds, patience = setting("ROUNDS", 5), setting("PATIENCE", 90)
    for product in chosen():
        if version := found.version(product.name, product.version):
            with trials.trial(product, binaries, trials.LOSS_CHECKS, trials.LOSS_PERIOD_S, parent) as running:
                found.add({"product": product.name, "version": version, "patience_s": patience, **trials.lose(running, rounds, patience)})


def measure_deliveries(found, binaries, parent):
    if version := found.version("BullMQ with Redis", senders.version):
        versions = {"revalidated": products.Revalidated.version(), "BullMQ with Redis": version}
        for row in senders.measure(binaries.daemon, setting("INTEGRATIONS", 500), setting("EVENTS", 40), parent):
            found.add({**row, "version": versions[row["sender"]]})


def measure(part, binaries, parent):
    if file_system(parent) == "tmpfs":
        give_up("a sync to memory costs nothing: name a folder on a disk by --store")
    parts = {"checks": measure_checks, "deliveries": measure_deliveries, "detection": measure_detection, "loss": measure_loss}
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in PARTS if part == "all" else (part,):
        found, path = Found(), RESULTS / f"{name}.json"
        parts[name](found, binaries, parent)
        if path.exists() and os.environ.get("PRODUCTS"):
            add_to(json.loads(path.read_text()), found)
        path.write_text(json.dumps({"machine": machine(parent), "rows": found.rows, "missing": found.missing}, indent=1) + "\n")


def add_to(earlier, found):
    """Keeps the figures of products that were not measured this time, in the order of the products."""
    key = lambda row: (row.get("product"), row.get("checks"))
    new, names = {key(row) for row in found.rows}, [product.name for product in products.PRODUCTS]
    rows = [row for row in earlier["rows"] if key(row) not in new] + found.rows
    found.rows = sorted(rows, key=lambda row: (names.index(row["product"]), -row.get("checks", 0)))
    found.missing = {**{name: why for name, why in earlier["missing"].items() if name not in {row["product"] for row in found.rows}}, **found.missing}


def render():
    if missing := [name for name in PARTS if not (RESULTS / f"{name}.json").exists()]:
        give_up(f"not measured yet: {', '.join(missing)}")
    results = {name: json.loads((RESULTS / f"{name}.json").read_text()) for name in PARTS}
    for name, text in document.files(results).items():
        (ROOT / "docs" / name).write_text(text)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("--store", type=os.path.abspath, default=str(ROOT / "target"))
    parser.add_argument("command", choices=("install", "measure", "render"))
    parser.add_argument("rest", nargs="*")
    arguments = parser.parse_args()
    # So that whatever was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if arguments.command == "install":
        install.everything()
    elif arguments.command == "render":
        render()
    else:
        if len(arguments.rest) != 3 or arguments.rest[0] not in (*PARTS, "all"):
            parser.error("measure takes a part, the daemon and the platform")
        part, *paths = arguments.rest
        measure(part, Binaries(*(str(Path(path).resolve()) for path in paths)), arguments.store)


if __name__ == "__main__":
    main()
