"""The alert rules that are shipped: promtool plays each of them, quiet while all is well and firing when it is not.

Each alert says what is wrong and what to do, and no alert is without a play that fails when the alert never fires.
"""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

import yaml

RULES = pathlib.Path(__file__).resolve().parents[2] / "deploy/prometheus"
SEVERITIES = {"page", "ticket", "info"}


def promtool(*words, folder=RULES):
    return subprocess.run(["promtool", *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)


def alerts(text):
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


@unittest.skipUnless(shutil.which("promtool"), "promtool is not installed: run 'sudo deploy/setup --for test'")
class Alerts(unittest.TestCase):
    def setUp(self):
        self.text = (RULES / "bramble_alerts.yml").read_text()

    def assert_well(self, done):
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_prometheus_takes_the_rules_and_the_example_configuration(self):
        self.assert_well(promtool("check", "rules", "bramble_alerts.yml"))
        self.assert_well(promtool("check", "config", "prometheus.yml"))

    def test_each_alert_is_quiet_when_all_is_well_and_fires_when_it_is_not(self):
        self.assert_well(promtool("test", "rules", "bramble_alerts_test.yml"))

    def test_each_alert_says_what_is_wrong_and_what_to_do(self):
        for alert in alerts(self.text):
            with self.subTest(alert["alert"]):
                self.assertTrue(alert["annotations"]["summary"].endswith("."))
                self.assertTrue(alert["annotations"]["remedy"].endswith("."))
                self.assertIn(alert["labels"]["severity"], SEVERITIES)

    def test_an_alert_that_never_fires_fails_its_play(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            shutil.copy(RULES / "bramble_alerts_test.yml", folder)
            for alert in alerts(self.text):
                with self.subTest(alert["alert"]):
                    silent = self.text.replace(f"expr: {alert['expr']}\n", "expr: vector(1) > 2\n")
                    self.assertNotEqual(silent, self.text)
                    (folder / "bramble_alerts.yml").write_text(silent)
                    played = promtool("test", "rules", "bramble_alerts_test.yml", folder=folder)
                    self.assertIn(alert["alert"], played.stdout)
                    self.assertNotEqual(played.returncode, 0, "no play notices")

    def test_each_alert_has_a_quiet_time_in_its_play(self):
        plays = yaml.safe_load((RULES / "bramble_alerts_test.yml").read_text())["tests"]
        quiet = {check["expr"].split('"')[1] for play in plays for check in play.get("promql_expr_test", []) if not check["exp_samples"]}
        self.assertEqual(quiet, {alert["alert"] for alert in alerts(self.text)})


if __name__ == "__main__":
    unittest.main()
