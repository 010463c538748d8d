"""Book channels: a client that applies what it is told has the venue's own book, on every connection alike."""

import pytest
from okx_client import on_okx

from nexus_fast.sim.fixed_point import parse


class Replayed:
    """A book made of a snapshot and its updates; checks that each continues the one before."""

    def __init__(self):
        self.sides = {"asks": {}, "bids": {}}
        self.sequence = None

    def apply(self, message: dict) -> None:
        data = message["data"][0]
        if message["action"] == "snapshot":
            assert data["prevSeqId"] == -1
        else:
            assert data["prevSeqId"] == self.sequence and data["seqId"] >= self.sequence
        assert data["checksum"] == 0
        self.sequence = data["seqId"]
        for name, levels in self.sides.items():
            for price, size, _, orders in data[name]:
                if size == "0":
                    assert orders == "0" and levels.pop(price, None)
                else:
                    levels[price] = size, orders


@pytest.mark.parametrize("channel", ["books", "books-l2-tbt", "books50-l2-tbt"])
def test_a_book_is_kept_by_its_updates(channel):
    async def scenario(client):
        name = "BTC-USDT-SWAP"
        one, two = [await client.open("public") for _ in range(2)]
        first, second = Replayed(), Replayed()
        await one.subscribe(channel=channel, instId=name)
        for _ in range(4):
            first.apply(await one.push(channel))
        await two.subscribe(channel=channel, instId=name)
        for _ in range(4):
            second.apply(await two.push(channel))
        client.venue.pacer.stop()
        for book, socket in ((first, one), (second, two)):
            while not await socket.silent(1.0):
                book.apply(await socket.receive())
        assert first.sides == second.sides and first.sequence == second.sequence
        real = client.exchange.contracts.books[name]
        for side, told in ((real.asks, first.sides["asks"]), (real.bids, first.sides["bids"])):
            assert {parse(price): parse(size) for price, (size, _) in told.items()} == dict(side.depth(
                50 if channel.startswith("books50") else 400))

    on_okx(scenario, tick_rate=100)


def test_the_best_price_is_the_same_on_every_connection():
    async def scenario(client):
        sockets = [await client.open("public") for _ in range(3)]
        for socket in sockets:
            await socket.subscribe(channel="bbo-tbt", instId="BTC-USDT")
        seen = [{} for _ in sockets]
        while len(seen[0].keys() & seen[1].keys() & seen[2].keys()) < 15:
            for socket, told in zip(sockets, seen, strict=True):
                data = (await socket.push("bbo-tbt"))["data"][0]
                told[data["seqId"]] = data
                assert len(data["asks"]) == len(data["bids"]) == 1
                assert float(data["bids"][0][0]) < float(data["asks"][0][0])
                assert data["asks"][0][2] == "0" and int(data["asks"][0][3]) >= 1
        for number in seen[0].keys() & seen[1].keys() & seen[2].keys():
            assert seen[0][number] == seen[1][number] == seen[2][number]
        assert all(list(one) == sorted(one) for one in seen)
        assert client.venue.statistics.ticks > 10

    on_okx(scenario, tick_rate=60)


def test_rest_and_channel_show_the_same_book():
    async def scenario(client):
        socket = await client.open("public")
        await socket.subscribe(channel="books5", instId="ETH-USD-SWAP")
        pushed = (await socket.push("books5"))["data"][0]
        status, answer = await client.public("/api/v5/market/books", instId="ETH-USD-SWAP", sz="5")
        assert status == 200 and answer["code"] == "0"
        for name in ("asks", "bids", "seqId"):
            assert answer["data"][0][name] == pushed[name]
        assert len(pushed["asks"]) == 5
        for wrong in ("0", "5001", "x", "-1"):
            status, answer = await client.public("/api/v5/market/books", instId="ETH-USD-SWAP", sz=wrong)
            assert (status, answer["code"]) == (400, "51000")

    on_okx(scenario)
