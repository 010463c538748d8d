"""Margin requests (/sapi/v1/margin, and portfolio margin's /papi/v1/margin): each takes a `Call`, gives the result.

`isIsolated=TRUE` with a symbol means that pair's own account.
"""

import secrets

from nexus_fast.sim.account import Account
from nexus_fast.sim.binance import operations_spot
from nexus_fast.sim.binance.errors import VenueError
from nexus_fast.sim.binance.margin import ISOLATED, SIDE_EFFECTS, open_isolated
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.fixed_point import text

TOKEN_MS = 24 * 3600 * 1000


def is_isolated(call: Call) -> bool:
    return call.params.get("isIsolated", "FALSE").upper() == "TRUE"


def isolated_account(call: Call, main: Account) -> Account:
    """The pair's own account, opened at the first request for it; the symbol is mandatory."""
    instrument = call.instrument()
    made = call.service.isolated.get((main.key, instrument.symbol))
    if made is None:
        made = call.service.isolated[main.key, instrument.symbol] = open_isolated(main, instrument)
    return made


def on_account(operation):
    """The operation, on the isolated account where the request says so."""

    def perform(call: Call):
        if is_isolated(call):
            call.account = isolated_account(call, call.account)
        return operation(call)

    return perform


def _said(call: Call, answer: dict) -> dict:
    return {**answer, "isIsolated": call.account.kind.startswith(ISOLATED)}


def place(call: Call) -> dict:
    """As a spot order, with a side effect; ACK, RESULT or FULL."""
    effect = call.params.get("sideEffectType", "NO_SIDE_EFFECT")
    if effect not in SIDE_EFFECTS:
        raise VenueError(-1130, "Data sent for parameter 'sideEffectType' is not valid.")
    return _said(call, operations_spot.place(call))


def status(call: Call) -> dict:
    return _said(call, operations_spot.status(call))


def cancel(call: Call) -> dict:
    """Margin's cancel gives the order's number as text, as the venue does."""
    answer = operations_spot.cancel(call)
    return _said(call, {**answer, "orderId": str(answer["orderId"])})


def open_orders(call: Call) -> list:
    return [_said(call, order) for order in operations_spot.open_orders(call)]


def all_orders(call: Call) -> list:
    return [_said(call, order) for order in operations_spot.all_orders(call)]


def cancel_open_orders(call: Call) -> list:
    return [_said(call, order) for order in operations_spot.cancel_open_orders(call)]


def my_trades(call: Call) -> list:
    return [_said(call, trade) for trade in operations_spot.my_trades(call)]


# ---- account


def _asset(ledger, asset: str) -> dict:
    free, locked, borrowed = ledger.free.get(asset, 0), ledger.locked.get(asset, 0), ledger.borrowed.get(asset, 0)
    return {"asset": asset, "borrowed": text(borrowed), "free": text(free), "interest": text(0), "locked": text(locked),
            "netAsset": text(free + locked - borrowed)}


def account(call: Call) -> dict:
    ledger = call.ledger
    return {"created": True, "borrowEnabled": True, "marginLevel": "999.00000000", "collateralMarginLevel": "999.00000000",
            "totalAssetOfBtc": "0.00000000", "totalLiabilityOfBtc": "0.00000000", "totalNetAssetOfBtc": "0.00000000",
            "tradeEnabled": True, "transferInEnabled": True, "transferOutEnabled": True, "accountType": "MARGIN_1",
            "userAssets": [_asset(ledger, asset) for asset in ledger.free]}


def isolated_accounts(call: Call) -> dict:
    """`symbols` (comma separated) or all pairs that have an account: here every pair has one."""
    names = call.params.get("symbols")
    wanted = list(call.service.market.instruments) if not names else names.split(",")
    assets = []
    for symbol in wanted:
        call.params["symbol"] = symbol
        instrument, ledger = call.instrument(), isolated_account(call, call.account).ledgers[call.service.name]
        sides = {name: {**_asset(ledger, asset), "borrowEnabled": True, "repayEnabled": True, "netAssetOfBtc": "0",
                        "totalAsset": text(ledger.free[asset] + ledger.locked[asset])}
                 for name, asset in (("baseAsset", instrument.base), ("quoteAsset", instrument.quote))}
        assets.append({**sides, "symbol": symbol, "isolatedCreated": True, "enabled": True, "marginLevel": "999.00000000",
                       "marginLevelStatus": "EXCESSIVE", "marginRatio": "10.00000000", "indexPrice": "0",
                       "liquidatePrice": "0", "liquidateRate": "0", "tradeEnabled": True})
    return {"assets": assets, "totalAssetOfBtc": "0", "totalLiabilityOfBtc": "0", "totalNetAssetOfBtc": "0"}


def pairs(call: Call) -> list:
    return [{"id": number, "symbol": i.symbol, "base": i.base, "quote": i.quote, "isMarginTrade": True, "isBuyAllowed": True,
             "isSellAllowed": True} for number, i in enumerate(call.service.market.instruments.values(), start=1)]


# ---- listen tokens


def listen_token(call: Call) -> dict:
    """POST /sapi/v1/userListenToken: a token to subscribe with on spot's WebSocket API."""
    validity = min(call.integer("validity", TOKEN_MS), TOKEN_MS)
    chosen = isolated_account(call, call.account) if is_isolated(call) else call.account
    token, expires = secrets.token_urlsafe(48), call.service.clock.milliseconds() + validity
    call.service.users.tokens[token] = (chosen, expires)
    return {"token": token, "expirationTime": expires}


def subscribe_with_token(call: Call) -> dict:
    """`userDataStream.subscribe.listenToken`: one more subscription, or a longer life for the one there is."""
    connection = call.connection
    chosen, expires = call.service.users.tokens.get(call.need("listenToken"), (None, 0))
    if chosen is None or expires <= call.service.clock.milliseconds():
        raise VenueError(-1209, "Invalid listenToken.")
    return {"subscriptionId": connection.subscribe_to(chosen, expires), "expirationTime": expires}


