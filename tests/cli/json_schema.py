# SPDX-License-Identifier: Apache-2.0
"""The part of JSON Schema that docs/schemas uses. A keyword that is not understood is an error, never ignored."""
KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
KNOWN = {"$schema", "title", "description", "type", "required", "properties", "additionalProperties", "items", "enum",
         "minimum"}


def is_a(value, kind):
    if kind in ("number", "integer"):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return not isinstance(value, bool) and isinstance(value, (int, float)) and (kind == "number" or whole)
    return isinstance(value, KINDS[kind])


def problems(value, schema, where="$"):
    unknown = set(schema) - KNOWN
    if unknown:
        raise ValueError(f"{where}: the schema has keywords that this checker does not know: {unknown}")
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    found = []
    if kinds and not any(is_a(value, kind) for kind in kinds):
        return [f"{where} is {type(value).__name__}, not {kinds}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where} is {value!r}, none of {schema['enum']}")
    if "minimum" in schema and is_a(value, "number") and value < schema["minimum"]:
        found.append(f"{where} is {value}, below {schema['minimum']}")
    if isinstance(value, dict):
        own = schema.get("properties", {})
        found += [f"{where} lacks {key}" for key in schema.get("required", []) if key not in value]
        for key, inner in value.items():
            if key in own:
                found += problems(inner, own[key], f"{where}.{key}")
            elif schema.get("additionalProperties", True) is False:
                found.append(f"{where} has {key}, which the schema does not know")
            elif isinstance(schema.get("additionalProperties"), dict):
                found += problems(inner, schema["additionalProperties"], f"{where}.{key}")
    if isinstance(value, list) and "items" in schema:
        for index, inner in enumerate(value):
            found += problems(inner, schema["items"], f"{where}[{index}]")
    return found
