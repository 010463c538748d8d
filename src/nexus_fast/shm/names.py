"""Which segment is whose: `<strategy_id>.<user_id>.<market|latest|orders>`."""

from urllib.parse import quote

PARTS = ("market", "latest", "orders")


def segment_name(strategy_id, user_id, part):
    """The name of an engine's segment.

    Characters outside A-Z a-z 0-9 _ ~ - in an id stand percent-encoded, dots too, so that no two engines share a name.
    Raises ValueError for ids with path or control characters, and for long ones.
    """
    if part not in PARTS:
        raise ValueError(f"segment part was {part!r}: choose one of {', '.join(PARTS)}")
    name = f"{plain(strategy_id, 'strategy_id')}.{plain(user_id, 'user_id')}.{part}"
    if len(name) > 180:
        raise ValueError(f"strategy_id and user_id make a name of {len(name)} characters: 180 fit, shorten them")
    return name


def plain(text, what):
    """One id as a part of a segment's name."""
    if not isinstance(text, str) or not text or any(ord(c) < 32 or c in "/\\\x7f" for c in text):
        raise ValueError(f"{what} was {text!r}: use a text without '/', '\\' and control characters")
    return quote(text, safe="").replace(".", "%2E")
