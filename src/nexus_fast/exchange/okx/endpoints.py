"""Where OKX v5 listens. Demo trading uses the live REST address with the header `x-simulated-trading: 1`.

Source: www.okx.com/docs-v5, protocols.md 1.7.
"""

LIVE = {
    "rest": "https://openapi.okx.com",
    "public": "wss://ws.okx.com:8443/ws/v5/public",
    "private": "wss://ws.okx.com:8443/ws/v5/private",
    "business": "wss://ws.okx.com:8443/ws/v5/business",
}

TESTNET = {
    "rest": "https://openapi.okx.com",
    "public": "wss://wspap.okx.com:8443/ws/v5/public",
    "private": "wss://wspap.okx.com:8443/ws/v5/private",
    "business": "wss://wspap.okx.com:8443/ws/v5/business",
}
