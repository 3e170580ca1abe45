#!/bin/bash
# The life of the Debian package, from installation to purge, as an operator goes through it: `ok ...` or `FAIL ...`. Runs inside
# the container of tests/systemd/run.sh.
set -eu
cd /exercise
unit=revalidated.service
state=/var/lib/revalidated
etc=/etc/revalidated
. ./checks.sh
export DEBIAN_FRONTEND=noninteractive

# without_systemd COMMAND...: the command sees no running systemd, as in a container image that is being built.
without_systemd() { unshare --mount bash -c 'mount -t tmpfs tmpfs /run && exec "$@"' - "$@"; }
gone() { ! ls -d "$@" 2>/dev/null; }
completed() {
  bash -c '. /usr/share/bash-completion/completions/revalidated
COMP_WORDS=(revalidated '"$1"' "") COMP_CWORD='"$2"' COMP_TYPE=9 COMP_LINE= COMP_POINT=0
_clap_complete_revalidated revalidated "" "" && printf "%s\n" "${COMPREPLY[@]}"' | grep -x "$3"
}

ip link set lo up
# Images of containers have such a policy; it is tried below.
rm -f /usr/sbin/policy-rc.d
# Nothing sets the clock in here: it is that of the machine around.
printf '#!/bin/sh\necho yes\n' >/usr/bin/timedatectl

# --- where no systemd runs ---
check "it is installed where no systemd runs" without_systemd dpkg --install revalidated.deb
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
check "it is installed again, where services must not be started" dpkg --install revalidated.deb
check "it was not started" has ActiveState inactive
rm /usr/sbin/policy-rc.d
check "it is purged where no systemd runs" without_systemd dpkg --purge revalidated
check "nothing is left of that" gone /usr/bin/revalidated $etc/revalidated.toml /etc/systemd/system/*/$unit

# --- installation ---
SECONDS=0
check "the package is installed" dpkg --install revalidated.deb
[ "$failures" = 0 ] || exit 1
check "the daemon runs at once, without an integration" within 10 has SubState running
check "its status says so" revalidated status
check "systemd finds no fault in the units" same "$(systemd-analyze verify $unit revalidated-{read,act}.socket 2>&1)" ""
check "it is enabled" systemctl is-enabled $unit
check "the configuration is faultless as it is" revalidated check
for file in /usr/share/man/man{1/revalidated.1,5/revalidated.toml.5}.gz /usr/share/doc/revalidated/{alerts.md,copyright} \
  /usr/share/revalidated/{grafana,prometheus,schemas,examples}; do
  check "it has $file" test -e "$file"
done
check "every alert names a file that is there" test "$(grep -o 'file://[^#]*' /usr/share/revalidated/prometheus/*.yml |
  sed 's/.*file:..//' | sort -u)" = /usr/share/doc/revalidated/alerts.md
check "each sample names a schema that is there" test "$(head -qn 1 /usr/share/revalidated/examples/*.toml $etc/revalidated.toml |
  sed 's,^#:schema file://,,' | sort -u)" = /usr/share/revalidated/schemas/config.v1.schema.json

# --- configuration, as docs/install.md says ---
(umask 077 && echo "key-$RANDOM$RANDOM" >$etc/secrets/lake-key && echo "whsec_$(head -c 33 /dev/urandom | base64)" >$etc/secrets/webhook-secret)
mkdir -p /etc/systemd/system/$unit.d /var/backups/revalidated
# Another disk.
mount -t tmpfs -o mode=700 tmpfs /var/backups/revalidated
cat >/etc/systemd/system/$unit.d/secrets.conf <<CONF
[Service]
LoadCredential=lake-key:$etc/secrets/lake-key
LoadCredential=webhook-secret:$etc/secrets/webhook-secret
CONF
cat >>$etc/revalidated.toml <<TOML
[defaults]
schedule = "* * * * * *"
[[receiver]]
name = "on-call"
url = "http://127.0.0.1:9002/on-call"
secrets = [{ credential = "webhook-secret" }]
allow = ["127.0.0.0/8"]
TOML
cat >$etc/integrations.d/lake.toml <<TOML
[[integration]]
name = "lake"
type = "Native S3"
autoBootstrap = false
[integration.config]
name = "lake"
awsAccountId = "000000000001"
awsRegion = "eu-central-1"
awsLocationRole = "arn:aws:iam::000000000001:role/locations"
awsLocationPath = "s3://bucket-1/prefix"
authenticationType = "accessKey"
awsAccessKeyId = "AKIATEST000000000001"
awsSecretAccessKey = { credential = "lake-key" }
endpoints = { sts = "http://127.0.0.1:9001", s3 = "http://127.0.0.1:9001", s3Control = "http://127.0.0.1:9001" }
TOML
: >missing-buckets
systemd-run --quiet --unit standin --property Type=exec python3 /exercise/standin.py 9001 /exercise/missing-buckets
systemd-run --quiet --unit receiver --property Type=exec python3 /exercise/receiver.py 9002 $etc/secrets/webhook-secret
systemctl daemon-reload
check "the configuration is in force" timeout 30 systemctl restart $unit
check "the integration is validated" within 20 answers "SELECT status FROM integration WHERE name = 'lake'" enabled
check "names are completed from the database" completed show 2 lake
check "names of receivers too" completed "webhook test" 3 on-call

# --- a flip and its message ---
received() { journalctl --no-pager --unit receiver --output cat | grep "$1" | grep -q '"signed": true'; }
echo bucket-1 >missing-buckets
check "a deleted bucket is a failure" within 20 answers "SELECT status FROM integration WHERE name = 'lake'" recurringValidationError
check "the receiver has verified the message" within 20 received integration.validation.failed
: >missing-buckets
check "the bucket is back" within 20 answers "SELECT status FROM integration WHERE name = 'lake'" enabled
check "the receiver has verified that too" within 20 received integration.validation.recovered

# --- reload ---
cp $etc/revalidated.toml good.toml
echo 'no_such_section = 1' | cat - good.toml >$etc/revalidated.toml
pid=$(property MainPID)
check "reload fails on a bad file" not systemctl reload $unit
check "the daemon goes on with the old one" has MainPID "$pid"
cp good.toml $etc/revalidated.toml
check "reload succeeds on a good one" systemctl reload $unit

# --- backup, doctor and restore ---
check "a backup is made" revalidated backup --verify /var/backups/revalidated
backup=$(ls /var/backups/revalidated/state-*.db)
check "doctor finds nothing" revalidated doctor
epoch=$(query "SELECT epoch FROM meta")
systemctl stop $unit
check "the backup is restored" revalidated restore "$backup" --yes
check "the daemon starts with it" timeout 30 systemctl start $unit
check "the database has a new epoch" not answers "SELECT epoch FROM meta" "$epoch"
check "validations go on" within 20 answers "SELECT status FROM integration WHERE name = 'lake'" enabled

# --- upgrade ---
mkdir next
dpkg-deb --raw-extract revalidated.deb next
sed -i 's/^Version: .*/&.1/' next/DEBIAN/control
dpkg-deb --build -Znone next next.deb >/dev/null
rm -r next
pid=$(property MainPID)
check "an upgrade keeps what the configuration has become" dpkg --install next.deb
check "it is as it was" cmp good.toml $etc/revalidated.toml
check "an upgrade starts the daemon anew" not has MainPID "$pid"
check "it is ready again" within 10 has SubState running
systemctl stop $unit
check "the same is installed while the daemon is stopped" dpkg --install next.deb
check "an upgrade does not start a daemon that was stopped" has ActiveState inactive
systemctl start $unit

# --- removal and purge ---
check "the package is removed" dpkg --remove revalidated
check "the daemon does not run any more" not pgrep -x revalidated
check "the program is gone" gone /usr/bin/revalidated
check "the database is there" test -s $state/state.db
check "the configuration is there" test -s $etc/revalidated.toml
check "it is installed once more" dpkg --install next.deb
check "it goes on where it was" within 20 answers "SELECT status FROM integration WHERE name = 'lake'" enabled
check "the package is purged" dpkg --purge revalidated
check "the database is gone, and the link to it" gone /var/lib/private/revalidated $state
check "the configuration of the package is gone" gone $etc/revalidated.toml
check "what the administrator wrote is there" test -s $etc/integrations.d/lake.toml -a -s $etc/secrets/lake-key
check "systemd does not know it" not systemctl cat $unit
check "nothing failed" same "$(systemctl list-units --failed --no-legend 'revalidated*')" ""
echo "from installation to purge: $SECONDS s"
check "it took less than five minutes" test "$SECONDS" -lt 300
exit "$((failures > 0))"
