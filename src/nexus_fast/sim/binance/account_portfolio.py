"""The portfolio margin account: three wallets seen as one; each operation takes a `Call`, gives the result."""

from nexus_fast.sim.binance.account_futures import Figures
from nexus_fast.sim.binance.instruments import COIN_M, SPOT, USD_M
from nexus_fast.sim.binance.requests import Call, Service
from nexus_fast.sim.fixed_point import text


class Portfolio:
    """The services of the three parts, for requests that are about all of them."""

    def __init__(self, margin: Service, usd_m: Service, coin_m: Service):
        self.parts = {SPOT: margin, USD_M: usd_m, COIN_M: coin_m}

    def balance(self, call: Call):
        """One row of `asset`, or a list of all."""
        asset = call.params.get("asset")
        ledgers = call.account.ledgers
        names = sorted({*ledgers[SPOT].free, *ledgers[USD_M].wallet, *ledgers[COIN_M].wallet})
        rows = [self._row(call, name) for name in names if asset in (None, name)]
        return rows[0] if asset and rows else rows

    def _row(self, call: Call, asset: str) -> dict:
        margin = call.account.ledgers[SPOT]
        usd_m, coin_m = (Figures(Call(self.parts[name], {}, account=call.account), asset) for name in (USD_M, COIN_M))
        free, locked = margin.free.get(asset, 0), margin.locked.get(asset, 0)
        return {"asset": asset, "totalWalletBalance": text(free + locked + usd_m.wallet + coin_m.wallet),
                "crossMarginAsset": text(free + locked), "crossMarginBorrowed": text(margin.borrowed.get(asset, 0)),
                "crossMarginFree": text(free), "crossMarginInterest": text(0), "crossMarginLocked": text(locked),
                "umWalletBalance": text(usd_m.wallet), "umUnrealizedPNL": text(usd_m.unrealized),
                "cmWalletBalance": text(coin_m.wallet), "cmUnrealizedPNL": text(coin_m.unrealized),
                "updateTime": call.service.clock.milliseconds(), "negativeBalance": text(0)}

    def account(self, call: Call) -> dict:
        """Of the whole only what clients look for; nothing is liquidated here."""
        dollars = Figures(Call(self.parts[USD_M], {}, account=call.account), "USDT")
        equity = text(dollars.wallet + dollars.unrealized)
        return {"uniMMR": "999.00000000", "accountEquity": equity, "actualEquity": equity,
                "accountInitialMargin": text(dollars.position_margin + dollars.order_margin),
                "accountMaintMargin": text(dollars.maintenance), "accountStatus": "NORMAL",
                "virtualMaxWithdrawAmount": text(dollars.available), "totalAvailableBalance": text(dollars.available),
                "totalMarginOpenLoss": text(0), "updateTime": call.service.clock.milliseconds()}
