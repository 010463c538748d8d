"""When frames that cannot be used end a connection, and how often they are told of."""

import pytest

from nexus_fast.feed.unusable import FIRST_WAIT, IN_A_ROW, LAST_WAIT, OF_FRAMES, Unusable


class Log:
    def __init__(self):
        self.warnings, self.errors = [], []
        self.warning, self.error = self.warnings.append, self.errors.append


class Handler:
    """Of a connection whose messages are decoded in Python."""

    messages = 0


class Parser(Handler):
    """As MarketFeed counts."""

    unusable, consecutive_errors = 0, 0
    kept = [b'{"cut":']


class Connection:
    def __init__(self, handler):
        self.handler, self.log, self.now = handler, Log(), 1000.0
        self.unusable = Unusable("a connection", handler, self.log)

    def good(self, count=1):
        self.handler.messages += count
        if isinstance(self.handler, Parser):
            self.handler.consecutive_errors = 0

    def bad(self, count=1):
        for _ in range(count):
            self.handler.messages += 1
            if isinstance(self.handler, Parser):
                self.handler.unusable += 1
                self.handler.consecutive_errors += 1
            else:
                self.unusable.note(b'{"cut":', ValueError("cut"))

    def second(self):
        self.now += 1.0
        return self.unusable.check(self.now)


@pytest.fixture(params=[Handler, Parser])
def connection(request):
    return Connection(request.param())


@pytest.mark.scenario(30)
def test_so_many_in_a_row_end_the_connection(connection):
    connection.good(1000)
    assert not connection.second()
    connection.bad(IN_A_ROW - 1)
    assert not connection.second()
    connection.bad()
    assert connection.second() and "replaced" in connection.log.errors[0]


@pytest.mark.scenario(30)
def test_fewer_with_good_ones_between_do_not(connection):
    for _ in range(100):
        connection.bad()
        connection.good(15)
        assert not connection.second()
    assert connection.unusable.count == 100


@pytest.mark.scenario(30)
def test_a_share_of_them_does(connection):
    connection.good(10_000)
    assert not connection.second()
    ends = 0
    for _ in range(OF_FRAMES):
        connection.bad()
        connection.good(3)
        ends += connection.second()
    assert ends >= 1


@pytest.mark.scenario(30, 36)
def test_connections_that_bring_no_better_are_made_ever_less_often(connection):
    ends = []
    for _ in range(1000):
        connection.bad(IN_A_ROW)
        if connection.second():
            ends.append(connection.now)
    waits = [later - former for former, later in zip(ends, ends[1:], strict=False)]
    assert waits[:4] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT, 8 * FIRST_WAIT] and max(waits) <= LAST_WAIT
    assert len(connection.log.warnings) < 20                     # of 20,000 frames
    assert sum(int(text.split()[2]) for text in connection.log.warnings) <= 20_000


def test_what_ended_a_connection_does_not_end_the_next(connection):
    connection.bad(IN_A_ROW)
    assert connection.second()
    assert not any(connection.second() for _ in range(600))      # it has brought nothing yet
    connection.bad(IN_A_ROW)
    assert connection.second()


def test_they_are_told_of_once_a_minute_with_the_last_of_them(connection):
    for _ in range(150):
        connection.bad()
        connection.good(20)
        connection.second()
    assert len(connection.log.warnings) == 3 and all('{"cut":' in text for text in connection.log.warnings)
