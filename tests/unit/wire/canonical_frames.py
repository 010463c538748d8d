"""One frame of each kind in its everyday form, from the venues' documents."""

SPOT = b'{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}'
USD_M = (
    b'{"e":"bookTicker","u":11671659685961,"s":"BTCUSDT","ps":"BTCUSDT","b":"84551.00","B":"2.646","a":"84551.10",'
    b'"A":"5.302","T":1790526538939,"E":1790526538940,"st":1}'
)
COIN_M = (
    b'{"e":"bookTicker","u":17242169,"s":"BTCUSD_200626","b":"9548.1","B":"52","a":"9548.5","A":"11",'
    b'"T":1591268628155,"E":1591268628166,"ps":"BTCUSD"}'
)
COMBINED = b'{"stream":"btcusdt@bookTicker","data":' + USD_M + b"}"
BYBIT = (
    b'{"topic":"orderbook.1.BTCUSDT","ts":1772694601512,"type":"snapshot","data":{"s":"BTCUSDT","b":[["16493.50","0.006"'
    b']],"a":[["16611.00","0.029"]],"u":18521288,"seq":7961638724},"cts":1672304484976}'
)
OKX = (
    b'{"arg":{"channel":"bbo-tbt","instId":"BCH-USDT-SWAP"},"data":[{"asks":[["111.06","55154","0","2"]],"bids":[["111.05"'
    b',"57745","0","2"]],"ts":"1670324386802","seqId":363996337}]}'
)
CANONICAL = [
    ("binance", "spot", SPOT),
    ("binance", "usd_m", USD_M),
    ("binance", "coin_m", COIN_M),
    ("binance", "usd_m", COMBINED),
    ("bybit", "linear", BYBIT),
    ("okx", "public", OKX),
]
MARKET = {"binance": "spot", "bybit": "spot", "okx": "public"}
