"""Balances and positions in the venue's words, for REST answers and private channels alike."""

import zlib

from nexus_fast.sim.account import Account
from nexus_fast.sim.fixed_point import SCALE, product, quotient, short
from nexus_fast.sim.okx import market_texts
from nexus_fast.sim.okx.listing import Listing
from nexus_fast.sim.okx.requests import Exchange
from nexus_fast.sim.okx.trading import contract_ledger, spot_ledger

MAINTENANCE_RATE = SCALE * 4 // 1000  # 0.4 % of the worth


def user_id(account: Account) -> str:
    return str(400_000_000_000_000_000 + zlib.crc32(account.key.encode()))


class Purse:
    """What an account has of one asset: cash, unrealized profit, margins, and what is free."""

    def __init__(self, exchange: Exchange, account: Account, asset: str):
        ledger, spot, contracts = contract_ledger(account), spot_ledger(account), exchange.contracts
        held = [p for p in ledger.positions.values() if p.amount and p.instrument.settle == asset]
        marks = {p.instrument.symbol: contracts.mark_price(p.instrument.symbol) for p in held}
        self.cash = spot.free.get(asset, 0) + spot.locked.get(asset, 0)
        self.unrealized = sum(p.unrealized(marks[p.instrument.symbol]) for p in held)
        self.position_margin = sum(ledger.position_margin(p.instrument, marks[p.instrument.symbol]) for p in held)
        self.order_margin = sum(ledger.order_margin(symbol) for symbol in ledger.risk
                                if contracts.settles_in.get(symbol) == asset)
        self.notional = sum(p.instrument.value(marks[p.instrument.symbol], abs(p.amount)) for p in held)
        self.maintenance = product(self.notional, MAINTENANCE_RATE)
        self.ordered = spot.locked.get(asset, 0) + self.order_margin
        self.equity = self.cash + self.unrealized
        self.available = max(0, contracts.available(account, asset))


def assets_of(account: Account) -> list[str]:
    """What the account holds something of."""
    ledger = spot_ledger(account)
    return [asset for asset in ledger.free if ledger.free[asset] or ledger.locked.get(asset, 0)]


def balance_detail(exchange: Exchange, account: Account, asset: str) -> dict:
    purse, price = Purse(exchange, account, asset), market_texts.dollars(exchange, asset)
    uses_margin = bool(purse.position_margin or purse.order_margin)
    equity, dollars = short(purse.equity), short(product(purse.equity, price))
    return {
        "accAvgPx": "", "autoLendAmt": "0", "autoLendMtAmt": "0", "autoLendStatus": "unsupported",
        "availBal": short(purse.available), "availEq": short(purse.available), "borrowFroz": "",
        "cashBal": short(purse.cash), "ccy": asset, "clSpotInUseAmt": "", "coinUsdPrice": short(price),
        "colBorrAutoConversion": "0", "colRes": "0", "collateralEnabled": False, "collateralRestrict": False,
        "crossLiab": "", "disEq": dollars, "eq": equity, "eqUsd": dollars, "fixedBal": "0",
        "frozenBal": short(purse.equity - purse.available), "frpType": "0",
        "imr": short(purse.position_margin + purse.order_margin) if uses_margin else "0", "interest": "",
        "isoEq": "0", "isoLiab": "", "isoUpl": "0", "liab": "", "maxLoan": "", "maxSpotInUseAmt": "",
        "mgnRatio": market_texts.share(purse.equity, purse.maintenance) if purse.maintenance else "",
        "mmr": short(purse.maintenance), "notionalLever": market_texts.share(purse.notional, purse.equity),
        "openAvgPx": "", "ordFrozen": short(purse.ordered), "rewardBal": "0", "smtSyncEq": "0",
        "spotBal": "", "spotCopyTradingEq": "0", "spotInUseAmt": "", "spotIsoBal": "0", "spotUpl": "",
        "spotUplRatio": "", "stgyEq": "0", "totalPnl": "", "totalPnlRatio": "", "twap": "0",
        "uTime": str(exchange.now()), "upl": short(purse.unrealized), "uplLiab": ""}


def balance_row(exchange: Exchange, account: Account, assets: list[str]) -> dict:
    """The row of `account/balance` and of the `account` channel, with details of these assets."""
    details = [balance_detail(exchange, account, asset) for asset in assets]
    total = short(total_equity(exchange, account))
    return {"adjEq": "", "availEq": "", "borrowFroz": "", "delta": "", "deltaLever": "", "deltaNeutralStatus": "",
            "details": details, "imr": "", "isoEq": "0", "mgnRatio": "", "mmr": "", "notionalUsd": "",
            "notionalUsdForBorrow": "", "notionalUsdForFutures": "", "notionalUsdForOption": "",
            "notionalUsdForSwap": "", "ordFroz": "", "totalEq": total,
            "uTime": str(exchange.now()), "upl": ""}


def total_equity(exchange: Exchange, account: Account) -> int:
    """All that the account has, with the profits of its positions, in dollars."""
    ledger, spot = contract_ledger(account), spot_ledger(account)
    equity = {asset: spot.free[asset] + spot.locked.get(asset, 0) for asset in assets_of(account)}
    for position in ledger.positions.values():
        if position.amount:
            settle, mark = position.instrument.settle, exchange.contracts.mark_price(position.instrument.symbol)
            equity[settle] = equity.get(settle, 0) + position.unrealized(mark)
    return sum(product(amount, market_texts.dollars(exchange, asset)) for asset, amount in equity.items())


def held(exchange: Exchange, account: Account, listings: list[Listing]) -> list[Listing]:
    """Those of the listings in which the account has a position."""
    return [one for one in listings
            if not one.is_spot and contract_ledger(account).position(one.instrument).amount]


def position_row(exchange: Exchange, account: Account, listing: Listing) -> dict:
    """The row of `account/positions` and of the `positions` channel; also for a position that has been closed."""
    symbol, ledger, now = listing.instrument_id, contract_ledger(account), str(exchange.now())
    position, risk = ledger.position(listing.instrument), ledger.symbol_risk(symbol)
    record = exchange.contracts.record(account, symbol)
    mark, last = exchange.contracts.mark_price(symbol), exchange.book_of(listing).last_price
    instrument, amount = listing.instrument, abs(position.amount)
    margin, maintenance = ledger.position_margin(instrument, mark), product(instrument.value(mark, amount), MAINTENANCE_RATE)
    profit, at_last = position.unrealized(mark), position.unrealized(last)
    is_open = amount > 0

    def figure(value: int) -> str:
        return short(value) if is_open else ""

    return {
        "adl": "1" if is_open else "", "availPos": "", "avgPx": figure(position.entry_price), "baseBal": "",
        "baseBorrowed": "", "baseInterest": "", "bePx": figure(position.entry_price), "bizRefId": "",
        "bizRefType": "", "cTime": str(record.created), "ccy": listing.settle, "clSpotInUseAmt": "",
        "closeOrderAlgo": [], "deltaBS": "", "deltaPA": "", "fee": short(-record.fee), "fundingFee": "0",
        "gammaBS": "", "gammaPA": "", "hedgedPos": "",
        "idxPx": short(market_texts.index_price(exchange, listing.family)),
        "imr": "" if risk.isolated else figure(margin), "instId": symbol, "instType": listing.kind, "interest": "",
        "last": short(last), "lever": str(risk.leverage), "liab": "", "liabCcy": "", "liqPenalty": "0",
        "liqPx": figure(_liquidation_price(exchange, account, listing)),
        "margin": figure(margin) if risk.isolated else "", "markPx": short(mark), "maxSpotInUseAmt": "",
        "mgnMode": "isolated" if risk.isolated else "cross",
        "mgnRatio": market_texts.share(Purse(exchange, account, listing.settle).equity, maintenance)
        if is_open else "", "mmr": figure(maintenance),
        "nonSettleAvgPx": "", "notionalUsd": figure(instrument.notional(mark, amount)), "optVal": "", "pTime": now,
        "pendingCloseOrdLiabVal": "", "pnl": short(record.pnl), "pos": short(position.amount), "posCcy": "",
        "posId": str(record.position_id), "posSide": "net", "quoteBal": "", "quoteBorrowed": "",
        "quoteInterest": "", "realizedPnl": short(record.pnl - record.fee), "settledPnl": "", "spotInUseAmt": "",
        "spotInUseCcy": "", "thetaBS": "", "thetaPA": "", "tradeId": str(record.trade_id) if record.trade_id else "",
        "uTime": str(position.update_time or record.created), "upl": figure(profit),
        "uplLastPx": figure(at_last), "uplRatio": market_texts.share(profit, margin) if is_open else "",
        "uplRatioLastPx": market_texts.share(at_last, margin) if is_open else "", "usdPx": "", "vegaBS": "",
        "vegaPA": ""}


def _liquidation_price(exchange: Exchange, account: Account, listing: Listing) -> int:
    """Where the purse is used up by this position alone; never below 0. Nothing is liquidated here."""
    position, instrument = contract_ledger(account).position(listing.instrument), listing.instrument
    cash = spot_ledger(account).free.get(listing.settle, 0)
    if not position.amount:
        return 0
    if instrument.inverse:
        coins = instrument.value(position.entry_price, abs(position.amount))
        left = coins + cash if position.amount > 0 else coins - cash
        return quotient(product(abs(position.amount), instrument.contract), left) if left > 0 else 0
    return max(0, position.entry_price - quotient(cash, product(position.amount, instrument.contract)))


def balance_and_position(exchange: Exchange, account: Account, assets: list[str], listings: list[Listing],
                         event: str) -> dict:
    """The row of the channel of that name."""
    now = str(exchange.now())
    balances = [{"ccy": asset, "cashBal": short(Purse(exchange, account, asset).cash), "uTime": now}
                for asset in assets]
    positions = []
    for listing in listings:
        row = position_row(exchange, account, listing)
        positions.append({name: row[name] for name in (
            "posId", "tradeId", "instId", "instType", "mgnMode", "posSide", "pos", "ccy", "posCcy", "avgPx",
            "nonSettleAvgPx", "settledPnl", "uTime")})
    trades = [{"instId": row["instId"], "tradeId": row["tradeId"]} for row in positions] if event == "filled" else []
    return {"pTime": now, "eventType": event, "balData": balances, "posData": positions, "trades": trades}
