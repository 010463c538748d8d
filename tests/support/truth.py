"""Simulated venues from the inside: what is so, whatever they say. One class per venue, all with the same questions.

A venue trades BTC on spot and as a perpetual; quantities are the engine's: base coins, also where the venue counts contracts.
"""

from decimal import Decimal

from nexus_fast.constants import ExchangeType
from nexus_fast.exchange import BinanceAccountType, BybitAccountType, OkxAccountType
from nexus_fast.sim.binance.order_texts import Words
from nexus_fast.sim.binance.venue import BinanceOptions
from nexus_fast.sim.bybit.venue import BybitOptions
from nexus_fast.sim.fixed_point import SCALE
from nexus_fast.sim.okx.account_texts import Purse
from nexus_fast.sim.okx.venue import OkxOptions
from nexus_fast.sim.orders import BUY, SELL, Order, Status, TimeInForce, Type

# What the engine calls a status of the venue's.
STATUSES = {Status.NEW: "ACCEPTED", Status.PARTIALLY_FILLED: "PARTIALLY_FILLED", Status.FILLED: "FILLED",
            Status.CANCELED: "CANCELED", Status.EXPIRED: "EXPIRED", Status.EXPIRED_IN_MATCH: "EXPIRED"}
KEY = "sim"
Amounts = dict[str, tuple[Decimal, Decimal]]          # (free, locked) by asset, without those that are nothing


def scaled(value):
    return Decimal(value) / SCALE


class VenueTruth:
    """`symbols`: the engine's names of spot and perpetual. `markets`: the core's market and the venue's symbol of each.
    `public`, `private`: account types of the connectors that trade them."""

    exchange: ExchangeType
    public: tuple = ()
    private: tuple = ()
    statuses = STATUSES
    own_id = "own-{}"                    # a client id that the venue takes beside the engine's
    amends_spot = True
    options: object = None

    def __init__(self, venue):
        self.venue = venue
        self.spot, self.perp = self.symbols = tuple(f"{name}.{self.exchange.name}" for name in ("BTCUSDT", "BTCUSDT-PERP"))
        self.markets = dict(zip(self.symbols, self._markets(), strict=True))

    def _markets(self):
        """(market, symbol there) of spot and of the perpetual."""
        raise NotImplementedError

    @property
    def account(self):
        return self.venue.accounts[KEY]

    @property
    def walks(self):
        """(market's name, symbol) of the books."""
        return {(market.name, symbol) for market, symbol in self.markets.values()}

    # ------------------------------------------------------------------------------------------ orders

    def orders(self, client_id=None, *, open_only=False):
        """All orders of the account, oldest first; those that began with this client id."""
        stores = self.account.stores.values()
        found = [o for store in stores for o in (store.open if open_only else store.by_id).values()]
        return found if client_id is None else [o for o in found if client_id in (o.client_id, o.original_client_id)]

    def id_of(self, order):
        """The client id with which an order was placed."""
        return order.client_id

    def state_of(self, order):
        """(the engine's word for its status, executed quantity)."""
        return self.statuses[order.status], scaled(order.executed) * self.size_of(order)

    def terms_of(self, order):
        """(price, quantity) of an order that rests."""
        return scaled(order.price), scaled(order.quantity) * self.size_of(order)

    def size_of(self, order):
        """What one of the venue's units is of the base coin."""
        return 1

    # ------------------------------------------------------------------------------------------ the account

    def position(self):
        """Of the perpetual; signed."""
        market, symbol = self.markets[self.perp]
        found = self.account.ledgers[market.name].positions.get(symbol)
        return scaled(found.amount if found else 0)

    def balances(self):
        """{account type: Amounts}, as its private connectors should know them."""
        raise NotImplementedError

    def balance_problems(self, account_type, here):
        """What is wrong with the engine's amounts."""
        there = self.balances()[account_type]
        return [] if here == there else [f"balances of {account_type} here {here}, there {there}"]

    def spot_amounts(self):
        ledger = self.account.ledgers[self.markets[self.spot][0].name]
        return present({a: (scaled(f), scaled(ledger.locked.get(a, 0))) for a, f in ledger.free.items()})


def present(amounts):
    return {asset: pair for asset, pair in amounts.items() if any(pair)}


class BinanceTruth(VenueTruth):
    exchange = ExchangeType.BINANCE
    public = private = (BinanceAccountType.USD_M_FUTURE, BinanceAccountType.SPOT)
    amends_spot = False
    options = BinanceOptions(weight_limit_factor=1000)

    def _markets(self):
        return (self.venue.spot.market, "BTCUSDT"), (self.venue.usd_m.market, "BTCUSDT")

    def id_of(self, order):
        """A cancel gives it another one."""
        return order.original_client_id or order.client_id

    def balances(self):
        wallet = {a: (scaled(w), Decimal(0)) for a, w in self.account.ledgers["usd_m"].wallet.items()}
        return {BinanceAccountType.SPOT: self.spot_amounts(), BinanceAccountType.USD_M_FUTURE: present(wallet)}

    def trade_by_hand(self, market, side, amount, client_id, symbol="BTCUSDT"):
        """A market order of the account's that is not the engine's."""
        self._place(market, side, Type.MARKET, 0, amount, client_id, symbol)

    def rest_by_hand(self, market, side, amount, price, client_id, symbol="BTCUSDT"):
        """A limit order of the account's that is not the engine's."""
        self._place(market, side, Type.LIMIT, int(price * SCALE), amount, client_id, symbol)

    def _place(self, market, side, kind, price, amount, client_id, symbol):
        venue_market = getattr(self.venue, market).market
        order = Order(venue_market.next_order_id(), client_id, self.account, venue_market.instruments[symbol],
                      BUY if side.is_buy else SELL, kind, TimeInForce.GTC if price else TimeInForce.IOC, price,
                      int(amount * SCALE), words=Words(kind.name, "GTC"))
        venue_market.place(order)
        venue_market.flush(venue_market.books[symbol])


class BybitTruth(VenueTruth):
    """One unified wallet. What ends without being filled was canceled; so many questions in a second are no matter here."""

    exchange = ExchangeType.BYBIT
    public, private = (BybitAccountType.LINEAR, BybitAccountType.SPOT), (BybitAccountType.UNIFIED,)
    statuses = {status: "CANCELED" if status > Status.FILLED else word for status, word in STATUSES.items()}
    options = BybitOptions(request_limit_factor=1000)

    @staticmethod
    def limited(factor):
        """Options with so many times the venue's own limits of orders."""
        return BybitOptions(order_limit_factor=factor)

    def _markets(self):
        markets = self.venue.exchange.markets
        return (markets["spot"], "BTCUSDT"), (markets["linear"], "BTCUSDT")

    def balances(self):
        return {BybitAccountType.UNIFIED: self.spot_amounts()}


class OkxTruth(VenueTruth):
    """One purse. Its available part moves with the mark price, of which the venue tells with the account's next event alone."""

    exchange = ExchangeType.OKX
    public = private = (OkxAccountType.LIVE,)
    statuses = BybitTruth.statuses
    own_id = "own{}"
    furthest = Decimal("0.002")          # that a mark moves within a run, as a part of it

    @staticmethod
    def limited(factor):
        return OkxOptions(limit_factor=factor)

    def _markets(self):
        exchange = self.venue.exchange
        return (exchange.spot, "BTC-USDT"), (exchange.contracts, "BTC-USDT-SWAP")

    def size_of(self, order):
        return scaled(order.instrument.contract)

    def position(self):
        market, symbol = self.markets[self.perp]
        return super().position() * scaled(market.instruments[symbol].contract)

    def balances(self):
        ledger = self.account.ledgers[self.markets[self.spot][0].name]
        purses = {asset: Purse(self.venue.exchange, self.account, asset) for asset in ledger.free}
        return {OkxAccountType.LIVE: present({
            asset: (scaled(purse.available), scaled(purse.equity - purse.available)) for asset, purse in purses.items()})}

    def balance_problems(self, account_type, here):
        """Exact without a position and for what settles none; else what all comes to is as far off as the mark may have moved."""
        there, held = self.balances()[account_type], self.position()
        if held and {"USDT"} <= here.keys() & there.keys():
            market, symbol = self.markets[self.perp]
            off = abs(sum(here["USDT"]) - sum(there["USDT"]))
            if off <= abs(held) * scaled(market.mark_price(symbol)) * self.furthest:
                here, there = ({a: pair for a, pair in amounts.items() if a != "USDT"} for amounts in (here, there))
        return [] if here == there else [f"balances of {account_type} here {here}, there {there}"]


TRUTHS = {"binance": BinanceTruth, "bybit": BybitTruth, "okx": OkxTruth}
