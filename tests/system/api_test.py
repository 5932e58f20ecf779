"""The API as others may use and abuse it: its description, who may change what, and that boards never notice.

`serve` runs as a user without rights on the store, `operate` beside it as root: the way that the units run them.
"""

import http.client
import json
import os
import pathlib
import pwd
import random
import socket
import subprocess
import sys
import threading
import time
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "deploy/lab")]
import stand_in  # noqa: E402
from appliance import SERVER, Appliance, fleet_yaml, program  # noqa: E402
from guest import eventually  # noqa: E402
from lab import Lab, LabError, end_on_signals  # noqa: E402
from virtual_fleet import VirtualFleet  # noqa: E402

BOARDS = 8
FLEET_SECONDS_MAX = 180
ADMIN, WALL, REPORTS = 8080, 8082, 8081
USER = "nobody"
SEED = 20261127


def board_line(number):
    return (f'  - {{name: pi-{number:02}, serial: 500000{number:02x}, mac: "dc:a6:32:00:04:{number:02x}", '
            f"address: 172.16.1.{20 + number}, profile: pi}}")


class InNamespace(threading.Thread):
    """Runs a function on a thread that lives in a network namespace; sockets that it makes stay there."""

    def __init__(self, namespace, function):
        super().__init__(daemon=True)
        self._namespace, self._function, self.result, self.error = namespace, function, None, None

    def run(self):
        try:
            with open(f"/run/netns/{self._namespace}") as place:
                os.setns(place.fileno(), os.CLONE_NEWNET) if hasattr(os, "setns") else _setns(place.fileno())
            self.result = self._function()
        except BaseException as error:  # noqa: BLE001: it is raised again where somebody waits
            self.error = error


def _setns(descriptor):
    import ctypes

    clone_newnet = 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, clone_newnet) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Asking:
    """Questions to an appliance in its namespace, with the operator's token where it is asked for."""

    def inside(self, function, timeout=120):
        thread = InNamespace(self.server.name, function)
        thread.start()
        thread.join(timeout)
        self.assertFalse(thread.is_alive(), "it did not come to its end")
        if thread.error:
            raise thread.error
        return thread.result

    def ask(self, method, path, body=None, headers=None, port=ADMIN, host="127.0.0.1"):
        def call():
            connection = http.client.HTTPConnection(host, port, timeout=20)
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            return answer.status, dict(answer.getheaders()), content
        return self.inside(call)

    def read(self, path, **options):
        status, _, content = self.ask("GET", path, **options)
        self.assertEqual(status, 200, content)
        return json.loads(content)

    def change(self, method, path, body=None, token=None, **more):
        headers = {"X-Bramble-Request": "1", "Authorization": f"Bearer {self.token if token is None else token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        headers.update(more)
        status, _, content = self.ask(method, path, None if body is None else json.dumps(body), headers)
        return status, json.loads(content)


class Api(Asking, unittest.TestCase):
    """One appliance for all tests of this file."""

    @classmethod
    def setUpClass(cls):
        end_on_signals()
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)
        folder = cls.lab.folder
        stand_in.make(folder / "stand-in")
        cls.switch = cls.lab.switch()
        cls.server = cls.lab.namespace("server").join(cls.switch, "eth1", address=f"{SERVER}/24")
        text = fleet_yaml(
            folder / "store", f"  pi: {{source: {{directory: {{boot: {folder}/stand-in/boot, root: {folder}/stand-in/root}}}}}}",
            "  pi: {model: pi4, image: pi, cmdline: [console=tty1], config_txt: {arm_64bit: 1}}",
            "\n".join(board_line(number) for number in range(BOARDS)))
        text = text.replace("images:", "include: [boards.d/*.yaml]\nimages:", 1)
        text = text.replace('admin: {listen: "127.0.0.1:8080"}', f'admin: {{listen: "127.0.0.1:{ADMIN}", public: "{SERVER}:{WALL}"}}')
        (folder / "boards.d").mkdir()
        cls.appliance = Appliance(cls.server, text)
        cls.appliance.apply()
        cls.appliance.write_fleet(text.replace("console=tty1", "console=tty0"))
        cls.appliance.apply()
        cls.appliance.nfs()
        # As deploy/install leaves the store: serve makes its state there, and can rename nothing of root's.
        store = folder / "store"
        os.chown(store, 0, pwd.getpwnam(USER).pw_gid)
        os.chmod(store, 0o1775)
        for file in store.glob("state.db*"):
            os.chown(file, pwd.getpwnam(USER).pw_uid, -1)
        cls.socket = folder / "operate.sock"
        cls.operate = cls.start_operate()
        cls.appliance.process = cls.server.start(
            program(), "serve", "--user", USER, "--operator-socket", cls.socket, "--fleet", cls.appliance.fleet_file, log="serve.log")
        cls.appliance._wait_until_ready("serve", (69, 67), 20)
        cls.token = cls.appliance.bramble("token").strip()
        fleet = VirtualFleet(cls.switch, store / "current/manifest.json", FLEET_SECONDS_MAX)
        if fleet.wait() != 0:
            raise LabError(f"the virtual boards did not boot:\n{fleet.process.output()[-3000:]}")

    @classmethod
    def start_operate(cls):
        process = cls.server.start(
            program(), "operate", "--user", USER, "--socket", cls.socket, "--fleet", cls.appliance.fleet_file, log="operate.log")
        if not eventually(cls.socket.exists, 20):
            raise LabError(f"operate did not begin:\n{process.output()}")
        return process

    # ---- what it says

    def test_answers_fit_their_description(self):
        whole = self.read("/api/v1/openapi.json")
        paths = {path: path.replace("{name}", "pi-01").replace("{number}", "0") for path in whole["paths"]}
        checked = 0
        for path, target in paths.items():
            content = whole["paths"][path].get("get", {}).get("responses", {}).get("200", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            if not schema:
                continue
            with self.subTest(path):
                jsonschema.validate(self.read(target), {**schema, "components": whole["components"]},
                                    cls=jsonschema.Draft202012Validator)
                checked += 1
        self.assertGreaterEqual(checked, 6)
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate({"boards": 1}, {"$ref": "#/components/schemas/Boards", "components": whole["components"]},
                                cls=jsonschema.Draft202012Validator)

    def test_texts_say_which_rule_gave_each_line(self):
        files = {file["path"]: file for file in self.read("/api/v1/boards/pi-01/explanation")["files"]}
        words = {line["text"]: line for line in files["cmdline.txt"]["lines"]}
        self.assertEqual(words["console=tty0"]["from"], "profile 'pi'")
        self.assertRegex(words["console=tty0"]["where"], r"appliance\.yaml:\d+$")
        self.assertEqual(words["root=/dev/nfs"]["from"], "Bramble")
        lines = {line["text"]: line["from"] for line in files["config.txt"]["lines"]}
        self.assertEqual(lines["arm_64bit=1"], "profile 'pi'")

    def test_the_wall_shows_states_and_changes_nothing(self):
        boards = self.read("/api/v1/boards", host=SERVER, port=WALL)
        self.assertEqual({board["condition"] for board in boards["boards"]}, {"up"})
        for secret in ("500000", "dc:a6:32", "172.16.1"):
            self.assertNotIn(secret, json.dumps(boards))
        self.assertTrue(self.read("/api/v1/status", host=SERVER, port=WALL)["public"])
        self.assertEqual(self.ask("GET", "/", host=SERVER, port=WALL)[0], 200)
        for target in ("/metrics", "/api/v1/boards/pi-01", "/api/v1/generations", "/api/v1/events"):
            self.assertEqual(self.ask("GET", target, host=SERVER, port=WALL)[0], 404, target)
        headers = {"Authorization": f"Bearer {self.token}", "X-Bramble-Request": "1", "Content-Type": "application/json"}
        for method, target in (("POST", "/api/v1/rollback"), ("DELETE", "/api/v1/boards/pi-01"), ("POST", "/api/v1/boards")):
            self.assertEqual(self.ask(method, target, '{"generation": 1}', headers, port=WALL, host=SERVER)[0], 405)

    def test_the_boards_side_can_do_nothing_else(self):
        for method in ("GET", "POST", "DELETE", "PUT"):
            for target in ("/api/v1/boards", "/api/v1/rollback", "/api/v1/status", "/", "/metrics"):
                self.assertEqual(self.ask(method, target, "{}", {"Authorization": f"Bearer {self.token}"}, port=REPORTS, host=SERVER)[0], 404)

    # ---- who may change what

    def test_a_board_is_adopted_and_forgotten_by_the_page(self):
        status, answer = self.change("POST", "/api/v1/boards", {"serial": "500000ff", "name": "pi-ff", "profile": "pi"})
        self.assertEqual(status, 200, answer)
        self.assertIn("pi-ff is in the fleet", answer["message"])
        file = self.appliance.fleet_file.parent / "boards.d/pi-ff.yaml"
        self.assertEqual(file.stat().st_uid, 0, "serve itself has no right there")
        self.assertTrue(eventually(lambda: "pi-ff" in [b["name"] for b in self.read("/api/v1/boards")["boards"]], 20))
        for body, expected in (({"serial": "500000ff", "name": "pi-ff", "profile": "pi"}, 409),
                               ({"serial": "50000001", "name": "pi-fe", "profile": "pi"}, 409),
                               ({"serial": "500000fe", "name": "../x", "profile": "pi"}, 400),
                               ({"serial": "not hex", "name": "pi-fe", "profile": "pi"}, 400)):
            self.assertEqual(self.change("POST", "/api/v1/boards", body)[0], expected, body)
        self.assertEqual([path.name for path in file.parent.iterdir()], ["pi-ff.yaml"])
        self.assertEqual(self.change("DELETE", "/api/v1/boards/pi-ff")[0], 200)
        self.assertFalse(file.exists())
        self.assertTrue(eventually(lambda: "pi-ff" not in [b["name"] for b in self.read("/api/v1/boards")["boards"]], 20))
        status, answer = self.change("DELETE", "/api/v1/boards/pi-01")
        self.assertEqual(status, 409)
        self.assertIn("was not adopted", answer["error"])

    def test_an_older_generation_is_made_current_and_back(self):
        for number in (1, 2):
            status, answer = self.change("POST", "/api/v1/rollback", {"generation": number})
            self.assertEqual(status, 200, answer)
            self.assertTrue(eventually(lambda: self.read("/api/v1/status")["generation"] == number, 20))
            current = [g["generation"] for g in self.read("/api/v1/generations")["generations"] if g["current"]]
            self.assertEqual(current, [number])
        self.assertEqual(self.change("POST", "/api/v1/rollback", {"generation": 99})[0], 409)

    def test_nothing_is_changed_for_whoever_has_no_token_or_another_page(self):
        body = {"generation": 1}
        for token in ("", "wrong", self.token[:-1], self.token + "0", "0" * len(self.token)):
            self.assertEqual(self.change("POST", "/api/v1/rollback", body, token=token)[0], 401)
        for header, value, expected in (
                ("Origin", "http://evil.example", 403), ("Origin", "null", 403), ("Sec-Fetch-Site", "cross-site", 403),
                ("Host", "evil.example", 421), ("X-Bramble-Request", "", 403), ("Content-Type", "text/plain", 415)):
            self.assertEqual(self.change("POST", "/api/v1/rollback", body, **{header: value})[0], expected, header)
        for target in ("/api/v1/boards", "/metrics"):
            self.assertEqual(self.ask("GET", target, headers={"Host": "evil.example"})[0], 421)
        status, headers, _ = self.ask("OPTIONS", "/api/v1/rollback", headers={
            "Origin": "http://evil.example", "Access-Control-Request-Method": "POST"})
        self.assertGreaterEqual(status, 400)
        self.assertFalse([name for name in headers if name.lower().startswith("access-control")])
        self.assertEqual(self.read("/api/v1/status")["generation"], 2)

    def test_the_token_is_its_owners_alone_and_in_no_log(self):
        file = self.lab.folder / "store/operator.token"
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(file.stat().st_uid, 0)
        self.assertEqual(len(self.token), 64)
        self.change("POST", "/api/v1/rollback", {"generation": 99})
        self.change("POST", "/api/v1/rollback", {"generation": 99}, token="a-token-that-is-wrong")
        for process in (self.operate, self.appliance.process):
            self.assertNotIn(self.token, process.output())
            self.assertNotIn("a-token-that-is-wrong", process.output())
        self.assertIn('asked="roll back to generation 99" peer=127.0.0.1 status=409', self.operate.output())
        self.assertIn('asked="roll back to generation 99" peer=127.0.0.1 status=401', self.operate.output())

    def test_nobody_else_on_the_machine_reaches_the_helper(self):
        self.assertEqual(self.socket.stat().st_mode & 0o777, 0o660)
        code = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({str(self.socket)!r})"
        done = subprocess.run(["setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups", sys.executable, "-c", code],
                              capture_output=True, text=True, timeout=20)
        self.assertIn("PermissionError", done.stderr)
        # In its group, and yet not the user who runs serve.
        code += "; s.sendall(b'{}\\n'); print(s.makefile().readline())"
        done = subprocess.run(["setpriv", "--reuid=daemon", f"--regid={pwd.getpwnam(USER).pw_gid}", "--clear-groups",
                               sys.executable, "-c", code], capture_output=True, text=True, timeout=20)
        self.assertIn("this user may not ask", done.stdout, done.stderr)
        self.assertIsNone(self.operate.exit_code)

    def test_without_its_helper_serve_says_how_to_start_it(self):
        self.operate.stop()
        self.addCleanup(lambda: setattr(type(self), "operate", self.start_operate()))
        status, answer = self.change("POST", "/api/v1/rollback", {"generation": 1})
        self.assertEqual(status, 503)
        self.assertIn("bramble-operate.socket", answer["error"])
        self.socket.unlink(missing_ok=True)

    # ---- what it stands

    def raw(self, data, port=ADMIN, host="127.0.0.1", timeout=5):
        """What comes back for these bytes, until the server ends the connection or is silent."""
        with socket.create_connection((host, port), timeout=timeout) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                answer = b""
                while piece := connection.recv(65536):
                    answer += piece
                    if len(answer) > 4 * 1024 * 1024:
                        break
                return answer
            except OSError:  # also one that was ended before all was said
                return b""

    def is_well(self):
        self.assertEqual(self.read("/api/v1/status")["boards"]["total"], BOARDS)
        self.assertIsNone(self.appliance.process.exit_code, self.appliance.log()[-3000:])

    def test_requests_of_any_shape(self):
        chance = random.Random(SEED)
        host = b"Host: 127.0.0.1\r\n"
        shapes = [
            b"GET / HTTP/1.1\r\n" + host + b"X: " + b"a" * 9000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + host + b"".join(b"A%d: b\r\n" % n for n in range(3000)) + b"\r\n",
            b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n",
            b"POST /api/v1/boards HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999999999\r\n\r\n",
            b"POST /api/v1/boards HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n",
            b"POST /api/v1/boards HTTP/1.1\r\n" + host + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST /api/v1/boards HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            b"POST /api/v1/boards HTTP/1.1\r\n" + host + b"Content-Length: 100000\r\n\r\n" + b"[" * 100000,
            b"GET http://evil.example/api/v1/status HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            b"GET /api/v1/boards/%00 HTTP/1.1\r\n" + host + b"\r\n", b"GET /api/v1/boards/\x00 HTTP/1.1\r\n" + host + b"\r\n",
            b"GET /../../etc/passwd HTTP/1.1\r\n" + host + b"\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
            b"GET /api/v1/status HTTP/1.1\r\n" + host * 3 + b"\r\n", b"GET / HTTP/1.0\r\n\r\n", b"\r\n" * 5000, b"",
            (b"GET /api/v1/status HTTP/1.1\r\n" + host + b"\r\n") * 300,
        ]
        shapes += [chance.randbytes(chance.randrange(1, 2000)) for _ in range(150)]
        words = [b"GET", b"POST", b"DELETE", b"PUT", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"PATCH", b"BREW"]
        paths = [b"/api/v1/boards", b"/api/v1/rollback", b"/api/v1/boards/pi-01", b"/api/v1/boards/pi-01/boots/-1",
                 b"/api/v1/boards/pi-01/boots/99999999999999999999", b"/api/v1/boards//boots/0", b"/api//", b"*", b"/api/v1/live?x",
                 b"/metrics", b"/v1/boards/pi-01/up"]
        for _ in range(150):
            body = chance.choice([b"", b"{}", b'{"generation":1}', b"[" * 500, b'{"serial":"' + b"\\u0000" * 50 + b'"}'])
            shapes.append(chance.choice(words) + b" " + chance.choice(paths) + b" HTTP/1.1\r\n" + host + b"Connection: close\r\n"
                          + b"X-Bramble-Request: 1\r\nContent-Type: application/json\r\nAuthorization: Bearer x\r\n"
                          + b"Content-Length: %d\r\n\r\n" % len(body) + body)

        def send_all():
            statuses = set()
            for shape in shapes:
                for port, host_name in ((ADMIN, "127.0.0.1"), (REPORTS, SERVER), (WALL, SERVER)):
                    if b"/api/v1/live" in shape or b"/api/v1/events" in shape:
                        continue
                    statuses.add(self.raw(shape, port, host_name)[9:12])
            return statuses
        statuses = self.inside(send_all, 300)
        self.assertLessEqual(statuses, {b"", b"200", b"304", b"400", b"401", b"403", b"404", b"405", b"413", b"415", b"421", b"431", b"503"},
                             f"seed {SEED}")
        self.assertGreaterEqual(statuses, {b"200", b"400", b"401", b"404", b"405", b"413", b"431"})
        self.is_well()
        self.assertEqual(self.read("/api/v1/status")["generation"], 2)

    def test_a_thousand_silent_and_slow_clients_while_boards_boot(self):
        store = self.lab.folder / "store"

        def crowd():
            held = []
            for number in range(1000):
                for port, host in ((ADMIN, "127.0.0.1"), (REPORTS, SERVER)):
                    try:
                        connection = socket.create_connection((host, port), timeout=5)
                        if number % 3 == 0:
                            connection.sendall(b"GET /api/v1/sta")  # and no more
                        held.append(connection)
                    except OSError:
                        pass
            slow = []
            for _ in range(20):  # ask for all boards, read nothing
                connection = socket.create_connection(("127.0.0.1", ADMIN), timeout=5)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                connection.sendall(b"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                slow.append(connection)
            return held, slow
        fleet = VirtualFleet(self.switch, store / "current/manifest.json", FLEET_SECONDS_MAX)
        held, slow = self.inside(crowd)
        self.assertGreaterEqual(len(held), 1900)
        longest = 0.0
        while fleet.process.exit_code is None:
            began = time.monotonic()
            self.is_well()
            longest = max(longest, time.monotonic() - began)
            time.sleep(0.5)
        self.assertEqual(fleet.wait(), 0, fleet.process.output()[-3000:])
        self.assertEqual(self.read("/api/v1/status")["boards"]["up"], BOARDS)
        for connection in held + slow:
            connection.close()
        print(f"the slowest answer took {longest:.2f} s beside {len(held)} silent connections", flush=True)
        self.assertLess(longest, 5)


class Up(Asking, unittest.TestCase):
    """`bramble up` is root already: it needs no helper, and applies what an operator changed."""

    def setUp(self):
        end_on_signals()
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        folder = self.lab.folder
        stand_in.make(folder / "stand-in")
        (folder / "boards.d").mkdir()
        self.server = self.lab.namespace("server").join(self.lab.switch(), "eth1", address=f"{SERVER}/24")
        text = fleet_yaml(folder / "store", f"  pi: {{source: {{directory: {{boot: {folder}/stand-in/boot}}}}}}",
                          "  pi: {model: pi4, image: pi, root: {mode: none}}", board_line(1))
        self.appliance = Appliance(self.server, text.replace("images:", "include: [boards.d/*.yaml]\nimages:", 1))
        self.appliance.up()
        self.token = self.appliance.bramble("token").strip()

    def test_what_the_page_changes_is_applied(self):
        self.assertEqual(self.change("POST", "/api/v1/rollback", {"generation": 1}, token="wrong")[0], 401)
        status, answer = self.change("POST", "/api/v1/boards", {"serial": "500000ff", "name": "pi-ff", "profile": "pi"})
        self.assertEqual(status, 200, answer)
        self.assertTrue(eventually(lambda: self.read("/api/v1/status")["generation"] == 2, 60), self.appliance.log()[-2000:])
        self.assertEqual(self.read("/api/v1/boards/pi-ff/explanation")["generation"], 2)
        self.assertEqual(self.change("POST", "/api/v1/rollback", {"generation": 1})[0], 200)
        self.assertTrue(eventually(lambda: self.read("/api/v1/status")["generation"] == 1, 20))
        self.assertNotIn(self.token, self.appliance.log())


if __name__ == "__main__":
    unittest.main()
