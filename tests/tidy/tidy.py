#!/usr/bin/python3
"""Reads the whole tree and fails on what the house does not allow: arrows, lengths, calls, marks, format.

Usage: tests/tidy/tidy.py [--no-format] [FILE...]      (from anywhere; without files: every tracked one)
Prints one line per finding as FILE:LINE: what, and exits 1 when there is any.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import rules  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = {".cpp", ".hpp", ".h", ".c"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
LINKED = re.compile(r"\bbramble(?:::|_)(\w+)")
OWN_FLOORS = ("config/", "provisioning/", "services/", "tests/")


def room_of(path):
    """config/types/mac.hpp -> config/types; tests/unit/dhcp/x.cpp -> tests/unit."""
    parts = pathlib.PurePosixPath(path).parts
    return "/".join(parts[:2]) if len(parts) > 2 else ""


def mirrored_room(path):
    """The room that a test file is about, or '': tests/unit/dhcp/x.cpp -> services/dhcp."""
    names = pathlib.PurePosixPath(path).parts
    return next((room for room in rules.ARROWS if room.split("/")[1] in names[1:-1]), "")


def may_use(room, target):
    allowed = rules.ARROWS.get(room)
    if allowed is None or room == target or not target:
        return True
    if target not in rules.ARROWS or target in rules.NEVER_INCLUDED:
        return False
    return target in allowed or target.split("/")[0] + "/*" in allowed


def without_comments_and_strings(text):
    """The same text with comments and string contents blanked, line for line."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.S)
    return pattern.sub(lambda m: '""' + "\n" * m.group().count("\n") if m.group()[0] in 'R"' else
                       re.sub(r"[^\n]", " ", m.group()), text)


def check_includes(path, text):
    room, mirrored = room_of(path), mirrored_room(path) if path.startswith("tests/") else ""
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        own, header = match.group(1), match.group(1) or match.group(2)
        if own and not own.startswith(OWN_FLOORS) and "/" in own:
            yield number, f'"{own}" is not a path from the top of the tree'
        if own and own.startswith(OWN_FLOORS):
            target = room_of(own)
            if room in rules.ARROWS and not may_use(room, target):
                yield number, f"{room} may not include {target} (allowed: {allowed_text(room)})"
        for pattern, users in rules.ONLY_USERS.items():
            if re.match(pattern, header) and room not in users and mirrored not in users:
                yield number, f"<{header}> belongs to {', '.join(sorted(users))} alone"
        if room in rules.PURE and re.fullmatch(rules.IMPURE_HEADERS, header):
            yield number, f"{room} is pure: <{header}> brings a socket, clock, disk, thread or log into it"


def allowed_text(room):
    return ", ".join(sorted(rules.ARROWS[room])) or "nothing of ours"


def check_text(path, text):
    room = room_of(path)
    lines = text.splitlines()
    if len(lines) > rules.LINES_MAX:
        yield rules.LINES_MAX + 1, f"{len(lines)} lines: split it (at most {rules.LINES_MAX})"
    code = without_comments_and_strings(text).splitlines()
    for pattern, why, where, exempt in rules.BANNED:
        if room in exempt or (where == "pure" and room not in rules.PURE) or (where == "rooms" and room not in rules.ARROWS):
            continue
        for number, line in enumerate(code, 1):
            if re.search(pattern, line):
                yield number, why


def check_marks(text):
    for number, line in enumerate(text.splitlines(), 1):
        match = re.search(rules.UNFINISHED, line)
        if match:
            yield number, f"unfinished mark '{match.group()}': finish it, or say what is true today"


def check_header(text):
    """Every header opens with two sentences: what this is, and what it refuses to know."""
    opening = []
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        opening.append(line.lstrip("/ "))
    sentences = re.findall(r"[^.;!?]+[.;!?](?=\s|$)", " ".join(opening))
    if len(sentences) < 2:
        yield 1, "a header opens with two sentences: what this is, and what it refuses to know"
    if "#pragma once" not in text:
        yield 1, "a header has #pragma once"


def check_cmake(path, text, room_by_target):
    """The target arrows: each bramble_library names only rooms that its includes may name."""
    room = room_of(path)
    if room not in rules.ARROWS:
        return
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0]
        for name in LINKED.findall(line):
            target = room_by_target.get(name)
            if target and not may_use(room, target):
                yield number, f"{room} may not link {target} (allowed: {allowed_text(room)})"
        for pattern, users in rules.ONLY_LINKERS.items():
            if re.search(r"(?<![\w:-])(" + pattern + r")(?![\w-])", line) and room not in users:
                yield number, f"{line.strip()}: that library belongs to {', '.join(sorted(users))} alone"


def find_cycles(includes):
    """Rooms that include each other, through however many others: a list of room names, or None."""
    state = {}

    def visit(room, trail):
        state[room] = "open"
        for target in sorted(includes.get(room, ())):
            if state.get(target) == "open":
                return trail[trail.index(target):] + [target]
            if target not in state:
                found = visit(target, trail + [target])
                if found:
                    return found
        state[room] = "done"
        return None

    for room in sorted(includes):
        if room not in state:
            found = visit(room, [room])
            if found:
                return found
    return None


def room_graph(texts):
    graph = {}
    for path, text in texts.items():
        room = room_of(path)
        if room in rules.ARROWS and pathlib.PurePath(path).suffix in SOURCE:
            for line in text.splitlines():
                match = INCLUDE.match(line)
                target = room_of(match.group(1)) if match and match.group(1) else ""
                if target in rules.ARROWS and target != room:
                    graph.setdefault(room, set()).add(target)
    return graph


def check_file(path, text, room_by_target):
    suffix = pathlib.PurePath(path).suffix
    if suffix in SOURCE:
        yield from check_includes(path, text)
        yield from check_text(path, text)
    if suffix == ".hpp":
        yield from check_header(text)
    if path.endswith("CMakeLists.txt"):
        yield from check_cmake(path, text, room_by_target)
    if suffix in SOURCE | {".py", ".sh", ".txt", ".cmake", ".yaml", ".service", ""}:
        yield from check_marks(text)


def badly_formatted(paths):
    """Files that clang-format would change; None when there is no clang-format 14 to ask."""
    program = next((found for name in ("clang-format-14", "clang-format") if (found := shutil.which(name))), None)
    if not program or "version 14" not in subprocess.run([program, "--version"], capture_output=True, text=True).stdout:
        return None

    def changed(path):
        return subprocess.run([program, "--dry-run", "-Werror", path], cwd=ROOT, capture_output=True).returncode != 0

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [path for path, bad in zip(paths, pool.map(changed, paths)) if bad]


def tracked_files():
    output = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [name for name in output.decode().split("\0") if name and (ROOT / name).is_file()]


def read(path):
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""  # a binary fixture


def main(arguments):
    wants_format = "--no-format" not in arguments
    named = [a for a in arguments if not a.startswith("--")]
    texts = {path: read(path) for path in (named or tracked_files())}
    room_by_target = {room.split("/")[1]: room for room in rules.ARROWS}
    findings = 0
    for path, text in sorted(texts.items()):
        for number, what in check_file(path, text, room_by_target):
            print(f"{path}:{number}: {what}")
            findings += 1
    if not named and (cycle := find_cycles(room_graph(texts))):
        print(f"the rooms include each other in a ring: {' -> '.join(cycle)}")
        findings += 1
    if wants_format:
        sources = [path for path in sorted(texts) if pathlib.PurePath(path).suffix in SOURCE]
        bad = badly_formatted(sources)
        if bad is None:
            print("tidy: clang-format 14 is not installed: the format was not looked at")
        for path in bad or []:
            print(f"{path}:1: not in the house's format: clang-format -i {path}")
            findings += 1
    print(f"tidy: {len(texts)} files read, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
