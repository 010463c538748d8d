"""What the private connectors of all venues share: being ready, losing it, and tasks (7, 64)."""

import asyncio
import logging
from types import SimpleNamespace

import pytest

from nexus_fast.error import VenueError
from nexus_fast.exchange.account import Account
from nexus_fast.log import Logger


class Host:
    """Takes notes; `during`: what happens while the account is resynchronised."""

    def __init__(self):
        self.heard, self.during = [], lambda: None

    async def resynchronise(self, account):
        self.heard.append("resynchronise")
        await asyncio.sleep(0)
        self.during()

    def on_private_status(self, account, status):
        self.heard.append(status)

    def on_unreadable(self, account):
        self.heard.append("unreadable")


class Rest:
    def __init__(self, answer=0):
        self.answer = answer

    async def synchronise(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def separate(self):
        return Rest()


class Open(Account):
    open = True

    @property
    def _is_open(self):
        return self.open


def made(kind=Open, rest=None):
    return kind(Host(), "ACCOUNT", 3, rest or Rest(), Logger("test.account"))


def lost(account):
    account._lose_orders()


def test_the_first_time_there_is_nothing_to_reconcile():
    async def story():
        account = made()
        await account._became_ready()
        await account._became_ready()
        return account

    account = asyncio.run(story())
    assert account.ready.is_set() and account._host.heard == ["connected"]


def test_after_a_loss_it_reconciles_before_it_says_so():
    async def story():
        account = made()
        await account._became_ready()
        lost(account)
        assert not account.ready.is_set()
        await account._became_ready()
        return account

    account = asyncio.run(story())
    assert account.ready.is_set() and account._host.heard == ["connected", "resynchronise", "connected"]


def test_lost_again_while_it_reconciles_it_is_not_ready():
    async def story():
        account = made()
        await account._became_ready()
        lost(account)
        account._host.during = lambda: lost(account)
        await account._became_ready()
        assert not account.ready.is_set()
        account._host.during = lambda: None
        await asyncio.gather(account._became_ready(), account._became_ready())     # both ways came back at once
        return account

    account = asyncio.run(story())
    assert account.ready.is_set()
    assert account._host.heard == ["connected", "resynchronise", "resynchronise", "connected"]


def test_while_a_way_is_missing_nobody_is_told():
    async def story():
        account = made()
        account.open = False
        await account._became_ready()
        return account

    account = asyncio.run(story())
    assert not account.ready.is_set() and account._host.heard == []


def test_a_send_that_failed_ends_the_connection_once():
    async def story():
        account, dropped = made(), []
        connection = SimpleNamespace(drop=lambda: dropped.append(1))
        account._check_sending(connection)
        assert dropped == []
        account._attached = True                     # and the channel is not ready
        account._check_sending(connection)
        account._check_sending(connection)
        return dropped

    assert asyncio.run(story()) == [1]


@pytest.mark.parametrize(("answer", "offset"), [(250, 250), (VenueError(-1, "no", venue="x"), 7), (TimeoutError(), 7)])
def test_a_clock_that_cannot_be_read_changes_nothing(answer, offset):
    async def story():
        account = made(rest=Rest(answer))
        account._set_clock_offset(7)
        await account.synchronise_clock()
        return account.channel.clock_offset_ms

    assert asyncio.run(story()) == offset


def test_a_task_that_fails_is_logged_and_all_end_with_the_account(caplog):
    async def fail():
        raise ZeroDivisionError("on purpose")

    async def story():
        account = made()
        account._spawn(fail())
        forever = account._spawn(asyncio.sleep(3600))
        await asyncio.sleep(0.01)
        await account._end_tasks()
        await asyncio.sleep(0)
        return account, forever

    with caplog.at_level(logging.ERROR):
        account, forever = asyncio.run(story())
    assert forever.cancelled() and "on purpose" in caplog.text


def test_what_cannot_be_read_is_reported():
    async def story():
        account = made()
        account._on_message_error(b"{", ValueError("bad"))
        return account

    assert asyncio.run(story())._host.heard == ["unreadable"]
