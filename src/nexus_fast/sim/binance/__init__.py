"""Binance, simulated: spot and USD-M futures.

The roles of the modules: `venue` puts them together and listens; `rest_*` and `ws_api` are the two entries for requests
and share the operations in `operations_*`; `streams` and `user_data` push; `requests`, `signing`, `rate_limits` and
`errors` are what every request passes; `exchange_info` and `order_texts` are the venue's words.
"""
