"""What a strategy may send by `api(account_type)`, past the engine: questions, and what leaves every order as it is.

An order that is placed, changed or canceled past the engine is unknown to its limits, journal, kill switch and restart. There are
a hundred ways to do that at each venue, and new ones every month (also conversions, repayments that sell, bots, stops of a
position). So what may be sent is listed, not what may not:

* settings: leverage, kinds of margin, fees in a venue's coin, listen keys (not their end: the engine's own is the same one);
* loans and repayments in the same coin; transfers between the account's own wallets.

Not among them: the position mode, which the engine has checked at its start; withdrawals, for which a trading key has no right;
and everything about orders.
"""

import re

from nexus_fast.constants import ExchangeType
from nexus_fast.error import OrderRefusedError

# As every venue writes its paths: no host, query, percent sign, empty or dotted part that could stand for another path.
PATH = re.compile(r"(/[A-Za-z0-9_-]+)+")

_BINANCE = """
POST /fapi/v1/leverage /dapi/v1/leverage /papi/v1/um/leverage /papi/v1/cm/leverage /sapi/v1/margin/max-leverage
POST /fapi/v1/marginType /dapi/v1/marginType /fapi/v1/positionMargin /dapi/v1/positionMargin /fapi/v1/multiAssetsMargin
POST /fapi/v1/feeBurn /papi/v1/um/feeBurn /sapi/v1/bnbBurn
POST /fapi/v1/listenKey /dapi/v1/listenKey /papi/v1/listenKey /sapi/v1/userListenToken
PUT /fapi/v1/listenKey /dapi/v1/listenKey /papi/v1/listenKey
POST /sapi/v1/margin/borrow-repay /sapi/v1/margin/isolated/account /papi/v1/marginLoan /papi/v1/repayLoan
POST /sapi/v1/asset/transfer /papi/v1/auto-collection /papi/v1/asset-collection /papi/v1/bnb-transfer
"""
_BYBIT = """
POST /v5/position/set-leverage /v5/position/switch-isolated /v5/position/add-margin /v5/position/set-auto-add-margin
POST /v5/account/set-margin-mode /v5/account/set-collateral-switch /v5/account/set-collateral-switch-batch
POST /v5/account/set-hedging-mode /v5/spot-margin-trade/switch-mode /v5/spot-margin-trade/set-leverage
POST /v5/account/borrow /v5/account/no-convert-repay /v5/asset/transfer/inter-transfer
"""
_OKX = """
POST /api/v5/account/set-leverage /api/v5/account/position/margin-balance /api/v5/account/set-isolated-mode
POST /api/v5/account/set-auto-loan /api/v5/account/set-auto-repay /api/v5/account/spot-manual-borrow-repay
POST /api/v5/account/set-greeks /api/v5/asset/transfer
"""


def _read(text: str) -> frozenset[tuple[str, str]]:
    lines = (line.split() for line in text.strip().splitlines())
    return frozenset((method, path) for method, *paths in lines for path in paths)


ALLOWED = {ExchangeType.BINANCE: _read(_BINANCE), ExchangeType.BYBIT: _read(_BYBIT), ExchangeType.OKX: _read(_OKX)}


def check(exchange: ExchangeType, method: str, path: str, halted: bool = False) -> None:
    """Raises OrderRefusedError for what must not be sent. halted: the kill switch is pressed."""
    call = f"api().{method.lower()}({path!r})"
    if not isinstance(path, str) or not PATH.fullmatch(path):
        raise OrderRefusedError(
            f"{call}: that is no path of a venue: parts of letters, digits, _ and -, each after one slash, without host, query "
            "and %; parameters go into params={…}."
        )
    if method == "GET":
        return
    if (method, path) not in ALLOWED[exchange]:
        allowed = ", ".join(sorted(p for m, p in ALLOWED[exchange] if m == method)) or "nothing"
        raise OrderRefusedError(
            f"{call} is not sent: orders are placed, changed and canceled by create_order, modify_order, cancel_order and "
            "cancel_all_orders (stops: create_tp_sl_order), so that limits, journal and kill switch know them; what moves money "
            f"out or trades otherwise is not for an engine. By {method.lower()} it takes {allowed}."
        )
    if halted:
        raise OrderRefusedError(f"{call} is not sent: the kill switch was pressed, and nothing but cancels leaves any more.")
