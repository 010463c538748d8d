"""What many begin with: aiohttp, json and hmac from the standard library; orders by WebSocket or by REST. On uvloop."""

import asyncio
import json

import aiohttp
import uvloop
from common import now_ms, options, sign, signed

OPTIONS = options(("ws", "rest"))


async def read(socket):
    async for message in socket:
        json.loads(message.data)


async def by_websocket(orders, number, ask):
    params = {
        "apiKey": OPTIONS.key,
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "price": ask,
        "quantity": "0.00100",
        "newClientOrderId": f"peer{number}",
        "newOrderRespType": "ACK",
        "timestamp": now_ms(),
    }
    request = {"id": str(number), "method": "order.place", "params": signed(OPTIONS.secret, params)}
    await orders.send_str(json.dumps(request))


async def by_rest(session, number, ask):
    text = (
        f"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price={ask}&quantity=0.00100&newClientOrderId=peer{number}"
        f"&newOrderRespType=ACK&timestamp={now_ms()}"
    )
    url = f"{OPTIONS.http}/api/v3/order?{text}&signature={sign(OPTIONS.secret, text)}"
    async with session.post(url, headers={"X-MBX-APIKEY": OPTIONS.key}) as response:
        json.loads(await response.read())


async def main():
    async with aiohttp.ClientSession() as session:
        api = f"{OPTIONS.ws}/ws-api/v3?returnRateLimits=false"
        user = await session.ws_connect(api)
        params = signed(OPTIONS.secret, {"apiKey": OPTIONS.key, "timestamp": now_ms()})
        await user.send_str(json.dumps({"id": "u", "method": "userDataStream.subscribe.signature", "params": params}))
        tasks = [asyncio.create_task(read(user))]
        if OPTIONS.entry == "ws":
            orders = await session.ws_connect(api)
            tasks.append(asyncio.create_task(read(orders)))
        else:
            async with session.get(f"{OPTIONS.http}/api/v3/time") as response:  # opens the connection
                await response.read()
        market = await session.ws_connect(f"{OPTIONS.ws}/ws")
        await market.send_str(json.dumps({"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 1}))
        number = 0
        async for message in market:
            quote = json.loads(message.data)
            if "a" not in quote:
                continue
            number += 1
            if OPTIONS.entry == "ws":
                await by_websocket(orders, number, quote["a"])
            else:
                await by_rest(session, number, quote["a"])


uvloop.run(main())
