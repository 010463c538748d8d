"""A venue's list in which each symbol of ours stands for one of the venue's, and each of the venue's has one of ours.

Ours is made from base and quote. A venue may give a ticker to another coin and leave the old contract in its list, settled, with
the same base and quote (BTCUSDT and BTCUSDTSETTLED): two rows for one symbol. The one that trades has it; the other is left out.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nexus_fast.exchange.instrument import Instrument

Twins = list[tuple["Instrument", "Instrument"]]          # (left out, who has its symbol or its venue symbol)


def venue_key(instrument: "Instrument") -> tuple:
    """What the venue means by its name of the instrument."""
    return instrument.exchange, instrument.type, instrument.venue_symbol


def one_to_one(instruments: Iterable["Instrument"]) -> tuple[list["Instrument"], Twins]:
    """The instruments in their order without twins, and the twins. Of two that trade, or of two that don't: the kind that was
    listed first, then the shorter name, so that the choice does not depend on the order of the venue's rows."""
    listed = list(instruments)
    if len({i.symbol for i in listed}) == len(listed) == len({venue_key(i) for i in listed}):
        return listed, []
    kinds: dict[tuple, int] = {}
    for number, i in enumerate(listed):
        kinds.setdefault((i.symbol, i.type), number)
    order = sorted(
        range(len(listed)),
        key=lambda n: (not (i := listed[n]).active, kinds[i.symbol, i.type], len(i.venue_symbol), i.venue_symbol),
    )
    taken: dict[object, Instrument] = {}
    kept, twins = [], []
    for number in order:
        instrument = listed[number]
        holder = taken.get(instrument.symbol) or taken.get(venue_key(instrument))
        if holder is None:
            taken[instrument.symbol] = taken[venue_key(instrument)] = instrument
            kept.append(number)
        elif holder != instrument:                       # not the same row twice
            twins.append((instrument, holder))
    return [listed[number] for number in sorted(kept)], twins


def by_venue_key(instruments: Iterable["Instrument"]) -> dict[tuple, "Instrument"]:
    """By the venue's name. Of two rows with one name, the one that trades."""
    found: dict[tuple, Instrument] = {}
    for instrument in instruments:
        held = found.get(venue_key(instrument))
        if held is None or (instrument.active and not held.active):
            found[venue_key(instrument)] = instrument
    return found


def is_reused(known: "Instrument", newer: "Instrument") -> bool:
    """The venue has given the name of what traded until now to another contract, which was listed at another time."""
    return known.active and None not in (known.listed_ms, newer.listed_ms) and known.listed_ms != newer.listed_ms


def twin_text(left_out: "Instrument", holder: "Instrument") -> str:
    return (
        f"{left_out.venue_symbol} ({left_out.status}) is left out: {holder.symbol} stands for {holder.venue_symbol} "
        f"({holder.status})"
    )
