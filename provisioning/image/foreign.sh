#!/bin/sh
# run-foreign ARCHITECTURE HANDLER COMMAND…: runs a command that runs programs of another
# architecture, and leaves nothing on the machine, also when it is killed.
#
# The command gets mount, PID, IPC and UTS namespaces of its own, in a user namespace that has a
# binfmt_misc registry of its own (Linux 6.7): HANDLER, the binfmt.d(5) line of QEMU's user mode
# emulation, is registered where nobody else sees it. Where the machine runs the architecture anyway
# nothing is registered. An older kernel has one registry for the whole machine: that one is never
# written to. All processes end with this one, whatever ends it.
set -eu
stage=${BRAMBLE_STAGE:-outside}
architecture=$1 handler=$2
shift 2

registry=/proc/sys/fs/binfmt_misc
no_private_registry=77 # exit code of stage "user": this kernel or this container has none
spaces='--mount --pid --ipc --uts --fork --kill-child'

# Runs in the background, so that this shell is there to be told to end, and to take all with it.
inside=
trap 'kill -KILL $inside 2>/dev/null || :; exit 143' TERM INT HUP
attend() {
    status=0
    wait "$inside" || status=$?
}

case $stage in
outside)
    native=no
    arch-test "$architecture" >/dev/null 2>&1 && native=yes
    if [ $native = no ] && ! [ -r "$handler" ]; then
        echo "this machine cannot run programs of $architecture, and there is no $handler: install qemu-user-static" >&2
        exit 1
    fi
    # shellcheck disable=SC2086
    BRAMBLE_STAGE=user setpriv --pdeathsig KILL unshare $spaces --user -- \
        sh "$0" "$architecture" "$handler" "$@" &
    inside=$!
    # Only from outside may all users be mapped to themselves.
    tries=0
    while [ "$(readlink "/proc/$inside/ns/user")" = "$(readlink /proc/self/ns/user)" ] && [ "$tries" -lt 200 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    { echo '0 0 4294967295' >"/proc/$inside/gid_map" && echo '0 0 4294967295' >"/proc/$inside/uid_map"; } 2>/dev/null || :
    attend
    [ "$status" = "$no_private_registry" ] || exit "$status"
    if [ $native = no ]; then
        echo "this kernel has no private binfmt_misc registry (Linux 6.7 has): have the machine itself run programs of $architecture (systemctl restart systemd-binfmt), then try again" >&2
        exit 1
    fi
    # shellcheck disable=SC2086
    setpriv --pdeathsig KILL unshare $spaces --mount-proc -- "$@" &
    inside=$!
    attend
    exit "$status"
    ;;
user)
    trap - TERM INT HUP
    tries=0
    until [ "$(id -u)" = 0 ]; do
        sleep 0.05
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || exit "$no_private_registry"
    done
    mount --make-rslave / && mount -t proc proc /proc || exit "$no_private_registry"
    if ! arch-test -n "$architecture" >/dev/null 2>&1 && [ -r "$handler" ]; then
        mount -t binfmt_misc binfmt_misc "$registry" 2>/dev/null || exit "$no_private_registry"
        # The name comes first in the line; ours cannot be taken for the system's own.
        sed -n 's/^:[^:]*:/:bramble-'"$architecture"':/p' "$handler" >"$registry/register"
    fi
    arch-test "$architecture" >/dev/null 2>&1 || exit "$no_private_registry"
    # The first exec after the mapping gains capabilities, and with that forgets who it dies with.
    exec setpriv --pdeathsig KILL "$@"
    ;;
esac
