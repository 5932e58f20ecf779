#!/bin/busybox sh
# The first process of a board that has Bramble's initramfs: loads modules, brings the link up,
# mounts the NFS root that the kernel command line names and hands over to its init.
#
# Understood: ip=dhcp | ip=CLIENT:SERVER:GATEWAY:MASK:HOST:DEVICE:METHOD, nfsroot=[SERVER:]PATH[,OPTIONS],
# ro, rw, init=PATH, bramble.shell (a shell instead of the reboot when something failed).
# Every wait and every retry has a bound. What cannot be done is said on the console, with what to
# look at; after reboot_after_s the board starts over, so that a lab heals by itself.
set -u
set -f # words of the command line are never file patterns

link_wait_s=60
dhcp_rounds=8
mount_rounds=8
reboot_after_s=30

export PATH=/bin
new_root=/root

ip_setting=dhcp nfsroot='' access=ro init=/sbin/init shell_wanted=no
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
    loaded=0 refused=
    while read -r module; do
        if error=$(insmod "/modules/$module" 2>&1); then
            loaded=$((loaded + 1))
        else
            case $error in
            *'File exists'*) ;;
            *) refused="$refused $module" ;;
            esac
        fi
    done </modules/order
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

mount_root() {
    round=1
    while [ "$round" -le "$mount_rounds" ]; do
        say "mounting $server:$path ($options,$access) from $address"
        error=$(mount -t nfs -o "$options,$access" "$server:$path" "$new_root" 2>&1) && return
        say "round $round of $mount_rounds: ${error:-no reason given}"
        sleep "$round"
        round=$((round + 1))
    done
    if nc -z -w 3 "$server" 2049 2>/dev/null; then
        give_up "$server does not let $address mount $path ($options)" \
            "the export may be missing, or restricted to another address: 'bramble status' on the server"
    fi
    give_up "no NFS server answers at $server, TCP port 2049" \
        "is the NFS server running there, and does a firewall let the boards reach it?"
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
mount_root
hand_over
