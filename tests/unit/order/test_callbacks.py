"""What is held until on_start has returned: the fills come first, then the rest."""

from types import SimpleNamespace

from nexus_fast.order.callbacks import Callbacks

WATCH = SimpleNamespace(went_well=lambda *what: None, took=lambda *what: None)


class Hearing:
    def __init__(self):
        self.heard = []

    def __getattr__(self, name):
        return lambda what: self.heard.append((name, what))


def test_what_was_held_is_told_fills_first_each_kind_in_its_order():
    one, callbacks = Hearing(), Callbacks(WATCH)
    callbacks.hold()
    callbacks.call(one, "on_canceled_order", 1)
    for n in (2, 3):
        callbacks.call(one, "on_fill", n)
        callbacks.call(one, "on_filled_order", n)
        callbacks.then(lambda n=n: one.heard.append(("told", n)))
    callbacks.call(one, "on_balance", 4)
    assert one.heard == []
    callbacks.release()
    fills = [(what, n) for n in (2, 3) for what in ("on_fill", "on_filled_order", "told")]
    assert one.heard == [*fills, ("on_canceled_order", 1), ("on_balance", 4)]


def test_what_came_before_a_fill_of_an_order_comes_before_it():
    one, callbacks = Hearing(), Callbacks(WATCH)
    a, b = SimpleNamespace(oid="a"), SimpleNamespace(oid="b")
    callbacks.hold()
    callbacks.call(one, "on_accepted_order", b)
    callbacks.call(one, "on_accepted_order", a)
    callbacks.call(one, "on_fill", a)
    callbacks.call(one, "on_partially_filled_order", a)
    callbacks.call(one, "on_canceled_order", a)
    callbacks.release()
    assert one.heard == [("on_accepted_order", a), ("on_fill", a), ("on_partially_filled_order", a), ("on_accepted_order", b),
                         ("on_canceled_order", a)]
