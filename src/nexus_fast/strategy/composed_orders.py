"""Several orders in one call: batches, an entry with its protection."""

from decimal import Decimal
from typing import Any

from msgspec import Struct

from nexus_fast.constants import AccountType, OrderSide, OrderType, TimeInForce, TriggerType
from nexus_fast.error import OrderRefusedError
from nexus_fast.exact import as_decimal
from nexus_fast.schema import BatchOrder
from nexus_fast.strategy.arguments import require_orders, require_route
from nexus_fast.strategy.runtime_access import engine_of


class ProtectiveLeg(Struct, frozen=True, kw_only=True):
    """A take-profit or a stop-loss. price: None for the types that end as a market order."""

    type: OrderType
    trigger_price: Decimal
    price: Decimal | None
    trigger_type: TriggerType


class ComposedOrders:
    __slots__ = ()

    def create_batch_orders(self, orders: list[BatchOrder], account_type: AccountType | None = None) -> list[str]:
        """Places the orders in their order, each on its own symbol's account; their oids.

        Raises RouteError or OrderError before the first one leaves when any of them can never be an order.
        """
        runtime = engine_of(self, "create_batch_orders")
        for order in require_orders(orders):
            require_route(runtime, order.symbol, account_type)
        return [
            self.create_order(
                symbol=order.symbol,
                side=order.side,
                type=order.type,
                amount=order.amount,
                price=order.price,
                time_in_force=order.time_in_force,
                reduce_only=order.reduce_only,
                account_type=account_type,
                **order.kwargs,
            )
            for order in orders
        ]

    def create_tp_sl_order(
        self,
        symbol: str,
        side: OrderSide,
        type: OrderType,
        amount: Decimal,
        price: Decimal | None = None,
        time_in_force: TimeInForce = TimeInForce.GTC,
        tp_order_type: OrderType | None = None,
        tp_trigger_price: Decimal | None = None,
        tp_price: Decimal | None = None,
        tp_trigger_type: TriggerType = TriggerType.LAST_PRICE,
        sl_order_type: OrderType | None = None,
        sl_trigger_price: Decimal | None = None,
        sl_price: Decimal | None = None,
        sl_trigger_type: TriggerType = TriggerType.LAST_PRICE,
        account_type: AccountType | None = None,
        **kwargs: Any,
    ) -> str:
        """An entry with a take-profit, a stop-loss or both; the entry's oid. Legs that do not hold together are
        refused before the entry leaves."""
        runtime = engine_of(self, "create_tp_sl_order")
        entry = {
            "symbol": symbol,
            "side": side,
            "type": type,
            "amount": amount,
            "price": price,
            "time_in_force": time_in_force,
            "account_type": account_type,
            **kwargs,
        }
        take_profit = _leg("tp", tp_order_type, tp_trigger_price, tp_price, tp_trigger_type)
        stop_loss = _leg("sl", sl_order_type, sl_trigger_price, sl_price, sl_trigger_type)
        if take_profit is None and stop_loss is None:
            return self.create_order(**entry)
        _require_sides(symbol, side, take_profit, stop_loss)
        require_route(runtime, symbol, account_type)
        protect = getattr(runtime, "protect", None)
        if protect is None:
            raise OrderRefusedError(
                f"{symbol}: this engine places no take-profit and stop-loss legs. Place the entry with create_order "
                "and the legs in on_filled_order, as reduce_only orders at their prices."
            )
        return protect(self, entry, take_profit, stop_loss)


def _leg(
    which: str, type: OrderType | None, trigger_price: Any, price: Any, trigger_type: TriggerType
) -> ProtectiveLeg | None:
    if type is None and trigger_price is None and price is None:
        return None
    fits = type is not None and (type.is_take_profit if which == "tp" else type.is_stop_loss)
    if not fits:
        wanted = "TAKE_PROFIT" if which == "tp" else "STOP_LOSS"
        raise OrderRefusedError(f"{which}_order_type={type} is neither {wanted}_MARKET nor {wanted}_LIMIT.")
    if trigger_price is None:
        raise OrderRefusedError(f"{which}_order_type={type} needs {which}_trigger_price=.")
    if type.is_limit == (price is None):
        raise OrderRefusedError(f"{which}_order_type={type} {'needs' if type.is_limit else 'takes no'} {which}_price=.")
    return ProtectiveLeg(type=type, trigger_price=trigger_price, price=price, trigger_type=trigger_type)


def _require_sides(
    symbol: str, side: OrderSide, take_profit: ProtectiveLeg | None, stop_loss: ProtectiveLeg | None
) -> None:
    """A long position takes its profit above its stop, a short one below."""
    if take_profit is None or stop_loss is None:
        return
    gain, loss = as_decimal(take_profit.trigger_price), as_decimal(stop_loss.trigger_price)
    if gain == loss or (gain > loss) != side.is_buy:
        raise OrderRefusedError(
            f"{symbol}: for a {side.value} the take-profit ({take_profit.trigger_price}) must lie "
            f"{'above' if side.is_buy else 'below'} the stop-loss ({stop_loss.trigger_price})."
        )
