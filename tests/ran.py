#!/usr/bin/env python3
"""ran.py STEP...: fails unless every test of tests/faults.toml has run in this check, or belongs to one of the steps that take longer.
`run.sh` leaves the names of its steps that ended well in target/ran, and what the test functions said in target/test.log."""
import re
import sys
import tomllib
from pathlib import Path

root = Path(__file__).parent.parent
ran = {path.name for path in (root / "target/ran").iterdir()}
passed = set(re.findall(r"^test (?:\S*::)?(\w+) \.\.\. ok$", (root / "target/test.log").read_text(errors="replace"), re.MULTILINE))


def has_run(test):
    kind, _, name = test.replace(" ", "/", 1).rpartition("/")
    if kind == "step":
        return name in ran or name in sys.argv[1:]
    return kind in ran if kind else name in passed


faults = tomllib.loads((root / "tests/faults.toml").read_text())["fault"]
missing = [f"{fault['name']}: {test} did not run" for fault in faults for test in fault["tests"] if not has_run(test)]
print("\n".join(missing) or f"the tests of all {len(faults)} faults ran")
sys.exit(bool(missing))
