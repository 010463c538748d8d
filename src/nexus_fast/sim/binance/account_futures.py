"""The futures accounts: balances, positions, settings and listen keys; each operation takes a `Call`, gives the result.

The answers are USD-M's; where COIN-M's are of another form they are in account_coin_m.py.
"""

from nexus_fast.sim.account import Position
from nexus_fast.sim.binance import errors
from nexus_fast.sim.binance.errors import VenueError
from nexus_fast.sim.binance.operations_futures import boolean
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.fixed_point import SCALE, product, quotient, short, text
from nexus_fast.sim.instruments import Instrument

MAINTENANCE_RATE = SCALE * 4 // 1000  # 0.4 % of the notional
MAXIMUM_LEVERAGE = 125


# ---- account


def worth(position: Position, mark: int) -> int:
    """What a position is worth at this price, below zero for a short one; in the asset it settles in."""
    value = position.instrument.value(mark, abs(position.amount))
    return value if position.amount >= 0 else -value


class Figures:
    """Margin figures of a futures account at the present mark prices, in the asset `asset`."""

    def __init__(self, call: Call, asset: str):
        ledger, marks = call.ledger, call.service.market.marks()
        held = [i for i in call.service.market.instruments.values() if i.settle == asset]
        self.wallet = ledger.wallet.get(asset, 0)
        self.unrealized = sum(ledger.position(i).unrealized(marks[i.symbol]) for i in held)
        self.position_margin = sum(ledger.position_margin(i, marks[i.symbol]) for i in held)
        self.order_margin = sum(ledger.order_margin(i.symbol) for i in held)
        self.maintenance = sum(abs(worth(ledger.position(i), marks[i.symbol])) * MAINTENANCE_RATE // SCALE for i in held)
        self.available = call.service.market.available(call.account, asset)


def account_v3(call: Call) -> dict:
    return _account(call, legacy=False)


def account_v2(call: Call) -> dict:
    return _account(call, legacy=True)


def _account(call: Call, legacy: bool) -> dict:
    now = call.service.clock.milliseconds()
    figures = {asset: Figures(call, asset) for asset in call.ledger.wallet}
    total = figures["USDT"]
    out = {
        "totalInitialMargin": text(total.position_margin + total.order_margin),
        "totalMaintMargin": text(total.maintenance),
        "totalWalletBalance": text(total.wallet), "totalUnrealizedProfit": text(total.unrealized),
        "totalMarginBalance": text(total.wallet + total.unrealized),
        "totalPositionInitialMargin": text(total.position_margin),
        "totalOpenOrderInitialMargin": text(total.order_margin),
        "totalCrossWalletBalance": text(total.wallet), "totalCrossUnPnl": text(total.unrealized),
        "availableBalance": text(total.available), "maxWithdrawAmount": text(total.available),
        "assets": [_asset(asset, each, now) for asset, each in figures.items()],
        "positions": [_account_position(call, i, legacy) for i in _listed_positions(call, everything=legacy)]}
    if legacy:
        out = {"feeTier": 0, "feeBurn": False, "canTrade": True, "canDeposit": True, "canWithdraw": True,
               "updateTime": 0, "multiAssetsMargin": False, "tradeGroupId": -1, **out}
    return out


def _asset(asset: str, figures: Figures, now: int) -> dict:
    return {"asset": asset, "walletBalance": text(figures.wallet), "unrealizedProfit": text(figures.unrealized),
            "marginBalance": text(figures.wallet + figures.unrealized), "maintMargin": text(figures.maintenance),
            "initialMargin": text(figures.position_margin + figures.order_margin),
            "positionInitialMargin": text(figures.position_margin),
            "openOrderInitialMargin": text(figures.order_margin),
            "crossWalletBalance": text(figures.wallet), "crossUnPnl": text(figures.unrealized),
            "availableBalance": text(figures.available), "maxWithdrawAmount": text(figures.available),
            "marginAvailable": True, "updateTime": now}


def _listed_positions(call: Call, everything: bool) -> list[Instrument]:
    """Version 2 answers with every symbol, version 3 with those that hold a position or an order."""
    ledger = call.ledger
    wanted = call.instrument(mandatory=False)
    instruments = call.service.market.instruments.values() if wanted is None else [wanted]
    return [i for i in instruments if everything or ledger.position(i).amount or ledger.order_margin(i.symbol)]


def _account_position(call: Call, instrument: Instrument, legacy: bool) -> dict:
    ledger, symbol = call.ledger, instrument.symbol
    position, mark = ledger.position(instrument), call.service.market.mark_price(symbol)
    margin, orders = ledger.position_margin(instrument, mark), ledger.order_margin(symbol)
    risk = ledger.symbol_risk(symbol)
    notional = worth(position, mark)
    out = {"symbol": symbol, "positionSide": "BOTH", "positionAmt": text(position.amount, instrument.quantity_decimals),
           "unrealizedProfit": text(position.unrealized(mark)), "isolatedMargin": text(0), "notional": text(notional),
           "isolatedWallet": text(0), "initialMargin": text(margin + orders),
           "maintMargin": text(abs(notional) * MAINTENANCE_RATE // SCALE), "updateTime": position.update_time}
    if legacy:
        out.update({"positionInitialMargin": text(margin), "openOrderInitialMargin": text(orders),
                    "leverage": str(risk.leverage), "isolated": risk.isolated, "entryPrice": text(position.entry_price),
                    "breakEvenPrice": text(position.entry_price), "maxNotional": "200000000", "bidNotional": "0",
                    "askNotional": "0"})
    return out


def balance(call: Call) -> list:
    now = call.service.clock.milliseconds()
    out = []
    for asset in call.ledger.wallet:
        figures = Figures(call, asset)
        out.append({"accountAlias": "SimSimSimSim", "asset": asset, "balance": text(figures.wallet),
                    "crossWalletBalance": text(figures.wallet), "crossUnPnl": text(figures.unrealized),
                    "availableBalance": text(figures.available), "maxWithdrawAmount": text(figures.available),
                    "marginAvailable": True, "updateTime": now})
    return out


def position_risk_v3(call: Call) -> list:
    return [_position_risk(call, i, legacy=False) for i in _listed_positions(call, everything=False)]


def position_risk_v2(call: Call) -> list:
    return [_position_risk(call, i, legacy=True) for i in _listed_positions(call, everything=True)]


def _position_risk(call: Call, instrument: Instrument, legacy: bool) -> dict:
    ledger, symbol = call.ledger, instrument.symbol
    position, mark, risk = ledger.position(instrument), call.service.market.mark_price(symbol), ledger.symbol_risk(symbol)
    notional, margin = worth(position, mark), ledger.position_margin(instrument, mark)
    out = {"symbol": symbol, "positionSide": "BOTH", "positionAmt": text(position.amount, instrument.quantity_decimals),
           "entryPrice": text(position.entry_price), "breakEvenPrice": text(position.entry_price),
           "markPrice": text(mark), "unRealizedProfit": text(position.unrealized(mark)),
           "liquidationPrice": text(liquidation_price(call, position)), "isolatedMargin": text(0),
           "notional": text(notional), "isolatedWallet": text(0), "updateTime": position.update_time}
    if legacy:
        out.update({"leverage": str(risk.leverage), "marginType": "isolated" if risk.isolated else "cross",
                    "isAutoAddMargin": "false", "maxNotionalValue": "200000000", "isolated": risk.isolated,
                    "adlQuantile": 1})
    else:
        out.update({"marginAsset": instrument.quote, "initialMargin": text(margin + ledger.order_margin(symbol)),
                    "maintMargin": text(abs(notional) * MAINTENANCE_RATE // SCALE),
                    "positionInitialMargin": text(margin),
                    "openOrderInitialMargin": text(ledger.order_margin(symbol)), "adl": 1, "bidNotional": "0",
                    "askNotional": "0"})
    return out


def liquidation_price(call: Call, position: Position) -> int:
    """Where the wallet is used up by this position alone; 0 where no price does that. Nothing is liquidated here."""
    instrument = position.instrument
    if not position.amount:
        return 0
    wallet = call.ledger.wallet.get(instrument.settle, 0)
    if instrument.inverse:
        # A long position of so many dollars is worth more coins, the lower the price; a short one the other way.
        coins = abs(position.entry_value) + (wallet if position.amount > 0 else -wallet)
        return max(0, quotient(product(abs(position.amount), instrument.contract), coins))
    return max(0, position.entry_price - quotient(wallet, product(position.amount, instrument.contract)))


# ---- settings


def leverage(call: Call) -> dict:
    instrument, value = call.instrument(), call.integer("leverage")
    if value is None:
        raise errors.missing("leverage")
    if not 1 <= value <= MAXIMUM_LEVERAGE:
        raise VenueError(-4028, f"Leverage {value} is not valid")
    call.ledger.symbol_risk(instrument.symbol).leverage = value
    call.service.users.on_leverage(call.account, instrument.symbol, value)
    return {"symbol": instrument.symbol, "leverage": value, "maxNotionalValue": "200000000"}


def margin_type(call: Call) -> dict:
    instrument, wanted = call.instrument(), call.need("marginType")
    if wanted not in ("ISOLATED", "CROSSED"):
        raise VenueError(-4045, "Invalid margin type.")
    risk = call.ledger.symbol_risk(instrument.symbol)
    if risk.isolated == (wanted == "ISOLATED"):
        raise VenueError(-4046, "No need to change margin type.")
    if call.ledger.position(instrument).amount:
        raise VenueError(-4048, "Margin type cannot be changed if there exists position.")
    risk.isolated = wanted == "ISOLATED"
    return {"code": 200, "msg": "success"}


def position_mode(call: Call) -> dict:
    return {"dualSidePosition": False}


def set_position_mode(call: Call) -> dict:
    if boolean(call, "dualSidePosition"):
        raise VenueError(-4068, "Position side cannot be changed: the simulator keeps one-way positions.")
    raise VenueError(-4059, "No need to change position side.")


def multi_assets_mode(call: Call) -> dict:
    return {"multiAssetsMargin": False}


def leverage_brackets(call: Call):
    def bracket(instrument):
        return {"symbol": instrument.symbol, "notionalCoef": 1.0, "brackets": [
            {"bracket": 1, "initialLeverage": MAXIMUM_LEVERAGE, "notionalCap": 200000000, "notionalFloor": 0,
             "maintMarginRatio": 0.004, "cum": 0.0}]}

    instrument = call.instrument(mandatory=False)
    return [bracket(i) for i in ([instrument] if instrument else call.service.market.instruments.values())]


def symbol_config(call: Call) -> list:
    wanted = call.instrument(mandatory=False)
    ledger = call.ledger
    return [{"symbol": i.symbol, "marginType": "ISOLATED" if ledger.symbol_risk(i.symbol).isolated else "CROSSED",
             "isAutoAddMargin": False, "leverage": ledger.symbol_risk(i.symbol).leverage,
             "maxNotionalValue": "200000000"}
            for i in ([wanted] if wanted else call.service.market.instruments.values())]


def account_config(call: Call) -> dict:
    return {"feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": True, "dualSidePosition": False,
            "updateTime": 0, "multiAssetsMargin": False, "tradeGroupId": -1}


def commission_rate(call: Call) -> dict:
    instrument = call.instrument()
    return {"symbol": instrument.symbol, "makerCommissionRate": short(instrument.maker_fee),
            "takerCommissionRate": short(instrument.taker_fee), "rpiCommissionRate": "0"}


def order_rate_limits(call: Call) -> list:
    return call.service.limits.orders_state(call.account.key, call.service.clock.milliseconds())


def empty_list(call: Call) -> list:
    """Open algo orders, income, forced orders: there are none here."""
    return []


# ---- listen keys


def start_listen_key(call: Call) -> dict:
    return {"listenKey": call.service.users.start(call.account)}


def keep_listen_key(call: Call) -> dict:
    key = call.service.users.keep_alive(call.account)
    if key is None:
        raise errors.no_listen_key()
    return {"listenKey": key}


def close_listen_key(call: Call) -> dict:
    call.service.users.close(call.account)
    return {}

