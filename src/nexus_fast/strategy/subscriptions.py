"""Market data: what a strategy subscribes to, and no longer."""

from typing import Any

from nexus_fast.constants import BookLevel, DataType, KlineInterval
from nexus_fast.strategy.arguments import Symbols, VolumeType, checked_symbols, require_member, require_volume
from nexus_fast.strategy.runtime_access import engine_of


class Subscriptions:
    __slots__ = ()

    def subscribe_bookl1(self, symbols: Symbols, ready_timeout: int = 60, ready: bool = True) -> None:
        """Best bid and ask, to on_bookl1. ready: self.ready waits for the first, at most ready_timeout seconds."""
        _subscribe(self, "subscribe_bookl1", DataType.BOOKL1, symbols, ready_timeout=ready_timeout, ready=ready)

    def subscribe_bookl2(
        self, symbols: Symbols, level: BookLevel, ready_timeout: int = 60, ready: bool = True
    ) -> None:
        require_member("subscribe_bookl2", "level", level, BookLevel)
        _subscribe(
            self, "subscribe_bookl2", DataType.BOOKL2, symbols, level=level, ready_timeout=ready_timeout, ready=ready
        )

    def subscribe_trade(self, symbols: Symbols, ready_timeout: int = 60, ready: bool = True) -> None:
        _subscribe(self, "subscribe_trade", DataType.TRADE, symbols, ready_timeout=ready_timeout, ready=ready)

    def subscribe_funding_rate(self, symbols: Symbols, ready_timeout: int = 60, ready: bool = True) -> None:
        _subscribe(
            self, "subscribe_funding_rate", DataType.FUNDING_RATE, symbols, ready_timeout=ready_timeout, ready=ready
        )

    def subscribe_index_price(self, symbols: Symbols, ready_timeout: int = 60, ready: bool = True) -> None:
        _subscribe(
            self, "subscribe_index_price", DataType.INDEX_PRICE, symbols, ready_timeout=ready_timeout, ready=ready
        )

    def subscribe_mark_price(self, symbols: Symbols, ready_timeout: int = 60, ready: bool = True) -> None:
        _subscribe(self, "subscribe_mark_price", DataType.MARK_PRICE, symbols, ready_timeout=ready_timeout, ready=ready)

    def subscribe_kline(
        self,
        symbols: Symbols,
        interval: KlineInterval,
        ready_timeout: int = 60,
        ready: bool = True,
        use_aggregator: bool = False,
        build_with_no_updates: bool = True,
    ) -> None:
        """Bars, to on_kline. use_aggregator: made here from trades; build_with_no_updates: also without any trade."""
        require_member("subscribe_kline", "interval", interval, KlineInterval)
        _subscribe(
            self,
            "subscribe_kline",
            DataType.KLINE,
            symbols,
            interval=interval,
            ready_timeout=ready_timeout,
            ready=ready,
            use_aggregator=use_aggregator,
            build_with_no_updates=build_with_no_updates,
        )

    def subscribe_volume_kline(
        self,
        symbols: Symbols,
        volume_threshold: float,
        volume_type: VolumeType = "DEFAULT",
        ready_timeout: int = 60,
        ready: bool = True,
    ) -> None:
        require_volume("subscribe_volume_kline", volume_threshold, volume_type)
        _subscribe(
            self,
            "subscribe_volume_kline",
            DataType.VOLUME_KLINE,
            symbols,
            volume_threshold=volume_threshold,
            volume_type=volume_type,
            ready_timeout=ready_timeout,
            ready=ready,
        )

    def unsubscribe_bookl1(self, symbols: Symbols) -> None:
        _unsubscribe(self, "unsubscribe_bookl1", DataType.BOOKL1, symbols)

    def unsubscribe_bookl2(self, symbols: Symbols, level: BookLevel) -> None:
        require_member("unsubscribe_bookl2", "level", level, BookLevel)
        _unsubscribe(self, "unsubscribe_bookl2", DataType.BOOKL2, symbols, level=level)

    def unsubscribe_trade(self, symbols: Symbols) -> None:
        _unsubscribe(self, "unsubscribe_trade", DataType.TRADE, symbols)

    def unsubscribe_funding_rate(self, symbols: Symbols) -> None:
        _unsubscribe(self, "unsubscribe_funding_rate", DataType.FUNDING_RATE, symbols)

    def unsubscribe_index_price(self, symbols: Symbols) -> None:
        _unsubscribe(self, "unsubscribe_index_price", DataType.INDEX_PRICE, symbols)

    def unsubscribe_mark_price(self, symbols: Symbols) -> None:
        _unsubscribe(self, "unsubscribe_mark_price", DataType.MARK_PRICE, symbols)

    def unsubscribe_kline(self, symbols: Symbols, interval: KlineInterval, use_aggregator: bool = False) -> None:
        require_member("unsubscribe_kline", "interval", interval, KlineInterval)
        _unsubscribe(
            self, "unsubscribe_kline", DataType.KLINE, symbols, interval=interval, use_aggregator=use_aggregator
        )

    def unsubscribe_volume_kline(
        self, symbols: Symbols, volume_threshold: float, volume_type: VolumeType = "DEFAULT"
    ) -> None:
        require_volume("unsubscribe_volume_kline", volume_threshold, volume_type)
        _unsubscribe(
            self,
            "unsubscribe_volume_kline",
            DataType.VOLUME_KLINE,
            symbols,
            volume_threshold=volume_threshold,
            volume_type=volume_type,
        )


def _subscribe(strategy: Any, method: str, data_type: DataType, symbols: Symbols, **options: Any) -> None:
    runtime = engine_of(strategy, method)
    runtime.subscribe(strategy, data_type, checked_symbols(method, symbols), **options)


def _unsubscribe(strategy: Any, method: str, data_type: DataType, symbols: Symbols, **options: Any) -> None:
    runtime = engine_of(strategy, method)
    runtime.unsubscribe(strategy, data_type, checked_symbols(method, symbols), **options)
