"""Clients' sessions, which verify who answers: by the simulator's own authority where it speaks TLS."""

import ssl

import aiohttp


def context_of(endpoints: dict) -> ssl.SSLContext | None:
    """`endpoints`: of a simulator, as `SimulatedVenue.endpoints()` or its file has them."""
    file = endpoints["sim"].get("ca")
    return None if file is None else ssl.create_default_context(cafile=file)


def session_to(endpoints: dict) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context_of(endpoints) or True))
