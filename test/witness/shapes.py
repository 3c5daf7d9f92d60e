"""Judges recorded calls of AWS by botocore's service models.

Takes one line of JSON per call, {service, operation, request, response}, and answers each with one line: the list of
what is wrong with it. A request has to be one that botocore would send; an answer has to have only members that the
model knows, those that it requires, and the types it says; an error has to be one that the operation can have.
"""

import base64
import json
import sys
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import botocore.session
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

# Errors that every operation of a service can have; service models do not list them.
COMMON_ERRORS = {
    "AccessDeniedException",
    "AccessDenied",
    "ThrottlingException",
    "ValidationException",
    "ValidationError",
    "ExpiredTokenException",
    "UnrecognizedClientException",
    "ServiceUnavailable",
    "InternalFailure",
}

session = botocore.session.Session()
models = {}


def model_of(service):
    if service not in models:
        models[service] = session.get_service_model(service)
    return models[service]


def judge(call):
    model = model_of(call["service"])
    operation = model.operation_model(call["operation"])
    protocol = model.resolved_protocol
    return [
        *problems_of_request(call["request"], operation.input_shape, protocol),
        *problems_of_answer(call["response"], operation, protocol),
    ]


def problems_of_request(body, shape, protocol):
    if shape is None:
        return []
    parameters = from_query(dict(parse_qsl(body, keep_blank_values=True)), shape) if protocol == "query" else json.loads(body or "{}")
    report = ParamValidator().validate(from_json(parameters, shape), shape)
    return [f"request: {line}" for line in report.generate_report().splitlines()]


def problems_of_answer(response, operation, protocol):
    body = response["body"].encode()
    parser = create_parser(protocol)
    parsed = parser.parse({"status_code": response["status"], "headers": response["headers"], "body": body}, operation.output_shape)
    if response["status"] >= 300:
        code = parsed.get("Error", {}).get("Code", "")
        known = {shape.error_code for shape in operation.error_shapes} | {shape.name for shape in operation.error_shapes}
        return [] if code in known | COMMON_ERRORS else [f"answer: {operation.name} has no error {code}"]
    if operation.output_shape is None:
        return []
    raw = xml_problems(body, operation) if protocol == "query" else json_problems(json.loads(body or b"{}"), operation.output_shape, "")
    parsed.pop("ResponseMetadata", None)
    report = ParamValidator().validate(parsed, operation.output_shape).generate_report().splitlines()
    # Ranges are for requests: DynamoDB itself answers NumberOfDecreasesToday 0, which the model has from 1.
    return [f"answer: {line}" for line in [*raw, *report] if "valid min value" not in line]


def json_problems(value, shape, path):
    """Members that the model does not know; a parser drops them without a word."""
    if shape.type_name == "structure" and isinstance(value, dict):
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for name, part in value.items():
            if name not in names:
                yield f"{path}.{name} is unknown"
            elif part is None:
                yield f"{path}.{name} is null"
            else:
                yield from json_problems(part, names[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for part in value:
            yield from json_problems(part, shape.member, f"{path}[]")
    elif shape.type_name == "map":
        for part in value.values():
            yield from json_problems(part, shape.value, f"{path}{{}}")


def xml_problems(body, operation):
    root = ElementTree.fromstring(body)
    wrapper = operation.output_shape.serialization.get("resultWrapper")
    for child in root:
        name = child.tag.rpartition("}")[2]
        if name == wrapper:
            yield from element_problems(child, operation.output_shape, "")
        elif name != "ResponseMetadata":
            yield f"{name} is unknown"


def element_problems(element, shape, path):
    if shape.type_name != "structure":
        return
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name not in shape.members:
            yield f"{path}.{name} is unknown"
        else:
            yield from element_problems(child, shape.members[name], f"{path}.{name}")


def from_json(value, shape):
    """JSON has no bytes; everything else is as a caller of botocore would write it."""
    if shape.type_name == "blob" and isinstance(value, str):
        return base64.b64decode(value)
    if shape.type_name == "structure" and isinstance(value, dict):
        return {name: from_json(part, shape.members[name]) if name in shape.members else part for name, part in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [from_json(part, shape.member) for part in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {name: from_json(part, shape.value) for name, part in value.items()}
    return value


def from_query(fields, shape, prefix=""):
    """Reads the query protocol back: `A.B`, `List.member.1`, `Map.entry.1.Name` and `.Value`."""
    if shape.type_name == "structure":
        heads = {name[len(prefix) :].partition(".")[0] for name in fields if name.startswith(prefix)}
        known = heads & set(shape.members)
        result = {name: from_query(fields, shape.members[name], f"{prefix}{name}") if is_leaf(shape.members[name]) else from_query(fields, shape.members[name], f"{prefix}{name}.") for name in known}
        return result | {name: fields.get(prefix + name) for name in heads - known - {"Action", "Version"}}
    if shape.type_name == "list":
        item = shape.member
        return [from_query(fields, item, f"{prefix}member.{n}" if is_leaf(item) else f"{prefix}member.{n}.") for n in numbers(fields, f"{prefix}member.")]
    if shape.type_name == "map":
        key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
        return {
            fields[f"{prefix}entry.{n}.{key}"]: from_query(fields, shape.value, f"{prefix}entry.{n}.{value}" if is_leaf(shape.value) else f"{prefix}entry.{n}.{value}.")
            for n in numbers(fields, f"{prefix}entry.")
        }
    text = fields[prefix]
    return int(text) if shape.type_name in ("integer", "long") else text == "true" if shape.type_name == "boolean" else text


def is_leaf(shape):
    return shape.type_name not in ("structure", "list", "map")


def numbers(fields, prefix):
    return sorted({int(name[len(prefix) :].partition(".")[0]) for name in fields if name.startswith(prefix)})


def main():
    for line in sys.stdin:
        print(json.dumps(judge(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
