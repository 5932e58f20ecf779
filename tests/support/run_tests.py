"""Builds each preset once and runs the parts of the test suite, counting every case.

Started by tests/run, which has installed what is needed. It refuses to know what a test tests: parts are
ctest labels, fuzz targets, and Python files, each with a limit on its time.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
PARTS = ("tidy", "unit", "conformance", "simulation", "threads", "fuzz", "bench", "install", "system", "browser")
NAMED_PARTS = ("kernels",)  # take long: only when they are asked for
CTEST_PARTS = ("unit", "conformance", "simulation")
BUILD_MINUTES_MAX = 40
CTEST_MINUTES_MAX = 15
SYSTEM_FILE_SECONDS_MAX = 1200  # where nothing is cached, the guest's root takes five minutes and more
KERNEL_SECONDS_MAX = 5400
# Of these the tests that have threads.
THREADED = {"io_test": "*", "apply_test": "RealMachine.*:Schedule.*:Partial.*:InOrder.*"}
FUZZ_SECONDS = int(os.environ.get("FUZZ_SECONDS", "60"))
IN_CI = os.environ.get("CI") == "true"


class Tally:
    """What passed, failed and was skipped so far, with the names of the latter two."""

    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    def add(self, passed=0, failed=(), skipped=()):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped


def say(text):
    print(f"== {text}", flush=True)


def run(command, minutes, show=None, **options):
    """Runs a command, showing lines for which show(line) is true; returns (exit code, all output).

    A command that is silent for 20 s gets a sign of life; one that takes more than `minutes` is ended.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        cwd=options.pop("cwd", ROOT), start_new_session=True, **options)
    lines, spoke = [], [started]

    def watch():
        while process.poll() is None:
            time.sleep(0.5)
            now = time.monotonic()
            if now - spoke[0] > 20:
                print(f"   … {command_name(command)}: {now - started:.0f} s", flush=True)
                spoke[0] = now
            if now - started > minutes * 60:
                lines.append(f"ended after {minutes} minutes\n")
                os.killpg(process.pid, 9)
                return

    threading.Thread(target=watch, daemon=True).start()
    for line in process.stdout:
        lines.append(line)
        if show and show(line):
            print("   " + line.rstrip(), flush=True)
            spoke[0] = time.monotonic()
    return process.wait(), "".join(lines)


def command_name(command):
    return " ".join(pathlib.Path(word).name if word.startswith("/") else word for word in command[:4])


class Builder:
    """Configures and builds a preset when a part first asks for it."""

    def __init__(self, tally):
        self.tally, self.done = tally, {}

    def build(self, preset, targets=("all",), pattern=None):
        """Builds `targets`, or with `pattern` every program whose name it matches; whether all went well."""
        key = (preset, tuple(targets), pattern)
        if key not in self.done:
            self.done[key] = self._build(preset, targets, pattern)
        return self.done[key]

    def _build(self, preset, targets, pattern):
        say(f"building preset {preset}: {pattern or ' '.join(targets)}")
        started = time.monotonic()
        code, output = run(["cmake", "--preset", preset], 5)
        if code == 0:
            if pattern:
                _, known = run(["ninja", "-C", f"build/{preset}", "-t", "targets", "all"], 1)
                targets = sorted(set(re.findall(rf"^({pattern}): phony", known, re.M)))
            last = [0.0]

            def milestone(line):
                if time.monotonic() - last[0] < 5 or not line.startswith("["):
                    return False
                last[0] = time.monotonic()
                return True

            code, output = run(["ninja", "-C", f"build/{preset}", *targets], BUILD_MINUTES_MAX, milestone)
        seconds = time.monotonic() - started
        if code != 0:
            print(output[-8000:])
            say(f"preset {preset} did not build ({seconds:.0f} s)")
            self.tally.add(failed=[f"build {preset}"])
            return False
        say(f"preset {preset} built in {seconds:.0f} s")
        return True


def run_tidy(tally, _builder):
    for script in ("tidy_test.py", "tidy.py"):
        code, output = run([sys.executable, str(ROOT / "tests/tidy" / script)], 5)
        if code != 0:
            print(output)
            tally.add(failed=[f"tidy: {script}"])
        else:
            tally.add(passed=1)
        print("   " + output.strip().splitlines()[-1], flush=True)


def run_ctest(label, tally, builder, required=True):
    """Runs the ctest entries with one label, of which there must be some if `required`; the cases are counted from GoogleTest's own reports."""
    if not builder.build("asan"):
        return
    with tempfile.TemporaryDirectory() as reports:
        environment = dict(
            os.environ, GTEST_OUTPUT=f"xml:{reports}/", ASAN_OPTIONS="detect_stack_use_after_return=1",
            UBSAN_OPTIONS="print_stacktrace=1")
        code, output = run(
            ["ctest", "--test-dir", "build/asan", "-L", f"^{label}$", "--output-on-failure", "-j2", "--timeout", "600"],
            CTEST_MINUTES_MAX, lambda line: "Test  " in line or "Passed" in line or "***" in line, env=environment)
        failed_programs = re.findall(r"^\s*\d+/\d+ Test\s+#\d+: (\S+) \.*\**(?!.*Passed)", output, re.M)
        if code != 0:
            print(output[-20000:])
        counted = count_reports(pathlib.Path(reports), label, tally)
        # A program of another make than GoogleTest's, such as a simulation, writes no report and counts as one case.
        reported = {report.stem for report in pathlib.Path(reports).glob("*.xml")}
    for program in re.findall(r"Test\s+#\d+: (\S+) \.+\s+Passed", output):
        if program not in reported:
            tally.add(passed=1)
            counted += 1
    # A program that died wrote no report, or one without a failure: it counts as a failure all the same.
    named = " ".join(tally.failed)
    tally.add(failed=[f"{label}: {program}" for program in failed_programs if f"{label}: {program}" not in named])
    if code != 0 and not failed_programs:
        tally.add(failed=[f"{label}: ctest"])
    if not counted and required:
        tally.add(failed=[f"{label}: no case ran"])


def count_reports(folder, label, tally):
    """Adds the cases of every report; returns how many there were."""
    cases = 0
    for report in sorted(folder.glob("*.xml")):
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            name = f"{label}: {report.stem} {case.get('classname')}.{case.get('name')}"
            cases += 1
            if case.find("failure") is not None:
                tally.add(failed=[name])
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                tally.add(skipped=[name])
            else:
                tally.add(passed=1)
    return cases


def run_fuzz(tally, builder):
    """Each target for FUZZ_SECONDS, two at a time, beginning with its committed seeds."""
    if not shutil.which("clang++"):
        (tally.add(failed=["fuzz: clang++ is missing"]) if IN_CI else tally.add(skipped=["fuzz: clang++ is missing"]))
        return
    if not builder.build("fuzz", pattern="fuzz_\\w+"):
        return
    targets = sorted(p for p in (ROOT / "build/fuzz").rglob("fuzz_*") if p.is_file() and os.access(p, os.X_OK))
    if not targets:
        tally.add(failed=["fuzz: no target was built"])
    waiting, lock = list(targets), threading.Lock()

    def worker():
        while True:
            with lock:
                if not waiting:
                    return
                target = waiting.pop(0)
            fuzz_one(target, tally, lock)

    workers = [threading.Thread(target=worker) for _ in range(2)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()


def fuzz_one(target, tally, lock):
    name = target.name.removeprefix("fuzz_")
    seeds = ROOT / "tests/fuzz/corpus" / name
    with tempfile.TemporaryDirectory() as work:
        found = pathlib.Path(work, "found")
        found.mkdir()
        folders = [str(found)] + ([str(seeds)] if seeds.is_dir() else [])
        options = [f"-max_total_time={FUZZ_SECONDS}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
                   f"-artifact_prefix={ROOT}/build/fuzz/{name}-"]
        dictionary = ROOT / "tests/fuzz" / f"{name}.dict"
        if dictionary.is_file():
            options.append(f"-dict={dictionary}")
        code, output = run([str(target), *options, *folders], FUZZ_SECONDS / 60 + 3, cwd=work)
    executed = re.search(r"number_of_executed_units:\s*(\d+)", output)
    with lock:
        if code == 0 and executed:
            print(f"   fuzz {name}: clean after {executed.group(1)} inputs in {FUZZ_SECONDS} s", flush=True)
            tally.add(passed=1)
        else:
            print(output[-6000:], flush=True)
            print(f"   fuzz {name}: FAILED; the input is build/fuzz/{name}-*", flush=True)
            tally.add(failed=[f"fuzz: {name}"])


def run_python(folder, pattern, tally, label, seconds_max=SYSTEM_FILE_SECONDS_MAX):
    """One process for each file of Python tests, so that nothing of one outlives into the next."""
    wanted = os.environ.get("TEST_FILTER", "")
    for file in sorted((ROOT / folder).glob(pattern)):
        if wanted and wanted not in file.name:
            continue
        say(f"{label}: {file.stem}")
        show = re.compile(r"\.\.\. |^ {2}|^(FAIL|ERROR):|skipped|^Traceback").search
        started = time.monotonic()
        code, output = run([sys.executable, "-u", str(file), "-v"], seconds_max / 60, show, cwd=file.parent)
        passed = count_ok(output)
        failed = re.findall(r"^(?:FAIL|ERROR): (.+)$", output, re.M)
        skipped = re.findall(r"^(\S+) \(.*\.\.\. skipped '?(.*?)'?$", output, re.M)
        if code != 0 and not failed:
            failed = [f"{file.name} ended with {code}"]
        if code != 0:
            print(output[-12000:], flush=True)
        reasons = [f"{label}: {name}: {why}" for name, why in skipped]
        tally.add(passed, [f"{label}: {name}" for name in failed] + (reasons if IN_CI else []),
                  [] if IN_CI else reasons)
        say(f"{label}: {file.stem}: {passed} passed, {len(failed)} failed, {len(skipped)} skipped "
            f"({time.monotonic() - started:.0f} s)")


def count_ok(output):
    """How many tests unittest's own closing lines say went well."""
    ran = re.search(r"^Ran (\d+) tests?", output, re.M)
    if not ran:
        return 0
    lost = sum(int(n) for n in re.findall(r"(?:failures|errors|skipped)=(\d+)", output.splitlines()[-1] if output else ""))
    return max(0, int(ran.group(1)) - lost)


def run_threads(tally, builder):
    """The rooms that have threads, under ThreadSanitizer."""
    if not builder.build("tsan", tuple(THREADED)):
        return
    for name, filter_words in THREADED.items():
        program = ROOT / f"build/tsan/tests/unit/{name.removesuffix('_test')}/{name}"
        code, output = run([str(program), "--gtest_brief=1", f"--gtest_filter={filter_words}"], 10)
        ran = re.search(r"\[  PASSED  \] (\d+) tests?", output)
        races = output.count("WARNING: ThreadSanitizer")
        if code != 0 or races or not ran:
            print(output[-8000:], flush=True)
            tally.add(failed=[f"threads: {name} ({races} reports)"])
            continue
        print(f"   {name}: {ran.group(1)} tests, no report", flush=True)
        tally.add(passed=int(ran.group(1)))


def run_bench(tally, builder):
    """Each benchmark once and briefly: that it runs and that what it measures is right, not how fast it is."""
    if not builder.build("release", ("bramble", "tftp_load", "tftp_limit", "ingest_bench", "virtual_fleet")):
        return
    if builder.build("release", pattern="\\w+_micro_bench"):
        for program in sorted((ROOT / "build/release/tests/bench/micro").glob("*_micro_bench")):
            code, output = run([str(program), "--benchmark_min_time=0.001"], 2)
            failed = code != 0 or "ERROR" in output
            print(output[-4000:] if failed else f"   {program.name}: ran", flush=True)
            tally.add(0 if failed else 1, [f"bench: {program.name}"] if failed else [])
    if os.geteuid() != 0:
        reason = "bench: network namespaces need root: run it as 'sudo tests/run'"
        tally.add(failed=[reason] if IN_CI else [], skipped=[] if IN_CI else [reason])
        return
    for script in sorted((ROOT / "tests/bench").glob("*/run")):
        name = script.parent.name
        code, output = run([sys.executable, str(script), "--short"], 2)
        print(output, flush=True)
        tally.add(0 if code else 1, [f"bench: {name}"] if code else [])


def run_install(tally, _builder):
    run_python("tests/system", "install_test.py", tally, "install")


def run_system(tally, builder):
    if os.geteuid() != 0:
        reason = "system: network namespaces need root: run it as 'sudo tests/run'"
        tally.add(failed=[reason] if IN_CI else [], skipped=[] if IN_CI else [reason])
        return
    if not builder.build("release", ("bramble", "virtual_fleet")):
        return
    run_ctest("system", tally, builder, required=False)
    # Whatever is there: a list would forget the next one. What all others lean on comes first.
    names = {file.name for file in (ROOT / "tests/system").glob("*_test.py")} - {"install_test.py"}
    for name in sorted(names, key=lambda name: (name != "lab_test.py", name)):
        run_python("tests/system", name, tally, "system")


def run_browser(tally, builder):
    """The status page in a real browser; its packages come from npm, by the lock file beside the tests."""
    if os.geteuid() != 0:
        reason = "browser: network namespaces need root: run it as 'sudo tests/run'"
        tally.add(failed=[reason] if IN_CI else [], skipped=[] if IN_CI else [reason])
        return
    if builder.build("release", ("bramble", "virtual_fleet")):
        run_python("tests/browser", "*_test.py", tally, "browser")


def run_kernels(tally, builder):
    if not builder.build("release", ("bramble",)):
        return
    run_python("tests/system/kernels", "*_test.py", tally, "kernels", KERNEL_SECONDS_MAX)


def main(arguments):
    unknown = [part for part in arguments if part not in PARTS + NAMED_PARTS]
    if unknown:
        print(f"tests/run: unknown part '{unknown[0]}' (known: {', '.join(PARTS + NAMED_PARTS)})", file=sys.stderr)
        return 2
    tally, started = Tally(), time.monotonic()
    builder = Builder(tally)
    for part in [p for p in PARTS + NAMED_PARTS if p in (arguments or PARTS)]:
        say(f"part {part}")
        if part in CTEST_PARTS:
            run_ctest(part, tally, builder)
        else:
            globals()[f"run_{part}"](tally, builder)
    say(f"done in {time.monotonic() - started:.0f} s")
    for name in tally.skipped:
        print(f"skipped: {name}")
    for name in tally.failed:
        print(f"FAILED: {name}")
    print(f"{tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped", flush=True)
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
