#!/bin/sh
# enter-root ROOT SCRATCH COMMAND…: makes ROOT the whole world of COMMAND, with what a running
# system has around its files. Runs in namespaces of its own (run-foreign), which take the mounts
# along when they end; it writes nothing into ROOT.
#
# /proc is read-only and shows the namespace's own processes; /sys is empty: what stands there would
# be this machine's hardware, not the board's. /dev has what programs cannot do without. /tmp and
# apt's downloads lie in SCRATCH, where the next command of the same image finds them and the root
# does not keep them.
set -eu
root=$1 scratch=$2
shift 2

printf '== %s\n' "$BRAMBLE_TITLE"
for place in proc sys dev run tmp; do
    [ -d "$root/$place" ] && ! [ -L "$root/$place" ] && continue
    echo "the root's /$place is no directory" >&2
    exit 1
done
mount --make-rslave /
mount --bind "$root" "$root"
cd "$root"

mount -t proc -o ro,nosuid,nodev,noexec proc proc
mount -t tmpfs -o ro,nosuid,nodev,noexec,mode=755 none sys
mount -t tmpfs -o nosuid,nodev,mode=755 none run
mkdir -m 1777 run/lock
mount --bind "$scratch/tmp" tmp
for place in var/cache/apt/archives var/lib/apt/lists; do
    if [ ! -d "$place" ] || [ -L "$place" ]; then continue; fi
    mkdir -p "$scratch/$place/partial"
    mount --bind "$scratch/$place" "$place"
done

mount -t tmpfs -o nosuid,noexec,mode=755 none dev
for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,nosuid,noexec,gid=5,mode=620,ptmxmode=666 none dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777 none dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

# Raspberry Pi OS preloads a library that the emulated processor cannot use; each program complains.
if [ -f etc/ld.so.preload ] && ! [ -L etc/ld.so.preload ]; then
    mount --bind /dev/null etc/ld.so.preload
fi
hostname customise

# What remains of this machine lies below the new root, out of reach of any path; whoever may not
# mount cannot uncover it.
mount --move . /
exec setpriv --pdeathsig KILL \
    --bounding-set=-sys_admin,-sys_module,-sys_boot,-sys_time,-sys_rawio,-syslog,-net_admin,-mknod,-mac_admin,-mac_override,-audit_control,-linux_immutable \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 INITRD=No chroot . "$@"
