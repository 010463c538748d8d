"""Who asks is proved as on the venue: REST headers, WebSocket login, and the codes of what is wrong with them."""

import json
import time
from pathlib import Path

import pytest
from okx_client import iso_now, on_okx, sign

from nexus_fast.sim.okx import signing

SAMPLES = Path(__file__).parents[3] / "data"


def vectors() -> list[tuple[str, str, str]]:
    """(secret, what is signed, signature) that two client libraries made."""
    files = [SAMPLES / "sdk_generated/okx_rest_requests.jsonl", SAMPLES / "ccxt_generated/okx_rest_requests.jsonl"]
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [(row["secret"], row["signed_payload"], row["signature"]) for row in rows if row.get("signed_payload")]


def test_signatures_of_other_clients_are_valid():
    assert len(vectors()) >= 3
    for secret, payload, signature in vectors():
        assert signing.is_valid(secret, payload, signature)
        assert not signing.is_valid(secret, payload + " ", signature)


def test_times():
    assert signing.iso_milliseconds("2020-12-08T09:08:57.715Z") == 1607418537715
    assert signing.iso_milliseconds("1597026383.085") == 1597026383085
    assert signing.iso_milliseconds("yesterday") is None and signing.iso_milliseconds("") is None
    assert signing.seconds_milliseconds("1538054050") == 1538054050000
    assert signing.seconds_milliseconds("١٢٣") is None and signing.seconds_milliseconds("1.x") is None


HEADERS = [({"OK-ACCESS-KEY": None}, 50103), ({"OK-ACCESS-PASSPHRASE": None}, 50104), ({"OK-ACCESS-SIGN": None}, 50106),
           ({"OK-ACCESS-TIMESTAMP": None}, 50107), ({"OK-ACCESS-KEY": "other"}, 50111),
           ({"OK-ACCESS-TIMESTAMP": "soon"}, 50112), ({"OK-ACCESS-TIMESTAMP": iso_now(-3600)}, 50102),
           ({"OK-ACCESS-TIMESTAMP": iso_now(3600)}, 50102), ({"OK-ACCESS-PASSPHRASE": "other"}, 50105),
           ({"OK-ACCESS-SIGN": "x" * 44}, 50113), ({"OK-ACCESS-SIGN": "é"}, 50113)]


def test_rest_headers():
    async def scenario(client):
        status, answer = await client.get("/api/v5/account/balance", ccy="BTC,USDT")
        assert (status, answer["code"]) == (200, "0") and {d["ccy"] for d in answer["data"][0]["details"]} == {"BTC", "USDT"}
        for changed, code in HEADERS:
            status, answer = await client.get("/api/v5/account/balance", changed)
            assert (status, answer["code"], answer["data"]) == (401, str(code), []), changed
        # The query and the body are signed as they were sent.
        body = '{ "instId":"BTC-USDT", "timeOut" : 0}'
        assert (await client.post("/api/v5/trade/cancel-all-after", body))[1]["code"] == "0"
        changed = {"OK-ACCESS-SIGN": client.headers("POST", "/api/v5/trade/cancel-all-after", body + " ")["OK-ACCESS-SIGN"]}
        assert (await client.post("/api/v5/trade/cancel-all-after", body, changed))[1]["code"] == "50113"
        assert client.venue.statistics.bad_signatures == 3

    on_okx(scenario)


def old_login() -> dict:
    moment = str(int(time.time()) - 60)
    return {"timestamp": moment, "sign": sign("sim", moment + "GET/users/self/verify")}


@pytest.mark.parametrize(("changed", "code"), [
    ({"apiKey": "other"}, "60005"), ({"passphrase": "other"}, "60024"), ({"sign": "wrong"}, "60007"),
    ({"timestamp": "now"}, "60004"), (old_login(), "60006"), ({"apiKey": ""}, "60001"), ({"sign": 5}, "60007"),
    ({"sign": None}, "60002"), ({"timestamp": True}, "60004"), ({"timestamp": [1]}, "60004")])
def test_a_login_that_fails_ends_the_connection(changed, code):
    async def scenario(client):
        socket = await client.open("private")
        answer = await socket.login(**changed)
        assert answer.pop("connId") and answer.pop("msg")
        assert answer == {"event": "error", "code": code}
        closing = await socket.frame()
        assert closing.data == 4001

    on_okx(scenario)


def test_a_login_that_succeeds():
    async def scenario(client):
        socket = await client.open("private")
        assert (await socket.subscribe(channel="account"))["code"] == "60011"
        assert (await socket.ask("order", {"instIdCode": 10001}))["code"] == "60011"
        answer = await socket.login()
        assert answer.pop("connId") and answer == {"event": "login", "code": "0", "msg": ""}
        assert (await socket.subscribe(channel="account"))["event"] == "subscribe"

    on_okx(scenario)


@pytest.mark.parametrize("kind", [str, int, float])
def test_the_time_of_a_login_may_be_a_number(kind):
    """The venue's own Python SDK sends an integer, and signs its text."""
    async def scenario(client):
        socket = await client.open("private")
        moment = kind(int(time.time()))
        answer = await socket.login(timestamp=moment, sign=sign("sim", f"{moment}GET/users/self/verify"))
        assert (answer["event"], answer["code"]) == ("login", "0")

    on_okx(scenario)
