"""Which of many descriptors can be read, on real sockets."""

import socket

import pytest

from nexus_fast.engine.look import Look


@pytest.fixture
def pairs():
    made = [socket.socketpair() for _ in range(80)]
    yield made
    for pair in made:
        for end in pair:
            end.close()


def numbers(pairs):
    return [near.fileno() for near, _ in pairs]


def test_only_what_can_be_read_is_found(pairs):
    look = Look(numbers(pairs[:5]))
    assert look.ready() == []
    pairs[1][1].send(b"a")
    pairs[3][1].send(b"b")
    assert set(look.ready()) == {pairs[1][0].fileno(), pairs[3][0].fileno()}
    pairs[1][0].recv(1)
    assert look.ready() == [pairs[3][0].fileno()]


def test_an_end_is_something_to_read(pairs):
    look = Look(numbers(pairs[:2]))
    pairs[1][1].close()
    assert look.ready() == [pairs[1][0].fileno()]


def test_a_closed_descriptor_is_no_obstacle(pairs):
    listed = numbers(pairs[:4])
    pairs[0][0].close()
    look = Look(listed)
    pairs[2][1].send(b"a")
    pairs[3][1].send(b"a")
    pairs[2][0].close()
    assert look.ready() == [pairs[3][0].fileno()]


def test_more_than_fit_at_once_come_the_next_time(pairs):
    look, left = Look(numbers(pairs)), {near.fileno(): near for near, _ in pairs}
    for _, far in pairs:
        far.send(b"a")
    while left:
        found = look.ready()
        assert found
        for number in found:
            left.pop(number).recv(1)
    assert look.ready() == []
