"""The exchangeInfo answers of spot, USD-M and COIN-M, in the shape the venue gives them (recorded 2025 and 2022)."""

from nexus_fast.sim.fixed_point import SCALE, short, text
from nexus_fast.sim.instruments import Instrument

_SELF_TRADE = ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"]
PERPETUAL_DELIVERY = 4133404800000


def spot(instruments: list[Instrument], rules: list[dict], now_ms: int) -> dict:
    return {"timezone": "UTC", "serverTime": now_ms, "rateLimits": rules, "exchangeFilters": [],
            "symbols": [_spot_symbol(instrument) for instrument in instruments]}


def _spot_symbol(instrument: Instrument) -> dict:
    return {
        "symbol": instrument.symbol, "status": "TRADING", "baseAsset": instrument.base, "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote, "quotePrecision": 8, "quoteAssetPrecision": 8, "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8, "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"], "icebergAllowed": False,
        "ocoAllowed": False, "otoAllowed": False, "opoAllowed": False, "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False, "cancelReplaceAllowed": True, "amendAllowed": True, "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True, "isMarginTradingAllowed": False, "filters": _spot_filters(instrument),
        "permissions": [], "permissionSets": [["SPOT"]], "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": _SELF_TRADE}


def _spot_filters(instrument: Instrument) -> list[dict]:
    up, down = short(instrument.multiplier_up), short(instrument.multiplier_down)
    return [
        {"filterType": "PRICE_FILTER", "minPrice": text(instrument.minimum_price),
         "maxPrice": text(instrument.maximum_price), "tickSize": text(instrument.tick)},
        {"filterType": "LOT_SIZE", "minQty": text(instrument.minimum_quantity),
         "maxQty": text(instrument.maximum_quantity), "stepSize": text(instrument.step)},
        {"filterType": "MARKET_LOT_SIZE", "minQty": text(0), "maxQty": text(instrument.market_maximum_quantity),
         "stepSize": text(0)},
        {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": up, "bidMultiplierDown": down,
         "askMultiplierUp": up, "askMultiplierDown": down, "avgPriceMins": 5},
        {"filterType": "NOTIONAL", "minNotional": text(instrument.minimum_notional), "applyMinToMarket": True,
         "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5},
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 10},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5}]


def usd_m(instruments: list[Instrument], rules: list[dict], now_ms: int) -> dict:
    return {"timezone": "UTC", "serverTime": now_ms, "futuresType": "U_MARGINED", "rateLimits": rules,
            "exchangeFilters": [],
            "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"},
                       {"asset": "USDC", "marginAvailable": True, "autoAssetExchange": "-10000"},
                       {"asset": "BTC", "marginAvailable": True, "autoAssetExchange": "-0.10000000"},
                       {"asset": "BNB", "marginAvailable": True, "autoAssetExchange": "-10"}],
            "symbols": [_usd_m_symbol(instrument) for instrument in instruments]}


def _usd_m_symbol(instrument: Instrument) -> dict:
    return {
        "symbol": instrument.symbol, "pair": instrument.words["pair"], "contractType": instrument.words["contract_type"],
        "deliveryDate": instrument.delivery or PERPETUAL_DELIVERY, "onboardDate": 1569398400000, "status": "TRADING",
        "maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000", "baseAsset": instrument.base,
        "quoteAsset": instrument.quote, "marginAsset": instrument.quote, "pricePrecision": instrument.price_decimals,
        "quantityPrecision": instrument.quantity_decimals, "baseAssetPrecision": 8, "quotePrecision": 8,
        "underlyingType": "COIN", "underlyingSubType": [], "triggerProtect": "0.0500", "liquidationFee": "0.012500",
        "marketTakeBound": short(instrument.multiplier_up - SCALE), "maxMoveOrderLimit": 10000,
        "filters": _futures_filters(instrument), "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"], "permissionSets": ["GRID", "COPY"]}


def coin_m(instruments: list[Instrument], rules: list[dict], now_ms: int) -> dict:
    return {"timezone": "UTC", "serverTime": now_ms, "rateLimits": rules, "exchangeFilters": [],
            "symbols": [_coin_m_symbol(instrument) for instrument in instruments]}


def _coin_m_symbol(instrument: Instrument) -> dict:
    """`contractStatus` where USD-M says `status`, `contractSize`, and no minimum notional."""
    return {
        "filters": [f for f in _futures_filters(instrument) if "notional" not in f],
        "orderTypes": ["LIMIT", "MARKET"], "timeInForce": ["GTC", "IOC", "FOK", "GTX"], "symbol": instrument.symbol,
        "pair": instrument.words["pair"], "contractType": instrument.words["contract_type"],
        "deliveryDate": instrument.delivery or PERPETUAL_DELIVERY, "onboardDate": 1597042800000,
        "contractStatus": "TRADING", "contractSize": int(short(instrument.contract)), "marginAsset": instrument.settle,
        "maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000", "baseAsset": instrument.base,
        "quoteAsset": instrument.quote, "pricePrecision": instrument.price_decimals,
        "quantityPrecision": instrument.quantity_decimals, "baseAssetPrecision": 8, "quotePrecision": 8,
        "equalQtyPrecision": 4, "maxMoveOrderLimit": 10000, "triggerProtect": "0.0500", "underlyingType": "COIN",
        "underlyingSubType": [], "liquidationFee": "0.015000", "marketTakeBound": short(instrument.multiplier_up - SCALE)}


def _futures_filters(instrument: Instrument) -> list[dict]:
    def price(value):
        return text(value, instrument.price_decimals)

    def quantity(value):
        return text(value, instrument.quantity_decimals)

    return [
        {"filterType": "PRICE_FILTER", "minPrice": price(instrument.minimum_price),
         "maxPrice": price(instrument.maximum_price), "tickSize": price(instrument.tick)},
        {"filterType": "LOT_SIZE", "minQty": quantity(instrument.minimum_quantity),
         "maxQty": quantity(instrument.maximum_quantity), "stepSize": quantity(instrument.step)},
        {"filterType": "MARKET_LOT_SIZE", "minQty": quantity(instrument.minimum_quantity),
         "maxQty": quantity(instrument.market_maximum_quantity), "stepSize": quantity(instrument.step)},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200}, {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
        {"filterType": "MIN_NOTIONAL", "notional": short(instrument.minimum_notional)},
        {"filterType": "PERCENT_PRICE", "multiplierUp": text(instrument.multiplier_up, 4),
         "multiplierDown": text(instrument.multiplier_down, 4), "multiplierDecimal": "4"},
        {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE",
         "notional": short(instrument.minimum_notional)}]
