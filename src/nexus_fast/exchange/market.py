"""An Instrument in the form `Strategy.market` returns."""

from datetime import UTC, datetime

from nexus_fast.exchange.instrument import Instrument
from nexus_fast.schema import BaseMarket, Limit, LimitMinMax, MarginMode, Precision


def base_market(instrument: Instrument) -> BaseMarket:
    """Fees are not in a venue's list of instruments: taker and maker are 0 until the account has told them."""
    spot, dated = instrument.is_spot, instrument.expiry_ms is not None
    pair = f"{instrument.base}/{instrument.quote}"
    return BaseMarket(
        id=instrument.venue_symbol,
        lowercaseId=instrument.venue_symbol.lower(),
        symbol=pair if spot else f"{pair}:{instrument.settle}",
        base=instrument.base,
        quote=instrument.quote,
        settle=instrument.settle,
        baseId=instrument.base,
        quoteId=instrument.quote,
        settleId=instrument.settle,
        type=instrument.type,
        spot=spot,
        margin=None,
        swap=not spot and not dated,
        future=not spot and dated,
        option=False,
        index=None,
        active=instrument.active,
        contract=not spot,
        linear=None if spot else instrument.is_linear,
        inverse=None if spot else instrument.is_inverse,
        subType=None if spot else instrument.type,
        taker=0.0,
        maker=0.0,
        contractSize=None if spot else float(instrument.contract_size),
        expiry=instrument.expiry_ms,
        expiryDatetime=_iso(instrument.expiry_ms),
        strike=None,
        optionType=None,
        precision=Precision(amount=float(instrument.lot_size), price=float(instrument.tick_size)),
        limits=_limits(instrument),
        marginModes=MarginMode(),
        created=None,
        tierBased=None,
        percentage=None,
    )


def _limits(i: Instrument) -> Limit:
    return Limit(
        leverage=LimitMinMax(),
        amount=_range(i.min_quantity, i.max_quantity),
        price=_range(i.min_price, i.max_price),
        cost=_range(i.min_notional, i.max_notional),
        market=_range(i.market_min_quantity, i.market_max_quantity),
    )


def _range(low, high) -> LimitMinMax:
    return LimitMinMax(min=float(low), max=None if high is None else float(high))


def _iso(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
