#!/bin/sh
# Installs revalidated from this folder, for a machine without packages: the program, the units, the manual pages, completions, samples,
# and a configuration where there is none. It starts nothing.
#
# usage: ./install.sh [--root FOLDER | --uninstall]
#   --root FOLDER   installs below FOLDER
#   --uninstall     removes what was installed; configuration and database stay
set -eu
cd "$(dirname "$0")"
root=
uninstall=
while [ $# -gt 0 ]; do
    case "$1" in
    --root)
        [ $# -ge 2 ] || { echo "install.sh: --root needs a folder" >&2; exit 2; }
        root=${2%/}
        shift 2
        ;;
    --uninstall)
        uninstall=1
        shift
        ;;
    *)
        sed -n '5,7s/^# //p' "$0" >&2
        exit 2
        ;;
    esac
done

# Lines of files.txt: mode, file in this folder, its place.
if [ -n "$uninstall" ]; then
    while read -r _mode _source place; do
        case "$place" in
        etc/*) ;;
        *) rm -f "$root/$place" ;;
        esac
    done <files.txt
    rm -rf "$root/usr/share/revalidated" "$root/usr/share/doc/revalidated"
    echo "removed; configuration and database are where they were"
    exit 0
fi
while read -r mode source place; do
    case "$place" in
    etc/*) [ ! -e "$root/$place" ] || continue ;;
    esac
    mkdir -p "$root/${place%/*}"
    install -m "$mode" "$source" "$root/$place"
done <files.txt
[ -e "$root/etc/revalidated/secrets" ] || install -d -m 0700 "$root/etc/revalidated/secrets"
install -d "$root/etc/revalidated/integrations.d"
echo "installed; start it: systemctl daemon-reload && systemctl enable --now revalidated"
