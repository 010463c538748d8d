"""What the templates write as a request id is read back as the same request of the same order."""

import pytest

from nexus_fast.gateway.binance import order_templates
from nexus_fast.gateway.request_ids import read_request_id

SHORT, LONG = "m0c0abcdefghijk12", "m" + "x" * 35
ORDERS = {SHORT: 5, LONG: 1234567, "c" + SHORT[1:]: 6, SHORT[1:]: 7}


def find(client_id):
    return ORDERS.get(client_id, 0)


@pytest.mark.parametrize("client_id", [SHORT, LONG])
def test_of_binance(client_id):
    templates = order_templates("usd_m", "BTCUSDT", entry="ws", price_scale=1, size_scale=3, api_key="k", secret=b"s")
    values = {"client_id": client_id, "request_number": ORDERS[client_id], "timestamp_ms": 1_700_000_000_000}
    values.update(price=1, quantity=1)
    texts = {
        "place": templates.place_text(0, 1, 0, False, **values),
        "cancel": templates.cancel_text(**values),
        "modify": templates.modify_text(0, **values),
    }
    for kind, text in texts.items():
        request_id = text.split(b'"id":"')[1].split(b'"')[0].decode()
        assert len(request_id) <= 36
        assert read_request_id(request_id, find) == (kind, ORDERS[client_id])


@pytest.mark.parametrize("stranger", ["", "r1", "#", "#c", "#x5", "#cx", "#c-5", "cnobody", "null", "#c٣"])
def test_other_ids_are_no_order_of_ours(stranger):
    assert read_request_id(stranger, find) == ("", 0)


def test_another_first_character():
    assert read_request_id("nm17", find, "n") == ("modify", 17)
    assert read_request_id("#m17", find, "n") == ("", 0)
