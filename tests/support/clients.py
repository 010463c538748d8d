"""Unmodified third-party clients, pointed at a simulator by their URLs alone."""

from urllib.parse import urlsplit


def point_ccxt(exchange, endpoints: dict):
    """Every REST address of a ccxt `binance` (Python, sync or async) goes to the simulator; paths stay as they are."""
    rest = endpoints["binance"]["spot"]["rest"]
    for name, url in exchange.urls["api"].items():
        if isinstance(url, str):
            exchange.urls["api"][name] = rest + urlsplit(url).path
    return exchange


def point_ccxt_pro(exchange, endpoints: dict):
    """The WebSockets of ccxt.pro as well. It tells a spot connection by `/stream` in the URL: so combined streams."""
    spot, usd_m = endpoints["binance"]["spot"], endpoints["binance"]["usd_m"]
    point_ccxt(exchange, endpoints)
    exchange.urls["api"]["ws"].update({
        "spot": spot["stream"] + "/stream", "linear": usd_m["public"].removesuffix("/public") + "/ws",
        "inverse": endpoints["binance"]["coin_m"]["stream"] + "/ws",
        "ws-api": {"spot": spot["ws_api"], "linear": usd_m["ws_api"]}})
    return exchange


def pointed(client_class: type, endpoints: dict) -> type:
    """A python-binance client class (sync or async) with the simulator's addresses."""
    rest = endpoints["binance"]["spot"]["rest"]
    return type(client_class.__name__, (client_class,), {
        "API_URL": rest + "/api", "MARGIN_API_URL": rest + "/sapi", "FUTURES_URL": rest + "/fapi",
        "WS_API_URL": endpoints["binance"]["spot"]["ws_api"],
        "WS_FUTURES_URL": endpoints["binance"]["usd_m"]["ws_api"]})


def point_ccxt_okx(exchange, endpoints: dict):
    """A ccxt `okx` (sync, async or pro): one address for REST, one for the three WebSockets."""
    exchange.urls["api"].update(rest=endpoints["okx"]["rest"], ws=endpoints["okx"]["public"].removesuffix("/public"))
    return exchange


def point_ccxt_bybit(exchange, endpoints: dict):
    """Every address of a ccxt `bybit` (Python, sync, async or pro) goes to the simulator."""
    bybit = endpoints["bybit"]
    for name, url in exchange.urls["api"].items():
        if isinstance(url, str):
            exchange.urls["api"][name] = bybit["rest"]
    if isinstance(exchange.urls["api"].get("ws"), dict):
        exchange.urls["api"]["ws"] = {
            "public": {category: f"{bybit['public']}/{category}" for category in ("spot", "linear", "inverse")},
            "private": {"spot": {"unified": bybit["private"]}, "contract": bybit["private"], "usdc": bybit["private"],
                        "trade": bybit["trade"]}}
    return exchange
