"""A simulated Bybit as its account's owner sees it: REST with hmac and urllib, nothing of the engine's."""

import hashlib
import hmac
import json
import time
import urllib.request
from decimal import Decimal
from urllib.parse import urlencode

from patience import WAIT_SECONDS


class BybitVenue:
    """`endpoints` are what the engine is given; a proxy may stand in them. `rest` stays the simulator's own."""

    def __init__(self, endpoints, key, secret, directory):
        self.endpoints = endpoints
        self.rest = endpoints["bybit"]["rest"]
        self.control = endpoints["sim"]["control"]
        self.key, self.secret, self.directory = key, secret, directory

    def with_addresses(self, **addresses):
        """The same venue with other addresses for the engine: with_addresses(trade=…, private=…)."""
        other = BybitVenue(self.endpoints, self.key, self.secret, self.directory)
        other.endpoints = {**self.endpoints, "bybit": {**self.endpoints["bybit"], **addresses}}
        return other

    def ask(self, path, **params):
        """`result` of a signed GET."""
        query, moment = urlencode(params), str(time.time_ns() // 1_000_000)
        signature = hmac.new(self.secret.encode(), f"{moment}{self.key}5000{query}".encode(), hashlib.sha256).hexdigest()
        headers = {"X-BAPI-API-KEY": self.key, "X-BAPI-TIMESTAMP": moment, "X-BAPI-RECV-WINDOW": "5000", "X-BAPI-SIGN": signature}
        request = urllib.request.Request(f"{self.rest}{path}?{query}", headers=headers)
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
            found = json.loads(answer.read())
        assert found["retCode"] == 0, found
        return found["result"]

    def order(self, category, oid):
        for path in ("/v5/order/realtime", "/v5/order/history"):
            found = [o for o in self.ask(path, category=category, orderLinkId=oid)["list"] if o["orderLinkId"] == oid]
            if found:
                return found[0]
        return None

    def open_orders(self):
        questions = ({"category": "spot"}, {"category": "inverse"}, {"category": "linear", "settleCoin": "USDT"})
        found = [self.ask("/v5/order/realtime", **question, openOnly=0, limit=50)["list"] for question in questions]
        return {order["orderLinkId"] for orders in found for order in orders}

    def positions(self):
        """Signed sizes by (category, symbol)."""
        found = {}
        for question in ({"category": "inverse"}, {"category": "linear", "settleCoin": "USDT"}):
            for row in self.ask("/v5/position/list", **question)["list"]:
                if Decimal(row["size"]):
                    sign = -1 if row["side"] == "Sell" else 1
                    found[question["category"], row["symbol"]] = sign * Decimal(row["size"])
        return found

    def wallet(self):
        coins = self.ask("/v5/account/wallet-balance", accountType="UNIFIED")["list"][0]["coin"]
        return {coin["coin"]: Decimal(coin["walletBalance"]) for coin in coins}

    def load_faults(self, *rules):
        """In place of those that were there (nexus_fast.sim.faults.rules)."""
        lines = [line for rule in rules for line in ("[[fault]]", *(f"{name} = {json.dumps(v)}" for name, v in rule.items()))]
        request = urllib.request.Request(f"{self.control}/sim/v1/faults", data="\n".join(lines).encode(), method="POST")
        urllib.request.urlopen(request, timeout=WAIT_SECONDS).read()

    def faults_made(self):
        """How often each rule that is loaded has struck."""
        with urllib.request.urlopen(f"{self.control}/sim/v1/faults", timeout=WAIT_SECONDS) as answer:
            return json.loads(answer.read())
