"""A real Prometheus watches a fleet that boots: each panel of the shipped dashboard has data, each shipped rule is sound.

Grafana itself is not in Debian: what can be said of the dashboard without it is said by its shape and by what
Prometheus answers to its expressions.
"""

import json
import math
import pathlib
import re
import shutil
import sys
import time
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "deploy/lab")]
import stand_in  # noqa: E402
from appliance import SERVER, Appliance, fleet_yaml  # noqa: E402
from guest import eventually  # noqa: E402
from lab import Lab, end_on_signals  # noqa: E402
from virtual_fleet import VirtualFleet  # noqa: E402

BOARDS = 6
FLEET_SECONDS_MAX = 240
DASHBOARD = ROOT / "deploy/grafana/bramble.json"
RULES = ROOT / "deploy/prometheus"
# Nothing is stuck and no alert is there while all is well.
EMPTY_ON_A_HEALTHY_FLEET = {"Stuck boards", "Alerts"}
VARIABLES = {"$__rate_interval": "30s", "$instance": ".*"}


def panels():
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def names_in(expression):
    return set(re.findall(r"\bbramble_\w+", expression))


class Dashboard(unittest.TestCase):
    """What Grafana needs to load it as it is."""

    def test_it_names_no_data_source_of_its_own(self):
        dashboard = json.loads(DASHBOARD.read_text())
        variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
        self.assertEqual(variables["datasource"]["type"], "datasource")
        self.assertEqual(variables["datasource"]["query"], "prometheus")
        self.assertEqual(set(re.findall(r'"uid": "([^"]+)"', DASHBOARD.read_text())), {"${datasource}", dashboard["uid"]})
        used = set(re.findall(r"\$\{?(\w+)", DASHBOARD.read_text()))
        self.assertEqual(used, set(variables) | {"__rate_interval"})
        self.assertNotIn("__inputs", dashboard, "an export for sharing asks the operator")
        self.assertNotIn("id", dashboard, "the number that another Grafana gave it")

    def test_panels_stand_beside_each_other(self):
        taken, numbers = {}, set()
        for panel in json.loads(DASHBOARD.read_text())["panels"]:
            place = panel["gridPos"]
            self.assertNotIn(panel["id"], numbers)
            numbers.add(panel["id"])
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.assertNotIn((x, y), taken, f"{panel['title']} lies on {taken.get((x, y))}")
                    taken[x, y] = panel["title"]

    def test_each_panel_asks_something_under_names_of_its_own(self):
        for panel in panels():
            letters = [target["refId"] for target in panel["targets"]]
            self.assertTrue(letters, panel["title"])
            self.assertEqual(len(letters), len(set(letters)), panel["title"])
            for target in panel["targets"]:
                self.assertIn('instance=~"$instance"', target["expr"], panel["title"])


@unittest.skipUnless(shutil.which("prometheus"), "prometheus is not installed: run 'sudo deploy/setup --for test'")
class Watched(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        end_on_signals()
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)
        folder = cls.lab.folder
        stand_in.make(folder / "stand-in")
        cls.switch = cls.lab.switch()
        cls.server = cls.lab.namespace("server").join(cls.switch, "eth1", address=f"{SERVER}/24")
        cls.appliance = Appliance(cls.server, fleet_yaml(
            folder / "store", f"  pi: {{source: {{directory: {{boot: {folder}/stand-in/boot, root: {folder}/stand-in/root}}}}}}",
            "  pi: {model: pi4, image: pi, cmdline: [console=tty1], config_txt: {arm_64bit: 1}}",
            "\n".join(f'  - {{name: pi-{n:02}, serial: 310000{n:02x}, mac: "dc:a6:32:00:03:{n:02x}", address: 172.16.1.{20 + n}, '
                      "profile: pi}" for n in range(BOARDS))))
        cls.appliance.apply()
        cls.appliance.nfs()
        cls.appliance.serve()
        cls.start_prometheus()
        fleet = VirtualFleet(cls.switch, folder / "store/current/manifest.json", FLEET_SECONDS_MAX)
        assert fleet.wait() == 0, fleet.process.output()[-4000:]
        time.sleep(3)  # a few scrapes of what the last board did

    @classmethod
    def start_prometheus(cls):
        """With the shipped configuration and rules, looking each second instead of each quarter of a minute."""
        configuration = yaml.safe_load((RULES / "prometheus.yml").read_text())
        configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        configuration["rule_files"] = [str(RULES / name) for name in configuration["rule_files"]]
        file = cls.lab.folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(configuration))
        cls.server.start("prometheus", f"--config.file={file}", f"--storage.tsdb.path={cls.lab.folder}/tsdb",
                         "--web.listen-address=127.0.0.1:9090")
        assert eventually(lambda: cls.ask("query", query='up{job="bramble"} == 1').get("result"), 30), "no scrape came to be"

    @classmethod
    def ask(cls, path, **parameters):
        words = [word for name, value in parameters.items() for word in ("--data-urlencode", f"{name}={value}")]
        text = cls.server.command("curl", "-sS", "--max-time", "10", "-G", *words, f"http://127.0.0.1:9090/api/v1/{path}", check=False)
        answer = json.loads(text) if text.startswith("{") else {"status": text}
        if answer["status"] != "success":
            return {"error": answer.get("error", text)}
        return answer["data"]

    def query(self, expression):
        for name, value in VARIABLES.items():
            expression = expression.replace(name, value)
        return self.ask("query", query=expression)

    def numbers(self, data):
        return [value for value in (float(sample["value"][1]) for sample in data["result"]) if not math.isnan(value)]

    def test_a_each_panel_has_data(self):
        for panel in panels():
            for target in panel["targets"]:
                with self.subTest(f"{panel['title']}: {target['expr']}"):
                    data = self.query(target["expr"])
                    self.assertNotIn("error", data)
                    if panel["title"] in EMPTY_ON_A_HEALTHY_FLEET:
                        self.assertEqual(data["result"], [])
                    else:
                        self.assertTrue(self.numbers(data))
        self.assertEqual(EMPTY_ON_A_HEALTHY_FLEET - {panel["title"] for panel in panels()}, set())

    def test_b_the_numbers_are_the_fleets(self):
        self.assertEqual(self.numbers(self.query('bramble_boards{condition="up"}')), [BOARDS])
        self.assertEqual(self.numbers(self.query('bramble_boots_total{outcome="up"}')), [BOARDS])
        self.assertEqual(self.numbers(self.query("sum(bramble_board_up)")), [BOARDS])
        self.assertEqual(self.numbers(self.query('bramble_boot_phase_duration_seconds_count{phase="address"}')), [BOARDS])
        self.assertEqual(self.numbers(self.query("bramble_dhcp_leases")), [BOARDS])
        self.assertEqual(self.numbers(self.query("count(count by (board) ({board!=\"\"}))")), [BOARDS])

    def test_c_variables_and_annotations_are_answered(self):
        self.assertEqual(self.ask("label/instance/values", **{"match[]": "bramble_build_info"}), ["127.0.0.1:8080"])
        for annotation in json.loads(DASHBOARD.read_text())["annotations"]["list"]:
            self.assertNotIn("error", self.query(annotation["expr"]))

    def test_d_every_name_in_panels_and_rules_is_served(self):
        served = set(self.ask("label/__name__/values"))
        rules = [rule for group in yaml.safe_load((RULES / "bramble_alerts.yml").read_text())["groups"] for rule in group["rules"]]
        asked = set().union(*(names_in(target["expr"]) for panel in panels() for target in panel["targets"]))
        asked |= set().union(*(names_in(rule["expr"]) for rule in rules))
        self.assertEqual(asked - served, set())

    def test_e_rules_are_evaluated_and_no_alert_fires(self):
        rules = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
        self.assertGreater(len(rules), 10)
        self.assertEqual({rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"}, {})
        self.assertEqual({rule["name"]: rule["alerts"] for rule in rules if rule["state"] != "inactive"}, {})

    def test_f_an_appliance_that_is_down_is_noticed(self):
        self.appliance.stop()

        def pending():
            return any(alert["labels"]["alertname"] == "BrambleDown" for alert in self.ask("alerts")["alerts"])

        self.assertTrue(eventually(pending, 15))


if __name__ == "__main__":
    unittest.main()
