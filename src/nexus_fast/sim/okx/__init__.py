"""The simulated OKX v5: REST, the public, private and business WebSockets, order entry over both."""
