#!/bin/sh
# run-foreign ARCHITECTURE HANDLER COMMAND…: runs a command that runs programs of another
# architecture, and leaves nothing on the machine, also when it is killed.
#
# HANDLER is the binfmt.d(5) line of QEMU's user mode emulation. It is registered where nobody else
# sees it: in a user namespace of its own (Linux 6.7), else in a mount namespace, from where an older
# kernel shows it to the whole machine and a watcher takes it back. All processes live in a PID
# namespace that ends with this one.
set -eu
stage=${BRAMBLE_STAGE:-outside}
architecture=$1 handler=$2
shift 2

registry=/proc/sys/fs/binfmt_misc
no_private_registry=77 # exit code of stage "user": try the other way
alone='setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child'

register() {
    # The name comes first in the line; ours cannot be taken for the system's own.
    sed -n 's/^:[^:]*:/:bramble-'"$architecture"':/p' "$handler" >"$registry/register"
}

case $stage in
outside)
    if arch-test "$architecture" >/dev/null 2>&1; then
        exec $alone --mount-proc -- "$@"
    fi
    if ! [ -r "$handler" ]; then
        echo "this machine cannot run programs of $architecture, and there is no $handler: install qemu-user-static" >&2
        exit 1
    fi
    BRAMBLE_STAGE=user $alone --user -- sh "$0" "$architecture" "$handler" "$@" &
    inside=$!
    # Only from outside may all users be mapped to themselves.
    tries=0
    while [ "$(readlink "/proc/$inside/ns/user")" = "$(readlink /proc/self/ns/user)" ] && [ "$tries" -lt 200 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    { echo '0 0 4294967295' >"/proc/$inside/gid_map" && echo '0 0 4294967295' >"/proc/$inside/uid_map"; } 2>/dev/null || :
    status=0
    wait "$inside" || status=$?
    [ "$status" = "$no_private_registry" ] || exit "$status"
    # The watcher is no child of what may be killed: it outlives this, and takes the handler back.
    # shellcheck disable=SC2016
    setsid unshare --mount sh -c '
        while kill -0 "$1" 2>/dev/null; do sleep 1; done
        mount -t binfmt_misc binfmt_misc "$2"
        [ ! -e "$2/$3" ] || echo -1 >"$2/$3"' \
        watcher "$$" "$registry" "bramble-$architecture" </dev/null >/dev/null 2>&1 &
    BRAMBLE_STAGE=mounts exec $alone --mount-proc -- sh "$0" "$architecture" "$handler" "$@"
    ;;
user)
    tries=0
    until [ "$(id -u)" = 0 ]; do
        sleep 0.05
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || exit "$no_private_registry"
    done
    mount --make-rprivate /
    mount -t proc proc /proc
    mount -t binfmt_misc binfmt_misc "$registry" 2>/dev/null || exit "$no_private_registry"
    register
    arch-test "$architecture" >/dev/null 2>&1 || exit "$no_private_registry"
    # The first exec after the mapping gains capabilities, and with that forgets who it dies with.
    exec setpriv --pdeathsig KILL "$@"
    ;;
mounts)
    mount --make-rprivate /
    mount -t binfmt_misc binfmt_misc "$registry"
    register
    arch-test "$architecture"
    exec "$@"
    ;;
esac
