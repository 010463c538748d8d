"""Sessions that follow each other on one journal: the order half of an engine alone, and what it takes over at its start."""

from types import SimpleNamespace

from order_life import Life

from nexus_fast.engine.inheritance import inherit, read_left
from nexus_fast.journal.sessions import verify, what_is_left

SYMBOLS, ACCOUNTS = {"BTC": 0, "ETH": 1}, ["spot", "perp"]
HOUR = 3600


def start(directory, records=16, accounts=ACCOUNTS, adopt=True, key_seconds=HOUR, slots=512):
    """A session that has begun; `inherited` is what it took over."""
    life = Life(directory, records, slots)
    try:
        left = read_left(directory, life.journal.epoch)
        core = SimpleNamespace(ledger=life.ledger, symbol_ids=SYMBOLS)
        life.inherited = inherit(core, left, accounts, ["Strategy"], key_seconds, adopt)
    except BaseException:
        life.die()
        raise
    return life


def begin(directory, **options):
    life = start(directory, **options)
    for number, symbol in enumerate(SYMBOLS):
        life.ledger.name("symbol", number, symbol)
    return life


def upkeep(life, turns=3):
    """As in a running engine."""
    for _ in range(turns):
        life.journal.turn()


def order(life, name, key=None, state="ACCEPTED", trades=None):
    """An order, and before it its key, as a strategy places them; the order comes as one of this session."""
    if key is not None:
        assert life.ledger.key(key, name)
    life.place(name, state, trades)
    upkeep(life)
    return life.ledger.find(name)


def restart(life, **options):
    life.die()
    return start(life.directory, **options)


def held(directory):
    return {key: oid for key, (oid, _, _) in what_is_left(directory, 1 << 60).keys.items()}


def assert_verified(directory):
    assert [problem for session in verify(directory) for problem in session.problems] == []
