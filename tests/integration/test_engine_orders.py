"""Orders of one engine on the simulated venue: what the strategy hears, and what the venue says."""

from decimal import Decimal

import pytest
from engine_program import (
    BTC,
    BTC_PERP,
    PERP,
    PERP_ACCOUNT,
    SPOT,
    SPOT_ACCOUNT,
    far_below,
    run_script,
)

from nexus_fast.constants import ExchangeType, OrderSide, OrderStatus, OrderType, TimeInForce
from nexus_fast.error import NexusError, OrderError, RouteError

BUY, SELL = OrderSide.BUY, OrderSide.SELL
SIX = Decimal("6")


def through(strategy, symbol):
    """A bid well above the ask."""
    return strategy.price_to_precision(symbol, Decimal(str(strategy.cache.bookl1(symbol).ask)) * Decimal("1.01"), "ceil")


def test_the_seed_program_fills_four_orders(venue):
    """Spot and perpetual, buy and sell, at market: four fills, flat at the end."""

    async def script(s):
        await s.quotes()
        s.oids = [s.create_order(SPOT, BUY, OrderType.MARKET, SIX), s.create_order(SPOT, SELL, OrderType.MARKET, SIX),
                  s.create_order(PERP, BUY, OrderType.MARKET, SIX),
                  s.create_order(PERP, SELL, OrderType.MARKET, SIX, reduce_only=True)]
        await s.until(lambda: len(s.heard("filled")) == 4, what="four fills")
        await s.until(lambda: all(s.cache.get_order(oid).fee is not None for oid in s.oids), what="their fees")

    s = run_script(script, venue, symbols=[PERP, SPOT])
    filled = {order.oid: order for order in s.heard("filled")}
    assert list(filled) != [] and set(filled) == set(s.oids)
    assert [filled[oid].symbol for oid in s.oids] == [SPOT, SPOT, PERP, PERP]
    assert [filled[oid].side for oid in s.oids] == [BUY, SELL, BUY, SELL]
    for oid in s.oids:
        order = filled[oid]
        assert order.filled == order.amount == SIX and order.remaining == 0 and order.is_closed
        assert order.exchange is ExchangeType.BINANCE and order.type is OrderType.MARKET and order.price is None
        assert 0.5 < order.average < 1.5 and order.eid
        known = s.cache.get_order(oid)                       # the perpetual's fast stream brings fills ahead of their fees
        assert known.fee is not None and known.fee_currency
        family = "spot" if order.symbol == SPOT else "usd_m"
        told = venue.order(family, "USDCUSDT", oid)
        assert str(told["orderId"]) == order.eid and Decimal(told["executedQty"]) == SIX
    assert [filled[oid].reduce_only for oid in s.oids] == [False, False, False, True]
    assert venue.positions() == {} and venue.open_orders() == []
    assert venue.statistics()["bad_signatures"] == 0


def test_orders_reach_the_venue_in_the_order_of_the_calls(venue):
    async def script(s):
        await s.quotes()
        price = far_below(s, BTC)
        s.oids = [s.create_order(BTC, BUY, OrderType.LIMIT, Decimal("0.001"), price) for _ in range(12)]
        await s.until(lambda: len(s.heard("accepted")) == 12)
        s.eids = [int(s.cache.get_order(oid).eid) for oid in s.oids]
        s.cancel_all_orders(BTC)
        await s.until(lambda: len(s.heard("canceled")) == 12)
        s.canceled = [order.oid for order in s.heard("canceled")]

    s = run_script(script, venue, symbols=[BTC])
    assert s.eids == sorted(s.eids) and len(set(s.eids)) == 12
    assert s.canceled == s.oids


@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
def test_a_limit_order_from_pending_to_canceled(venue, symbol):
    async def script(s):
        await s.quotes()
        s.price = far_below(s, symbol, "0.97")
        s.oid = s.create_order(symbol, BUY, OrderType.LIMIT, Decimal("0.002"), s.price)
        await s.until(lambda: s.heard("accepted", s.oid))
        assert {o["clientOrderId"] for o in venue.open_orders()} == {s.oid}
        assert s.cache.get_open_orders(symbol) == {s.oid}
        s.cancel_order(symbol, s.oid)
        await s.until(lambda: s.heard("canceled", s.oid))

    s = run_script(script, venue, symbols=[symbol])
    assert s.story(s.oid) == ["pending", "accepted", "canceling", "canceled"]
    pending, accepted, _, canceled = (what for _, what in s.events if getattr(what, "oid", None) == s.oid)
    assert pending.status is OrderStatus.PENDING and pending.filled == 0
    assert accepted.eid and accepted.price == float(s.price) and accepted.amount == Decimal("0.002")
    assert accepted.time_in_force is TimeInForce.GTC and accepted.type is OrderType.LIMIT and accepted.filled == 0
    assert canceled.filled == 0 and canceled.remaining == Decimal("0.002") and canceled.eid == accepted.eid
    assert venue.open_orders() == []
    assert s.cache.get_open_orders(symbol) == set()


@pytest.mark.parametrize(("symbol", "code"), [(BTC, "-2010"), (BTC_PERP, "-5022")])
def test_post_only_that_would_take(venue, symbol, code):
    """The venue refuses it with a code of its own."""

    async def script(s):
        await s.quotes()
        s.oid = s.create_order(symbol, BUY, OrderType.POST_ONLY, Decimal("0.002"), through(s, symbol))
        await s.settled(s.oid)

    s = run_script(script, venue, symbols=[symbol])
    assert s.story(s.oid) == ["pending", "failed"]
    order = s.cache.get_order(s.oid)
    assert order.filled == 0 and order.type is OrderType.POST_ONLY and code in order.reason


@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
def test_partial_fills_add_up(venue, symbol):
    """An IOC that is larger than the best level at its price: every fill once, the sum as the venue says."""

    async def script(s):
        await s.quotes()
        s.oid = s.create_order(symbol, BUY, OrderType.LIMIT, Decimal("8"), through(s, symbol),
                               time_in_force=TimeInForce.IOC)
        await s.settled(s.oid)
        family = "spot" if symbol == BTC else "usd_m"
        s.told = venue.order(family, "BTCUSDT", s.oid)
        # The end may be told by the order's connection before the last fill is by the account's.
        parts = lambda: s.heard("partially_filled", s.oid) + s.heard("filled", s.oid)  # noqa: E731
        await s.until(lambda: sum(o.last_filled for o in parts()) >= Decimal(s.told["executedQty"]), what="every fill")
        s.order = s.cache.get_order(s.oid)

    s = run_script(script, venue, symbols=[symbol])
    fills = [o for o in s.heard("partially_filled", s.oid) + s.heard("filled", s.oid) + s.heard("expired", s.oid)]
    assert len(s.heard("partially_filled", s.oid)) >= 1
    amounts = [o.filled for o in fills]
    assert amounts == sorted(amounts)
    told = s.told
    assert s.order.filled == Decimal(told["executedQty"])
    parts = s.heard("partially_filled", s.oid) + s.heard("filled", s.oid)
    assert sum(o.last_filled for o in parts) == Decimal(told["executedQty"])
    assert abs(s.order.average - float(Decimal(told.get("avgPrice") or Decimal(told["cummulativeQuoteQty"])
                                               / Decimal(told["executedQty"])))) < 0.01


@pytest.mark.scenario(8)
def test_cancel_of_a_filled_order_is_never_called_canceled(venue):
    async def script(s):
        await s.quotes()
        s.oids = []
        for symbol in (SPOT, PERP):
            oid = s.create_order(symbol, BUY, OrderType.MARKET, SIX)
            s.cancel_order(symbol, oid)           # on its way while the venue fills
            s.oids.append(oid)
        for oid in s.oids:
            await s.settled(oid)
        late = s.create_order(SPOT, SELL, OrderType.MARKET, SIX)
        await s.settled(late)
        s.cancel_order(SPOT, late)                # over already: nothing leaves
        await s.until(lambda: not s.cache.get_inflight_orders(SPOT))
        s.oids.append(late)

    s = run_script(script, venue, symbols=[PERP, SPOT])
    assert s.heard("canceled") == []
    assert {o.oid for o in s.heard("filled")} == set(s.oids)
    assert all(s.cache.get_order(oid).status is OrderStatus.FILLED for oid in s.oids)


def test_cancel_all_orders_takes_one_symbol_and_one_account(venue):
    async def script(s):
        await s.quotes()
        spot = [s.create_order(BTC, BUY, OrderType.LIMIT, Decimal("0.001"), far_below(s, BTC)) for _ in range(3)]
        perp = s.create_order(BTC_PERP, BUY, OrderType.LIMIT, Decimal("0.002"), far_below(s, BTC_PERP, "0.97"))
        await s.until(lambda: len(s.heard("accepted")) == 4)
        s.cancel_all_orders(BTC)
        await s.until(lambda: len(s.heard("canceled")) == 3)
        assert {o.oid for o in s.heard("canceled")} == set(spot)
        assert {o["clientOrderId"] for o in venue.open_orders()} == {perp}
        s.cancel_all_orders(BTC_PERP, account_type=PERP_ACCOUNT)
        await s.until(lambda: s.heard("canceled", perp))

    run_script(script, venue, symbols=[BTC, BTC_PERP])


def test_modify_on_usd_m(venue):
    async def script(s):
        await s.quotes()
        first, second = far_below(s, BTC_PERP, "0.97"), far_below(s, BTC_PERP, "0.96")
        oid = s.create_order(BTC_PERP, BUY, OrderType.LIMIT, Decimal("0.002"), first)
        await s.until(lambda: s.heard("accepted", oid))
        s.modify_order(BTC_PERP, oid, price=second, amount=Decimal("0.003"))
        await s.until(lambda: s.cache.get_order(oid).price == float(second), what="the new price")
        order = s.cache.get_order(oid)
        assert order.amount == Decimal("0.003") and order.status is OrderStatus.ACCEPTED
        told = venue.order("usd_m", "BTCUSDT", oid)
        assert Decimal(told["price"]) == second and Decimal(told["origQty"]) == Decimal("0.003")
        s.modify_order(BTC_PERP, oid, price=Decimal("1.123456789"))
        await s.until(lambda: s.heard("modify_failed", oid))
        assert "digits" in s.heard("modify_failed", oid)[0].reason and len(s.heard("modified", oid)) == 1
        s.cancel_order(BTC_PERP, oid)
        await s.until(lambda: s.heard("canceled", oid))

    run_script(script, venue, symbols=[BTC_PERP])


def test_modify_on_spot_is_refused_and_the_order_lives(venue):
    async def script(s):
        await s.quotes()
        oid = s.create_order(BTC, BUY, OrderType.LIMIT, Decimal("0.001"), far_below(s, BTC))
        await s.until(lambda: s.heard("accepted", oid))
        try:
            s.modify_order(BTC, oid, price=far_below(s, BTC, "0.8"))
        except OrderError as error:
            assert "modif" in str(error)
        else:
            await s.until(lambda: [r for r in s.heard("ws_order_request_result") if r["oid"] == oid])
        assert s.cache.get_order(oid).status is OrderStatus.ACCEPTED
        assert {o["clientOrderId"] for o in venue.open_orders()} == {oid}

    run_script(script, venue, symbols=[BTC])


def test_client_oid_is_the_venues_too(venue):
    async def script(s):
        await s.quotes()
        oid = s.create_order(BTC, BUY, OrderType.LIMIT, Decimal("0.001"), far_below(s, BTC), client_oid="my-order_1")
        assert oid == "my-order_1"
        with pytest.raises(OrderError, match="my-order_1"):
            s.create_order(BTC, BUY, OrderType.LIMIT, Decimal("0.001"), far_below(s, BTC), client_oid="my-order_1")
        await s.until(lambda: s.heard("accepted", oid))
        assert {o["clientOrderId"] for o in venue.open_orders()} == {oid}
        s.cancel_order(BTC, oid)
        await s.until(lambda: s.heard("canceled", oid))
        again = s.create_order(BTC, BUY, OrderType.LIMIT, Decimal("0.001"), far_below(s, BTC), client_oid="my-order_1")
        await s.until(lambda: len(s.heard("accepted", again)) == 2, what="the id is free again")
        for bad in ("", "with space", "x" * 37, "ä"):
            with pytest.raises(OrderError, match="client_oid"):
                s.create_order(BTC, BUY, OrderType.LIMIT, Decimal("0.001"), far_below(s, BTC), client_oid=bad)

    run_script(script, venue, symbols=[BTC])


def test_idempotency_key_sends_once(venue):
    async def script(s):
        await s.quotes()
        arguments = (BTC, BUY, OrderType.LIMIT, Decimal("0.001"), far_below(s, BTC))
        first = s.create_order(*arguments, idempotency_key="once")
        assert s.create_order(*arguments, idempotency_key="once") == first
        await s.until(lambda: s.heard("accepted", first))
        assert s.create_order(*arguments, idempotency_key="once") == first
        assert len(venue.open_orders()) == 1
        assert s.create_order(*arguments, idempotency_key="twice") != first

    run_script(script, venue, symbols=[BTC])


def test_account_type_overrides_and_is_checked(venue):
    async def script(s):
        await s.quotes()
        oid = s.create_order(SPOT, BUY, OrderType.MARKET, SIX, account_type=SPOT_ACCOUNT)
        await s.settled(oid)
        with pytest.raises(RouteError) as caught:
            s.create_order(SPOT, BUY, OrderType.MARKET, SIX, account_type=PERP_ACCOUNT)
        assert SPOT in str(caught.value) and "USD_M_FUTURE" in str(caught.value)
        with pytest.raises(NexusError):
            s.create_order(SPOT, BUY, OrderType.MARKET, SIX, account_type="nonsense")
        with pytest.raises(RouteError):
            s.cancel_all_orders(SPOT, account_type=PERP_ACCOUNT)

    run_script(script, venue, symbols=[SPOT])
    assert venue.statistics()["orders"] == 1


def test_no_private_connector_for_the_order(venue):
    async def script(s):
        await s.quotes()
        with pytest.raises(RouteError) as caught:
            s.create_order(PERP, BUY, OrderType.MARKET, SIX)
        assert PERP in str(caught.value) and "private" in str(caught.value)

    run_script(script, venue, symbols=[SPOT, PERP], private=(SPOT_ACCOUNT,))
    assert venue.statistics()["orders"] == 0


REFUSED = [
    ("unknown symbol", lambda s: ("NOSUCHUSDT.BINANCE", BUY, OrderType.MARKET, SIX)),
    ("off the tick", lambda s: (BTC_PERP, BUY, OrderType.LIMIT, Decimal("0.002"), Decimal("80000.05"))),
    ("finer than the scale", lambda s: (BTC, BUY, OrderType.LIMIT, Decimal("0.001"), Decimal("80000.000000001"))),
    ("off the lot", lambda s: (BTC, BUY, OrderType.LIMIT, Decimal("0.000015"), Decimal("80000"))),
    ("under the minimum", lambda s: (BTC_PERP, BUY, OrderType.LIMIT, Decimal("0.0005"), Decimal("80000"))),
    ("zero", lambda s: (BTC, BUY, OrderType.MARKET, Decimal(0))),
    ("negative", lambda s: (BTC, BUY, OrderType.MARKET, Decimal(-1))),
    ("notional", lambda s: (BTC, BUY, OrderType.LIMIT, Decimal("0.00001"), Decimal("80000"))),
    ("no price", lambda s: (BTC, BUY, OrderType.LIMIT, Decimal("0.001"))),
    ("no price, post only", lambda s: (BTC_PERP, BUY, OrderType.POST_ONLY, Decimal("0.002"))),
    ("negative price", lambda s: (BTC, BUY, OrderType.LIMIT, Decimal("0.001"), Decimal("-1"))),
    ("not a number", lambda s: (BTC, BUY, OrderType.LIMIT, Decimal("NaN"), Decimal("80000"))),
    ("infinite", lambda s: (BTC, BUY, OrderType.LIMIT, Decimal("0.001"), Decimal("Infinity"))),
    ("too much", lambda s: (BTC_PERP, BUY, OrderType.MARKET, Decimal("121"))),
    ("too many digits", lambda s: (BTC, BUY, OrderType.LIMIT, Decimal("1234567890123456789"), Decimal("80000"))),
    ("reduce only on spot", lambda s: (BTC, BUY, OrderType.MARKET, Decimal("0.001"), None, TimeInForce.GTC, True)),
]


def test_bad_orders_are_refused_before_they_are_sent(venue):
    """Each with a reason, each heard of, none in flight, none at the venue."""
    oids = {}

    async def script(s):
        await s.quotes()
        for name, arguments in REFUSED:
            given = arguments(s)
            oids[name] = s.create_order(*given)
            await s.until(lambda n=name: s.heard("failed", oids[n]), what=f"on_failed_order: {name}")
            assert s.cache.get_inflight_orders(given[0]) == set()
            assert s.cache.get_open_orders(given[0]) == set()

    s = run_script(script, venue, symbols=[BTC, BTC_PERP])
    assert len(set(oids.values())) == len(REFUSED)
    for name, oid in oids.items():
        orders = s.heard("failed", oid)
        assert len(orders) == 1, name
        assert orders[0].status is OrderStatus.FAILED and orders[0].reason, name
        assert s.story(oid)[-1] == "failed", name
    assert venue.statistics()["orders"] == 0
    assert venue.open_orders() == []


def test_the_venues_refusal_is_heard_with_its_words(venue):
    """More than the account has: the gate cannot know, the venue says no."""

    async def script(s):
        await s.quotes()
        s.oid = s.create_order(BTC, SELL, OrderType.LIMIT, Decimal("5000"), s.price_to_precision(
            BTC, Decimal(str(s.cache.bookl1(BTC).ask)) * Decimal("1.1")))
        await s.until(lambda: s.heard("failed", s.oid))

    s = run_script(script, venue, symbols=[BTC])
    assert s.story(s.oid) == ["pending", "failed"]
    assert "-2010" in s.heard("failed", s.oid)[0].reason
    assert [r for r in s.heard("ws_order_request_result") if r["oid"] == s.oid]


def test_balances_and_positions_equal_the_venues(venue):
    async def script(s):
        await s.quotes()
        oids = [s.create_order(BTC, BUY, OrderType.MARKET, Decimal("0.01")),
                s.create_order(BTC, SELL, OrderType.MARKET, Decimal("0.004")),
                s.create_order(BTC_PERP, SELL, OrderType.MARKET, Decimal("0.02")),
                s.create_order(BTC_PERP, BUY, OrderType.MARKET, Decimal("0.005"))]
        resting = s.create_order(BTC, BUY, OrderType.LIMIT, Decimal("0.01"), far_below(s, BTC))
        for oid in oids:
            await s.settled(oid)
        await s.until(lambda: s.heard("accepted", resting))

        def equal():
            ours = s.cache.get_balance(SPOT_ACCOUNT).balances
            theirs = venue.spot_balances()
            perp = s.cache.get_balance(PERP_ACCOUNT).balances
            wallet = venue.futures_balances()
            position = s.cache.get_position(BTC_PERP)
            return ({a: (b.free, b.locked) for a, b in ours.items() if b.free or b.locked}
                    == {a: b for a, b in theirs.items() if any(b)}
                    and {a: b.free for a, b in perp.items() if b.free} == {a: b for a, b in wallet.items() if b}
                    and position is not None and {"BTCUSDT": position.signed_amount} == venue.positions())

        await s.until(equal, what="the same balances")
        assert s.cache.get_position(BTC_PERP).signed_amount == Decimal("-0.015")
        assert s.cache.get_balance(SPOT_ACCOUNT).balances["USDT"].locked > 0
        await s.settled(s.create_order(BTC_PERP, BUY, OrderType.MARKET, Decimal("0.015"), reduce_only=True))
        await s.until(lambda: s.cache.get_position(BTC_PERP) is None or s.cache.get_position(BTC_PERP).is_closed,
                      what="a flat position")

    run_script(script, venue, symbols=[BTC, BTC_PERP])
    assert venue.positions() == {}


def test_exit_after_cancel_leaves_nothing_open(venue):
    async def script(s):
        await s.quotes()
        s.oids = [s.create_order(BTC, BUY, OrderType.LIMIT, Decimal("0.001"), far_below(s, BTC)),
                  s.create_order(BTC_PERP, BUY, OrderType.LIMIT, Decimal("0.002"), far_below(s, BTC_PERP, "0.97")),
                  s.create_order(BTC, BUY, OrderType.LIMIT, Decimal("0.001"), far_below(s, BTC), client_oid="named")]
        # No waiting: the engine stops with orders whose acknowledgement has not come.

    s = run_script(script, venue, symbols=[BTC, BTC_PERP])
    assert venue.open_orders() == []
    assert venue.statistics()["orders"] == 3
    assert all(s.cache.get_order(oid).status is OrderStatus.CANCELED for oid in s.oids)


def test_without_exit_after_cancel_orders_stay(venue):
    async def script(s):
        await s.quotes()
        s.oid = s.create_order(BTC, BUY, OrderType.LIMIT, Decimal("0.001"), far_below(s, BTC))
        await s.until(lambda: s.heard("accepted", s.oid))

    s = run_script(script, venue, symbols=[BTC], exit_after_cancel=False)
    assert [o["clientOrderId"] for o in venue.open_orders()] == [s.oid]
    venue.ask("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
