"""A simulated OKX as its account's owner sees it: REST with hmac and urllib, nothing of the engine's."""

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

from patience import WAIT_SECONDS


class OkxVenue:
    """`endpoints` are what the engine is given; a proxy may stand in them. `rest` stays the simulator's own."""

    def __init__(self, endpoints, key, secret, directory, passphrase="sim"):
        self.endpoints = endpoints
        self.rest = endpoints["okx"]["rest"]
        self.control = endpoints["sim"]["control"]
        self.key, self.secret, self.passphrase, self.directory = key, secret, passphrase, directory

    def with_addresses(self, **addresses):
        """The same venue with other addresses for the engine: with_addresses(private=…)."""
        other = OkxVenue(self.endpoints, self.key, self.secret, self.directory, self.passphrase)
        other.endpoints = {**self.endpoints, "okx": {**self.endpoints["okx"], **addresses}}
        return other

    def ask(self, path, method="GET", body=None, **params):
        """The whole answer to a signed request."""
        target = path + (f"?{urlencode(params)}" if params else "")
        text = json.dumps(body) if body is not None else ""
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        digest = hmac.new(self.secret.encode(), f"{moment}{method}{target}{text}".encode(), hashlib.sha256).digest()
        headers = {"OK-ACCESS-KEY": self.key, "OK-ACCESS-SIGN": base64.b64encode(digest).decode(), "OK-ACCESS-TIMESTAMP": moment,
                   "OK-ACCESS-PASSPHRASE": self.passphrase, "Content-Type": "application/json"}
        request = urllib.request.Request(self.rest + target, text.encode() or None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return json.loads(error.read())

    def rows(self, path, **params):
        answer = self.ask(path, **params)
        assert answer["code"] == "0", answer
        return answer["data"]

    def order(self, inst_id, oid):
        """The venue's row of an order; None when it knows none."""
        answer = self.ask("/api/v5/trade/order", instId=inst_id, clOrdId=oid)
        return answer["data"][0] if answer["code"] == "0" else None

    def open_orders(self):
        return {row["clOrdId"] for row in self.rows("/api/v5/trade/orders-pending")}

    def positions(self):
        """Signed numbers of contracts by instId."""
        rows = self.rows("/api/v5/account/positions")
        return {row["instId"]: Decimal(row["pos"]) for row in rows if row["pos"] and Decimal(row["pos"])}

    def balances(self):
        (account,) = self.rows("/api/v5/account/balance")
        return {row["ccy"]: (Decimal(row["availBal"]), Decimal(row["frozenBal"])) for row in account["details"]}

    def place(self, **form):
        """An order of somebody else's on the same account."""
        answer = self.ask("/api/v5/trade/order", "POST", {"tdMode": "cross", **form})
        assert answer["code"] == "0", answer
        return answer["data"][0]["ordId"]

    def faults(self, *rules):
        """A fault script, which begins now; without rules the simulator is faultless again."""
        lines = []
        for rule in rules:
            lines.append("[[fault]]")
            lines += [f"{name} = {json.dumps(value)}" for name, value in rule.items()]
        request = urllib.request.Request(f"{self.control}/sim/v1/faults", "\n".join(lines).encode(), method="POST")
        urllib.request.urlopen(request, timeout=WAIT_SECONDS).read()
