"""What an account asks of its wallet, its settings and the venue's coins, and what it may set."""

from nexus_fast.sim.bybit import errors, order_texts
from nexus_fast.sim.bybit.errors import SPOT, VenueError
from nexus_fast.sim.bybit.instruments import BALANCES
from nexus_fast.sim.bybit.private_events import dollar_rates
from nexus_fast.sim.bybit.requests import Call
from nexus_fast.sim.fixed_point import short

DCP_SECONDS = (3, 300)
DCP_PRODUCTS = {"OPTIONS": "dcp.option", "DERIVATIVES": "dcp.future", "SPOT": "dcp.spot"}
DCP_DEFAULT = 10


def _wanted(call: Call, coins) -> list[str]:
    """The coins that `coin` names, separated by commas; all without it."""
    named = [name for name in call.get("coin").split(",") if name]
    return [name for name in named if name in coins] if named else list(coins)


def wallet_balance(call: Call) -> dict:
    if call.need("accountType") != "UNIFIED":
        raise errors.parameter("accountType only support UNIFIED.")
    coins = call.exchange.events.coins_of(call.member)
    rates = dollar_rates(call.exchange.markets[SPOT])
    return {"list": [order_texts.wallet_row(coins, rates, _wanted(call, coins))]}


def info(call: Call) -> dict:
    return {"unifiedMarginStatus": 6, "marginMode": "REGULAR_MARGIN", "isMasterTrader": False,
            "spotHedgingStatus": "OFF", "updatedTime": "1700000000000",
            "dcpStatus": "ON" if call.member.dcp_seconds else "OFF", "timeWindow": DCP_DEFAULT, "smpGroup": 0}


def set_margin_mode(call: Call) -> dict:
    """Only cross margin is simulated."""
    if call.need("setMarginMode") != "REGULAR_MARGIN":
        raise VenueError(3400045, "Set margin mode failed: only REGULAR_MARGIN is simulated")
    return {"reasons": []}


def fee_rate(call: Call) -> dict:
    rows = [{"symbol": each.symbol, "baseCoin": "", "takerFeeRate": short(each.taker_fee),
             "makerFeeRate": short(each.maker_fee)} for each in call.chosen()]
    return {"category": call.category, "list": rows}


def api_key(call: Call) -> dict:
    """ccxt asks here whether the account is unified."""
    permissions = {"ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"], "Wallet": ["AccountTransfer"],
                   "Options": [], "Derivatives": ["DerivativesTrade"], "CopyTrading": [], "BlockTrade": [],
                   "Exchange": [], "NFT": [], "Affiliate": [], "Earn": []}
    return {"id": str(call.member.uid), "note": "simulated", "apiKey": call.account.key, "readOnly": 0, "secret": "",
            "permissions": permissions, "ips": ["*"], "type": 1, "deadlineDay": -2, "expiredAt": "1970-01-01T00:00:00Z",
            "createdAt": "2024-01-01T00:00:00Z", "unified": 0, "uta": 1, "userID": call.member.uid, "inviterID": 0,
            "vipLevel": "No VIP", "mktMakerLevel": "0", "affiliateID": 0, "rsaPublicKey": "", "isMaster": True,
            "parentUid": "0", "kycLevel": "LEVEL_DEFAULT", "kycRegion": ""}


# ---- coins


def coin_info(call: Call) -> dict:
    """No chain is open: nothing can be deposited or withdrawn."""
    rows = [{"name": name, "coin": name, "remainAmount": "0", "chains": [
        {"chainType": name, "confirmation": "1", "withdrawFee": "0", "depositMin": "0", "withdrawMin": "0",
         "chain": name, "chainDeposit": "0", "chainWithdraw": "0", "minAccuracy": "8", "withdrawPercentageFee": "0",
         "contractAddress": "", "safeConfirmNumber": "1"}]} for name in _wanted(call, BALANCES)]
    return {"rows": rows}


def coin_balances(call: Call) -> dict:
    """Of the unified account what is in the wallet; of any other nothing, for there is none."""
    account_type, coins = call.need("accountType"), call.exchange.events.coins_of(call.member)
    rows = []
    for name in _wanted(call, coins):
        amount = short(coins[name].wallet) if account_type == "UNIFIED" else "0"
        rows.append({"coin": name, "transferBalance": amount, "walletBalance": amount, "bonus": "0"})
    return {"memberId": str(call.member.uid), "accountType": account_type, "balance": rows}


def coin_balance(call: Call) -> dict:
    call.need("coin")
    answer = coin_balances(call)
    if not answer["balance"]:
        raise errors.invalid("coin")
    row = answer.pop("balance")[0] | {"transferSafeAmount": "", "ltvTransferSafeAmount": ""}
    return {**answer, "bizType": 1, "accountId": answer["memberId"], "balance": row}


# ---- disconnection protection


def set_dcp(call: Call) -> dict:
    """Cancel all orders of a product when its connections have been gone for `timeWindow` seconds."""
    product, seconds = call.get("product", "OPTIONS"), call.integer("timeWindow")
    if product not in DCP_PRODUCTS:
        raise errors.invalid("product")
    if seconds is None or not DCP_SECONDS[0] <= seconds <= DCP_SECONDS[1]:
        raise errors.parameter("params error: timeWindow must be from 3 to 300")
    call.member.dcp_seconds[DCP_PRODUCTS[product]] = seconds
    return {}


def dcp_info(call: Call) -> dict:
    rows = [{"product": product, "dcpStatus": "ON", "timeWindow": str(call.member.dcp_seconds[topic])}
            for product, topic in DCP_PRODUCTS.items() if topic in call.member.dcp_seconds]
    return {"dcpInfos": rows}
