"""docs/accounts.md shows the routes as the code has them."""

from pathlib import Path

from nexus_fast.exchange.routing import PRIVATE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "accounts.md"
NAMES = {"binance": "Binance", "bybit": "Bybit", "okx": "OKX"}


def table():
    lines = ["| venue | instrument | account, the first that is configured |", "|---|---|---|"]
    for exchange, kinds in PRIVATE.items():
        for kind, accounts in kinds.items():
            chain = ", ".join(f"`{account.name}`" for account in accounts)
            lines.append(f"| {NAMES[exchange.value]} | {kind.value.lower()} | {chain} |")
    return "\n".join(lines)


def test_the_routes_in_the_documentation_are_those_of_the_code():
    page = PAGE.read_text()
    shown = page.split("<!-- routes: begin -->\n")[1].split("\n<!-- routes: end -->")[0]
    assert shown == table(), f"put this between the markers:\n{table()}"
