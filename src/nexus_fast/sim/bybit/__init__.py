"""The simulated Bybit v5: REST, the public, private and trade WebSockets, one unified account over all categories."""
