from nexus_fast.exchange.bitget.accounts import BitgetAccountType as BitgetAccountType
