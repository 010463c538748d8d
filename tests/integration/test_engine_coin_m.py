"""The engine on Binance COIN-M: amounts in contracts, money in coins."""

from decimal import Decimal

import pytest
from engine_program import run_script

from nexus_fast.config import RiskConfig
from nexus_fast.constants import BookLevel, ExchangeType, KlineInterval, OrderSide, OrderStatus, OrderType
from nexus_fast.exchange import BinanceAccountType

COIN_M = BinanceAccountType.COIN_M_FUTURE
PERPETUAL, ETHER = "BTCUSD-PERP.BINANCE", "ETHUSD-PERP.BINANCE"
BUY, SELL = OrderSide.BUY, OrderSide.SELL


def run(script, venue, **options):
    return run_script(script, venue, symbols=[PERPETUAL], public=[COIN_M], private=[COIN_M], **options)


def below(s, factor, symbol=PERPETUAL):
    return s.price_to_precision(symbol, Decimal(str(s.cache.bookl1(symbol).bid)) * Decimal(factor))


def coins(venue, asset):
    return {a["asset"]: Decimal(a["walletBalance"]) for a in venue.ask("GET", "/dapi/v1/account")["assets"]}[asset]


@pytest.mark.parametrize("order_entry", ["fastest", "rest"])
def test_an_order_rests_is_changed_filled_and_paid_in_coins(venue, order_entry):
    async def script(s):
        await s.quotes()
        market = s.market(PERPETUAL)
        assert (market.contractSize, market.settle, market.inverse) == (100, "BTC", True)
        oid = s.create_order(PERPETUAL, BUY, OrderType.LIMIT, Decimal(5), below(s, "0.98"))
        await s.until(lambda: s.heard("accepted", oid))
        assert venue.ask("GET", "/dapi/v1/openOrders")[0]["origQty"] == "5"
        s.modify_order(PERPETUAL, oid, side=BUY, amount=Decimal(6), price=below(s, "0.97"))
        await s.until(lambda: s.cache.get_order(oid).amount == 6)
        s.cancel_order(PERPETUAL, oid)
        assert (await s.settled(oid)).status is OrderStatus.CANCELED
        oid = s.create_order(PERPETUAL, BUY, OrderType.MARKET, Decimal(7))
        await s.settled(oid)
        await s.until(lambda: s.cache.get_order(oid).fee is not None, what="the fee")
        order = s.cache.get_order(oid)
        assert (order.status, order.filled, order.fee_currency) == (OrderStatus.FILLED, 7, "BTC")
        fill = venue.ask("GET", "/dapi/v1/userTrades", symbol="BTCUSD_PERP")[-1]
        assert order.cum_cost == pytest.approx(Decimal(700) / Decimal(str(order.average)), abs=Decimal("2e-8"))
        filled = s.heard("filled", oid)[0]
        assert filled.cost == Decimal(fill["baseQty"]) and filled.last_filled_price == float(fill["price"])
        await s.until(lambda: s.cache.get_position(PERPETUAL) is not None)
        position = s.cache.get_position(PERPETUAL)
        assert position.signed_amount == 7 and position.entry_price == pytest.approx(order.average, rel=1e-6)
        await s.until(lambda: s.cache.get_balance(COIN_M).balance_total["BTC"] == coins(venue, "BTC"))
        oid = s.create_order(PERPETUAL, SELL, OrderType.MARKET, Decimal(7), reduce_only=True)
        await s.settled(oid)
        await s.until(lambda: not s.cache.get_position(PERPETUAL) or s.cache.get_position(PERPETUAL).signed_amount == 0)

    run(script, venue, order_entry=order_entry)


def test_contracts_are_whole_and_a_limit_in_dollars_is_one_of_contracts(venue):
    async def script(s):
        await s.quotes()
        half = s.create_order(PERPETUAL, BUY, OrderType.MARKET, Decimal("0.5"))
        much = s.create_order(PERPETUAL, BUY, OrderType.MARKET, Decimal(11))
        ten = s.create_order(PERPETUAL, BUY, OrderType.MARKET, Decimal(10))
        assert (await s.settled(ten)).status is OrderStatus.FILLED
        for refused in (half, much):
            assert (await s.settled(refused)).status is OrderStatus.FAILED

    run(script, venue, risk=RiskConfig(max_notional=Decimal(1000)))


def test_market_data_and_questions(venue):
    async def script(s):
        await s.quotes()
        [dated] = s.future_info(ExchangeType.BINANCE)
        assert s.inverse_info(ExchangeType.BINANCE) == [PERPETUAL, ETHER] and s.market(dated).expiry
        s.subscribe_bookl1(dated)
        s.subscribe_bookl2(ETHER, BookLevel.L5)
        s.subscribe_trade(PERPETUAL)
        s.subscribe_mark_price([PERPETUAL, dated])
        s.subscribe_index_price(PERPETUAL)
        s.subscribe_funding_rate(PERPETUAL)
        await s.quotes(PERPETUAL, dated)
        names = ("mark_price", "index_price", "funding_rate", "trade", "bookl2")
        await s.until(lambda: all(s.heard(name) for name in names))
        assert {event.symbol for event in s.heard("mark_price")} == {PERPETUAL, dated}
        oid = s.create_order(dated, BUY, OrderType.LIMIT, Decimal(2), below(s, "0.97", dated))
        await s.until(lambda: s.heard("accepted", oid))
        assert [o["symbol"] for o in venue.ask("GET", "/dapi/v1/openOrders")] == [s.market(dated).id]
        s.cancel_order(dated, oid)
        assert (await s.settled(oid)).status is OrderStatus.CANCELED
        ticker = await s.arequest("ticker", symbol=PERPETUAL)
        assert ticker.symbol == PERPETUAL and ticker.last_price > 0
        assert set(await s.arequest("all_tickers", account_type=COIN_M)) == {PERPETUAL, ETHER, dated}
        oid = s.create_order(ETHER, BUY, OrderType.MARKET, Decimal(3))
        await s.settled(oid)
        order = await s.arequest("order", symbol=ETHER, oid=oid)
        assert (order.filled, order.cum_cost) == (3, s.cache.get_order(oid).cum_cost)
        [fill] = (await s.arequest("recent_trades", symbol=ETHER))[:1]
        assert fill.cost == fill.cum_cost and fill.fee_currency == "ETH"
        for name in ("klines", "index_klines"):
            assert len(await s.arequest(name, symbols=[ETHER], interval=KlineInterval.MINUTE_1)) >= 1

    run(script, venue)
