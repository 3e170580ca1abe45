#!/usr/bin/env python3
"""Compares the published schema of the configuration with `check`, as an editor uses it: by taplo.

usage: tests/editor.py   needs npm; installs taplo into REVALIDATED_NODE, target/node without it

Every sample and every configuration of tests/cases is accepted. Each of tests/config is refused when `check` refuses it for an unknown
key or a value of a wrong type or out of range, and accepted when `check` does."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
NODE = pathlib.Path(os.environ.get("REVALIDATED_NODE", ROOT / "target/node"))
SCHEMA = ROOT / "schemas/config.v1.schema.json"
DIRECTIVE = "#:schema file:///usr/share/revalidated/schemas/config.v1.schema.json\n"
# What a schema can see, in the words of `check`; bounds of durations and keys that a template may give are none of it.
SEEN = re.compile(r": unknown key|: expected (a whole number|text|true or false|a list|a table|one of)")
# Files about which the schema and `check` differ, with the reason.
DIFFERENT = {"snowflake-browser-refused.toml": "`check` refuses it too, and the case is about that"}


def refused(files):
    """Returns those of the files that taplo refuses by the schema."""
    command = [NODE / "node_modules/.bin/taplo", "lint", "--no-auto-config", "--schema", SCHEMA.as_uri(), *files]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    said = done.stdout + done.stderr
    found = {pathlib.Path(path) for path in re.findall(r'invalid file.*path="([^"]+)"', said)}
    if done.returncode and not found:
        sys.exit(f"taplo failed:\n{said}")
    return found, said


def uncommented():
    """Returns the default configuration with its examples in force."""
    is_code = re.compile(r"# (\[|[A-Za-z_]+ = )")
    lines = (ROOT / "config/revalidated.toml").read_text().splitlines()
    return "\n".join(line[2:] if is_code.match(line) else line for line in lines) + "\n"


def expectations(folder):
    """Yields files with whether they must be accepted, none where a schema cannot know."""
    samples = [*ROOT.glob("config/examples/*.toml"), ROOT / "config/revalidated.toml", ROOT / "packaging/revalidated.toml"]
    for sample in samples:
        if not sample.read_text().startswith(DIRECTIVE):
            sys.exit(f"{sample} does not begin with {DIRECTIVE}")
        yield sample, True
    every_key = folder / "every-key.toml"
    every_key.write_text(uncommented())
    yield every_key, True
    for case in sorted(ROOT.glob("tests/cases/*/config.toml")):
        # Places for ports and further lines, which the servers of the case fill.
        text = re.sub(r"(?m)^@[A-Z]+@$", "", re.sub(r"= @[A-Z]+@", "= 1", case.read_text()))
        filled = folder / f"{case.parent.name}.toml"
        filled.write_text(text)
        yield filled, True
    for case in sorted(ROOT.glob("tests/config/*.toml")):
        expected = case.with_suffix(".expected").read_text()
        faults = [line for line in expected.splitlines() if line and not line.startswith("warning")]
        if not faults:
            yield case, True
        elif any(SEEN.search(fault) for fault in faults):
            yield case, False


def main():
    with tempfile.TemporaryDirectory() as folder:
        wanted = dict(expectations(pathlib.Path(folder)))
        found, said = refused(wanted)
    failures = 0
    for path, is_accepted in wanted.items():
        name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
        if (path in found) == is_accepted and name not in DIFFERENT:
            failures += 1
            print(f"FAIL {name} must be {'accepted' if is_accepted else 'refused'}")
            if is_accepted:
                print("\n".join(re.findall(rf"error: .*\n.*{re.escape(str(path))}:.*", said)[:3]))
        elif (path in found) != is_accepted and name in DIFFERENT:
            failures += 1
            print(f"FAIL {name} is no difference any more")
    print(f"{len(wanted)} files, {failures} judged otherwise than by `check`")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
