"""A strategy that does anything at any time, on one venue or several, and judges every report of an order by what is so there."""

from collections import Counter, defaultdict
from decimal import Decimal

from engine_program import ORDER_CALLBACKS, Scripted

from nexus_fast.constants import OrderSide, OrderType, TimeInForce

SPOT_AMOUNT, PERP_AMOUNT = Decimal("0.001"), Decimal("0.002")
ENDS = {"filled": "FILLED", "canceled": "CANCELED", "expired": "EXPIRED"}


class Chaotic(Scripted):
    """`truths`: VenueTruth of each venue. `chance`: its generator. `placed`: [(symbol, oid)]. `problems`: what was reported and
    is not so. `trace`: takes lines. `executed`: by oid, the sum of the fills that on_fill told; `counted`: the same as
    NexusTrader's callbacks told it."""

    def __init__(self, script, truths, chance, trace):
        self.truth_of = {symbol: truth for truth in truths for symbol in truth.symbols}
        super().__init__(script, list(self.truth_of))
        self.truths, self.chance, self.trace = truths, chance, trace
        self.placed, self.problems = [], []
        self.ended, self.filled = {}, {}
        self.cancels = Counter()         # requests that may still be answered with a failure
        self.executed, self.counted = defaultdict(Decimal), defaultdict(Decimal)
        self.trades, self.unpaid, self.begun = set(), set(), set()

    # ------------------------------------------------------------------------------------------ what it does

    def act(self):
        """One random request."""
        kind = self.chance.random()
        if kind < 0.22 and self.placed:
            self.cancel_order(*self._some())
        elif kind < 0.30 and self.placed:
            self._modify(*self._some())
        elif kind < 0.32:
            self.trace("cancel all")
            self.cancel_all_orders(self.chance.choice(self.symbols))
        elif kind < 0.50:
            self._place(OrderType.MARKET)
        else:
            self._place(self.chance.choice([OrderType.LIMIT, OrderType.LIMIT, OrderType.POST_ONLY]))

    def cancel_order(self, symbol, oid, **options):
        self.cancels[oid] += 1
        return super().cancel_order(symbol, oid, **options)

    def _some(self):
        symbol, oid = self.chance.choice(self.placed[-12:])
        self.trace(f"change {oid}")
        return symbol, oid

    def _place(self, kind):
        symbol, chance = self.chance.choice(self.symbols), self.chance
        truth, side = self.truth_of[symbol], chance.choice((OrderSide.BUY, OrderSide.SELL))
        amount, price, options = SPOT_AMOUNT if symbol == truth.spot else PERP_AMOUNT, None, {}
        amount *= chance.choice((1, 1, 5))
        if kind is not OrderType.MARKET:
            price = self._price(symbol, side)
            if kind is OrderType.LIMIT and chance.random() < 0.25:
                options["time_in_force"] = chance.choice((TimeInForce.IOC, TimeInForce.FOK))
        if chance.random() < 0.1:
            options["client_oid"] = truth.own_id.format(chance.randrange(10**9))
        oid = self.create_order(symbol, side, kind, amount, price, **options)
        self.trace(f"place {oid} {symbol} {side.value} {kind.value} {amount} {price}")
        self.placed.append((symbol, oid))

    def _price(self, symbol, side):
        book, away = self.cache.bookl1(symbol), Decimal(str(self.chance.choice((1.0002, 1, 0.9999, 0.999, 0.98))))
        price = Decimal(str(book.bid)) * away if side.is_buy else Decimal(str(book.ask)) / away
        return self.price_to_precision(symbol, price)

    def _modify(self, symbol, oid):
        order, truth = self.cache.get_order(oid), self.truth_of[symbol]
        if symbol == truth.spot and not truth.amends_spot or order is None or order.price is None or order.is_closed:
            return
        if oid in self.cache.get_external_orders(symbol):
            return                       # its records were lost with a journal: it can be canceled, and is nobody's to modify
        self.modify_order(symbol, oid, price=self._price(symbol, order.side), amount=order.amount)

    # ------------------------------------------------------------------------------------------ what it is told

    def on_fill(self, fill):
        oid, trade = fill.oid, (fill.oid, fill.trade_id)
        self.trace(f"  fill {oid} {fill.trade_id} {fill.amount} at {fill.price}, fee {fill.fee}")
        if trade in self.trades and fill.trade_id is not None:
            self.problems.append(f"trade {trade} was told twice")
        self.trades.add(trade)
        self.executed[oid] += fill.amount
        if fill.fee is None:
            self.unpaid.add(trade)
        if oid in self.begun and (fill.order.filled, self.cache.get_order(oid).filled) != (self.executed[oid],) * 2:
            self.problems.append(f"{oid}: {fill.order.filled} filled after fills of {self.executed[oid]}")

    def on_fill_fee(self, fill):
        self.trace(f"  fee {fill.oid} {fill.trade_id} {fill.fee}")
        trade = (fill.oid, fill.trade_id)
        if trade in self.trades and trade not in self.unpaid:
            self.problems.append(f"the fee of trade {trade} was told twice")
        self.trades.add(trade)
        self.unpaid.discard(trade)

    def judge(self, name, order):
        oid = order.oid
        self.trace(f"  {name} {oid} {order.status.value} {order.filled} {order.reason or ''}")
        if "filled" in name:
            self.counted[oid] += order.last_filled
        elif order.last_filled is not None:
            self.problems.append(f"{oid}: {name} brings {order.last_filled}")
        if self.counted[oid] != self.executed[oid]:
            self.problems.append(f"{oid}: {self.executed[oid]} by on_fill, {self.counted[oid]} by the callbacks of states")
        if name == "pending":
            self.begun.add(oid)                  # in this session
        truth = self.truth_of[order.symbol]
        found = [truth.state_of(o) for o in truth.orders(oid)]
        if len(found) > 1:
            self.problems.append(f"{oid} lives {len(found)} times: {found}")
        if oid in self.ended and name != "pending" and not self._is_answer(name, oid):
            self.problems.append(f"{oid}: {name} after {self.ended[oid]}")
        if order.filled < self.filled.get(oid, 0):
            self.problems.append(f"{oid}: filled went back from {self.filled[oid]} to {order.filled}")
        self.filled[oid] = order.filled
        if name in ENDS and found != [(ENDS[name], order.filled)]:
            self.problems.append(f"{oid}: {name} {order.filled} was reported, the venue has {found}")
        if name == "failed" and found:
            self.problems.append(f"{oid}: failed was reported ({order.reason}), the venue has {found}")
        if name in ENDS or name == "failed":
            self.ended[oid] = name

    def _is_answer(self, name, oid):
        """Every cancel has one answer, that of an order that is over as well."""
        self.cancels[oid] -= name == "cancel_failed"
        return name == "cancel_failed" and self.cancels[oid] >= 0


def _judged(name):
    def callback(self, order):
        self.events.append((name, order))
        self.judge(name, order)

    return callback


for _name in ORDER_CALLBACKS:
    setattr(Chaotic, f"on_{_name}_order", _judged(_name))
