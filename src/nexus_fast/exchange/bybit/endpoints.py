"""Where Bybit v5 listens. `public` is what stands before /spot, /linear, /inverse and /option.

Source: bybit-exchange.github.io/docs/v5, protocols.md 1.6 and 2.4.
"""

LIVE = {
    "rest": "https://api.bybit.com",
    "public": "wss://stream.bybit.com/v5/public",
    "private": "wss://stream.bybit.com/v5/private",
    "trade": "wss://stream.bybit.com/v5/trade",
}

TESTNET = {
    "rest": "https://api-testnet.bybit.com",
    "public": "wss://stream-testnet.bybit.com/v5/public",
    "private": "wss://stream-testnet.bybit.com/v5/private",
    "trade": "wss://stream-testnet.bybit.com/v5/trade",
}
