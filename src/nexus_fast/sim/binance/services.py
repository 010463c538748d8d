"""The services of the simulated Binance: its three markets, and the accounts through which they are traded.

A service is one market as one kind of account sees it. Spot, USD-M and COIN-M have each its own service, which also carries
the market's streams.
"""

from dataclasses import dataclass
from re import compile as pattern

from nexus_fast.sim.account import Account, FuturesLedger, SpotLedger
from nexus_fast.sim.binance import rate_limits
from nexus_fast.sim.binance.instruments import (
    COIN_M,
    COIN_M_BALANCES,
    SPOT,
    SPOT_BALANCES,
    SPOT_INSTRUMENTS,
    USD_M,
    USD_M_BALANCES,
    USD_M_INSTRUMENTS,
    coin_m_instruments,
)
from nexus_fast.sim.binance.margin import BALANCES, BORROW_LIMITS, MarginLedger, open_margin
from nexus_fast.sim.binance.rate_limits import RateLimits
from nexus_fast.sim.binance.requests import Service
from nexus_fast.sim.binance.streams import StreamHub
from nexus_fast.sim.binance.user_data import CoinMUserData, FuturesUserData, SpotUserData
from nexus_fast.sim.binance.user_data_portfolio import PortfolioUserData
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.futures_market import FuturesMarket
from nexus_fast.sim.market import Execution, Listener
from nexus_fast.sim.spot_market import SpotMarket
from nexus_fast.sim.wire_statistics import WireStatistics

SPOT_CLIENT_ID = pattern(r"^[a-zA-Z0-9-_]{1,36}$")
PORTFOLIO = "portfolio"  # the kind of account
FUTURES_CLIENT_ID = pattern(r"^[\.A-Z\:/a-z0-9_-]{1,36}$")


class Publisher(Listener):
    """A market's events go to its streams, and to the user data of the account that they concern."""

    def __init__(self, service: Service, users: dict[str, object]):
        """users: by the kind of account."""
        self.service = service
        self.users = users
        self.on_trade = service.streams.publish_trade
        self.on_best = service.streams.publish_best

    def on_execution(self, account: Account, execution: Execution) -> None:
        if self.service.name == SPOT and execution.fill is not None and execution.executed == execution.fill.quantity:
            # Spot counts unfilled orders: an order's first fill gives some of the count back.
            self.service.limits.order_filled(account.key, execution.is_maker)
        self.users_of(account).on_execution(account, execution)

    def on_account(self, account: Account, assets: list[str], symbols: list[str], reason: str) -> None:
        self.users_of(account).on_account(account, assets, symbols, reason)

    def users_of(self, account: Account):
        """Only portfolio margin has user data of its own: the others' come with their market's."""
        return self.users.get(account.kind, self.service.users)


@dataclass(slots=True)
class Services:
    spot: Service
    usd_m: Service
    coin_m: Service
    margin: Service
    portfolio_margin: Service
    portfolio_usd_m: Service
    portfolio_coin_m: Service

    @property
    def of_markets(self) -> tuple[Service, ...]:
        return self.spot, self.usd_m, self.coin_m


def make_services(accounts: dict[str, Account], statistics: WireStatistics, clock: Clock, options) -> Services:
    """`options`: BinanceOptions. Opens the accounts' ledgers."""
    for account in accounts.values():
        account.open(SPOT, SpotLedger(SPOT_BALANCES))
        account.open(USD_M, FuturesLedger(USD_M_BALANCES))
        account.open(COIN_M, FuturesLedger(COIN_M_BALANCES))
    first_id = clock.milliseconds() * 100
    spot = SpotMarket(SPOT, SPOT_INSTRUMENTS, clock, statistics, first_id)
    usd_m = FuturesMarket(USD_M, USD_M_INSTRUMENTS, clock, statistics, first_id)
    coin_m = FuturesMarket(COIN_M, coin_m_instruments(clock.milliseconds()), clock, statistics, first_id)
    spot.bounds_every_price = True  # PERCENT_PRICE_BY_SIDE has an upper and a lower bound for each side
    for market in (usd_m, coin_m):
        market.refuses_taking_post_only = options.post_only == "reject"
    factor, weight = options.order_limit_factor, options.weight_limit_factor
    spot_limits = RateLimits(rate_limits.SPOT_ORDERS, rate_limits.SPOT_WEIGHT * weight, factor)
    # One pool for both since the markets were joined in June 2026.
    futures_limits = RateLimits(rate_limits.FUTURES_ORDERS, rate_limits.FUTURES_WEIGHT * weight, factor)
    papi_limits = RateLimits(rate_limits.PORTFOLIO_ORDERS, rate_limits.PORTFOLIO_WEIGHT * weight, factor)
    seconds = options.listen_key_seconds
    users = SpotUserData(clock)
    portfolio_users = PortfolioUserData(clock, usd_m, coin_m, seconds)
    margins = {key: open_margin(account) for key, account in accounts.items()}
    portfolios = {key: open_portfolio(account) for key, account in accounts.items()}

    def portfolio(market, client_id) -> Service:
        return Service(market, accounts, clock, papi_limits, statistics, client_id, portfolio_users, twins=portfolios)

    made = Services(
        spot=Service(spot, accounts, clock, spot_limits, statistics, SPOT_CLIENT_ID, users),
        usd_m=Service(usd_m, accounts, clock, futures_limits, statistics, FUTURES_CLIENT_ID,
                      FuturesUserData(clock, usd_m, seconds)),
        coin_m=Service(coin_m, accounts, clock, futures_limits, statistics, FUTURES_CLIENT_ID,
                       CoinMUserData(clock, coin_m, seconds)),
        margin=Service(spot, accounts, clock, spot_limits, statistics, SPOT_CLIENT_ID, users, twins=margins),
        portfolio_margin=portfolio(spot, SPOT_CLIENT_ID),
        portfolio_usd_m=portfolio(usd_m, FUTURES_CLIENT_ID),
        portfolio_coin_m=portfolio(coin_m, FUTURES_CLIENT_ID))
    for service in made.of_markets:
        service.streams = StreamHub(service)
        service.market.listener = Publisher(service, {PORTFOLIO: portfolio_users})
    return made


def open_portfolio(account: Account) -> Account:
    """The portfolio margin account of a key: three wallets."""
    made = account.twin(PORTFOLIO)
    made.open(SPOT, MarginLedger(BALANCES, BORROW_LIMITS))
    made.open(USD_M, FuturesLedger(USD_M_BALANCES))
    made.open(COIN_M, FuturesLedger(COIN_M_BALANCES))
    return made
