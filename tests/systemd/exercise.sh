#!/bin/bash
# The promises of the packaged service under systemd, shown one by one: `ok ...` or `FAIL ...`. Runs inside the container of run.sh.
set -eu
cd /exercise
unit=revalidated.service
state=/var/lib/revalidated
etc=/etc/revalidated
. ./checks.sh

# configuration NAME=BUCKET...: one integration each; each is validated every second.
configuration() {
  cat <<TOML
[store]
path = "$state/state.db"
[defaults]
schedule = "* * * * * *"
[shutdown]
drain = "2s"
[[receiver]]
name = "on-call"
url = "http://127.0.0.1:9002/on-call"
secrets = [{ credential = "webhook-secret" }]
events = ["*", "integration.status.*"]
allow = ["127.0.0.0/8"]
retry = ["1s", "1s", "1s", "1s", "1s", "1s"]
TOML
  local number=0 name bucket
  for pair in "$@"; do
    name=${pair%=*} bucket=${pair#*=} number=$((number + 1))
    printf -v account %012d "${bucket//[^0-9]/}"
    cat <<TOML
[[integration]]
name = "$name"
type = "Native S3"
autoBootstrap = false
[integration.config]
name = "$name"
awsAccountId = "$account"
awsRegion = "eu-central-1"
awsLocationRole = "arn:aws:iam::$account:role/locations"
awsLocationPath = "s3://$bucket/prefix"
authenticationType = "accessKey"
awsAccessKeyId = "AKIATEST$account"
awsSecretAccessKey = { credential = "access-key" }
endpoints = { sts = "http://127.0.0.1:9001", s3 = "http://127.0.0.1:9001", s3Control = "http://127.0.0.1:9001" }
TOML
  done
}

# --- installation, as the unit's header says ---
install -D -m 0755 revalidated /usr/bin/revalidated
install -D -m 0644 revalidated.service /etc/systemd/system/$unit
check "systemd finds no fault in the unit" same "$(systemd-analyze verify $unit 2>&1)" ""
check "exposure is 1.1 or less" systemd-analyze security --no-pager --threshold=11 --offline=true /etc/systemd/system/$unit

ip link set lo up
planted_key=planted-key-$(head -c 9 /dev/urandom | base64 | tr +/ xy)
planted_hook=$(head -c 33 /dev/urandom | base64)
install -d -m 0700 $etc/secrets
(umask 077 && echo "$planted_key" >$etc/secrets/access-key && echo "whsec_$planted_hook" >$etc/secrets/webhook-secret)
mkdir -p /etc/systemd/system/$unit.d
cp link-local.conf /etc/systemd/system/$unit.d/
cat >/etc/systemd/system/$unit.d/exercise.conf <<CONF
[Service]
LoadCredential=access-key:$etc/secrets/access-key
LoadCredential=webhook-secret:$etc/secrets/webhook-secret
WatchdogSec=2s
RestartSec=200ms
CONF
configuration first=bucket-1 second=bucket-2 >$etc/revalidated.toml
systemctl daemon-reload
systemd-run --quiet --unit standin --property Type=exec python3 /exercise/standin.py 9001
systemd-run --quiet --unit receiver --property Type=exec python3 /exercise/receiver.py 9002 $etc/secrets/webhook-secret

# --- start ---
check "start waits until the daemon is ready" timeout 20 systemctl start $unit
if [ "$failures" -gt 0 ]; then
  journal | tail -n 20
  exit 1
fi
check "the daemon is active" has ActiveState active
check "the status text says something" test -n "$(property StatusText)"
check "integrations are validated with keys from credentials" \
  within 10 answers "SELECT count(*) FROM integration WHERE status = 'enabled'" 2
signed() { journalctl --no-pager --unit receiver --output cat | grep -q '"signed": true'; }
check "webhooks are signed with a secret from a credential" within 10 signed
check "the state directory is for the daemon alone" same "$(stat -L -c %a $state)" 700
check "the files in it are for the daemon alone" same "$(stat -c %a $state/state.db* | sort -u)" 600
check "the daemon is not root" not same "$(stat -L -c %u $state)" 0

# --- reload ---
pid=$(property MainPID)
configuration first=bucket-1 second=bucket-2 third=bucket-3 >$etc/revalidated.toml
check "reload succeeds" systemctl reload $unit
check "reload brings the new integration" within 10 answers "SELECT status FROM integration WHERE name = 'third'" enabled
check "reload keeps the process" has MainPID "$pid"

cp $etc/revalidated.toml good.toml
echo 'no_such_section = 1' | cat - good.toml >$etc/revalidated.toml
before=$(query "SELECT count(*) FROM run")
systemctl reload $unit || true
says_so() { journal | grep -q no_such_section; }
check "a bad reload is logged with what is wrong" within 5 says_so
shows_it() { property StatusText | grep -Ei 'reload|configuration'; }
check "a bad reload is shown by the status text" within 5 shows_it
check "a bad reload leaves the daemon active" within 5 has ActiveState active
check "a bad reload keeps the process" has MainPID "$pid"
check "a bad reload leaves the old configuration at work" within 5 more_runs_than "$((before + 3))"
cp good.toml $etc/revalidated.toml

# --- kill ---
query "SELECT id FROM transition ORDER BY id" >before
kill -KILL "$pid"
check "a killed daemon is started again" within 5 has NRestarts 1
check "a killed daemon is ready again" within 10 has SubState running
lost() { query "SELECT id FROM transition ORDER BY id" | comm -23 <(sort before) <(sort) | grep -q .; }
check "a killed daemon has lost nothing" not lost
before=$(query "SELECT count(*) FROM run")
check "a killed daemon goes on" within 5 more_runs_than "$before"

# --- hang ---
kill -STOP "$(property MainPID)"
check "a hanging daemon is ended and started again" within 10 has NRestarts 2
timed_out() { journalctl --no-pager --unit $unit | grep -q 'Watchdog timeout'; }
check "it was the watchdog" within 5 timed_out
check "a hanging daemon is ready again" within 10 has SubState running

# --- stop ---
configuration first=bucket-1 second=bucket-2 third=hanging >$etc/revalidated.toml
systemctl reload $unit
check "a validation hangs" within 10 answers "SELECT name FROM integration WHERE lease_until_ms IS NOT NULL AND name = 'third'" third
began=$(date +%s%N)
systemctl stop $unit
took=$((($(date +%s%N) - began) / 1000000))
check "stop takes no longer than the drain deadline and a little ($took ms)" test "$took" -lt 4000
check "stop is clean" has Result success

# --- configuration error ---
systemctl reset-failed $unit 2>/dev/null || true
echo 'no_such_section = 1' | cat - good.toml >$etc/revalidated.toml
check "a configuration error refuses to start" not timeout 20 systemctl start $unit
check "a configuration error has exit status 78" has ExecMainStatus 78
sleep 1
check "a configuration error is not tried again" has NRestarts 0
check "a configuration error leaves the service failed" has ActiveState failed

# --- sockets of the API ---
# answered SOCKET CODE [COMMAND...]: `request` by SOCKET has this code, or no answer and this error.
request="GET /metrics"
answered() {
  local found
  found=$("${@:3}" python3 -c 'import socket, sys
one = socket.socket(socket.AF_UNIX)
one.settimeout(5)
one.connect(sys.argv[1])
head = "host: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2"
one.sendall(f"{sys.argv[2]} HTTP/1.1\r\n{head}\r\n\r\n{{}}".encode())
print(one.recv(12).decode()[9:])' "$1" "$request" 2>&1 | tail -n 1)
  echo "$1: $found"
  [[ $found == "$2"* ]]
}
stranger=(setpriv --reuid=4242 --regid=4242 --clear-groups)
colleague=(setpriv --reuid=4242 --regid=4243 --clear-groups)
reader=(setpriv --reuid=4242 --regid=4244 --clear-groups)
systemctl reset-failed $unit
cp good.toml $etc/revalidated.toml
check "the service starts with a socket of its own" timeout 20 systemctl start $unit
check "root is answered by it" answered /run/revalidated/api.sock 200
check "others cannot connect to it" answered /run/revalidated/api.sock PermissionError "${stranger[@]}"
install -m 0644 revalidated-read.socket revalidated-act.socket /etc/systemd/system/
check "systemd finds no fault in the socket units" same "$(systemd-analyze verify revalidated-{read,act}.socket 2>&1)" ""
groupadd --gid 4243 oncall
groupadd --gid 4244 data
mkdir -p /etc/systemd/system/revalidated-{read,act}.socket.d
printf '[Socket]\nSocketGroup=oncall\n' >/etc/systemd/system/revalidated-act.socket.d/group.conf
printf '[Socket]\nSocketGroup=data\n' >/etc/systemd/system/revalidated-read.socket.d/group.conf
printf '[http]\nlisten = ["systemd:read", "systemd:act"]\n' | cat - good.toml >$etc/revalidated.toml
systemctl daemon-reload
systemctl enable --quiet revalidated-read.socket revalidated-act.socket
check "the service starts with the sockets of systemd" timeout 20 systemctl restart $unit
check "its socket is gone" test ! -e /run/revalidated/api.sock
check "a colleague is answered" answered /run/revalidated-act.sock 200 "${colleague[@]}"
check "root is answered" answered /run/revalidated-read.sock 200
check "others cannot connect" answered /run/revalidated-act.sock PermissionError "${stranger[@]}"
check "a reader is answered" answered /run/revalidated-read.sock 200 "${reader[@]}"
check "a reader cannot connect to act" answered /run/revalidated-act.sock PermissionError "${reader[@]}"
request="POST /api/v1/integrations/first/validate"
# A run of its schedule, every second, may be under way: 409.
check "a colleague acts" within 10 answered /run/revalidated-act.sock 202 "${colleague[@]}"
check "a reader does not act" answered /run/revalidated-read.sock 403 "${reader[@]}"
request="GET /metrics"
check "health asks by a socket of systemd" ./revalidated health
kill -KILL "$(property MainPID)"
check "a killed daemon has its sockets again" within 10 answered /run/revalidated-act.sock 200
systemctl stop $unit
check "a stopped daemon has no socket" answered /run/revalidated-act.sock FileNotFoundError
check "no socket starts it" has ActiveState inactive
systemctl disable --quiet revalidated-read.socket revalidated-act.socket

# --- many secrets: a folder is passed whole ---
mv /etc/systemd/system/$unit.d/exercise.conf lines.conf
grep -v LoadCredential lines.conf >/etc/systemd/system/$unit.d/exercise.conf
cp credentials-folder.conf /etc/systemd/system/$unit.d/
systemctl daemon-reload
sed 's/credential = "/credential = "secrets_/' good.toml >$etc/revalidated.toml
runs=$(query "SELECT coalesce(max(id), 0) FROM run")
check "the service starts with a folder of credentials" timeout 20 systemctl start $unit
check "integrations are validated with keys from the folder" \
  within 10 answers "SELECT count(*) > 0 FROM run WHERE id > $runs AND status = 'passed'" 1
check "commands of root read a secret from the folder" ./revalidated validate first
systemctl stop $unit
rm /etc/systemd/system/$unit.d/credentials-folder.conf
mv lines.conf /etc/systemd/system/$unit.d/exercise.conf
systemctl daemon-reload

# --- secrets ---
cp good.toml $etc/revalidated.toml
check "the fixed configuration starts" timeout 20 systemctl start $unit
pid=$(property MainPID)
{
  journalctl --no-pager --output export
  systemctl show $unit
  tr '\0' '\n' <"/proc/$pid/cmdline"
  tr '\0' '\n' <"/proc/$pid/environ"
  cat $state/* $etc/revalidated.toml
} >visible
appears() { grep -aqF -e "$planted_key" -e "$planted_hook" -e "$(echo -n "$planted_key" | base64)" "$@"; }
check "the search for secrets finds them where they are" appears $etc/secrets/*
check "no secret is in the journal, the properties, the process list or the database" not appears visible
panicked() { journal | grep -q panicked; }
check "nothing panicked" not panicked
systemctl stop $unit
exit "$((failures > 0))"
