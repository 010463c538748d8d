"""Whether an engine would refuse an order: held against the venue's list of symbols, by the checks that every order passes."""

import asyncio
import os
import tempfile
from typing import Any

from nexus_fast.config import RiskConfig
from nexus_fast.constants import OrderSide, OrderType, TimeInForce
from nexus_fast.endpoints import load_endpoints
from nexus_fast.error import InstrumentError
from nexus_fast.exact import as_decimal
from nexus_fast.exchange.binance.accounts import BinanceAccountType
from nexus_fast.exchange.catalogue import connectors_of
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.gateway.preview import resolve, templates_for
from nexus_fast.order.reasons import NOT_CONNECTED
from nexus_fast.order.refusals import refusal_text

# Which market lists the symbols of an account family (nexus_fast.gateway.binance).
MARKETS = {"usd_m": BinanceAccountType.USD_M_FUTURE, "coin_m": BinanceAccountType.COIN_M_FUTURE}


def refusal_of(account_type: BinanceAccountType, symbol: str, order: dict[str, Any]) -> str | None:
    """The sentence with which an engine of this account would refuse the order; None: it would send it. order: arguments of
    Strategy.create_order. Raises OSError, TimeoutError or VenueError when the venue cannot be asked, OrderError for what can
    never be an order."""
    family, own = resolve(account_type, symbol)
    market = MARKETS.get(family.removeprefix("portfolio_"), BinanceAccountType.SPOT)
    found, _ = asyncio.run(connectors_of(market.exchange).load_instruments(market, account_type.is_testnet, load_endpoints()))
    table = InstrumentTable(found)
    if "." not in symbol:
        symbol = next((i.symbol for i in table if i.venue_symbol == own), f"{own}.BINANCE")
    try:
        return _tried(account_type, table.get(symbol), order)
    except InstrumentError as error:
        return str(error)


def _tried(account_type: BinanceAccountType, instrument: Instrument, order: dict[str, Any]) -> str | None:
    """The order on its way to a connection that is down, which is what refuses it when nothing else does."""
    from nexus_fast.gateway.channel import Channel
    from nexus_fast.journal.writer import JournalWriter
    from nexus_fast.order.entry import OrderEntry
    from nexus_fast.order.ledger import Ledger
    from nexus_fast.order.route import Route, RouteTable
    from nexus_fast.order.table import OrderTable
    from nexus_fast.shm.ring import RingWriter
    from nexus_fast.strategy import Strategy
    from nexus_fast.strategy.base import attach

    with tempfile.TemporaryDirectory() as folder:
        journal = JournalWriter(folder, "inspect")
        ring = RingWriter(f"inspect_{os.getpid()}", "order_event", 16)
        try:
            scales = instrument.price_scale, instrument.size_scale
            templates = templates_for(account_type, instrument.symbol, "rest", "key", "secret", 1000, None, *scales)
            routes = RouteTable(1, 1)
            routes.add(Route(instrument, 0, 0, templates, [Channel()]))
            routes.set_default(0, 0)
            entry = OrderEntry(OrderTable(1, "abc", 2), routes, journal, ring, 1, lambda: None)
            strategy, heard = Strategy(), Heard()
            symbol = instrument.symbol
            attach(strategy, heard, entry, 0, {symbol: 0}, [symbol], [instrument.exchange], {account_type: 0})
            strategy.create_order(symbol, **order)
            reason = heard.reason or Ledger(entry).fields(1)["reason"]
        finally:
            ring.close(unlink=True)
            journal.close()
    if reason == NOT_CONNECTED:
        return None
    is_market = order["type"] is OrderType.MARKET
    return refusal_text(reason, instrument, RiskConfig(), is_market, None if is_market else order["price"], order["amount"])


class Heard:
    """What a strategy's runtime is asked, where all that can be asked is to refuse."""

    reason = 0

    def refuse(self, strategy: Any, reason: int, *order: Any) -> str:
        self.reason = reason
        return ""

    def before_create(self, strategy: Any, symbol: str, client_oid: str | None, key: str | None, extra: dict) -> str | None:
        from nexus_fast.engine.runtime import check_client_id

        check_client_id(symbol, client_oid or "")
        return None


def arguments_of(side: str, type: str, amount: str, options: dict[str, Any]) -> dict[str, Any]:
    """Of Strategy.create_order, from the command line's."""
    price = options["price"]
    return {
        "side": OrderSide(side),
        "type": OrderType(type),
        "amount": as_decimal(amount),
        "price": None if price is None else as_decimal(price),
        "time_in_force": TimeInForce(options["time_in_force"]),
        "reduce_only": options["reduce_only"],
        "client_oid": options["client_oid"],
    }
