"""Who may ask: signatures of others' making, keys, times, and the rate limits in the venue's words."""

import json
from pathlib import Path

import bybit_client
import pytest
from bybit_client import now_ms, on_bybit

from nexus_fast.sim.bybit import signing
from nexus_fast.sim.bybit.venue import BybitOptions

ROOT = Path(__file__).parents[4]
STAGED = ROOT.parent / "shared" / "data"  # all of them, where there are more than the samples of this repository
DATA = STAGED if STAGED.is_dir() else ROOT / "tests" / "data"
VECTORS = [json.loads(line) for source in ("ccxt_generated", "sdk_generated")
           for line in (DATA / source / "bybit_rest_requests.jsonl").read_text().splitlines()]
PATH = "/v5/account/wallet-balance"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_requests_that_other_clients_signed(vector):
    """The signatures of ccxt and pybit."""
    request = vector["expected"]
    headers = {name.upper(): value for name, value in request["headers"].items()}
    sent = request["body"] if request["method"] == "POST" else request["url"].partition("?")[2]
    payload = signing.rest_payload(headers["X-BAPI-TIMESTAMP"], headers["X-BAPI-API-KEY"], headers["X-BAPI-RECV-WINDOW"],
                                   sent or "")
    assert payload == vector["signed_payload"]
    assert signing.is_valid(vector["secret"], payload, headers["X-BAPI-SIGN"])
    assert not signing.is_valid(vector["secret"], payload + "x", headers["X-BAPI-SIGN"])


def test_keys_signatures_and_times():
    async def scenario(client):
        async def code(**changed):
            headers = {name.replace("_", "-"): value for name, value in changed.items()}
            return (await client.get(PATH, headers, accountType="UNIFIED"))["retCode"]

        assert await code() == 0
        assert await code(X_BAPI_API_KEY="nobody") == 10003
        assert await code(X_BAPI_API_KEY="") == 10003
        assert await code(X_BAPI_SIGN="00" * 32) == 10004
        assert await code(X_BAPI_SIGN="") == 10004
        assert client.venue.statistics.bad_signatures == 2
        for timestamp in (now_ms() - 6000, now_ms() + 3000, "", "soon"):
            assert await code(X_BAPI_TIMESTAMP=str(timestamp)) == 10002
        client.secret = "wrong"
        answer = await client.get(PATH, accountType="UNIFIED")
        assert answer["retCode"] == 10004 and answer["retMsg"].startswith("error sign! origin_string[")
        assert answer["result"] == {} and answer["retExtInfo"] == {} and abs(answer["time"] - now_ms()) < 5000

    on_bybit(scenario)


def test_limits_per_account_and_per_address(monkeypatch):
    async def scenario(client):
        now = client.venue.clock.milliseconds()          # stands still: the windows of a second do not pass, however slow it goes
        client.venue.clock.milliseconds = lambda: now
        monkeypatch.setattr(bybit_client, "now_ms", lambda: now)
        for number in range(10):
            answer = await client.create(price="80000")
            assert (answer["retCode"], client.headers["X-Bapi-Limit"]) == (0, "10")
            assert client.headers["X-Bapi-Limit-Status"] == str(9 - number)
        answer = await client.create(price="80000")
        assert (answer["retCode"], answer["retMsg"]) == (10006, "Too many visits. Exceeded the API Rate Limit.")
        assert int(client.headers["X-Bapi-Limit-Reset-Timestamp"]) > now
        spot = await client.create(category="spot", price="80000")
        assert spot["retCode"] == 0 and client.headers["X-Bapi-Limit"] == "20"
        statuses = set()
        for _ in range(700):
            async with client.session.get(client.endpoints["rest"] + "/v5/market/time") as response:
                statuses.add(response.status)
        assert statuses == {200, 403}

    on_bybit(scenario, BybitOptions(order_limit_factor=1))
