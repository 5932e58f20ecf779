"""Another DHCP server on the boards' network, which leases addresses and knows nothing of booting.

It is what proxy mode lives beside. It refuses to know Bramble.
"""

FOREIGN_SERVER = "172.16.1.254"


def start_foreign_dhcp(lab, switch, reservations, mac=None, options=()):
    """dnsmasq on a host of its own, with a pool and `reservations` (MAC -> address); returns the host."""
    host = lab.namespace("foreign").join(switch, "eth0", mac=mac, address=f"{FOREIGN_SERVER}/24")
    hosts = [f"--dhcp-host={mac},{address}" for mac, address in reservations.items()]
    server = host.start(
        "dnsmasq", "--keep-in-foreground", "--log-facility=-", "--log-dhcp", "--port=0", "--conf-file=/dev/null",
        "--interface=eth0", "--bind-interfaces", "--user=root", "--no-ping",
        "--dhcp-range=172.16.1.200,172.16.1.230,255.255.255.0,10m", "--dhcp-authoritative",
        f"--dhcp-leasefile={lab.folder}/foreign.leases", *hosts, *options)
    server.wait_for("DHCP, IP range", 10)
    return host
