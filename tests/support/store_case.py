"""What must be true of a store whatever happened to the programs that wrote to it. It refuses to know what happened."""

import hashlib
import json
import re
import unittest


class StoreCase(unittest.TestCase):
    """`appliance`, and `store`: its store's path, where the appliance's host has it."""

    def in_store(self, path):
        """As the test itself reaches it."""
        return self.appliance.host.path(self.store / path)

    def manifest(self, number):
        return json.loads(self.in_store(f"generations/{number}/manifest.json").read_text())

    def listed(self):
        return {one["generation"]: one for one in json.loads(self.appliance.bramble("generations", "--json"))["generations"]}

    def expect_whole(self):
        """What `current` names is there, byte by byte."""
        manifest = json.loads(self.in_store("current/manifest.json").read_text())
        for tree in [*manifest["trees"].values(), *(board["files"] for board in manifest["boards"])]:
            for path, file in tree.items():
                if "object" in file:
                    content = self.in_store(f'objects/{file["object"][:2]}/{file["object"]}').read_bytes()
                    self.assertEqual(hashlib.sha256(content).hexdigest(), file["object"], path)
        for board in manifest["boards"]:
            self.assertEqual((self.appliance.host.path(board["root"]["path"]) / "etc/hostname").read_text(), board["name"] + "\n")
            self.assertTrue((self.appliance.host.path(board["root"]["path"]) / "sbin/init").exists())

    def expect_no_orphan(self):
        """Every object, root and record is one that a generation or the fleet file asks for."""
        kept = [self.manifest(number) for number in self.listed()]
        records = [json.loads(path.read_text()) for path in self.in_store("images").iterdir()]
        named = {file["object"] for one in kept for tree in [*one["trees"].values(), *(board["files"] for board in one["boards"])]
                 for file in tree.values() if "object" in file}
        named |= {file["object"] for record in records for file in record["files"].values()}
        self.assertEqual({path.name for path in self.in_store("objects").glob("*/*")}, named)
        roots = {board["root"]["path"] for one in kept for board in one["boards"]}
        there = {f"{self.store}/boards/{path.parent.name}/{path.name}" for path in self.in_store("boards").glob("*/root.*")}
        self.assertEqual(there, roots | {f"{root}.identity" for root in roots})
        bases = {re.sub(r".*/root\.", "", path) for path in roots}
        self.assertEqual({path.name for path in self.in_store("roots").iterdir()}, bases)
        self.assertEqual({record["key"][:16] for record in records}, bases)
        self.assertEqual(list(self.in_store("tmp").iterdir()), [])
        self.assertEqual(list(self.in_store("boards").glob("*/.*")), [])
        exported = set(re.findall(r'(?m)^    Path = "([^"]+)"', self.in_store("nfs/ganesha.conf").read_text()))
        self.assertEqual(exported, roots)
