"""Parameters as the items of a template: literals and holes."""

from collections.abc import Collection, Mapping

from nexus_fast.gateway.template import Hole

Parameters = Mapping[str, str | Hole]
Items = list[str | Hole]


def query(parameters: Parameters) -> Items:
    """`name=value` joined by `&`, in the order given, values as they are."""
    items: Items = []
    for number, (name, value) in enumerate(parameters.items()):
        items += ["&" if number else "", f"{name}=", value]
    return items


def json_object(parameters: Parameters, bare: Collection[str] = ()) -> Items:
    """A JSON object in the order given: values are strings, those of the names in `bare` numbers or booleans."""
    items: Items = ["{"]
    for number, (name, value) in enumerate(parameters.items()):
        quotes = "" if name in bare else '"'
        items += ["," if number else "", f'"{name}":{quotes}', value, quotes]
    return [*items, "}"]
