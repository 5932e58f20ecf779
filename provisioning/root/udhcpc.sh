#!/bin/busybox sh
# What udhcpc runs in Bramble's initramfs: sets the address once and notes what the lease said.
[ "$1" = bound ] || exit 0
ifconfig "$interface" "$ip" netmask "${subnet:-255.255.255.0}" up
for gateway in ${router:-}; do
    ip route add default via "$gateway" && break
done
printf '%s' "$ip" >/run/bramble/address
printf '%s' "${siaddr:-${serverid:-}}" >/run/bramble/server
printf '%s' "${rootpath:-}" >/run/bramble/rootpath
