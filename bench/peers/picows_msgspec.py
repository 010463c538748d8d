"""A client written by hand in Python with the fastest parts there are: picows, uvloop, msgspec, OpenSSL's one-shot HMAC, and an
order that is a bytes template. No order keeping."""

import gc
import hmac

import msgspec
import uvloop
from common import now_ms, options, signed
from picows import WSListener, WSMsgType, ws_connect

OPTIONS = options()
SECRET = OPTIONS.secret.encode()


class Quote(msgspec.Struct):
    a: str


decode_quote = msgspec.json.Decoder(Quote).decode
# What never changes is written once; %-templates are the fastest that Python has for the rest.
SIGNED = (
    "apiKey=KEY&newClientOrderId=%s&newOrderRespType=ACK&price=%s&quantity=0.00100&side=BUY&symbol=BTCUSDT&timeInForce=GTC"
    "&timestamp=%d&type=LIMIT"
).replace("KEY", OPTIONS.key)
REQUEST = (
    '{"id":"%s","method":"order.place","params":{"apiKey":"KEY","newClientOrderId":"%s","newOrderRespType":"ACK","price":'
    '"%s","quantity":"0.00100","side":"BUY","symbol":"BTCUSDT","timeInForce":"GTC","timestamp":%d,"type":"LIMIT",'
    '"signature":"%s"}}'
).replace("KEY", OPTIONS.key)


class Silent(WSListener):
    """Acknowledgements and events are decoded, as one who keeps orders must."""

    def on_ws_frame(self, transport, frame):
        if frame.msg_type == WSMsgType.TEXT:
            msgspec.json.decode(frame.get_payload_as_memoryview())


class Market(WSListener):
    def __init__(self, orders):
        self.orders = orders
        self.number = 0

    def on_ws_frame(self, transport, frame):
        if frame.msg_type != WSMsgType.TEXT:
            return
        try:
            ask = decode_quote(frame.get_payload_as_memoryview()).a
        except msgspec.ValidationError:
            return
        self.number += 1
        identity, now = f"peer{self.number:012d}", now_ms()
        signature = hmac.digest(SECRET, (SIGNED % (identity, ask, now)).encode(), "sha256").hex()
        self.orders.send(WSMsgType.TEXT, (REQUEST % (identity, identity, ask, now, signature)).encode())


async def main():
    api = f"{OPTIONS.ws}/ws-api/v3?returnRateLimits=false"
    orders, _ = await ws_connect(Silent, api)
    user, _ = await ws_connect(Silent, api)
    params = signed(OPTIONS.secret, {"apiKey": OPTIONS.key, "timestamp": now_ms()})
    user.send(
        WSMsgType.TEXT,
        msgspec.json.encode({"id": "u", "method": "userDataStream.subscribe.signature", "params": params}),
    )
    market, _ = await ws_connect(lambda: Market(orders), f"{OPTIONS.ws}/ws")
    market.send(WSMsgType.TEXT, b'{"method":"SUBSCRIBE","params":["btcusdt@bookTicker"],"id":1}')
    gc.freeze()
    await market.wait_disconnected()


uvloop.run(main())
