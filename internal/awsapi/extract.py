#!/usr/bin/env python3
"""Writes models/SERVICE.json: what operations.txt names of the API models that
botocore carries (Apache-2.0, https://github.com/boto/botocore), without their
texts. They are the models that aws-sdk-go-v2 is generated from, in the older
notation. Run it with the Python that has botocore, after a change of
operations.txt: python3 extract.py. Another folder that has an operations.txt can be
named: python3 extract.py ../mototest
"""
import json
import pathlib
import sys

import botocore
from botocore.session import Session

# The package of aws-sdk-go-v2, where botocore calls the service otherwise.
NAMES = {
    "acmpca": "acm-pca", "cloudwatchlogs": "logs", "cognitoidentity": "cognito-identity",
    "cognitoidentityprovider": "cognito-idp", "configservice": "config", "ec2instanceconnect": "ec2-instance-connect", "eventbridge": "events",
    "servicequotas": "service-quotas", "ssoadmin": "sso-admin",
}
KEEP = {
    "type", "required", "members", "member", "key", "value", "flattened", "payload", "union", "document", "shape", "location",
    "locationName", "queryName", "xmlNamespace", "xmlAttribute", "timestampFormat", "idempotencyToken", "streaming", "enum",
    "uri", "prefix",
}
MOST_VALUES = 30  # of an enum; the longer ones are types of instances and the like

here = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
session = Session()


def prune(v, named=False):
    """Drops texts and limits; named says that v's keys are names of members."""
    if isinstance(v, list):
        return v
    if not isinstance(v, dict):
        return v
    out = {}
    for k, e in v.items():
        if not named and (k not in KEEP or k == "enum" and len(e) > MOST_VALUES):
            continue
        out[k] = prune(e, named=not named and k == "members") if k != "required" else e
    return out


def collect(shapes, name, into):
    if name in into:
        return
    shape = shapes[name]
    into[name] = prune(shape)
    for ref in [*shape.get("members", {}).values(), *(shape[k] for k in ("member", "key", "value") if k in shape)]:
        collect(shapes, ref["shape"], into)


def endpoints(prefix):
    """Where the service answers in each partition, and the region of a service that has one endpoint for all."""
    resolver = session.get_component("endpoint_resolver")
    found = {}
    for partition, regions in {"aws": ("us-east-1", "eu-west-1"), "aws-cn": ("cn-north-1", "cn-northwest-1"),
                               "aws-us-gov": ("us-gov-west-1", "us-gov-east-1")}.items():
        at = [resolver.construct_endpoint(prefix, r) for r in regions]
        hosts = [e["hostname"].replace(r, "{region}") for e, r in zip(at, regions)]
        regional = hosts[0] == hosts[1] and "{region}" in hosts[0]
        found[partition] = {"host": hosts[0]} if regional else {
            "host": at[0]["hostname"], "region": at[0].get("credentialScope", {}).get("region", regions[0])}
    return found


def write(service, names):
    raw = session.get_component("data_loader").load_service_model(NAMES.get(service, service), "service-2")
    if service == "route53":
        raw["shapes"]["PageMaxItems"]["type"] = "integer"  # as the SDK has it; botocore keeps an old mistake
    meta = {k: v for k, v in raw["metadata"].items()
            if k in ("apiVersion", "endpointPrefix", "jsonVersion", "protocol", "protocols", "serviceId", "signingName", "targetPrefix",
                     "xmlNamespace", "awsQueryCompatible")}
    meta["endpoints"] = endpoints(meta["endpointPrefix"])
    operations, shapes = {}, {}
    for name in sorted(set(names)):
        op = raw["operations"][name]
        kept = {"http": {k: op["http"][k] for k in ("method", "requestUri") if k in op["http"]}}
        if op.get("httpChecksumRequired") or op.get("httpChecksum", {}).get("requestChecksumRequired"):
            kept["checksum"] = True
        if "endpoint" in op:
            kept["hostPrefix"] = op["endpoint"]["hostPrefix"]
        for end in ("input", "output"):
            if end in op:
                kept[end] = prune(op[end])
                collect(raw["shapes"], op[end]["shape"], shapes)
        operations[name] = kept
    lines = lambda d: ",\n".join(f"{json.dumps(k)}:{json.dumps(d[k], sort_keys=True, separators=(',', ':'))}" for k in sorted(d))
    text = f'{{"metadata":{json.dumps(meta, sort_keys=True)},\n"operations":{{\n{lines(operations)}\n}},\n"shapes":{{\n{lines(shapes)}\n}}}}\n'
    (here / "models" / f"{service}.json").write_text(text)


for line in (here / "operations.txt").read_text().splitlines():
    service, *names = line.split()
    write(service, names)
print("models of botocore", botocore.__version__)
