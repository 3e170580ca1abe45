#!/bin/bash
# Boots a real systemd, with a process tree, cgroups and a journal of its own, over this machine's files, which stay untouched,
# and exercises the packaged service in it: see exercise.sh for what is shown.
# Usage: tests/systemd/run.sh [BINARY [EXERCISE FILE...]]   EXERCISE takes the place of exercise.sh, with these files beside it.
# Needs root, systemd-nspawn (package systemd-container), python3. About half a minute.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=${1:-${CARGO_TARGET_DIR:-$root/target}/debug/revalidated}
exercise=${2:-$here/exercise.sh}
given=("${@:3}")
limit=${REVALIDATED_EXERCISE_SECONDS:-120}

cannot() {
  if [ "${REVALIDATED_SKIP_SYSTEMD:-}" = 1 ]; then
    echo "skipped: $*"
    exit 0
  fi
  echo "FAIL $* (REVALIDATED_SKIP_SYSTEMD=1 skips this test)"
  exit 1
}
[ "$(id -u)" = 0 ] || cannot "booting systemd needs root"
for program in systemd-nspawn systemd-analyze nsenter python3; do
  command -v "$program" >/dev/null || cannot "$program is not installed"
done
[ -x "$binary" ] || { echo "FAIL there is no $binary: cargo build"; exit 1; }

work=$(mktemp -d)
# State of services, on a disk as on any machine.
mkdir -p "$root/target"
private=$(mktemp -d "$root/target/exercise.XXXXXX")
container=
# Ends what was started, whatever happened.
clean_up() {
  if [ -n "$container" ] && kill "$container" 2>/dev/null; then
    wait "$container" 2>/dev/null || true
  fi
  umount -l "$work/disk/merged" 2>/dev/null || true
  umount -l "$work/disk" 2>/dev/null || true
  rm -rf --one-file-system "$work" "$private"
}
trap clean_up EXIT

mkdir "$work/disk"
mount -t tmpfs -o size=1g,mode=755 tmpfs "$work/disk" || cannot "no tmpfs can be mounted"
mkdir "$work/disk/upper" "$work/disk/aside" "$work/disk/merged"
files=$work/disk/merged
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/disk/upper,workdir=$work/disk/aside" "$files" \
  || cannot "no overlay can be mounted over /"
# None of this machine's own services starts inside.
rm -rf "$files"/etc/systemd/system/*.wants "$files"/etc/rc?.d "$files"/etc/init.d
: >"$files/etc/machine-id"
mkdir "$files/exercise"
cp "$root"/systemd/* "$root"/tests/crash/{loopback,standin,receiver}.py "${given[@]}" "$files/exercise/"
cp "$here/checks.sh" "$files/exercise/"
cp "$exercise" "$files/exercise/exercise.sh"
cp "$binary" "$files/exercise/revalidated"

# The limit ends everything inside should the exercise itself hang.
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout -k 5 $((limit + 60)) systemd-nspawn --quiet --register=no --keep-unit --private-network \
  --boot --directory "$files" --bind "$private:/var/lib/private" --console=read-only </dev/null >"$work/console" 2>&1 &
container=$!

child() { head -n 1 "/proc/$1/task/$1/children" 2>/dev/null | cut -d ' ' -f 1; }
enter() { nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root --wd "$@"; }
is_up() {
  leader=$(child "$(child "$container")") && [ -n "$leader" ] \
    && [ "$(cat "/proc/$leader/comm" 2>/dev/null)" = systemd ] \
    && enter systemctl is-system-running 2>/dev/null | grep -Eq '^(running|degraded)'
}
for _ in $(seq 300); do
  is_up && break
  kill -0 "$container" 2>/dev/null || break
  sleep 0.1
done
if ! is_up; then
  tail -n 20 "$work/console" >&2
  cannot "systemd did not boot in a container"
fi
echo "ok systemd boots"

status=0
timeout -k 5 "$limit" nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root --wd \
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb bash /exercise/exercise.sh || status=$?
enter systemctl poweroff --no-wall >/dev/null 2>&1 || true
for _ in $(seq 100); do
  kill -0 "$container" 2>/dev/null || break
  sleep 0.1
done
exit "$status"
