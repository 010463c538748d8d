"""What programs on the simulated OKX share: its symbols and amounts, orders that rest, proxies before its addresses."""

import contextlib
from decimal import Decimal

from engine_program import run_script
from proxy import proxy_to

from nexus_fast.constants import OrderSide, OrderType
from nexus_fast.exchange import OkxAccountType

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LIMIT, MARKET, POST_ONLY = OrderType.LIMIT, OrderType.MARKET, OrderType.POST_ONLY
ACCOUNT = OkxAccountType.LIVE
SPOT, PERP, INVERSE = "BTCUSDT.OKX", "BTCUSDT-PERP.OKX", "BTCUSD-PERP.OKX"
ALL = (SPOT, PERP, INVERSE)
INST_IDS = {SPOT: "BTC-USDT", PERP: "BTC-USDT-SWAP", INVERSE: "BTC-USD-SWAP"}
# In NexusTrader's unit: base currency, of an inverse contract USD; and the same in what the venue counts.
AMOUNTS = {SPOT: Decimal("0.02"), PERP: Decimal("0.02"), INVERSE: Decimal(300)}
CONTRACTS = {SPOT: Decimal("0.02"), PERP: Decimal(2), INVERSE: Decimal(3)}


def run(script, venue, symbols=ALL, **options):
    return run_script(script, venue, symbols=symbols, public=(ACCOUNT,), private=(ACCOUNT,), **options)


def price(s, symbol, share):
    """`share` of the bid, on the tick."""
    return s.price_to_precision(symbol, Decimal(str(s.cache.bookl1(symbol).bid)) * Decimal(share))


async def resting(s, symbol, share="0.97", **options):
    oid = s.create_order(symbol, BUY, LIMIT, AMOUNTS[symbol], price(s, symbol, share), **options)
    await s.until(lambda: s.heard("accepted", oid), what=f"a resting order on {symbol}")
    return oid


@contextlib.contextmanager
def through(venue, *names):
    """The venue with a proxy before each address; yields (venue, {name: proxy})."""
    with contextlib.ExitStack() as stack:
        proxies = {name: stack.enter_context(proxy_to(venue.endpoints["okx"][name])) for name in names}
        yield venue.with_addresses(**{name: p.url(venue.endpoints["okx"][name]) for name, p in proxies.items()}), proxies


def statuses(s):
    return [event["event"] for event in s.heard("private_ws_status")]
