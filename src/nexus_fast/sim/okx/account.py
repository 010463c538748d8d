"""The account over REST: settings, balances, positions, fees; each operation takes a `Call` and gives rows."""

from nexus_fast.sim.fixed_point import SCALE, quotient, short
from nexus_fast.sim.okx import account_texts, errors
from nexus_fast.sim.okx.errors import VenueError
from nexus_fast.sim.okx.listing import CONTRACT_FEES, MAXIMUM_LEVERAGE, SPOT, SPOT_FEES, instrument_row
from nexus_fast.sim.okx.requests import Call
from nexus_fast.sim.okx.trading import contract_ledger

ACCOUNT_LEVEL = "2"  # spot by cash, contracts by the margin of the asset that they are settled in
CHAINS = {"USDT": "USDT-TRC20", "USDC": "USDC-ERC20", "BTC": "BTC-Bitcoin", "ETH": "ETH-ERC20", "SOL": "SOL-Solana"}


def config(call: Call) -> list:
    uid = account_texts.user_id(call.account)
    return [{
        "acctLv": ACCOUNT_LEVEL, "acctStpMode": "cancel_maker", "autoLoan": False, "ctIsoMode": "automatic",
        "enableSpotBorrow": False, "feeType": "0", "greeksType": "PA", "ip": "", "kycLv": "3", "label": "simulator",
        "level": "Lv1", "levelTmp": "", "liquidationGear": "-1", "mainUid": uid, "mgnIsoMode": "automatic",
        "opAuth": "0", "perm": "read_only,trade", "posMode": "net_mode", "roleType": "0", "settleCcy": "USDT",
        "settleCcyList": ["USDT"], "spotBorrowAutoRepay": False, "spotOffsetType": "", "spotRoleType": "0",
        "spotTraderInsts": [], "stgyType": "0", "traderInsts": [], "type": "0", "uid": uid}]


def balance(call: Call) -> list:
    wanted = [asset for asset in call.text("ccy").split(",") if asset]
    assets = [asset for asset in account_texts.assets_of(call.account) if not wanted or asset in wanted]
    return [account_texts.balance_row(call.exchange, call.account, assets)]


def positions(call: Call) -> list:
    """Positions that are open."""
    wanted = [name for name in call.text("instId").split(",") if name]
    if any(name not in call.exchange.listings for name in wanted):
        raise errors.no_instrument()
    kind = call.kind()
    listings = [one for one in call.exchange.listings.values()
                if kind in ("", "ANY", one.kind) and (not wanted or one.instrument_id in wanted)]
    return [account_texts.position_row(call.exchange, call.account, one)
            for one in account_texts.held(call.exchange, call.account, listings)]


def instruments(call: Call) -> list:
    return [instrument_row(listing) for listing in call.selected(mandatory=True)]


def set_position_mode(call: Call) -> list:
    if call.choice("posMode", ("net_mode", "long_short_mode")) == "long_short_mode":
        raise errors.unavailable("the simulator keeps positions in net mode")
    return [{"posMode": "net_mode"}]


def set_leverage(call: Call) -> list:
    mode = call.choice("mgnMode", ("cross", "isolated"))
    call.choice("posSide", ("net",), "net")
    listing = call.listing()
    leverage = call.amount("lever") // SCALE
    if leverage > MAXIMUM_LEVERAGE[listing.kind]:
        raise VenueError(59102, "Leverage exceeds the maximum limit. Please lower the leverage.")
    if leverage < 1:
        raise errors.parameter("lever")
    contract_ledger(call.account).symbol_risk(listing.instrument_id).leverage = leverage
    return [{"instId": listing.instrument_id, "lever": str(leverage), "mgnMode": mode,
             "posSide": "net" if mode == "isolated" else ""}]


def leverage_info(call: Call) -> list:
    mode, names = call.choice("mgnMode", ("cross", "isolated")), call.need("instId").split(",")
    if any(name not in call.exchange.listings for name in names):
        raise errors.no_instrument()
    return [{"ccy": "", "instId": name, "mgnMode": mode, "posSide": "net",
             "lever": str(contract_ledger(call.account).symbol_risk(name).leverage)} for name in names]


def trade_fee(call: Call) -> list:
    kind = call.kind(mandatory=True)
    maker, taker = (short(-rate) for rate in (SPOT_FEES if kind in (SPOT, "MARGIN") else CONTRACT_FEES))
    spot = kind in (SPOT, "MARGIN")
    return [{"category": "1", "delivery": "" if spot else "0.0001", "exercise": "", "feeGroup": [], "fiat": [],
             "instType": kind, "level": "Lv1", "maker": maker, "makerU": "" if spot else maker,
             "makerUSDC": maker, "ruleType": "normal", "settle": "", "taker": taker,
             "takerU": "" if spot else taker, "takerUSDC": taker, "ts": str(call.exchange.now())}]


def max_size(call: Call) -> list:
    """What could be bought and sold at the present price with what is free."""
    listing, exchange = call.listing(), call.exchange
    price = exchange.book_of(listing).middle()
    if listing.is_spot:
        base, quote = listing.instrument.base, listing.instrument.quote
        buy = quotient(exchange.contracts.available(call.account, quote), price)
        sell = exchange.contracts.available(call.account, base)
    else:
        leverage = contract_ledger(call.account).symbol_risk(listing.instrument_id).leverage
        worth = listing.instrument.value(price, SCALE)  # of one contract
        buy = sell = quotient(exchange.contracts.available(call.account, listing.settle) * leverage, worth)
    return [{"ccy": listing.settle or listing.instrument.base, "instId": listing.instrument_id,
             "maxBuy": short(max(0, buy)), "maxSell": short(max(0, sell))}]


def max_available(call: Call) -> list:
    listing, exchange = call.listing(), call.exchange
    buying, selling = ((listing.instrument.quote, listing.instrument.base) if listing.is_spot
                       else (listing.settle, listing.settle))
    return [{"instId": listing.instrument_id,
             "availBuy": short(max(0, exchange.contracts.available(call.account, buying))),
             "availSell": short(max(0, exchange.contracts.available(call.account, selling)))}]


def account_rate_limit(call: Call) -> list:
    return [{"accRateLimit": str(1000 * call.exchange.limits.factor), "fillRatio": "", "mainFillRatio": "",
             "nextAccRateLimit": "", "ts": str(call.exchange.now())}]


def currencies(call: Call) -> list:
    return [{"canDep": True, "canInternal": True, "canWd": True, "ccy": asset, "chain": chain, "ctAddr": "",
             "depQuotaFixed": "", "depQuoteDailyLayer2": "", "fee": "1", "burningFeeRate": "", "logoLink": "",
             "mainNet": True, "maxFee": "1", "maxFeeForCtAddr": "", "maxWd": "1000000", "minDep": "0.001",
             "minDepArrivalConfirm": "1", "minFee": "1", "minFeeForCtAddr": "", "minInternal": "0.001",
             "minWd": "1", "minWdUnlockConfirm": "1", "name": asset, "needTag": False, "usedDepQuotaFixed": "",
             "usedWdQuota": "0", "wdQuota": "1000000", "wdTickSz": "8"}
            for asset, chain in CHAINS.items() if call.text("ccy") in ("", asset)]


def funding_balances(call: Call) -> list:
    """The funding account is empty: everything lies in the trading account."""
    wanted = [asset for asset in call.text("ccy").split(",") if asset]
    return [{"availBal": "0", "bal": "0", "ccy": asset, "frozenBal": "0"} for asset in wanted if asset in CHAINS]


def valuation(call: Call) -> list:
    total = short(account_texts.total_equity(call.exchange, call.account))
    return [{"details": {"classic": "0", "earn": "0", "funding": "0", "trading": total}, "totalBal": total,
             "ts": str(call.exchange.now())}]
