"""preview: the bytes of an order from the names that a user writes, and what it says about an order that cannot be."""

import hashlib
import hmac
import json
from decimal import Decimal
from enum import Enum
from urllib.parse import parse_qsl, urlsplit

import pytest

from nexus_fast.gateway import preview
from nexus_fast.gateway.preview import resolve

KEY, SECRET = "K" * 64, "S" * 64
PEM = (
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u\n"
    "-----END PRIVATE KEY-----\n"
)
NOW = 1747699200123


class Account(Enum):
    SPOT = "SPOT"
    USD_M_FUTURE = "USD_M_FUTURE"
    USD_M_FUTURE_TESTNET = "USD_M_FUTURE_TESTNET"


class Side(Enum):
    BUY = "BUY"


def order(account="USD_M_FUTURE", **changes):
    arguments = {
        "symbol": "USDCUSDT-PERP.BINANCE",
        "side": "BUY",
        "type": "LIMIT",
        "amount": Decimal("6.000"),
        "price": "1.00010",
        "client_oid": "A1",
        "api_key": KEY,
        "secret": SECRET,
        "timestamp_ms": NOW,
    }
    return preview(account, **{**arguments, **changes})


def test_websocket_text():
    message = json.loads(order(time_in_force="IOC", reduce_only=True))
    params = message["params"]
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")
    assert params.pop("signature") == hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
    assert message == {
        "id": "A1",
        "method": "order.place",
        "params": {
            "apiKey": KEY,
            "newClientOrderId": "A1",
            "newOrderRespType": "ACK",
            "price": "1.0001",
            "quantity": "6",
            "recvWindow": 1000,
            "reduceOnly": "true",
            "side": "BUY",
            "symbol": "USDCUSDT",
            "timeInForce": "IOC",
            "timestamp": NOW,
            "type": "LIMIT",
        },
    }


def test_rest_request():
    text = order("SPOT", symbol="USDCUSDT.BINANCE", entry="rest").decode()
    method, target, _ = text.split("\r\n")[0].split(" ")
    assert (method, urlsplit(target).path) == ("POST", "/api/v3/order")
    query, signature = urlsplit(target).query.rsplit("&signature=", 1)
    assert signature == hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    assert dict(parse_qsl(query))["price"] == "1.0001"
    assert "\r\nHost: api.binance.com\r\n" in text
    assert b"\r\nHost: localhost:1\r\n" in order(entry="rest", host="localhost:1")
    assert b"\r\nHost: demo-fapi.binance.com\r\n" in order(Account.USD_M_FUTURE_TESTNET, entry="rest")


def test_members_and_names_are_the_same():
    assert order(Account.USD_M_FUTURE, side=Side.BUY) == order()
    assert order(symbol="USDCUSDT") == order()
    assert order(amount=6, price=1.0001) == order()
    assert order(type="MARKET", price=None) == order(type="MARKET", price=5, time_in_force="FOK")


def test_an_ed25519_key_shows_the_order_of_a_logged_on_connection():
    params = json.loads(order(secret=PEM))["params"]
    assert not {"apiKey", "signature"} & params.keys() and params["timestamp"] == NOW


def test_now_and_an_example_id_are_the_defaults():
    message = json.loads(order(timestamp_ms=None, client_oid=None))
    assert len(message["id"]) == 24
    assert message["params"]["timestamp"] > 1_700_000_000_000


@pytest.mark.parametrize(
    "account, symbol, family, own",
    [
        ("SPOT", "BTCUSDT.BINANCE", "spot", "BTCUSDT"),
        ("SPOT_TESTNET", "BTCUSDT", "spot", "BTCUSDT"),
        ("MARGIN", "BTCUSDT.BINANCE", "margin", "BTCUSDT"),
        ("ISOLATED_MARGIN", "BTCUSDT", "isolated_margin", "BTCUSDT"),
        ("USD_M_FUTURE", "BTCUSDT-PERP.BINANCE", "usd_m", "BTCUSDT"),
        ("USD_M_FUTURE", "BTCUSDT-261225.BINANCE", "usd_m", "BTCUSDT_261225"),
        ("COIN_M_FUTURE", "BTCUSD-PERP.BINANCE", "coin_m", "BTCUSD_PERP"),
        ("COIN_M_FUTURE", "BTCUSD_PERP", "coin_m", "BTCUSD_PERP"),
        ("PORTFOLIO_MARGIN", "BTCUSDT.BINANCE", "portfolio_margin", "BTCUSDT"),
        ("PORTFOLIO_MARGIN", "BTCUSDT-PERP.BINANCE", "portfolio_usd_m", "BTCUSDT"),
        ("PORTFOLIO_MARGIN", "BTCUSD-PERP.BINANCE", "portfolio_coin_m", "BTCUSD_PERP"),
    ],
)
def test_accounts_and_symbols(account, symbol, family, own):
    assert resolve(account, symbol) == (family, own)


@pytest.mark.parametrize(
    "changes, text",
    [
        ({"price": None}, "no price.*price="),
        ({"type": "STOP_LOSS_LIMIT"}, "STOP_LOSS_LIMIT.*MARKET, LIMIT, POST_ONLY"),
        ({"side": "LONG"}, "LONG.*BUY, SELL"),
        ({"time_in_force": "GTD"}, "GTD"),
        ({"account": "SPOT", "symbol": "USDCUSDT", "reduce_only": True}, "reduce_only=True"),
        ({"secret": None}, "secret is missing.*secret="),
        ({"api_key": None}, "api_key is missing"),
        ({"amount": "0.1234567890123456789"}, "amount=.*18 digits"),
        ({"amount": 10**18}, "18 digits"),
        ({"amount": "1e-19"}, "18 digits"),
        ({"amount": 0}, "above 0"),
        ({"amount": "six"}, "amount='six'"),
        ({"price": "-1"}, "price=-1"),
        ({"symbol": "BTCUSDT.BYBIT"}, "BYBIT"),
        ({"symbol": "USDCUSDT.BINANCE"}, "spot.*USD_M_FUTURE"),
        ({"account": "COIN_M_FUTURE"}, "linear.*COIN_M_FUTURE"),
        ({"account": "LINEAR_MOCK"}, "LINEAR_MOCK"),
        ({"account": "PORTFOLIO_MARGIN", "symbol": "BTCUSDT", "entry": "rest"}, "may be spot or a future"),
        ({"account": "MARGIN", "symbol": "BTCUSDT"}, "entry='rest'"),
        ({"secret": PEM, "entry": "rest"}, "entry='ws'"),
        ({"client_oid": "a b"}, "client id 'a b'"),
        ({"entry": "fix"}, "'fix'"),
    ],
)
def test_what_cannot_be_sent_is_named_with_its_remedy(changes, text):
    with pytest.raises(ValueError, match=text) as caught:
        order(**changes)
    assert SECRET not in str(caught.value)
