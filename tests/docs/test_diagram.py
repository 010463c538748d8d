"""The order's states in the documentation are those of the table that the engine runs."""

from pathlib import Path

from nexus_fast.order.states import diagram

PAGE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"


def test_the_diagram_is_that_of_the_table():
    shown = PAGE.read_text().partition("<!-- diagram: begin -->\n```mermaid\n")[2].partition("\n```\n<!-- diagram: end -->")[0]
    assert shown == diagram(), "paste nexus_fast.order.states.diagram() between the marks"
