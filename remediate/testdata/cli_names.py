"""Writes cli_names.txt from the service models that the AWS CLI carries.

    python3 testdata/cli_names.py > cli_names.txt      (needs: pip install awscli)

A line is the package of aws-sdk-go-v2, the command of the AWS CLI, whether its
members begin with small or with capital letters, and the members that do not:
alone, or behind the member or operation
that holds them. A member with {} is a map, whose keys are the caller's.
"""
import botocore.session

COMMANDS = {"s3": "s3api", "codedeploy": "deploy", "config": "configservice"}


def members(model):
    """Pairs of a member and of what holds it, and the members that are maps."""
    seen, pairs, maps = set(), set(), set()

    def walk(shape, parent):
        if shape is None or (shape.name, parent) in seen:
            return
        seen.add((shape.name, parent))
        if shape.type_name == "structure":
            for name, member in shape.members.items():
                pairs.add((parent, name))
                walk(member, name)
        elif shape.type_name == "list":
            walk(shape.member, parent)
        elif shape.type_name == "map":
            maps.add(parent)
            walk(shape.value, parent)

    for name in model.operation_names:
        operation = model.operation_model(name)
        walk(operation.input_shape, name)
        walk(operation.output_shape, name)
    return pairs, maps


def capital(name):
    return name[0].upper() + name[1:]


session = botocore.session.get_session()
lines = []
for service in session.get_available_services():
    model = session.get_service_model(service)
    package = model.service_id.lower().replace(" ", "").replace("-", "")
    pairs, maps = members(model)
    names = {name for _, name in pairs}
    small = {n for n in names if n[0].islower()}
    large = {n for n in names if n[0].isupper()}
    case = "small" if len(small) > len(large) else "capital"
    usual, unusual = (small, large) if case == "small" else (large, small)
    known = {capital(n) for n in usual}
    other = {capital(n) for n in unusual if capital(n) not in known}
    # A name that is spelled both ways stands with what holds it.
    for parent, name in pairs:
        if name in unusual and capital(name) in known:
            other.add(capital(parent) + "." + capital(name))
    if other or case == "small":
        other |= {capital(n) + "{}" for n in maps}
    command = COMMANDS.get(service, service)
    if (command, case, other) != (package, "capital", set()):
        lines.append(" ".join([package, command, case, *sorted(other)]))
print("\n".join(sorted(lines)))
