"""The market maker: seeded, never crossed, every step a tick, and it survives what clients do to the book."""

from nexus_fast.sim.account import Account, SpotLedger
from nexus_fast.sim.binance.instruments import SPOT_BALANCES, SPOT_INSTRUMENTS
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.fixed_point import parse
from nexus_fast.sim.market_maker import DEPTH, MarketMaker
from nexus_fast.sim.orders import BUY, SELL, Order, TimeInForce, Type
from nexus_fast.sim.spot_market import SpotMarket
from nexus_fast.sim.wire_statistics import WireStatistics


def moving_market(seed):
    market = SpotMarket("spot", SPOT_INSTRUMENTS, Clock(), WireStatistics(), 1)
    return market, MarketMaker(market, seed)


def walk(seed, symbol="BTCUSDT", steps=500):
    market, maker = moving_market(seed)
    seen = []
    for _ in range(steps):
        maker.walks[symbol].step()
        seen.append(market.books[symbol].best())
    return seen


def test_the_same_seed_walks_the_same_way():
    assert walk(5) == walk(5)
    assert walk(5) != walk(6)


def test_every_step_moves_the_top_and_never_crosses():
    seen = walk(1, steps=2000)
    assert all(0 < bid < ask and bid_size and ask_size for bid, bid_size, ask, ask_size in seen)
    assert sum(a != b for a, b in zip(seen, seen[1:], strict=False)) > 0.99 * (len(seen) - 1)
    start = parse("84550")
    assert all(abs(bid - start) < start // 50 for bid, *_ in seen)


def test_a_swept_book_and_far_quotes_do_not_move_the_price_away():
    market, maker = moving_market(3)
    account = Account("a", "s")
    account.open("spot", SpotLedger(SPOT_BALANCES))

    def place(side, price, quantity, kind=Type.LIMIT):
        number = market.next_order_id()
        market.place(Order(number, f"c{number}", account, market.instruments["ETHUSDT"], side, kind, TimeInForce.GTC,
                           parse(price), parse(quantity)))

    for price in ("2000", "1900", "1800"):
        place(BUY, price, "1")
    place(SELL, "5000", "1")
    for _ in range(50):
        place(SELL, "0", "10", Type.MARKET)
        place(BUY, "0", "10", Type.MARKET)
        for _ in range(20):
            maker.walks["ETHUSDT"].step()
    bid, _, ask, _ = market.books["ETHUSDT"].best()
    assert parse("2600") < bid < ask < parse("2780")
    assert len(market.books["ETHUSDT"].bids.keys) < 3 * DEPTH
    assert all(order.is_open for order in account.orders("spot").open.values())


def test_prices_that_stand():
    """Every step is a tick, prices stay, there are trades, and what a client rests at the best is not met."""
    market, maker = moving_market(4)
    maker.stand(True)
    account, book, walk = Account("a", "s"), market.books["ETHUSDT"], maker.walks["ETHUSDT"]
    account.open("spot", SpotLedger(SPOT_BALANCES))
    bid, _, ask, _ = book.best()
    orders = [Order(market.next_order_id(), name, account, market.instruments["ETHUSDT"], side, Type.LIMIT, TimeInForce.GTC,
                    price, parse("1")) for name, side, price in (("b", BUY, bid), ("s", SELL, ask))]
    for order in orders:
        market.place(order)
    before, traded = book.best(), book.last_trade_id
    for _ in range(3000):
        walk.step()
        after = book.best()
        assert after != before and (after[0], after[2]) == (bid, ask)
        before = after
    assert [order.executed for order in orders] == [0, 0] and book.last_trade_id > traded
    assert all(len(side.levels[price].orders) < 20 for side, price in ((book.bids, bid), (book.asks, ask)))
    maker.stand(False)
    for _ in range(50):
        walk.step()
    assert (book.best()[0], book.best()[2]) != (bid, ask)
