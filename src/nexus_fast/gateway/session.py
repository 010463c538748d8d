"""What every venue's REST client has: one aiohttp session per address, made at the first request."""

from typing import Any

TIMEOUT_SECONDS = 15


class RestSession:
    """`base_url` without a slash at its end. A session belongs to one event loop."""

    def __init__(self, base_url: str):
        self.base_url = base_url.rstrip("/")
        self._session: Any = None

    async def exchange(
        self, method: str, url: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> tuple[int, bytes]:
        """(status, body) of one request, sent once; `url` is encoded already. Raises ConnectionError and TimeoutError when no
        answer came; `path` is what those texts name."""
        import aiohttp
        from yarl import URL

        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, auto_decompress=True)
        try:
            async with self._session.request(method, URL(url, encoded=True), headers=headers, data=body) as answer:
                return answer.status, await answer.read()
        except aiohttp.ClientError as error:
            # The library's text may hold the whole URL with its signature.
            raise ConnectionError(f"{method} {self.base_url}{path}: {type(error).__name__}") from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
