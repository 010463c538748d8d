"""ccxt pro: watch_bids_asks, then create_order_ws or create_order. Its rate limiter is off, its markets are loaded; on uvloop."""

import asyncio

import ccxt.pro
import uvloop
from common import options

OPTIONS = options(("ws", "rest"))


def exchange():
    made = ccxt.pro.binance(
        {
            "apiKey": OPTIONS.key,
            "secret": OPTIONS.secret,
            "enableRateLimit": False,
            "options": {
                "defaultType": "spot",
                "fetchMarkets": {"types": ["spot"]},
                "fetchCurrencies": False,
                "fetchMargins": False,
            },
        }
    )
    api = made.urls["api"]
    for name, url in api.items():
        if isinstance(url, str) and name in ("public", "private", "v1"):
            api[name] = f"{OPTIONS.http}/api/v3" if name != "v1" else f"{OPTIONS.http}/api/v1"
    api["ws"]["spot"] = f"{OPTIONS.ws}/ws"
    api["ws"]["ws-api"]["spot"] = f"{OPTIONS.ws}/ws-api/v3?returnRateLimits=false"
    return made


async def main():
    venue = exchange()
    await venue.load_markets()
    send = venue.create_order_ws if OPTIONS.entry == "ws" else venue.create_order
    if OPTIONS.entry == "ws":
        await venue.fetch_time()
    try:
        while True:
            found = await venue.watch_bids_asks(["BTC/USDT"])
            ask = found["BTC/USDT"]["ask"]
            task = asyncio.ensure_future(send("BTC/USDT", "limit", "buy", 0.001, ask))
            task.add_done_callback(lambda done: done.exception())
            if OPTIONS.entry == "rest":
                await task
    finally:
        await venue.close()


uvloop.run(main())
