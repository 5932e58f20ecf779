#!/bin/sh
# Tells Bramble that this board's userspace runs, then that it still does: PUT of four lines (hostname=,
# kernel=, cmdline=, heartbeat=). Written by Bramble; run by bramble-up.service for as long as the board is up.
LC_ALL=C # so that ${#body} counts bytes
url='%URL%'
attempts_max=40
heartbeat_s=60

rest=${url#http://}
path=${rest#*/}
authority=${rest%%/*}
server=${authority%:*}
port=${authority##*:}
[ "$port" != "$authority" ] || port=80
body="hostname=$(cat /proc/sys/kernel/hostname)
kernel=$(uname -r)
cmdline=$(cat /proc/cmdline)
heartbeat=$heartbeat_s
"
# $1 below: up or heartbeat, the last part of the path.
request() {
    printf 'PUT /%s HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' \
        "${path%/up}/$1" "$authority" "${#body}" "$body"
}

put() {
    if command -v curl >/dev/null 2>&1; then
        curl -fsS --max-time 10 -o /dev/null -X PUT -H 'Content-Type: text/plain' --data-binary "$body" "${url%/up}/$1"
    elif command -v bash >/dev/null 2>&1; then
        request "$1" | bash -c 'exec 3<>"/dev/tcp/$1/$2" && cat >&3 && read -r -t 10 _ status _ <&3 && [ "${status:0:1}" = 2 ]' put "$server" "$port"
    else
        request "$1" | busybox nc -w 10 "$server" "$port" | head -n 1 | grep -q '^HTTP/1.[01] 2'
    fi
}

# Boards that came up together do not speak together. A sign that gets lost is missed by nobody: the next one comes.
beat() {
    spread=$(od -An -N1 -tu1 /dev/urandom 2>/dev/null || echo 0)
    sleep $((spread * heartbeat_s / 256))
    while :; do
        put heartbeat 2>/dev/null
        sleep "$heartbeat_s"
    done
}

attempt=1
while [ "$attempt" -le "$attempts_max" ]; do
    if put up; then
        echo "reported to $url, and will be heard every $heartbeat_s s"
        beat
    fi
    echo "attempt $attempt of $attempts_max: $url does not take the report" >&2
    sleep $((attempt < 5 ? attempt : 5))
    attempt=$((attempt + 1))
done
echo "gave up: is 'bramble serve' running there, and may this board reach $server:$port?" >&2
exit 1
