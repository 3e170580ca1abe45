# Enables the daemon as the machine's presets say, at the first installation.
if [ ! -e /etc/revalidated/secrets ]; then
    install -d -m 0700 /etc/revalidated/secrets
fi
install -d /etc/revalidated/integrations.d
if [ "$1" -eq 1 ] && [ -x /usr/bin/systemctl ]; then
    systemctl --no-reload preset revalidated.service >/dev/null 2>&1 || :
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
fi
