"""A bar on the terminal while something is measured; plain lines where there is none."""

import sys
from contextlib import contextmanager


@contextmanager
def progress(title: str, total: int):
    """Yields step(text): one of `total` pieces is done, `text` says what came out."""
    if not sys.stderr.isatty():
        done = 0

        def say(text: str) -> None:
            nonlocal done
            done += 1
            print(f"{title} {done}/{total}: {text}", file=sys.stderr, flush=True)

        yield say
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[said]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total, said="")

        def step(text: str) -> None:
            bar.update(task, advance=1, said=text)

        yield step
