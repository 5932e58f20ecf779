"""The arrows of the house and the words that may not stand in it, as plain data.

What may include what is the second section of the design; this file says it once, and tidy.py reads it.
"""

CONFIG = {"config/types", "config/fleet", "config/yaml", "config/layout"}

# A room and the rooms that its files may include. "*" after a slash stands for every room of that floor.
ARROWS = {
    "config/types": set(),
    "config/fleet": {"config/types"},
    "config/yaml": {"config/types", "config/fleet", "config/layout"},
    "config/layout": {"config/types"},
    # Provisioning: plan decides from values alone (boot and root lend it texts and keys), host is the seam to the
    # machine, the rest builds on both.
    "provisioning/plan": CONFIG | {"provisioning/boot", "provisioning/root"},
    "provisioning/host": CONFIG,
    "provisioning/store": CONFIG | {"provisioning/host", "provisioning/plan"},
    "provisioning/boot": CONFIG | {"provisioning/host"},
    "provisioning/image": CONFIG | {"provisioning/host", "provisioning/store", "provisioning/boot", "provisioning/root"},
    "provisioning/root": CONFIG | {"provisioning/host", "provisioning/store"},
    "provisioning/kernel": CONFIG | {"provisioning/host", "provisioning/store"},
    "provisioning/nfs": CONFIG | {"provisioning/host"},
    "provisioning/apply": CONFIG | {"provisioning/*"},
    # Services: each protocol knows the byte cursors and nothing of the others.
    "services/bytes": {"config/types"},
    "services/dhcp": CONFIG | {"services/bytes"},
    "services/tftp": CONFIG | {"services/bytes"},
    "services/admission": CONFIG | {"services/boards"},
    "services/boards": CONFIG | {"services/dhcp", "services/tftp"},
    "services/virtual_board": CONFIG | {"services/bytes", "services/dhcp", "services/tftp"},
    "services/massboot": CONFIG | {"services/dhcp", "services/tftp", "services/admission", "services/virtual_board", "services/rehearsal"},
    "services/rehearsal": CONFIG | {"services/dhcp", "services/tftp", "services/admission", "services/virtual_board"},
    "services/wire_board": CONFIG | {"services/bytes", "services/virtual_board"},
    "services/doctor": CONFIG,
    "services/state": CONFIG | {"services/dhcp", "services/boards"},
    "services/metrics": CONFIG | {"services/dhcp", "services/tftp", "services/boards", "services/admission"},
    "services/web": CONFIG | {"services/boards", "services/dhcp", "services/tftp", "services/admission"},
    "services/io": CONFIG | {"services/*"},
    "services/bramble": CONFIG | {"services/*", "provisioning/*"},
}
# Nobody includes the program itself.
NEVER_INCLUDED = {"services/bramble"}

# No socket, clock, disk, thread or log in sight.
PURE = {
    "config/types", "config/fleet", "config/layout", "provisioning/plan", "provisioning/boot", "services/bytes",
    "services/dhcp", "services/tftp", "services/boards", "services/admission",
    "services/virtual_board", "services/massboot", "services/rehearsal", "services/doctor", "services/web",
}

# A library and the only rooms that may include it (tests of the same room may as well).
ONLY_USERS = {
    r"boost/(asio|beast)[/.]": {"services/io"},
    r"yaml-cpp/": {"config/yaml"},
    r"nfsc/": {"provisioning/nfs", "tests/support"},
    r"prometheus/": {"services/metrics"},
    r"sqlite3\.h": {"services/state"},
    r"CLI/": {"services/bramble", "tests/bench", "tests/simulation", "tests/support"},
}
# The same for the libraries that a CMakeLists.txt links.
ONLY_LINKERS = {
    r"yaml-cpp": {"config/yaml"},
    r"(PkgConfig::)?(lib)?nfs\b(?!-)": {"provisioning/nfs", "tests/support"},
    r"prometheus-cpp": {"services/metrics"},
    r"SQLite::SQLite3|sqlite3": {"services/state"},
    r"CLI11": {"services/bramble"},
}

IMPURE_HEADERS = (
    r"sys/(socket|mman|stat|epoll|eventfd|timerfd|signalfd)\.h|netinet/.*|arpa/inet\.h|unistd\.h|fcntl\.h|fstream|thread|mutex|"
    r"shared_mutex|condition_variable|iostream|spdlog/.*|boost/(asio|beast).*"
)

# Pattern, what is wrong with it, and the rooms where it is fine. `pure` means: banned in pure rooms only.
BANNED = [
    (r"\bstd::system\s*\(|(?<![\w:.>])system\s*\(\s*\"", "runs a shell: use the host's run() with an argument list", "all", set()),
    (r"(?<![\w])memcpy\s*\(", "copies bytes by hand: use ByteReader or ByteWriter", "rooms",
     {"services/bytes", "services/io", "services/state", "provisioning/nfs", "config/types"}),
    # As text is the one harmless view: const char* may look at anything.
    (r"\breinterpret_cast\s*<(?!\s*const char\s*\*)", "casts over bytes: use ByteReader or ByteWriter", "pure", {"services/bytes", "config/types"}),
    (r"\bgettimeofday\s*\(|\bclock_gettime\s*\(|(?<![\w.>:])time\s*\(\s*(nullptr|NULL|0)\s*\)", "reads a clock: take `now` as an argument", "pure", set()),
    (r"_clock::now\s*\(|\bClock::now\s*\(", "reads a clock: take `now` as an argument", "pure", set()),
    (r"\bstd::random_device\b|(?<![\w:.>])s?rand\s*\(", "makes its own chance: take a seed or a generator as an argument", "pure", set()),
    (r"\bstd::this_thread\b|\bstd::(j?thread|async)\b", "starts or stops a thread in a pure room", "pure", set()),
    (r"(?<![\w.>:])(strcpy|strcat|sprintf|gets|strtok)\s*\(", "cannot be bounded: use std::string or fmt::format", "all", set()),
]

# Split so that this file does not hold the marks themselves.
UNFINISHED = r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|(?i:\bfor no" r"w\b|\bnot (yet )?implemente" r"d\b|\bplacehol" r"der\b)"

LINES_MAX = 450
