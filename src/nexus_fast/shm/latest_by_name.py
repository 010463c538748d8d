"""The latest table by symbol, for programs that know names and not ids."""

from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.symbols import read_symbols


class LatestQuotes:
    """Reads an engine's latest table: `quotes["BTCUSDT-PERP.BINANCE"]` is a BookL1Record, None before the first quote.

    Values are exact as mantissas (`record.bid * 10**-record.price_scale`) and beside them as doubles. When the engine
    was started again, ids are read again, and a table that it replaced is opened anew.
    """

    def __init__(self, name):
        self.table = LatestTable.attach(name)
        self._name = name
        self._epoch = None
        self._symbols = {}

    @property
    def symbols(self):
        """{symbol: {"id", "symbol", "exchange", "price_scale", "size_scale", …}} of the engine that writes now."""
        if self.table.segment.retired:
            self.table.close()
            self.table = LatestTable.attach(self._name)
            self._epoch = None
        epoch = self.table.segment.epoch
        if epoch != self._epoch:
            self._symbols = read_symbols(self._name, epoch)
            self._epoch = epoch
        return self._symbols

    def __getitem__(self, symbol):
        entry = self.symbols.get(symbol)
        if entry is None:
            raise KeyError(f"{symbol!r} is none of the {len(self._symbols)} symbols of {self._name!r}")
        return self.table.read(entry["id"])

    def close(self):
        """Unmaps the table."""
        self.table.close()
