"""Enumerations whose members are read as plain attributes are enumerations still."""

import copy
import pickle
from enum import Enum, EnumType

import pytest

from nexus_fast.constants import OrderSide, OrderType, PlainMembers
from nexus_fast.core.members import read_plainly


def test_members_are_found_by_name_value_and_identity():
    assert OrderSide.BUY is OrderSide["BUY"] is OrderSide("BUY")
    assert [side.name for side in OrderSide] == ["BUY", "SELL"] and OrderSide.BUY in OrderSide
    assert OrderType.LIMIT.name == "LIMIT" and type(OrderSide) is PlainMembers


def test_what_is_no_member_is_an_attribute_error():
    with pytest.raises(AttributeError, match="HOLD"):
        OrderSide.HOLD  # noqa: B018
    with pytest.raises(AttributeError):
        OrderSide.BUY = 1


def test_members_survive_copies_and_pickles():
    assert copy.deepcopy(OrderSide.SELL) is OrderSide.SELL
    assert pickle.loads(pickle.dumps(OrderSide.SELL)) is OrderSide.SELL


def test_members_called_as_their_own_attributes_are_members():
    class Kind(EnumType):
        pass

    read_plainly(Kind)

    class Odd(Enum, metaclass=Kind):
        name = "n"
        value = "v"
        plain = "p"

    assert [member.value for member in Odd] == ["n", "v", "p"]
    assert Odd.plain is Odd("p") and Odd["name"] is Odd("n")


def test_other_enumerations_are_left_alone():
    class Usual(Enum):
        ONE = 1

    assert Usual.ONE is Usual(1)
