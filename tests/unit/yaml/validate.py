"""Validates fleet files by the JSON Schema that Bramble prints: validate.py SCHEMA FILE...

Ends with 0 when all are valid, 1 when one is not, 77 when python3-jsonschema or python3-yaml is missing.
"""

import json
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


class Yaml12(yaml.SafeLoader):
    """Plain words as YAML 1.2 and editors read them: `on` and `off` are texts."""


Yaml12.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":timestamp"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Yaml12.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), "tf")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    faults = 0
    for name in sys.argv[2:]:
        with open(name, encoding="utf-8") as file:
            fleet = yaml.load(file, Loader=Yaml12)
        for error in validator.iter_errors(fleet):
            print(f"{name}: {error.json_path}: {error.message}")
            faults += 1
    return 1 if faults else 0


sys.exit(main())
