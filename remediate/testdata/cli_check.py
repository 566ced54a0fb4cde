"""Holds command lines against the AWS CLI itself (pip install awscli): reads JSON
lines from standard input, prints what is wrong, a line each.

{"argv": [...], "want": {...}}: the words after aws; what the CLI would send must
be the parameters, first letters of names apart.
{"argv": ["service", "operation"], "members": {...}, "path": "..."}: the operation,
the members of a request and the first name in a path over its answer exist.
"""
import json
import re
import sys

import awscli.clidriver
from botocore.validate import ParamValidator

sent = []


def driver():
    d = awscli.clidriver.create_clidriver()
    d.session.set_credentials("AKIAIOSFODNN7EXAMPLE", "made-up")
    return d


def table(command):
    """Its sub-commands, which version 2 calls otherwise."""
    return command._get_command_table() if hasattr(command, "_get_command_table") else command.subcommand_table


models = driver()


class Caller:
    def invoke(self, service, operation, parameters, globals_):
        sent.append(parameters)
        return 0


def plain(v):
    """Names by their first letter's capital, numbers as they are."""
    if isinstance(v, dict):
        return {k[:1].upper() + k[1:]: plain(e) for k, e in v.items()}
    if isinstance(v, list):
        return [plain(e) for e in v]
    return v


def operation_of(argv, driver):
    commands = table(driver)
    if argv[0] not in commands:
        raise ValueError("no command " + argv[0])
    operations = table(commands[argv[0]])
    if argv[1] not in operations:
        raise ValueError("no operation " + " ".join(argv[:2]))
    return operations[argv[1]]


def check_members(shape, members, where):
    for name, value in members.items():
        if name not in shape.members:
            raise ValueError(f"{where} has no member {name}")
        inner = shape.members[name]
        if inner.type_name == "list":
            inner = inner.member
        for v in value if isinstance(value, list) else [value]:
            if isinstance(v, dict) and inner.type_name == "structure":
                check_members(inner, v, where + "." + name)


def check(line):
    argv = line["argv"]
    if "members" in line:
        operation = operation_of(argv, models)
        model = operation._operation_model
        if line["members"]:
            check_members(model.input_shape, line["members"], " ".join(argv))
        name = re.match(r"[A-Za-z_]\w*(?![\w(])", line.get("path") or "")
        if name and name.group() not in model.output_shape.members:
            raise ValueError(f"the answer of {' '.join(argv)} has no {name.group()}")
        return
    sent.clear()
    # What commands of ec2 customise stays in their driver, and fails the next.
    fresh = driver() if argv[0] == "ec2" else models
    operation = operation_of(argv, fresh)
    operation._operation_caller = Caller()
    status = fresh.main(argv)
    if not sent:
        raise ValueError(f"the CLI does not take it (status {status})")
    shape = operation._operation_model.input_shape
    report = ParamValidator().validate(sent[0], shape) if shape else None
    if report is not None and report.has_errors():
        raise ValueError(report.generate_report())
    if plain(sent[0]) != plain(line["want"]):
        raise ValueError(f"sends {json.dumps(sent[0])}, not {json.dumps(line['want'])}")


for text in sys.stdin:
    line = json.loads(text)
    try:
        check(line)
    except (Exception, SystemExit) as e:
        print(json.dumps(line["argv"]), "|", line.get("from", ""), "|", e)
