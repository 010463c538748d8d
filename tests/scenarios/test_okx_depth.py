"""OKX's depth channel without the snapshot that it begins with, as the venue has announced it: it is asked for by REST."""

import asyncio
import unittest.mock

from simulated_run import engine

from nexus_fast.constants import BookLevel
from nexus_fast.exchange import OkxAccountType
from nexus_fast.sim.okx import public_channels

SYMBOL = "BTCUSDT-PERP.OKX"
OKX = {"public": (OkxAccountType.LIVE,), "private": (OkxAccountType.LIVE,), "venue": {"venues": ("okx",)}}


class Deaf:
    """A connection that the snapshot does not reach; the channel is brought up to date all the same."""

    def send(self, payload):
        pass


as_ever = public_channels.PublicChannels._snapshot


@engine(symbols=[SYMBOL], **OKX)
async def test_okx_depth_without_a_snapshot(s):
    await s.quotes()
    with unittest.mock.patch.object(
        public_channels.PublicChannels, "_snapshot", lambda self, connection, channel: as_ever(self, Deaf(), channel)
    ):
        s.subscribe_bookl2([SYMBOL], BookLevel.L20)
        await s.until(lambda: len(s.heard("bookl2")) > 5, 30)
    await asyncio.sleep(1)
    last, quote = s.heard("bookl2")[-1], s.cache.bookl1(SYMBOL)
    bids, asks = [level.price for level in last.bids], [level.price for level in last.asks]
    assert len(bids) == len(asks) == 20 and bids == sorted(bids, reverse=True) and asks == sorted(asks) and bids[0] < asks[0]
    assert abs(bids[0] - quote.bid) < 50 and abs(asks[0] - quote.ask) < 50
