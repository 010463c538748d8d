"""USD-M requests that concern an account, for REST and WebSocket API alike: each takes a `Call`, gives the result."""

import msgspec

from nexus_fast.sim.account import Position
from nexus_fast.sim.binance import errors, order_texts
from nexus_fast.sim.binance.errors import VenueError
from nexus_fast.sim.binance.operations_spot import SELF_TRADE_MODES, random_client_id, select
from nexus_fast.sim.binance.order_texts import Words
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.fixed_point import SCALE, quotient, short, text
from nexus_fast.sim.instruments import Instrument
from nexus_fast.sim.market import Refused
from nexus_fast.sim.orders import BUY, Order, TimeInForce, Type

TIMES_IN_FORCE = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "GTX": TimeInForce.GTC,
                  "GTD": TimeInForce.GTC}
CONDITIONAL = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
MAINTENANCE_RATE = SCALE * 4 // 1000
MAXIMUM_LEVERAGE = 125
GOOD_TILL_DATE_LEAD_MS = 600_000
_BOOLEANS = {"true": True, "TRUE": True, "True": True, "false": False, "FALSE": False, "False": False}


# ---- placing


def build_order(call: Call) -> Order:
    """Read the form of a new order; raises `VenueError` for what is missing or malformed."""
    instrument = call.instrument()
    side = call.side()
    form = call.need("type")
    if form in CONDITIONAL:
        raise errors.conditional_order()
    if form not in ("LIMIT", "MARKET"):
        raise VenueError(-1116, "Invalid orderType.")
    if call.params.get("positionSide", "BOTH") != "BOTH":
        raise VenueError(-4061, "Order's position side does not match user's setting.")
    mode = call.params.get("selfTradePreventionMode", "EXPIRE_MAKER")
    if mode not in SELF_TRADE_MODES:
        raise VenueError(-1102, "Mandatory parameter 'selfTradePreventionMode' was not sent, was empty/null, or malformed.")
    client_id = call.client_id("newClientOrderId") or random_client_id()
    price, time_in_force, kind = (0, "GTC", Type.MARKET) if form == "MARKET" else _limit_fields(call, instrument)
    quantity = call.amount("quantity")
    if quantity == 0:
        raise VenueError(-4003, "Quantity less than or equal to zero.")
    market = call.service.market
    order = Order(market.next_order_id(), client_id, call.account, instrument, side, kind, TIMES_IN_FORCE[time_in_force],
                  price, quantity, reduce_only=boolean(call, "reduceOnly"), self_trade=SELF_TRADE_MODES[mode],
                  words=Words(form, time_in_force))
    order.words.price_match = call.params.get("priceMatch", "NONE")
    if time_in_force == "GTD":
        order.good_till = _good_till_date(call)
    return order


def boolean(call: Call, name: str) -> bool:
    value = _BOOLEANS.get(call.params.get(name, "false"))
    if value is None:
        raise VenueError(-1130, f"Data sent for parameter '{name}' is not valid.")
    return value


def _limit_fields(call: Call, instrument: Instrument) -> tuple[int, str, Type]:
    time_in_force = call.need("timeInForce")
    if time_in_force not in TIMES_IN_FORCE:
        raise VenueError(-1115, "Invalid timeInForce.")
    match = call.params.get("priceMatch", "NONE")
    price = call.amount("price") if match == "NONE" else _matched_price(call, instrument, match)
    return price, time_in_force, Type.POST_ONLY if time_in_force == "GTX" else Type.LIMIT


def _matched_price(call: Call, instrument: Instrument, match: str) -> int:
    """priceMatch: the n-th price of the opposite side (OPPONENT, OPPONENT_5 …) or of the own (QUEUE, QUEUE_5 …)."""
    name, _, number = match.partition("_")
    if name not in ("OPPONENT", "QUEUE") or number not in ("", "5", "10", "20"):
        raise VenueError(-4133, "Invalid price match")
    if "price" in call.params:
        raise VenueError(-4138, "Parameter 'price' should not be sent with 'priceMatch'.")
    book = call.service.market.books[instrument.symbol]
    buying = call.side() == BUY
    prices = (book.asks if buying == (name == "OPPONENT") else book.bids).depth(int(number or "1"))
    if not prices:
        raise VenueError(-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit.")
    return prices[-1][0]


def _good_till_date(call: Call) -> int:
    date = call.integer("goodTillDate")
    if date is None:
        raise errors.missing("goodTillDate")
    if date < call.service.clock.milliseconds() + GOOD_TILL_DATE_LEAD_MS:
        raise VenueError(-4192, "goodTillDate must be greater than the current time plus 600 seconds.")
    return date - date % 1000


def place(call: Call) -> dict:
    form = call.text("newOrderRespType", "ACK")
    if form not in ("ACK", "RESULT"):
        raise VenueError(-1128, "Combination of optional parameters invalid.")
    order = build_order(call)
    call.book = call.service.market.books[order.instrument.symbol]
    call.service.limits.charge_order(call.account.key, call.service.clock.milliseconds())
    try:
        call.service.market.place(order)
    except Refused as refused:
        raise errors.from_refusal("usd_m", refused) from None
    return order_texts.usd_m_ack(order) if form == "ACK" else order_texts.usd_m_order(order)


def test_order(call: Call) -> dict:
    order = build_order(call)
    try:
        call.service.market.check(order, call.service.market.books[order.instrument.symbol])
    except Refused as refused:
        raise errors.from_refusal("usd_m", refused) from None
    return order_texts.usd_m_order(order)


# ---- one order


def find(call: Call, missing=errors.no_such_order) -> Order:
    """The account's order that the request names; orderId wins when both ids are sent."""
    instrument = call.instrument()
    order_id = call.integer("orderId")
    client_id = call.params.get("origClientOrderId")
    if order_id is None and not client_id:
        raise VenueError(-1102, "Mandatory parameter 'orderid' was not sent, was empty/null, or malformed.")
    order = call.service.market.orders_of(call.account).find(order_id, client_id)
    if order is None or order.instrument is not instrument:
        raise missing()
    return order


def status(call: Call) -> dict:
    return order_texts.usd_m_status(find(call))


def open_order(call: Call) -> dict:
    order = find(call)
    if not order.is_open:
        raise errors.no_such_order()
    return order_texts.usd_m_status(order)


def cancel(call: Call) -> dict:
    return _cancel(call, find(call, errors.unknown_order))


def _cancel(call: Call, order: Order) -> dict:
    call.book = call.service.market.books[order.instrument.symbol]
    try:
        call.service.market.cancel(order)
    except Refused as refused:
        raise errors.from_refusal("usd_m", refused) from None
    return order_texts.usd_m_order(order)


def modify(call: Call) -> dict:
    """Price, quantity and side are all mandatory; the order loses its place in the queue."""
    side, quantity, price = call.side(), call.amount("quantity"), call.amount("price")
    order = find(call, errors.no_such_order)
    if order.words.type != "LIMIT":
        raise VenueError(-4135, "Only limit order is supported.")
    call.book = call.service.market.books[order.instrument.symbol]
    call.service.limits.charge_order(call.account.key, call.service.clock.milliseconds())
    try:
        call.service.market.modify(order, side, price, quantity)
    except Refused as refused:
        if refused.reason == "unknown_order":
            raise errors.no_such_order() from None
        raise errors.from_refusal("usd_m", refused) from None
    return order_texts.usd_m_order(order)


# ---- many orders


def open_orders(call: Call) -> list:
    instrument = call.instrument(mandatory=False)
    orders = call.service.market.orders_of(call.account).open.values()
    return [order_texts.usd_m_status(o) for o in orders if instrument is None or o.instrument is instrument]


def cancel_open_orders(call: Call) -> dict:
    instrument = call.instrument()
    cancel_all(call, instrument)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def cancel_all(call: Call, instrument: Instrument) -> None:
    for order in list(call.service.market.orders_of(call.account).open.values()):
        if order.instrument is instrument and order.is_open:
            _cancel(call, order)


def all_orders(call: Call) -> list:
    instrument = call.instrument()
    orders = [o for o in call.service.market.orders_of(call.account).by_id.values() if o.instrument is instrument]
    return [order_texts.usd_m_status(o) for o in select(orders, call, "orderId", lambda o: o.order_id, lambda o: o.time)]


def user_trades(call: Call) -> list:
    instrument = call.instrument()
    order_id = call.integer("orderId")
    trades = [t for t in call.service.market.orders_of(call.account).trades
              if t[0].instrument is instrument and order_id in (None, t[0].order_id)]
    return [order_texts.usd_m_trade(*trade)
            for trade in select(trades, call, "fromId", lambda t: t[1].trade_id, lambda t: t[1].time)]


def batch_orders(call: Call) -> list:
    """Up to five orders as a JSON array in `batchOrders`; every one has its own outcome."""
    out = []
    for form in _batch(call, "batchOrders"):
        one = Call(call.service, {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in form.items()},
                   call.received_ns, call.account)
        out.append(_outcome(place, one))
        call.book = one.book or call.book
    return out


def cancel_batch(call: Call) -> list:
    names = ("orderId", "orderIdList") if "orderIdList" in call.params else ("origClientOrderId", "origClientOrderIdList")
    return [_outcome(cancel, Call(call.service, {"symbol": call.need("symbol"), names[0]: str(each)}, call.received_ns,
                                  call.account)) for each in _batch(call, names[1])]


def _batch(call: Call, name: str) -> list:
    try:
        items = msgspec.json.decode(call.need(name))
    except msgspec.DecodeError:
        raise VenueError(-1130, f"Data sent for parameter '{name}' is not valid.") from None
    if not isinstance(items, list) or len(items) > 10:
        raise VenueError(-4082, "Invalid number of batch place orders.")
    return items


def _outcome(operation, call: Call) -> dict:
    try:
        return operation(call)
    except VenueError as error:
        return error.body()


def countdown_cancel_all(call: Call) -> dict:
    """A dead man's switch per symbol: all its open orders go when `countdownTime` ms pass without another call."""
    instrument = call.instrument()
    countdown = call.integer("countdownTime")
    if countdown is None:
        raise errors.missing("countdownTime")
    key = (call.account.key, instrument.symbol)
    if countdown == 0:
        call.service.countdowns.pop(key, None)
    else:
        call.service.countdowns[key] = call.service.clock.milliseconds() + countdown
    return {"symbol": instrument.symbol, "countdownTime": str(countdown)}


# ---- account


class Figures:
    """Margin figures of a futures account at the present mark prices, in the asset `asset`."""

    def __init__(self, call: Call, asset: str):
        ledger, marks = call.account.usd_m, call.service.market.marks()
        symbols = [s for s, quote in call.service.market.asset_of.items() if quote == asset]
        self.wallet = ledger.wallet.get(asset, 0)
        self.unrealized = sum(ledger.position(s).unrealized(marks[s]) for s in symbols)
        self.position_margin = sum(ledger.position_margin(s, marks[s]) for s in symbols)
        self.order_margin = sum(ledger.order_margin(s) for s in symbols)
        self.maintenance = sum(abs(marks[s] * ledger.position(s).amount) // SCALE * MAINTENANCE_RATE // SCALE
                               for s in symbols)
        self.available = call.service.market.available(call.account, asset)


def account_v3(call: Call) -> dict:
    return _account(call, legacy=False)


def account_v2(call: Call) -> dict:
    return _account(call, legacy=True)


def _account(call: Call, legacy: bool) -> dict:
    now = call.service.clock.milliseconds()
    figures = {asset: Figures(call, asset) for asset in call.account.usd_m.wallet}
    total = figures["USDT"]
    out = {
        "totalInitialMargin": text(total.position_margin + total.order_margin), "totalMaintMargin": text(total.maintenance),
        "totalWalletBalance": text(total.wallet), "totalUnrealizedProfit": text(total.unrealized),
        "totalMarginBalance": text(total.wallet + total.unrealized),
        "totalPositionInitialMargin": text(total.position_margin), "totalOpenOrderInitialMargin": text(total.order_margin),
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
            "positionInitialMargin": text(figures.position_margin), "openOrderInitialMargin": text(figures.order_margin),
            "crossWalletBalance": text(figures.wallet), "crossUnPnl": text(figures.unrealized),
            "availableBalance": text(figures.available), "maxWithdrawAmount": text(figures.available),
            "marginAvailable": True, "updateTime": now}


def _listed_positions(call: Call, everything: bool) -> list[Instrument]:
    """Version 2 answers with every symbol, version 3 with those that hold a position or an order."""
    ledger = call.account.usd_m
    wanted = call.instrument(mandatory=False)
    instruments = call.service.market.instruments.values() if wanted is None else [wanted]
    return [i for i in instruments if everything or ledger.position(i.symbol).amount or ledger.order_margin(i.symbol)]


def _account_position(call: Call, instrument: Instrument, legacy: bool) -> dict:
    ledger, symbol = call.account.usd_m, instrument.symbol
    position, mark = ledger.position(symbol), call.service.market.mark_price(symbol)
    margin, orders = ledger.position_margin(symbol, mark), ledger.order_margin(symbol)
    risk = ledger.symbol_risk(symbol)
    notional = mark * position.amount // SCALE
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
    for asset in call.account.usd_m.wallet:
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
    ledger, symbol = call.account.usd_m, instrument.symbol
    position, mark, risk = ledger.position(symbol), call.service.market.mark_price(symbol), ledger.symbol_risk(symbol)
    notional, margin = mark * position.amount // SCALE, ledger.position_margin(symbol, mark)
    out = {"symbol": symbol, "positionSide": "BOTH", "positionAmt": text(position.amount, instrument.quantity_decimals),
           "entryPrice": text(position.entry_price), "breakEvenPrice": text(position.entry_price),
           "markPrice": text(mark), "unRealizedProfit": text(position.unrealized(mark)),
           "liquidationPrice": text(_liquidation_price(call, position, instrument)), "isolatedMargin": text(0),
           "notional": text(notional), "isolatedWallet": text(0), "updateTime": position.update_time}
    if legacy:
        out.update({"leverage": str(risk.leverage), "marginType": "isolated" if risk.isolated else "cross",
                    "isAutoAddMargin": "false", "maxNotionalValue": "200000000", "isolated": risk.isolated,
                    "adlQuantile": 1})
    else:
        out.update({"marginAsset": instrument.quote, "initialMargin": text(margin + ledger.order_margin(symbol)),
                    "maintMargin": text(abs(notional) * MAINTENANCE_RATE // SCALE), "positionInitialMargin": text(margin),
                    "openOrderInitialMargin": text(ledger.order_margin(symbol)), "adl": 1, "bidNotional": "0",
                    "askNotional": "0"})
    return out


def _liquidation_price(call: Call, position: Position, instrument: Instrument) -> int:
    """Where the wallet is used up by this position alone; never below 0. Nothing is liquidated here."""
    if not position.amount:
        return 0
    wallet = call.account.usd_m.wallet.get(instrument.quote, 0)
    return max(0, position.entry_price - quotient(wallet, position.amount))


# ---- settings


def leverage(call: Call) -> dict:
    instrument, value = call.instrument(), call.integer("leverage")
    if value is None:
        raise errors.missing("leverage")
    if not 1 <= value <= MAXIMUM_LEVERAGE:
        raise VenueError(-4028, f"Leverage {value} is not valid")
    call.account.usd_m.symbol_risk(instrument.symbol).leverage = value
    return {"symbol": instrument.symbol, "leverage": value, "maxNotionalValue": "200000000"}


def margin_type(call: Call) -> dict:
    instrument, wanted = call.instrument(), call.need("marginType")
    if wanted not in ("ISOLATED", "CROSSED"):
        raise VenueError(-4045, "Invalid margin type.")
    risk = call.account.usd_m.symbol_risk(instrument.symbol)
    if risk.isolated == (wanted == "ISOLATED"):
        raise VenueError(-4046, "No need to change margin type.")
    if call.account.usd_m.position(instrument.symbol).amount:
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
    ledger = call.account.usd_m
    return [{"symbol": i.symbol, "marginType": "ISOLATED" if ledger.symbol_risk(i.symbol).isolated else "CROSSED",
             "isAutoAddMargin": False, "leverage": ledger.symbol_risk(i.symbol).leverage, "maxNotionalValue": "200000000"}
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

