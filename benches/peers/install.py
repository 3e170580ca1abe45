"""Installs the products: Debian packages whose services are not started, and npm packages in a folder of their own."""

import os
import shutil
import subprocess
from pathlib import Path

from products import NODE, PRODUCTS

PACKAGES = (*dict.fromkeys(package for product in PRODUCTS for package in product.packages), "redis-server", "nginx-light", "curl")
MODULES = Path(__file__).resolve().parent / "package.json"
POLICY = Path("/usr/sbin/policy-rc.d")


def everything():
    """Installs what is not there yet, as root or through sudo."""
    debian()
    npm()


def debian():
    asked = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Abbrev} ${Package}\n", *PACKAGES], capture_output=True, text=True)
    there = {line.split()[1] for line in asked.stdout.splitlines() if line.startswith("ii ")}
    missing = [package for package in PACKAGES if package not in there]
    if not missing:
        return
    print(f"installing {' '.join(missing)}", flush=True)
    root = [] if os.geteuid() == 0 else ["sudo"]
    # Debian asks this file before it starts a service; 101 says no.
    is_ours = not POLICY.exists()
    if is_ours:
        subprocess.run([*root, "sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' >{POLICY} && chmod 755 {POLICY}"], check=True)
    try:
        subprocess.run([*root, "apt-get", "update", "-qq"], check=True)
        install = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        subprocess.run([*root, *install], check=True, stdout=subprocess.DEVNULL)
    finally:
        if is_ours:
            subprocess.run([*root, "rm", str(POLICY)], check=True)


def npm():
    done = NODE / "installed.json"
    if done.exists() and done.read_bytes() == MODULES.read_bytes():
        return
    NODE.mkdir(parents=True, exist_ok=True)
    shutil.copy(MODULES, NODE / "package.json")
    # The headers that Debian's or NodeSource's package brings, where they are; node-gyp gets others from the network.
    headers = {"npm_config_nodedir": "/usr"} if Path("/usr/include/node/node.h").exists() else {}
    environment = {**os.environ, **headers, "npm_config_build_from_source": "true"}
    quiet = ["--loglevel=error", "--prefix", str(NODE)]
    subprocess.run(["npm", "install", *quiet, "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"], check=True, env=environment)
    # The published package has some migrations of its database one folder above where it reads them.
    migrations = NODE / "node_modules" / "uptime-kuma" / "db"
    for patch in migrations.glob("patch-*.sql"):
        shutil.copy(patch, migrations / "old_migrations" / patch.name)
    # Uptime Kuma without it is left out, and the document says so.
    if subprocess.run(["npm", "rebuild", *quiet, "@louislam/sqlite3"], env=environment).returncode == 0:
        shutil.copy(MODULES, done)
