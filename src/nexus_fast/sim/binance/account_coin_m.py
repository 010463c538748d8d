"""The COIN-M account where its answers are of another form than USD-M's: amounts in contracts, money in coins."""

from nexus_fast.sim.binance import account_futures
from nexus_fast.sim.binance.account_futures import MAINTENANCE_RATE, MAXIMUM_LEVERAGE, Figures, worth
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.fixed_point import SCALE, text
from nexus_fast.sim.instruments import Instrument

LARGEST_QUANTITY = "1000000"


def account(call: Call) -> dict:
    now = call.service.clock.milliseconds()
    assets = [_asset(asset, Figures(call, asset), now) for asset in call.ledger.wallet]
    return {"assets": assets, "positions": [_account_position(call, i) for i in _instruments(call)],
            "canDeposit": True, "canTrade": True, "canWithdraw": True, "feeTier": 0, "updateTime": 0}


def _asset(asset: str, figures: Figures, now: int) -> dict:
    return {"asset": asset, "walletBalance": text(figures.wallet), "unrealizedProfit": text(figures.unrealized),
            "marginBalance": text(figures.wallet + figures.unrealized), "maintMargin": text(figures.maintenance),
            "initialMargin": text(figures.position_margin + figures.order_margin),
            "positionInitialMargin": text(figures.position_margin), "openOrderInitialMargin": text(figures.order_margin),
            "maxWithdrawAmount": text(figures.available), "crossWalletBalance": text(figures.wallet),
            "crossUnPnl": text(figures.unrealized), "availableBalance": text(figures.available), "updateTime": now}


def _instruments(call: Call) -> list[Instrument]:
    """Those of `symbol`, `pair` or `marginAsset`; all when none is sent."""
    wanted, pair, asset = call.instrument(mandatory=False), call.params.get("pair"), call.params.get("marginAsset")
    return [i for i in call.service.market.instruments.values()
            if wanted in (None, i) and pair in (None, i.words["pair"]) and asset in (None, i.settle)]


def _account_position(call: Call, instrument: Instrument) -> dict:
    ledger, symbol = call.ledger, instrument.symbol
    position, mark = ledger.position(instrument), call.service.market.mark_price(symbol)
    margin, orders, risk = ledger.position_margin(instrument, mark), ledger.order_margin(symbol), ledger.symbol_risk(symbol)
    value = worth(position, mark)
    return {"symbol": symbol, "positionAmt": text(position.amount, 0), "initialMargin": text(margin + orders),
            "maintMargin": text(abs(value) * MAINTENANCE_RATE // SCALE), "unrealizedProfit": text(position.unrealized(mark)),
            "positionInitialMargin": text(margin), "openOrderInitialMargin": text(orders), "leverage": str(risk.leverage),
            "isolated": risk.isolated, "positionSide": "BOTH", "entryPrice": text(position.entry_price),
            "breakEvenPrice": text(position.entry_price), "maxQty": LARGEST_QUANTITY, "notionalValue": text(value),
            "isolatedWallet": text(0), "updateTime": position.update_time}


def balance(call: Call) -> list:
    now, out = call.service.clock.milliseconds(), []
    for asset in call.ledger.wallet:
        figures = Figures(call, asset)
        out.append({"accountAlias": "SimS", "asset": asset, "balance": text(figures.wallet),
                    "withdrawAvailable": text(figures.available), "crossWalletBalance": text(figures.wallet),
                    "crossUnPnl": text(figures.unrealized), "availableBalance": text(figures.available), "updateTime": now})
    return out


def position_risk(call: Call) -> list:
    return [_position_risk(call, instrument) for instrument in _instruments(call)]


def _position_risk(call: Call, instrument: Instrument) -> dict:
    ledger, symbol = call.ledger, instrument.symbol
    position, mark, risk = ledger.position(instrument), call.service.market.mark_price(symbol), ledger.symbol_risk(symbol)
    return {"symbol": symbol, "positionAmt": text(position.amount, 0), "entryPrice": text(position.entry_price),
            "breakEvenPrice": text(position.entry_price), "markPrice": text(mark),
            "unRealizedProfit": text(position.unrealized(mark)),
            "liquidationPrice": text(account_futures.liquidation_price(call, position)), "leverage": str(risk.leverage),
            "maxQty": LARGEST_QUANTITY, "marginType": "isolated" if risk.isolated else "cross",
            "isolatedMargin": text(0), "isAutoAddMargin": "false", "positionSide": "BOTH",
            "notionalValue": text(worth(position, mark)), "isolatedWallet": "0", "updateTime": position.update_time}


def leverage(call: Call) -> dict:
    found = account_futures.leverage(call)
    return {"symbol": found["symbol"], "leverage": found["leverage"], "maxQty": LARGEST_QUANTITY}


def leverage_brackets(call: Call) -> list:
    return [{"symbol": i.symbol, "notionalCoef": 1.0, "brackets": [
        {"bracket": 1, "initialLeverage": MAXIMUM_LEVERAGE, "qtyCap": int(LARGEST_QUANTITY), "qtylFloor": 0,
         "maintMarginRatio": 0.004, "cum": 0.0}]} for i in _instruments(call)]
