"""Which of Binance's accounts an order lands on: by the rules of exchange/routing.py, and by account_type= on every call.

Each row is checked at the venue itself: the order is listed by the account that is expected, and by no other.
"""

import asyncio
from decimal import Decimal

import pytest
from engine_program import run_script
from proxy import proxy_to

from nexus_fast.constants import OrderSide, OrderStatus, OrderType
from nexus_fast.error import CredentialError, RouteError, VenueError
from nexus_fast.exchange import BinanceAccountType as Account
from nexus_fast.exchange.binance import account as binance_account
from nexus_fast.exchange.binance import emergency, margin_account
from nexus_fast.gateway.credentials import Credentials
from nexus_fast.gateway.rest import BinanceRest

SPOT, LINEAR, INVERSE = "BNBUSDT.BINANCE", "BNBUSDT-PERP.BINANCE", "ETHUSD-PERP.BINANCE"
AMOUNTS = {SPOT: Decimal("0.05"), LINEAR: Decimal("0.05"), INVERSE: Decimal(5)}
BUY, SELL = OrderSide.BUY, OrderSide.SELL
FEEDS = [Account.SPOT, Account.USD_M_FUTURE, Account.COIN_M_FUTURE]
ISOLATED = {"isIsolated": "TRUE", "symbol": "BNBUSDT"}
# Where an account lists its open orders, and its fills of one symbol, by kind of instrument.
PLACES = {
    (Account.SPOT, SPOT): ("/api/v3/openOrders", {}),
    (Account.MARGIN, SPOT): ("/sapi/v1/margin/openOrders", {}),
    (Account.ISOLATED_MARGIN, SPOT): ("/sapi/v1/margin/openOrders", ISOLATED),
    (Account.USD_M_FUTURE, LINEAR): ("/fapi/v1/openOrders", {}),
    (Account.COIN_M_FUTURE, INVERSE): ("/dapi/v1/openOrders", {}),
    (Account.PORTFOLIO_MARGIN, SPOT): ("/papi/v1/margin/openOrders", {}),
    (Account.PORTFOLIO_MARGIN, LINEAR): ("/papi/v1/um/openOrders", {}),
    (Account.PORTFOLIO_MARGIN, INVERSE): ("/papi/v1/cm/openOrders", {}),
}
PM = Account.PORTFOLIO_MARGIN
# The accounts configured; then (symbol, account_type=, the account that takes it).
TABLE = {
    "spot before margin": ([Account.MARGIN, Account.SPOT], [
        (SPOT, None, Account.SPOT), (SPOT, Account.MARGIN, Account.MARGIN), (SPOT, Account.SPOT, Account.SPOT)]),
    "margin before isolated": ([Account.ISOLATED_MARGIN, Account.MARGIN], [
        (SPOT, None, Account.MARGIN), (SPOT, Account.ISOLATED_MARGIN, Account.ISOLATED_MARGIN)]),
    "isolated alone": ([Account.ISOLATED_MARGIN], [(SPOT, None, Account.ISOLATED_MARGIN)]),
    "specific before portfolio": ([PM, Account.MARGIN, Account.USD_M_FUTURE, Account.COIN_M_FUTURE], [
        (SPOT, None, Account.MARGIN), (LINEAR, None, Account.USD_M_FUTURE), (INVERSE, None, Account.COIN_M_FUTURE),
        (SPOT, PM, PM), (LINEAR, PM, PM), (INVERSE, PM, PM), (LINEAR, Account.USD_M_FUTURE, Account.USD_M_FUTURE)]),
    "portfolio takes the rest": ([Account.SPOT, PM], [
        (SPOT, None, Account.SPOT), (LINEAR, None, PM), (INVERSE, None, PM), (SPOT, PM, PM)]),
    "portfolio alone": ([PM], [(SPOT, None, PM), (LINEAR, None, PM), (INVERSE, None, PM)]),
}


def below(s, symbol):
    return s.price_to_precision(symbol, Decimal(str(s.cache.bookl1(symbol).bid)) * Decimal("0.97"))


def listed_by(venue, client_id):
    """Every account and symbol under which the venue lists the order as open."""
    return [place for place, (path, params) in PLACES.items()
            if client_id in [order["clientOrderId"] for order in venue.ask("GET", path, **params)]]


async def rests_and_goes(s, venue, symbol, override, expected):
    named = {} if override is None else {"account_type": override}
    oid = s.create_order(symbol, BUY, OrderType.LIMIT, AMOUNTS[symbol], below(s, symbol), **named)
    await s.until(lambda: s.heard("accepted", oid), what=f"{symbol} on {expected}")
    assert listed_by(venue, oid) == [(expected, symbol)]
    found = await s.arequest("order", symbol=symbol, oid=oid, **named)
    assert (found.oid, found.status) == (oid, OrderStatus.ACCEPTED)
    assert oid in [order.oid for order in await s.arequest("open_orders", symbol=symbol, **named)]
    if symbol != SPOT:
        lower = s.price_to_precision(symbol, below(s, symbol) * Decimal("0.99"))
        s.modify_order(symbol, oid, side=BUY, price=lower, amount=AMOUNTS[symbol], **named)
        await s.until(lambda: s.cache.get_order(oid).price == float(lower), what=f"the new price on {expected}")
        assert (await s.arequest("order", symbol=symbol, oid=oid, **named)).price == float(lower)
    s.cancel_order(symbol, oid, **named)
    assert (await s.settled(oid)).status is OrderStatus.CANCELED
    assert listed_by(venue, oid) == []


async def fills(s, symbol, override, expected):
    """A market order there and back: its fee, its fills, and what the account holds."""
    named = {} if override is None else {"account_type": override}
    oid = s.create_order(symbol, BUY, OrderType.MARKET, AMOUNTS[symbol], **named)
    await s.settled(oid)
    # USD-M tells of a fill twice, the first time without its fee.
    await s.until(lambda: s.cache.get_order(oid).fee is not None, what=f"the fee of {symbol} on {expected}")
    order = s.cache.get_order(oid)
    assert (order.status, order.filled) == (OrderStatus.FILLED, AMOUNTS[symbol])
    assert order.cum_cost == pytest.approx(
        s.instrument(symbol).cost(Decimal(str(order.average)), order.filled), abs=Decimal("1e-5"))
    assert (await s.arequest("recent_trades", symbol=symbol, **named))[0].eid == order.eid
    if symbol != SPOT:
        await s.until(lambda: getattr(s.cache.get_position(symbol, account_type=expected), "signed_amount", 0) == AMOUNTS[symbol],
                      what=f"{symbol} on {expected}")
    back = s.create_order(symbol, SELL, OrderType.MARKET, AMOUNTS[symbol], reduce_only=symbol != SPOT, **named)
    assert (await s.settled(back)).status is OrderStatus.FILLED
    if symbol != SPOT:
        await s.until(lambda: not getattr(s.cache.get_position(symbol, account_type=expected), "signed_amount", 0))


@pytest.mark.parametrize("name", TABLE)
def test_orders_land_where_the_rules_say(venue, name):
    configured, rows = TABLE[name]
    symbols = sorted({symbol for symbol, _, _ in rows})

    async def script(s):
        await s.quotes()
        for symbol, override, expected in rows:
            await rests_and_goes(s, venue, symbol, override, expected)
        for symbol, override, expected in {(symbol, expected): (symbol, override, expected)
                                           for symbol, override, expected in rows}.values():
            await fills(s, symbol, override, expected)

    run_script(script, venue, symbols=symbols, public=FEEDS, private=configured)


def test_an_account_that_does_not_fit_is_named(venue):
    async def script(s):
        await s.quotes()
        for symbol, override, text in (
            (LINEAR, Account.SPOT, "does not take linear orders"),
            (SPOT, Account.MARGIN, "has no private connector"),
            (INVERSE, None, "no private connector takes inverse orders"),
        ):
            named = {} if override is None else {"account_type": override}
            with pytest.raises(RouteError, match=text):
                s.create_order(symbol, BUY, OrderType.MARKET, AMOUNTS[symbol], **named)

    run_script(script, venue, symbols=[SPOT, LINEAR, INVERSE], public=FEEDS, private=[Account.SPOT, Account.USD_M_FUTURE])


def test_a_portfolio_s_balance_is_the_sum_of_its_wallets(venue):
    async def script(s):
        await s.quotes()
        for symbol in (SPOT, LINEAR, INVERSE):
            await fills(s, symbol, None, PM)
        rows = {row["asset"]: row for row in venue.ask("GET", "/papi/v1/balance")}
        for asset in ("USDT", "ETH", "BNB"):
            expected = Decimal(rows[asset]["totalWalletBalance"])
            await s.until(lambda a=asset, e=expected: s.cache.get_balance(PM).balance_total[a] == e, what=asset)

    run_script(script, venue, symbols=[SPOT, LINEAR, INVERSE], public=FEEDS, private=[PM])


# The address whose loss takes the private events away, and where the account's orders can be canceled behind the engine's back.
PRIVATE = {
    Account.MARGIN: ("spot.ws_api", SPOT, "/sapi/v1/margin/order", {}),
    Account.ISOLATED_MARGIN: ("spot.ws_api", SPOT, "/sapi/v1/margin/order", {"isIsolated": "TRUE"}),
    Account.COIN_M_FUTURE: ("coin_m.stream", INVERSE, "/dapi/v1/order", {}),
    PM: ("portfolio_margin.stream", INVERSE, "/papi/v1/cm/order", {}),
}


@pytest.mark.parametrize("account", PRIVATE)
def test_what_happened_while_the_private_events_were_lost_is_found_out(venue, account):
    key, symbol, path, params = PRIVATE[account]

    async def script(s):
        await s.quotes()
        kept, gone = (s.create_order(symbol, BUY, OrderType.LIMIT, AMOUNTS[symbol], below(s, symbol)) for _ in range(2))
        await s.until(lambda: len(s.heard("accepted")) == 2)
        proxy.accepts = False
        proxy.cut()
        await s.until(lambda: "disconnected" in statuses(s))
        venue.ask("DELETE", path, symbol=s.market(symbol).id, origClientOrderId=gone, **params)
        proxy.accepts = True
        assert (await s.settled(gone)).status is OrderStatus.CANCELED
        await s.until(lambda: statuses(s)[-1] == "connected")
        assert [e["success"] for e in s.heard("private_ws_resync_diff")] == [True]
        assert s.cache.get_order(kept).status is OrderStatus.ACCEPTED
        s.cancel_order(symbol, kept)
        assert (await s.settled(kept)).status is OrderStatus.CANCELED

    def statuses(s):
        return [e["event"] for e in s.heard("private_ws_status")]

    family, name = key.split(".")
    url = venue.endpoints["binance"][family][name]
    with proxy_to(url) as proxy:
        proxied = venue.with_addresses(**{family: {name: proxy.url(url)}})
        run_script(script, proxied, symbols=[symbol], public=FEEDS, private=[account])


@pytest.mark.parametrize("account, symbol", [(Account.MARGIN, SPOT), (Account.COIN_M_FUTURE, INVERSE), (PM, LINEAR)])
def test_connections_are_succeeded_before_they_are_too_old(venue, monkeypatch, account, symbol):
    monkeypatch.setattr(binance_account, "AGE_SECONDS", 0.7)

    async def script(s):
        await s.quotes()
        connector = s.engine.host.accounts[account]
        first = connector._user or connector._api
        ended = asyncio.get_running_loop().time() + 2.5
        oids = []
        while asyncio.get_running_loop().time() < ended or (connector._user or connector._api) is first:
            oids.append(s.create_order(symbol, BUY, OrderType.MARKET, AMOUNTS[symbol]))
            assert (await s.settled(oids[-1])).status is OrderStatus.FILLED
            await asyncio.sleep(0.05)
        assert all(s.cache.get_order(oid).filled == AMOUNTS[symbol] for oid in oids)
        assert len(s.heard("filled")) == len(oids)
        if symbol != SPOT:
            total = AMOUNTS[symbol] * len(oids)
            await s.until(lambda: s.cache.get_position(symbol, account_type=account).signed_amount == total)
        # A reconcile follows each succession; nothing was ever disconnected.
        assert {e["event"] for e in s.heard("private_ws_status")} <= {"connected", "resynced"}

    run_script(script, venue, symbols=[symbol], public=FEEDS, private=[account])


@pytest.mark.parametrize("account", [Account.MARGIN, Account.ISOLATED_MARGIN, PM])
def test_accounts_with_rest_orders_alone_need_a_key_that_signs_fast(venue, account):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    with pytest.raises(CredentialError, match=r"needs an HMAC key.*no other order entry"):
        run_script(None, venue, symbols=[SPOT], public=FEEDS, private=[account], secret=pem)


def test_private_events_of_margin_go_on_when_the_listen_token_is_replaced(venue, monkeypatch):
    monkeypatch.setattr(margin_account, "TOKEN_SECONDS", 0.3)

    async def script(s):
        await s.quotes()
        for _ in range(3):
            await asyncio.sleep(0.35)
            oid = s.create_order(SPOT, BUY, OrderType.MARKET, AMOUNTS[SPOT])
            assert (await s.settled(oid)).status is OrderStatus.FILLED
        assert "disconnected" not in [e["event"] for e in s.heard("private_ws_status")]

    run_script(script, venue, symbols=[SPOT], public=FEEDS, private=[Account.MARGIN])


def test_the_kill_switch_empties_every_kind_of_account(venue):
    accounts = [Account.MARGIN, Account.ISOLATED_MARGIN, Account.COIN_M_FUTURE, PM]

    async def script(s):
        await s.quotes()
        for account, symbol in PLACES:
            if account in accounts:
                s.create_order(symbol, BUY, OrderType.LIMIT, AMOUNTS[symbol], below(s, symbol), account_type=account)
        await s.until(lambda: len(s.heard("accepted")) == 6)
        # By hand, of a pair that the engine does not trade.
        venue.ask("POST", "/sapi/v1/margin/order", symbol="SOLUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="1",
                  price="100", isIsolated="TRUE")
        s.kill_switch("a test")
        await s.until(lambda: [e["event"] for e in s.heard("private_ws_status")].count("halted_empty") == len(accounts))
        left = [venue.ask("GET", path, **params) for path, params in PLACES.values()]
        assert left == [[]] * len(PLACES)
        assert venue.ask("GET", "/sapi/v1/margin/openOrders", isIsolated="TRUE", symbol="SOLUSDT") == []

    run_script(script, venue, symbols=[SPOT, LINEAR, INVERSE], public=FEEDS, private=accounts)


def test_margin_orders_of_a_portfolio_that_nobody_can_list_are_not_held_to_be_gone(venue):
    """The guard knows no symbols: what is locked belongs to orders that it cannot find."""
    venue.ask("POST", "/papi/v1/margin/order", symbol="BNBUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="1",
              price="800", newClientOrderId="hidden")

    async def empty():
        rest = BinanceRest(venue.rest, Credentials(venue.key, venue.secret))
        try:
            with pytest.raises(VenueError, match="USDT locked.*cancel them by hand"):
                await emergency.cancel_everything(rest, PM)
            assert await emergency.cancel_everything(rest, PM, ["BNBUSDT", "ETHUSD_PERP"]) == 1
            assert await emergency.cancel_everything(rest, PM) == 0
        finally:
            await rest.close()

    asyncio.run(empty())
