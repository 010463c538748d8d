"""Wallet requests (/sapi): what clients ask for when they load markets and balances. Each takes a `Call`, gives the result."""

from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.fixed_point import text


def all_coins(call: Call) -> list:
    ledger = call.ledger
    return [{"coin": asset, "depositAllEnable": False, "withdrawAllEnable": False, "name": asset, "free": text(free),
             "locked": text(ledger.locked.get(asset, 0)), "freeze": "0", "withdrawing": "0", "ipoing": "0",
             "ipoable": "0", "storage": "0", "isLegalMoney": False, "trading": True, "networkList": []}
            for asset, free in ledger.free.items()]


def trade_fees(call: Call) -> list:
    instrument = call.instrument(mandatory=False)
    listed = [instrument] if instrument else call.service.market.instruments.values()
    return [{"symbol": each.symbol, "makerCommission": "0.001", "takerCommission": "0.001"} for each in listed]


def nothing(call: Call) -> list:
    """Margin pairs, dust, staking …: nothing of the kind is simulated."""
    return []


def system_status(call: Call) -> dict:
    return {"status": 0, "msg": "normal"}


def api_restrictions(call: Call) -> dict:
    return {"ipRestrict": False, "createTime": 1700000000000, "enableReading": True, "enableSpotAndMarginTrading": True,
            "enableFutures": True, "enableWithdrawals": False, "enableInternalTransfer": False, "enableMargin": False,
            "permitsUniversalTransfer": False, "enableVanillaOptions": False, "enablePortfolioMarginTrading": False}
