"""Addresses: the venues' own, and files that stand in their place."""

from urllib.parse import urlsplit

import pytest

from nexus_fast.endpoints import LIVE, TABLES, TESTNET, VARIABLE, load_endpoints
from nexus_fast.error import ConfigurationError
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.exchange.binance.families import families_of

FILE = """
[binance.spot]
rest = "http://127.0.0.1:8081/"
stream = "ws://127.0.0.1:8081"
ws_api = "ws://127.0.0.1:8081/ws-api/v3"
[binance.usd_m]
public = "ws://127.0.0.1:8082/public"
[okx]
business = "ws://127.0.0.1:8084/business"
"""


def test_the_tables_are_those_of_the_files():
    assert TABLES == {
        "binance.spot": ("rest", "stream", "ws_api"),
        "binance.usd_m": ("rest", "public", "market", "private", "ws_api"),
        "binance.coin_m": ("rest", "stream", "ws_api"),
        "binance.portfolio_margin": ("rest", "stream"),
        "bybit": ("rest", "public", "private", "trade"),
        "okx": ("rest", "public", "private", "business"),
    }


@pytest.mark.parametrize("world", [LIVE, TESTNET], ids=["live", "testnet"])
def test_venues_are_reached_by_tls_alone(world):
    for table, addresses in world.items():
        assert set(addresses) <= set(TABLES[table])
        for key, address in addresses.items():
            assert urlsplit(address).scheme == ("https" if key == "rest" else "wss"), address
            assert not address.endswith("/")


SPOT_TEST, FUTURES_TEST = "testnet.binance.vision", "testnet.binancefuture.com"


@pytest.mark.parametrize("name, hosts", [
    ("SPOT_TESTNET", {"rest": SPOT_TEST, "stream": f"stream.{SPOT_TEST}", "ws_api": f"ws-api.{SPOT_TEST}"}),
    ("USD_M_FUTURE_TESTNET", {"rest": "demo-fapi.binance.com", "public": "demo-fstream.binance.com",
                              "market": "demo-fstream.binance.com", "private": "demo-fstream.binance.com",
                              "ws_api": FUTURES_TEST}),
    ("COIN_M_FUTURE_TESTNET", {"rest": FUTURES_TEST, "stream": "dstream.binancefuture.com", "ws_api": FUTURES_TEST}),
    ("MARGIN", {"rest": "api.binance.com", "stream": "stream.binance.com:9443", "ws_api": "ws-api.binance.com:443"}),
    ("ISOLATED_MARGIN", {"rest": "api.binance.com", "stream": "stream.binance.com:9443", "ws_api": "ws-api.binance.com:443"}),
    ("COIN_M_FUTURE", {"rest": "dapi.binance.com", "stream": "dstream.binance.com", "ws_api": "ws-dapi.binance.com"}),
    ("PORTFOLIO_MARGIN", {"rest": "papi.binance.com", "stream": "fstream.binance.com"}),
])  # fmt: skip
def test_every_binance_account_has_its_addresses(name, hosts):
    """As an account's connector looks them up, for the accounts that the venue has a test world for as well."""
    account = BinanceAccountType[name]
    table = load_endpoints(None, {}).table(f"binance.{families_of(account)[0].endpoints}", account.is_testnet)
    assert {key: urlsplit(address).netloc for key, address in table.items()} == hosts


@pytest.mark.parametrize("family, kind", [("usd_m", "fapi"), ("coin_m", "dapi")])
def test_the_test_worlds_are_those_that_ccxt_knows(family, kind):
    ccxt = pytest.importorskip("ccxt")
    urls = ccxt.binance().urls
    known = {urlsplit(urls[world][f"{kind}Private"]).netloc for world in ("test", "demo")}
    assert urlsplit(TESTNET[f"binance.{family}"]["rest"]).netloc in known


def test_live_and_testnet_streams_differ():
    for table, addresses in TESTNET.items():
        for key, address in addresses.items():
            if key != "rest":
                assert address != LIVE[table][key]


def test_without_a_file_the_venues_own():
    endpoints = load_endpoints(None, {})
    assert endpoints.url("binance.usd_m", "private") == "wss://fstream.binance.com/private"
    assert endpoints.url("binance.spot", "rest", testnet=True) == "https://testnet.binance.vision"


def test_a_file_replaces_what_it_names(tmp_path):
    path = tmp_path / "endpoints.toml"
    path.write_text(FILE)
    endpoints = load_endpoints(path, {})
    assert endpoints.url("binance.spot", "rest") == "http://127.0.0.1:8081"
    assert endpoints.url("binance.spot", "rest", testnet=True) == "http://127.0.0.1:8081"
    assert endpoints.url("binance.usd_m", "public") == "ws://127.0.0.1:8082/public"
    assert endpoints.url("binance.usd_m", "market") == LIVE["binance.usd_m"]["market"]
    assert endpoints.table("okx")["business"] == "ws://127.0.0.1:8084/business"
    assert endpoints.is_given("okx", "business") and not endpoints.is_given("okx", "rest")


@pytest.mark.parametrize("shape", [{"binance": {"spot": {"rest": "http://a"}}}, {"binance.spot": {"rest": "http://a"}}])
def test_a_mapping_in_either_shape(shape):
    assert load_endpoints(shape, {}).url("binance.spot", "rest") == "http://a"


def test_the_variable_stands_over_the_configuration(tmp_path):
    path = tmp_path / "endpoints.toml"
    path.write_text(FILE)
    endpoints = load_endpoints({"binance.spot": {"rest": "http://other"}}, {VARIABLE: str(path)})
    assert endpoints.url("binance.spot", "rest") == "http://127.0.0.1:8081"
    assert load_endpoints({"bybit": {"rest": "http://b"}}, {VARIABLE: ""}).url("bybit", "rest") == "http://b"


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ({"binance": {"spott": {"rest": "http://a"}}}, ["[binance.spott]", "binance.spot, binance.usd_m"]),
        ({"kraken": {"rest": "http://a"}}, ["[kraken]", "bybit, okx"]),
        ({"binance.spot": {"rst": "http://a"}}, ["'rst'", "rest, stream, ws_api"]),
        ({"binance": {"rest": "http://a"}}, ["[binance]", "binance.spot"]),
        ({"okx": {"rest": "ws://a"}}, ["rest = 'ws://a'", "http or https"]),
        ({"okx": {"public": "http://a"}}, ["public = 'http://a'", "ws or wss"]),
        ({"okx": {"public": "ws://"}}, ["'ws://'", "names a host"]),
        ({"okx": {"public": 3}}, ["public = 3"]),
        ({"okx": "ws://a"}, ["okx = 'ws://a'", "not a table"]),
        ({"okx": {"public": "ftp://a"}}, ["'ftp://a'"]),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(source, texts):
    with pytest.raises(ConfigurationError) as caught:
        load_endpoints(source, {})
    for text in texts:
        assert text in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"NEXUS_FAST_ENDPOINTS names .*gone\.toml.*nexus-fast sim"):
        load_endpoints(None, {VARIABLE: str(tmp_path / "gone.toml")})


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "broken.toml").write_text("[binance.spot")
    with pytest.raises(ConfigurationError, match=r"broken\.toml is not TOML"):
        load_endpoints(tmp_path / "broken.toml", {})


def test_an_address_that_does_not_exist_says_where_to_give_one():
    with pytest.raises(ConfigurationError, match=r"no testnet address for 'rest'.*\[binance.portfolio_margin\]"):
        load_endpoints(None, {}).url("binance.portfolio_margin", "rest", testnet=True)
