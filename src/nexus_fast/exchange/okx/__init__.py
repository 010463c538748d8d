from nexus_fast.exchange.okx.accounts import OkxAccountType as OkxAccountType
