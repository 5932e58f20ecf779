#!/bin/busybox sh
# The first process of a board that has Bramble's initramfs: loads modules, brings the link up,
# mounts the NFS root that the kernel command line names and hands over to its init.
#
# Understood: ip=dhcp | ip=CLIENT:SERVER:GATEWAY:MASK:HOST:DEVICE:METHOD, nfsroot=[SERVER:]PATH[,OPTIONS],
# ro, rw, init=PATH, bramble.shared=tftp://SERVER/PATH (many boards read this root: what this one
# writes stays in its memory, and the archive at PATH is what makes it this board),
# bramble.shell (a shell instead of the reboot when something failed).
# Every wait and every retry has a bound. What cannot be done is said on the console, with what to
# look at; after reboot_after_s the board starts over, so that a lab heals by itself.
set -u
set -f # words of the command line are never file patterns

link_wait_s=60
dhcp_rounds=8
mount_rounds=8
identity_rounds=4
reboot_after_s=30

export PATH=/bin
new_root=/root
base=/run/bramble/base     # of a shared root: what all boards read,
memory=/run/bramble/memory # and what is this board's alone

ip_setting=dhcp nfsroot='' access=ro init=/sbin/init identity='' shell_wanted=no
device='' address='' server='' gateway='' mask='' host='' method=''

say() {
    read -r up _ </proc/uptime 2>/dev/null || up='?'
    echo "bramble: [$up s] $*"
}

# The end of the road: $1 says what failed, the other arguments what to do about it.
give_up() {
    echo
    say "FAILED: $1"
    shift
    for remedy in "$@"; do say "  -> $remedy"; done
    if [ "$shell_wanted" = yes ]; then
        say "a shell, as bramble.shell asks; 'reboot -f' starts over"
        setsid sh -c 'exec sh </dev/console >/dev/console 2>&1'
    else
        say "starting over in $reboot_after_s s (bramble.shell on the command line gives a shell instead)"
        sleep "$reboot_after_s"
    fi
    reboot -f
    sleep 10
    exit 1 # the kernel panics on this, which is the last way to be noticed
}

mount_kernel_filesystems() {
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    mount -t devtmpfs -o mode=0755,nosuid devtmpfs /dev
    mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs /run
    exec </dev/console >/dev/console 2>&1
}

read_command_line() {
    read -r line </proc/cmdline
    for word in $line; do
        case $word in
        ip=*) ip_setting=${word#ip=} ;;
        nfsroot=*) nfsroot=${word#nfsroot=} ;;
        init=*) init=${word#init=} ;;
        bramble.shared=*) identity=${word#bramble.shared=} ;;
        rw) access=rw ;;
        ro) access=ro ;;
        bramble.shell) shell_wanted=yes ;;
        esac
    done
    case $ip_setting in
    *:*) split_ip_setting ;;
    dhcp | on | any | both | '') method=dhcp ;;
    off | none) give_up "ip=$ip_setting leaves the board without an address" "write ip=dhcp" ;;
    *) method=dhcp device=$ip_setting ;;
    esac
}

# Kernel documentation, nfsroot.rst: CLIENT:SERVER:GATEWAY:MASK:HOST:DEVICE:METHOD[:DNS…].
split_ip_setting() {
    rest=$ip_setting:::::::
    for name in address server gateway mask host device method; do
        eval "$name=\${rest%%:*}"
        rest=${rest#*:}
    done
    case $method in
    dhcp | on | any | both) method=dhcp ;;
    *) [ -n "$address" ] && method=static || method=dhcp ;;
    esac
    [ "$method" = static ] || address=''
}

# Dependencies stand before what needs them; a driver for absent hardware loads and stays idle.
load_modules() {
    loaded=0 refused='' folder=/modules/$(uname -r)
    if [ ! -e "$folder/order" ]; then
        say "this initramfs has no modules for $(uname -r), only for: $(ls /modules)"
        return
    fi
    while read -r module; do
        if error=$(insmod "$folder/$module" 2>&1); then
            loaded=$((loaded + 1))
        else
            case $error in
            *'File exists'*) ;;
            *) refused="$refused $module" ;;
            esac
        fi
    done <"$folder/order"
    say "$loaded kernel modules loaded${refused:+, refused:$refused}"
}

# Network devices that have hardware behind them, on one line.
ethernet_devices() {
    found=''
    set +f
    for entry in /sys/class/net/*; do
        [ -e "$entry/device" ] && found="$found ${entry##*/}"
    done
    set -f
    echo "${found# }"
}

link_is_up() { [ "$(cat "/sys/class/net/$1/carrier" 2>/dev/null)" = 1 ]; }

find_device() {
    waited=0
    while [ "$waited" -lt "$link_wait_s" ]; do
        for name in ${device:-$(ethernet_devices)}; do
            ip link set "$name" up 2>/dev/null
            if link_is_up "$name"; then
                device=$name
                return
            fi
        done
        [ $((waited % 10)) -ne 5 ] || say "waiting for a link on ${device:-$(ethernet_devices)} ($waited of $link_wait_s s)"
        sleep 1
        waited=$((waited + 1))
    done
    [ -n "$(ethernet_devices)" ] || give_up "the kernel $(uname -r) shows no Ethernet device" \
        "its driver is missing in this initramfs, or the device tree is another board's"
    give_up "no link on ${device:-$(ethernet_devices)} within $link_wait_s s" \
        "look at the cable and the switch port (spanning tree, PoE, VLAN)"
}

configure_by_dhcp() {
    round=1
    while [ "$round" -le "$dhcp_rounds" ]; do
        say "asking for an address on $device (round $round of $dhcp_rounds)"
        # Empty -V: a kernel stage sends no vendor class, or a server takes it for firmware.
        if udhcpc -i "$device" -n -q -f -t 4 -T 3 -V '' -O rootpath -s /etc/udhcpc.script >/run/udhcpc.log 2>&1; then
            address=$(cat /run/bramble/address)
            server=$(cat /run/bramble/server)
            [ -n "$nfsroot" ] || nfsroot=$(cat /run/bramble/rootpath)
            return
        fi
        round=$((round + 1))
    done
    cat /run/udhcpc.log
    give_up "no DHCP answer on $device (MAC $(cat "/sys/class/net/$device/address"))" \
        "does 'bramble status' show this board? Is the server on this network?"
}

configure_static() {
    ifconfig "$device" "$address" ${mask:+netmask "$mask"} up ||
        give_up "cannot set address $address netmask $mask on $device" "correct ip= on the command line"
    [ -z "$gateway" ] || ip route add default via "$gateway"
}

# Sets server, path and options from nfsroot=.
split_nfsroot() {
    [ -n "$nfsroot" ] || give_up "neither nfsroot= nor DHCP option 17 names a root" \
        "the command line should hold nfsroot=SERVER:PATH; apply the fleet again"
    path=${nfsroot%%,*}
    options=nolock
    [ "$path" = "$nfsroot" ] || options=nolock,${nfsroot#*,}
    case $path in
    /*) ;;
    *:*) server=${path%%:*} path=${path#*:} ;;
    esac
    [ -n "$server" ] || give_up "nfsroot=$nfsroot names no server" "write nfsroot=SERVER:$path"
}

# Mounts it at $1.
mount_root() {
    round=1
    while [ "$round" -le "$mount_rounds" ]; do
        say "mounting $server:$path ($options,$access) from $address"
        error=$(mount -t nfs -o "$options,$access" "$server:$path" "$1" 2>&1) && return
        say "round $round of $mount_rounds: ${error:-no reason given}"
        sleep "$round"
        round=$((round + 1))
    done
    # Busybox knows -e also where it does not know -z.
    if nc -w 3 "$server" 2049 -e true 2>/dev/null; then
        give_up "$server does not let $address mount $path ($options)" \
            "the export may be missing, or restricted to another address: 'bramble status' on the server"
    fi
    give_up "no NFS server answers at $server, TCP port 2049" \
        "is the NFS server running there, and does a firewall let the boards reach it?"
}

# Name, keys and accounts of this board, unpacked where they cover what the base has.
fetch_identity() {
    rest=${identity#tftp://}
    round=1
    while [ "$round" -le "$identity_rounds" ]; do
        error=$(tftp -g -b 1428 -l "$memory/identity" -r "${rest#*/}" "${rest%%/*}" 2>&1) && break
        say "round $round of $identity_rounds: $identity: ${error:-no reason given}"
        [ "$round" -lt "$identity_rounds" ] || give_up "$identity cannot be fetched" \
            "does 'bramble status' show this board, and is UDP port 69 of ${rest%%/*} open to it?"
        sleep "$round"
        round=$((round + 1))
    done
    (cd "$memory/changes" && gunzip -c "$memory/identity" | cpio -idmu 2>"$memory/cpio.log") ||
        give_up "$identity is no whole archive: $(tail -n 1 "$memory/cpio.log")" "apply the fleet again"
    rm -f "$memory/identity" "$memory/cpio.log"
}

# A root that nobody can write, under a layer that lives in this board's memory.
mount_shared_root() {
    mkdir -p "$base" "$memory"
    access=ro
    mount_root "$base"
    if ! mount -t tmpfs -o mode=0755 tmpfs "$memory"; then
        give_up "no memory for the changes of this board" "the kernel needs CONFIG_TMPFS"
    fi
    mkdir "$memory/changes" "$memory/work" "$memory/containers"
    fetch_identity
    error=$(mount -t overlay -o "lowerdir=$base,upperdir=$memory/changes,workdir=$memory/work" overlay "$new_root" 2>&1) ||
        give_up "no overlay over $server:$path: $error" \
            "a shared root needs a kernel with CONFIG_OVERLAY_FS: set root: {mode: per-board}, or another kernel"
    # An overlay cannot be the upper layer of another: container engines get memory of their own.
    for engine in containers containerd docker; do
        place=$new_root/var/lib/$engine
        [ -z "$(ls -A "$place" 2>/dev/null)" ] || continue
        mkdir -p "$place" "$memory/containers/$engine"
        mount -o bind "$memory/containers/$engine" "$place"
    done
    say "changes are kept in memory and end with this boot"
}

hand_over() {
    # The link may be absolute: it is resolved against the new root, never against ours.
    [ -x "$new_root$init" ] || [ -L "$new_root$init" ] ||
        give_up "$server:$path has no $init" "the root tree is incomplete: apply the fleet again, or name init="
    [ -z "$host" ] || hostname "$host"
    say "root is mounted, starting $init"
    for directory in dev proc sys run; do
        mount -o move "/$directory" "$new_root/$directory" ||
            give_up "$server:$path has no directory /$directory" "the root tree is incomplete"
    done
    exec switch_root -c /dev/console "$new_root" "$init"
}

/bin/busybox --install -s /bin
mount_kernel_filesystems
mkdir -p /run/bramble
read_command_line
say "initramfs of kernel $(uname -r)"
load_modules
ip link set lo up
find_device
case $method in
dhcp) configure_by_dhcp ;;
*) configure_static ;;
esac
say "address $address on $device"
split_nfsroot
if [ -n "$identity" ]; then mount_shared_root; else mount_root "$new_root"; fi
hand_over
