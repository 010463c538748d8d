"""What the engine would send: the bytes of one order, from the templates and the filling that the engine uses."""

import re
import time
from decimal import Decimal, InvalidOperation

from nexus_fast.core.fixed import to_mantissa
from nexus_fast.exact import OWN, as_decimal
from nexus_fast.gateway import binance
from nexus_fast.gateway.credentials import ED25519, Credentials
from nexus_fast.gateway.words import LIMIT, MARKET, SIDES, TIMES_IN_FORCE, TYPES, name_of, number_of

FAMILIES = {
    "SPOT": "spot",
    "MARGIN": "margin",
    "ISOLATED_MARGIN": "isolated_margin",
    "USD_M_FUTURE": "usd_m",
    "COIN_M_FUTURE": "coin_m",
}
PORTFOLIO = {"spot": "portfolio_margin", "linear": "portfolio_usd_m", "inverse": "portfolio_coin_m"}
EXAMPLE_ID = "previewpreviewpreview000"  # as long as the engine's own ids


def preview(
    account_type,
    *,
    symbol: str,
    side,
    type,
    amount,
    price=None,
    time_in_force="GTC",
    reduce_only: bool = False,
    client_oid: str | None = None,
    entry: str = "ws",
    api_key: str | None = None,
    secret: str | None = None,
    timestamp_ms: int | None = None,
    recv_window: int | None = 1000,
    host: str | None = None,
) -> bytes:
    """The exact bytes of a new order's request.

    entry="ws": the text of the WebSocket message, unmasked and without the frame's header; with an Ed25519 key it is
    that of a connection which has logged on. entry="rest": the whole HTTP request. symbol: "USDCUSDT-PERP.BINANCE" or
    the venue's own "USDCUSDT". side, type, time_in_force: members of nexus_fast.constants or their names. amount,
    price: Decimal, text or number. client_oid: where none is given, an example id of the engine's length.
    timestamp_ms: now where none is given. Raises ValueError for an order that cannot be sent, naming the thing, its
    value and the remedy.
    """
    order_type = number_of(TYPES, "type", type)
    if order_type != MARKET and price is None:
        raise ValueError(f"a {name_of(type)} order of {symbol} has no price: give price=")
    kind = (number_of(SIDES, "side", side), order_type, _time_in_force(order_type, time_in_force), bool(reduce_only))
    quantity = _number("amount", amount)
    limit = None if order_type == MARKET else _number("price", price)
    templates = templates_for(
        account_type, symbol, entry, api_key, secret, recv_window, host, _scale(limit or Decimal(0)), _scale(quantity)
    )
    values = {"quantity": to_mantissa(quantity, templates.size_scale), "client_id": client_oid or EXAMPLE_ID}
    values["price"] = 0 if limit is None else to_mantissa(limit, templates.price_scale)
    values["timestamp_ms"] = time.time_ns() // 1_000_000 if timestamp_ms is None else timestamp_ms
    if reduce_only and not templates.has_place(*kind):
        raise ValueError(f"reduce_only=True: {name_of(account_type)} has no positions to reduce, leave it out")
    return templates.place_text(*kind, **values)


def templates_for(account_type, symbol, entry, api_key, secret, recv_window, host, price_scale, size_scale):
    """The requests of a symbol's orders on an account, with these decimals of prices and amounts."""
    family, own_symbol = resolve(account_type, symbol)
    if not (api_key and secret):
        missing = "secret" if api_key else "api_key"
        raise ValueError(f"{missing} is missing: an order is signed, give api_key= and secret=")
    credentials = Credentials(api_key, secret)
    if credentials.kind == ED25519 and entry == "rest":
        raise ValueError("an Ed25519 key signs session.logon, not each order: use entry='ws', or an HMAC key for REST")
    if host is None and name_of(account_type).endswith("_TESTNET"):
        host = binance.FAMILIES[family].testnet_host
    return binance.order_templates(
        family,
        own_symbol,
        entry=entry,
        price_scale=price_scale,
        size_scale=size_scale,
        api_key=api_key,
        secret=None if credentials.kind == ED25519 else credentials.hmac_secret,
        recv_window=recv_window,
        host=host,
    )


def resolve(account_type, symbol: str) -> tuple[str, str]:
    """(account family of nexus_fast.gateway.binance, the venue's own symbol)."""
    name = name_of(account_type).removesuffix("_TESTNET")
    if getattr(account_type, "exchange_id", "binance") != "binance":
        raise ValueError(f"{account_type} is not an account of Binance, the venue whose orders can be previewed")
    market, own = _market(symbol)
    if name == "PORTFOLIO_MARGIN":
        if market is None:
            remedy = f"write {symbol}.BINANCE or {symbol}-PERP.BINANCE"
            raise ValueError(f"symbol={symbol!r} may be spot or a future: {remedy}")
        return PORTFOLIO[market], own
    if name not in FAMILIES:
        known = ", ".join([*FAMILIES, "PORTFOLIO_MARGIN"])
        raise ValueError(f"account_type={account_type!r} takes no orders; one of {known}")
    family = FAMILIES[name]
    needed = {"usd_m": "linear", "coin_m": "inverse"}.get(family, "spot")
    if market not in (None, needed):
        raise ValueError(f"symbol={symbol!r} is {market} and {name} trades {needed} symbols: use another account")
    return family, own


def _market(symbol):
    """("spot" | "linear" | "inverse" | None where the name does not tell, the venue's own name)."""
    prefix, dot, venue = symbol.partition(".")
    if not dot:
        return ("inverse" if re.search(r"USD_(PERP|\d{6})$", symbol) else None), symbol
    if venue != "BINANCE":
        raise ValueError(f"symbol={symbol!r} is traded on {venue}, not on BINANCE")
    pair, dash, contract = prefix.partition("-")
    if not dash:
        return "spot", pair
    if pair.endswith("USD"):
        return "inverse", f"{pair}_{contract}"
    return "linear", pair if contract == "PERP" else f"{pair}_{contract}"


def _time_in_force(order_type, member):
    number = number_of(TIMES_IN_FORCE, "time_in_force", member)
    return number if order_type == LIMIT else 0


def _number(what, value) -> Decimal:
    """The exact value of amount or price; a float counts as the number that repr shows."""
    try:
        number = as_decimal(value)
    except InvalidOperation:
        raise ValueError(f"{what}={value!r} is not a number") from None
    if not number.is_finite() or number <= 0:
        raise ValueError(f"{what}={value}: must be a number above 0")
    exponent = number.normalize(OWN).as_tuple().exponent
    if number.adjusted() >= 18 or exponent < -18 or number.adjusted() - min(exponent, 0) >= 18:
        raise ValueError(f"{what}={value} needs more than 18 digits and cannot be sent exactly: round it")
    return number


def _scale(number: Decimal) -> int:
    return max(0, -number.normalize(OWN).as_tuple().exponent)
