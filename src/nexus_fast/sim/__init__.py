"""The simulated venues: real protocols on real sockets over one matching core. See docs/simulator.md.

    python -m nexus_fast.sim --endpoints FILE

The core (`matching`, `market`, `spot_market`, `futures_market`, `account`, `instruments`, `market_maker`, `tape`)
knows no venue; a venue is a folder of fixed roles over it (`binance`, `bybit`, `okx`). `server.SimulatedVenue`
puts them together.
"""
