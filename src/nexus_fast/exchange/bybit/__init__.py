from nexus_fast.exchange.bybit.accounts import BybitAccountType as BybitAccountType
