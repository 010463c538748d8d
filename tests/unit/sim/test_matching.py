"""The matching engine against a plain model and by its invariants."""

from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_fast.sim.binance.instruments import SPOT_INSTRUMENTS
from nexus_fast.sim.matching import Book
from nexus_fast.sim.orders import BUY, SELL, Order, SelfTrade, Status, TimeInForce, Type

INSTRUMENT = SPOT_INSTRUMENTS[0]
PRICE, LOT = 10**8, 10**6


def book_with_fills():
    fills = []
    return Book(INSTRUMENT, fills.append), fills


def order(number, side, price, quantity, kind=Type.LIMIT, time_in_force=TimeInForce.GTC, account=None, **more):
    return Order(number, f"c{number}", account, INSTRUMENT, side, kind, time_in_force,
                 0 if kind == Type.MARKET else price * PRICE, quantity * LOT, **more)


orders = st.lists(st.tuples(
    st.sampled_from([BUY, SELL]), st.integers(95, 105), st.integers(1, 20),
    st.sampled_from([Type.LIMIT, Type.LIMIT, Type.LIMIT, Type.MARKET, Type.POST_ONLY]),
    st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
    st.integers(0, 9)), max_size=60)


def model_match(resting, taker):
    """Price-time priority written down the slow way: sort all resting orders, take the best until done."""
    fills = []
    candidates = [o for o in resting if o["side"] != taker["side"]
                  and (taker["price"] is None or (o["price"] - taker["price"]) * taker["side"] <= 0)]
    candidates.sort(key=lambda o: (o["price"] * taker["side"], o["number"]))
    wanted = taker["left"]
    if taker["tif"] == TimeInForce.FOK and sum(o["left"] for o in candidates) < wanted:
        return []
    for maker in candidates:
        take = min(maker["left"], taker["left"])
        if not take:
            break
        maker["left"] -= take
        taker["left"] -= take
        fills.append((maker["number"], taker["number"], maker["price"], take))
    return fills


@settings(max_examples=200, deadline=None)
@given(orders)
def test_agrees_with_the_model_and_keeps_its_invariants(steps):
    book, fills = book_with_fills()
    live, resting, placed_orders = {}, [], []
    for number, (side, price, quantity, kind, tif, cancel) in enumerate(steps, 1):
        if cancel == 0 and live:
            victim = next(iter(live.values()))
            if victim.is_open:
                book.cancel(victim)
            live.pop(victim.order_id)
            resting = [o for o in resting if o["number"] != victim.order_id]
            continue
        taker = {"number": number, "side": side, "price": None if kind == Type.MARKET else price, "left": quantity,
                 "tif": tif}
        crosses = any(o["side"] != side and (o["price"] - price) * side <= 0 for o in resting)
        expected = [] if kind == Type.POST_ONLY else model_match(resting, taker)
        placed = order(number, side, price, quantity, kind, tif)
        placed_orders.append(placed)
        before = len(fills)
        book.submit(placed)
        assert [(f.maker.order_id, f.taker.order_id, f.price // PRICE, f.quantity // LOT)
                for f in fills[before:]] == expected
        resting = [o for o in resting if o["left"]]
        rests = kind != Type.MARKET and tif == TimeInForce.GTC and taker["left"] and not (
            kind == Type.POST_ONLY and crosses)
        assert placed.is_open == bool(rests)
        if rests:
            resting.append(taker)
            live[number] = placed
        check_book(book, resting)
    assert sum(f.quantity for f in fills) * 2 == sum(o.executed for o in placed_orders)


def check_book(book, resting):
    """Never crossed, levels sorted, and every level holds exactly what rests there."""
    bid, _, ask, _ = book.best()
    assert not bid or not ask or bid < ask
    for levels, side in ((book.bids, BUY), (book.asks, SELL)):
        assert levels.keys == sorted(levels.keys)
        shown = {price // PRICE: quantity // LOT for price, quantity in levels.depth(1000)}
        expected = {}
        for o in resting:
            if o["side"] == side:
                expected[o["price"]] = expected.get(o["price"], 0) + o["left"]
        assert shown == expected


def test_amending_down_keeps_the_place_in_the_queue():
    book, fills = book_with_fills()
    first, second = order(1, SELL, 100, 10), order(2, SELL, 100, 10)
    book.submit(first)
    book.submit(second)
    book.reduce(first, 4 * LOT)
    book.submit(order(3, BUY, 100, 5))
    assert [(f.maker.order_id, f.quantity // LOT) for f in fills] == [(1, 4), (2, 1)]
    assert book.asks.best_quantity() == 9 * LOT


def test_self_trade_prevention_modes():
    account = object()
    for mode, maker_status, taker_status, traded in (
            (SelfTrade.NONE, Status.FILLED, Status.FILLED, 1), (SelfTrade.EXPIRE_TAKER, Status.NEW,
                                                                Status.EXPIRED_IN_MATCH, 0),
            (SelfTrade.EXPIRE_MAKER, Status.EXPIRED_IN_MATCH, Status.NEW, 0),
            (SelfTrade.EXPIRE_BOTH, Status.EXPIRED_IN_MATCH, Status.EXPIRED_IN_MATCH, 0)):
        book, fills = book_with_fills()
        maker = order(1, SELL, 100, 10, account=account)
        taker = order(2, BUY, 100, 10, account=account, self_trade=mode)
        book.submit(maker)
        book.submit(taker)
        assert (maker.status, taker.status, len(fills)) == (maker_status, taker_status, traded)


def test_every_change_has_its_own_update_id():
    book, _ = book_with_fills()
    seen = [book.update_id]
    resting = order(1, SELL, 100, 10)
    book.submit(resting)
    seen.append(book.update_id)
    book.submit(order(2, BUY, 100, 4))
    seen.append(book.update_id)
    book.cancel(resting)
    seen.append(book.update_id)
    assert seen == sorted(set(seen))
