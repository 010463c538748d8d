"""What the engine calls. Each does nothing until a program overrides it."""

from nexus_fast.schema import (
    AccountBalance,
    BookL1,
    BookL2,
    Fill,
    FundingRate,
    IndexPrice,
    Kline,
    MarkPrice,
    Order,
    Trade,
)


class Callbacks:
    __slots__ = ()

    def on_start(self) -> None:
        """The engine is connected; subscribe here."""

    def on_stop(self) -> None:
        """The engine is about to end; it is still connected. Orders that are sent from here leave, and are the last that do."""

    def on_bookl1(self, bookl1: BookL1) -> None: ...

    def on_bookl2(self, bookl2: BookL2) -> None: ...

    def on_trade(self, trade: Trade) -> None: ...

    def on_kline(self, kline: Kline) -> None: ...

    def on_funding_rate(self, funding_rate: FundingRate) -> None: ...

    def on_index_price(self, index_price: IndexPrice) -> None: ...

    def on_mark_price(self, mark_price: MarkPrice) -> None: ...

    def on_fill(self, fill: Fill) -> None:
        """A fill of an order of this strategy, in whatever state the order is: each is told exactly once, live or after a restart
        (`fill.recovered`), so that their sum is the venue's. Position and order in the cache contain it. Right after it comes
        on_filled_order or on_partially_filled_order; the order's end comes after its last fill."""

    def on_fill_fee(self, fill: Fill) -> None:
        """The fee of a fill that on_fill told without it (`fee` None), once it is known. The fill is the same but for `fee` and
        the order; it is not to be counted again. Also of a trade whose quantity was told as a part of a fill without trade_id."""

    def on_pending_order(self, order: Order) -> None: ...

    def on_accepted_order(self, order: Order) -> None: ...

    def on_partially_filled_order(self, order: Order) -> None:
        """A fill that is not the order's last, right after its on_fill. `order.status` is the state of the order, which may be
        CANCELING, or CANCELED where the fill was late."""

    def on_filled_order(self, order: Order) -> None:
        """The fill that completes the order, right after its on_fill; every other fill of it was told before. `last_filled` is 0
        where the order was made as small as what was filled."""

    def on_canceling_order(self, order: Order) -> None: ...

    def on_canceled_order(self, order: Order) -> None:
        """The order is canceled, and every fill of it was told. `filled` may be above zero."""

    def on_expired_order(self, order: Order) -> None:
        """The venue ended the order: an IOC's or FOK's rest, a post-only that would have taken, self-trade
        prevention. Every fill of it was told; `filled` may be above zero."""

    def on_failed_order(self, order: Order) -> None:
        """The order was refused, here or by the venue; `order.reason` says why."""

    def on_cancel_failed_order(self, order: Order) -> None:
        """The cancel was not done, by `order.reason`. The order is what `order` says: it lives on (status CANCEL_FAILED), or was
        over already."""

    def on_modified_order(self, order: Order) -> None:
        """A modification was done: `order.price` and `order.amount` are the new ones. Without it, on_accepted_order is told, as
        to NexusTrader's programs."""
        self.on_accepted_order(order)

    def on_modify_failed_order(self, order: Order) -> None:
        """A modification was not done, by `order.reason`; the order is as it was."""

    def on_balance(self, balance: AccountBalance) -> None: ...

    def on_private_ws_status(self, status: dict) -> None: ...

    def on_external_order(self, order: Order) -> None:
        """An order on one of the accounts that no strategy here placed: by hand, by another program, by the venue (liquidation).
        `cache.get_external_orders()` has those that are open."""

    def on_private_ws_resync_diff(self, diff: dict) -> None: ...

    def on_ws_order_request_result(self, result: dict) -> None: ...

    def on_custom_signal(self, signal: object) -> None: ...
