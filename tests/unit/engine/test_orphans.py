"""Updates that name an order by the venue's id alone are applied in the order in which they came (58)."""

from types import SimpleNamespace

import pytest

from nexus_fast.engine import orphans as module
from nexus_fast.engine.orphans import HOLD_SECONDS, Orphans
from nexus_fast.order.events import OrderUpdate

INSTRUMENTS = [SimpleNamespace(venue_symbol="BTCUSDT")]


class Host:
    """`number`: whose id the venue's "v1" is; -1 while one of ours has no id yet, 0 for nobody's."""

    def __init__(self):
        self.number, self.adopted, self.external = -1, [], []
        ledger = SimpleNamespace(by_venue_id=lambda account, name: self.number, fields=lambda number: {"symbol_id": 0})
        self.core = SimpleNamespace(ledger=ledger, instruments=INSTRUMENTS)
        adopt = lambda number, update: self.adopted.append((number, update.event))  # noqa: E731
        self.tracker = SimpleNamespace(drain=lambda: None, adopt=adopt)

    def on_external_order(self, account, update):
        self.external.append(update.event)


@pytest.fixture
def scene(monkeypatch):
    host, clock = Host(), [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    return host, Orphans(host), clock


ACCOUNT = SimpleNamespace(index=0)


def said(event, **more):
    return OrderUpdate(event=event, client_id="", venue_id="v1", **more)


def test_what_comes_while_earlier_ones_wait_waits_behind_them(scene):
    """The order is named before the last of them comes, and nobody has looked at those that wait yet."""
    host, orphans, _ = scene
    assert orphans.take(ACCOUNT, said("ACCEPTED")) and orphans.take(ACCOUNT, said("FILL"))
    host.number = 7
    assert orphans.take(ACCOUNT, said("CANCELED")) and host.adopted == []
    orphans.check()
    assert host.adopted == [(7, "ACCEPTED"), (7, "FILL"), (7, "CANCELED")]
    assert orphans.take(ACCOUNT, said("FILL")) and host.adopted[-1] == (7, "FILL")       # nothing waits: at once


def test_an_order_that_stays_nameless_is_somebody_elses_in_the_end_in_the_same_order(scene):
    host, orphans, clock = scene
    assert orphans.take(ACCOUNT, said("ACCEPTED"))
    clock[0] += HOLD_SECONDS - 0.1
    assert orphans.take(ACCOUNT, said("FILLED"))
    orphans.check()
    assert host.external == []
    clock[0] += HOLD_SECONDS
    orphans.check()
    assert host.external == ["ACCEPTED", "FILLED"] and host.adopted == []


def test_the_same_id_of_another_symbol_is_not_ours(scene):
    """Binance numbers the orders of each symbol apart."""
    host, orphans, _ = scene
    host.number = 7
    assert not orphans.take(ACCOUNT, said("CANCELED", venue_symbol="ETHUSDT"))
    assert orphans.take(ACCOUNT, said("CANCELED", venue_symbol="BTCUSDT")) and host.adopted == [(7, "CANCELED")]
