# Stops the daemon when the package is removed, not when it is upgraded.
if [ "$1" -eq 0 ] && [ -x /usr/bin/systemctl ]; then
    if [ -d /run/systemd/system ]; then
        systemctl --no-reload disable --now revalidated.service >/dev/null 2>&1 || :
    else
        systemctl --no-reload disable revalidated.service >/dev/null 2>&1 || :
    fi
fi
