"""The REST side of the bench's venue: what an engine asks for once, at start, and nothing that is measured.

Runs in a thread of the harness, which does nothing else while a measurement runs. Answers are the venue's forms
(developers.binance.com) for one symbol, BTCUSDT, and an account that can pay for every order.
"""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

LIMITS = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 1_000_000},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 1_000_000},
]
# Orders are counted against limits as they are at a venue, and there is room for all that a run sends.
ORDER_LIMITS = [
    {"rateLimitType": "ORDERS", "interval": interval, "intervalNum": number, "limit": 1_000_000_000, "count": 0}
    for interval, number in (("SECOND", 10), ("MINUTE", 1), ("DAY", 1))
]
SPOT_SYMBOL = {
    "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "baseAssetPrecision": 8, "quoteAsset": "USDT",
    "quotePrecision": 8, "quoteAssetPrecision": 8, "isSpotTradingAllowed": True, "isMarginTradingAllowed": True,
    "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"], "permissions": ["SPOT"], "permissionSets": [["SPOT"]],
    "icebergAllowed": True, "ocoAllowed": True, "quoteOrderQtyMarketAllowed": True, "allowTrailingStop": True,
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.00", "tickSize": "0.01000000"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "100.00000000", "stepSize": "0.00000000"},
        {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True,
         "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5},
    ],
}
USD_M_SYMBOL = {
    "symbol": "BTCUSDT", "pair": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": "BTC",
    "quoteAsset": "USDT", "marginAsset": "USDT", "pricePrecision": 2, "quantityPrecision": 3, "baseAssetPrecision": 8,
    "quotePrecision": 8, "deliveryDate": 4133404800000, "onboardDate": 1569398400000, "underlyingType": "COIN",
    "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET"], "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "556.80", "maxPrice": "4529764", "tickSize": "0.10"},
        {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
        {"filterType": "MIN_NOTIONAL", "notional": "50"},
    ],
}
SPOT_ACCOUNT = {
    "canTrade": True, "canWithdraw": False, "canDeposit": False, "accountType": "SPOT", "permissions": ["SPOT"],
    "makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0, "updateTime": 1, "uid": 1,
    "balances": [
        {"asset": "BTC", "free": "1000000.00000000", "locked": "0.00000000"},
        {"asset": "USDT", "free": "100000000000.00000000", "locked": "0.00000000"},
    ],
}
ASSET = {
    "asset": "USDT", "accountAlias": "bench", "balance": "100000000000.00", "walletBalance": "100000000000.00",
    "crossWalletBalance": "100000000000.00", "availableBalance": "100000000000.00",
    "maxWithdrawAmount": "100000000000.00",
    "marginBalance": "100000000000.00", "unrealizedProfit": "0", "crossUnPnl": "0", "marginAvailable": True,
}
USD_M_ACCOUNT = {
    "canTrade": True, "multiAssetsMargin": False, "totalWalletBalance": "100000000000.00",
    "totalMarginBalance": "100000000000.00", "availableBalance": "100000000000.00", "assets": [ASSET], "positions": [],
}


def answers() -> dict[str, object]:
    """Every path that the bench knows, with its answer."""
    now = int(time.time() * 1000)
    info = {"timezone": "UTC", "serverTime": now, "rateLimits": LIMITS, "exchangeFilters": []}
    known = {
        "/api/v3/ping": {},
        "/api/v3/time": {"serverTime": now},
        "/api/v3/exchangeInfo": {**info, "symbols": [SPOT_SYMBOL]},
        "/api/v3/account": SPOT_ACCOUNT,
        "/api/v3/rateLimit/order": ORDER_LIMITS,
        "/fapi/v1/rateLimit/order": ORDER_LIMITS,
        "/api/v3/openOrders": [],
        "/api/v3/allOrders": [],
        "/api/v3/myTrades": [],
        "/api/v3/ticker/bookTicker": {
            "symbol": "BTCUSDT", "bidPrice": "97000.00", "bidQty": "1", "askPrice": "97000.01", "askQty": "1",
        },
        "/api/v3/userDataStream": {"listenKey": "bench"},
        "/sapi/v1/asset/tradeFee": [],
        "/fapi/v1/ping": {},
        "/fapi/v1/time": {"serverTime": now},
        "/fapi/v1/exchangeInfo": {**info, "symbols": [USD_M_SYMBOL]},
        "/fapi/v1/listenKey": {"listenKey": "bench"},
        "/fapi/v1/openOrders": [],
        "/fapi/v1/userTrades": [],
        "/fapi/v1/positionSide/dual": {"dualSidePosition": False},
        "/fapi/v1/multiAssetsMargin": {"multiAssetsMargin": False},
    }
    for number in ("v2", "v3"):
        known[f"/fapi/{number}/account"] = USD_M_ACCOUNT
        known[f"/fapi/{number}/balance"] = [ASSET]
        known[f"/fapi/{number}/positionRisk"] = []
    return known


def answer(path: str) -> object:
    """The answer for a path, or None where the bench has none."""
    return answers().get(path)


def answers_text() -> str:
    """The same for the C exchange's --answers: a line "path<TAB>body" each."""
    return "".join(f"{path}\t{json.dumps(body, separators=(',', ':'))}\n" for path, body in answers().items())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        content = answer(path)
        status = 200 if content is not None else 404
        if path in ("/api/v3/order", "/fapi/v1/order"):
            status, content = 400, {"code": -2013, "msg": "Order does not exist."}
        if content is None:
            self.server.unknown.append(f"{self.command} {path}")
            content = {"code": -1, "msg": f"the bench has no {path}"}
        body = json.dumps(content, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = reply

    def log_message(self, format, *arguments):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that goes away in the middle of an answer is no news at the end of a run."""


@contextmanager
def serving():
    """Yields (port, list of the requests that the bench had no answer for)."""
    server = Server(("127.0.0.1", 0), Handler)
    server.unknown = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], server.unknown
    finally:
        server.shutdown()
        server.server_close()
