"""Where Binance listens, as of 2026: one table per account family, live and testnet.

`stream`, `public`, `market` and `private` are what stands before `/ws` and `/stream`; `ws_api` is the whole address.
USD-M has split its streams by route since 2026-04-23: quotes and depth on /public, trades, bars and mark prices on
/market, the account on /private. A stream asked for on a wrong route is acknowledged and stays silent.
Source: developers.binance.com, and protocols.md 1.1, 1.3, 1.4, 1.5, 2.2, 2.3.
"""

LIVE = {
    "spot": {
        "rest": "https://api.binance.com",
        "stream": "wss://stream.binance.com:9443",
        "ws_api": "wss://ws-api.binance.com:443/ws-api/v3",
    },
    "usd_m": {
        "rest": "https://fapi.binance.com",
        "public": "wss://fstream.binance.com/public",
        "market": "wss://fstream.binance.com/market",
        "private": "wss://fstream.binance.com/private",
        "ws_api": "wss://ws-fapi.binance.com/ws-fapi/v1",
    },
    "coin_m": {
        "rest": "https://dapi.binance.com",
        "stream": "wss://dstream.binance.com",
        "ws_api": "wss://ws-dapi.binance.com/ws-dapi/v1",
    },
    "portfolio_margin": {
        "rest": "https://papi.binance.com",
        "stream": "wss://fstream.binance.com/pm",
    },
}

TESTNET = {
    "spot": {
        "rest": "https://testnet.binance.vision",
        "stream": "wss://stream.testnet.binance.vision",
        "ws_api": "wss://ws-api.testnet.binance.vision/ws-api/v3",
    },
    "usd_m": {
        "rest": "https://demo-fapi.binance.com",
        "public": "wss://demo-fstream.binance.com/public",
        "market": "wss://demo-fstream.binance.com/market",
        "private": "wss://demo-fstream.binance.com/private",
        "ws_api": "wss://testnet.binancefuture.com/ws-fapi/v1",
    },
    "coin_m": {
        "rest": "https://testnet.binancefuture.com",
        "stream": "wss://dstream.binancefuture.com",
        "ws_api": "wss://testnet.binancefuture.com/ws-dapi/v1",
    },
    # Binance has no test world for portfolio margin.
    "portfolio_margin": {},
}
