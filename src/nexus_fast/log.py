"""Logging: `Logger(name)` for a component, `configure(LogConfig)` for where the lines go.

Of LogConfig, level_stdout, level_file, directory, file_name, file_format, colors, print_config, component_levels,
max_file_size, max_backup_count, bypass and log_components_only have an effect; every line is flushed at once, so
auto_flush_sec has none. Secrets that were registered are struck out of every line, tracebacks included.

A line is written on the thread that logs. In a callback between tick and order that costs some ten microseconds;
below the level it costs a comparison.
"""

import logging
import os
import sys
import time
from typing import Any

from nexus_fast.config import LogConfig
from nexus_fast.error import ConfigurationError
from nexus_fast.mistakes import text_of
from nexus_fast.private import make_folder, open_private

ROOT = "nexus_fast"
TRACE = 5
_OFF = 100
LEVELS = {
    "TRACE": TRACE,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "OFF": _OFF,
}
_COLORS = {TRACE: "\033[2m", logging.DEBUG: "\033[34m", logging.WARNING: "\033[33m", logging.ERROR: "\033[31m"}
_SHORTEST_SECRET = 4
_secrets: set[str] = set()

logging.addLevelName(TRACE, "TRACE")


def register_secret(*secrets: str | None) -> None:
    """From now on these texts, and they alone, appear as *** in the log. Fewer than four characters are ignored:
    they would strike out half of every line."""
    _secrets.update(s for s in secrets if s and len(s) >= _SHORTEST_SECRET)


def redact(text: str) -> str:
    for secret in sorted(_secrets, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, "***")
    return text


class Logger:
    """One component's log. Keyword arguments are appended as name=value."""

    __slots__ = ("name", "_logger")

    def __init__(self, name: str = ""):
        self.name = name
        self._logger = logging.getLogger(f"{ROOT}.{name}" if name else ROOT)

    def _write(self, level: int, message: Any, fields: dict[str, Any], exc_info: Any = None) -> None:
        if self._logger.isEnabledFor(level):
            self._logger._log(level, message, (), exc_info=exc_info, extra={"component": self.name, "fields": fields})

    def trace(self, msg: Any, **kwargs: Any) -> None:
        self._write(TRACE, msg, kwargs)

    def debug(self, msg: Any, **kwargs: Any) -> None:
        self._write(logging.DEBUG, msg, kwargs)

    def info(self, msg: Any, **kwargs: Any) -> None:
        self._write(logging.INFO, msg, kwargs)

    def warning(self, msg: Any, **kwargs: Any) -> None:
        self._write(logging.WARNING, msg, kwargs)

    def error(self, msg: Any, **kwargs: Any) -> None:
        self._write(logging.ERROR, msg, kwargs)

    def critical(self, msg: Any, **kwargs: Any) -> None:
        self._write(logging.CRITICAL, msg, kwargs)

    def exception(self, msg: Any, error: BaseException | None = None, **kwargs: Any) -> None:
        """At level ERROR, with the traceback of `error`, or of the exception being handled."""
        self._write(logging.ERROR, msg, kwargs, exc_info=error if error is not None else sys.exc_info())


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return getattr(record, "fields", {})


def _time(record: logging.LogRecord) -> str:
    seconds, fraction = divmod(record.created, 1)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{int(fraction * 1e6):06d}Z"


class _Line(logging.Formatter):
    def formatException(self, ei: Any) -> str:               # noqa: N802
        """What a strategy raised, by its own lines."""
        return super().formatException(ei) if ei[1] is None else text_of(ei[1])

    def __init__(self, colors: bool):
        super().__init__()
        self._colors = colors

    def format(self, record: logging.LogRecord) -> str:
        component = getattr(record, "component", record.name.removeprefix(ROOT).lstrip("."))
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{_time(record)} [{record.levelname}] {component}: {record.getMessage()}{fields}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        color = _COLORS.get(record.levelno) if self._colors else None
        return f"{color}{redact(line)}\033[0m" if color else redact(line)


class _Json(logging.Formatter):
    """One object a line: time, level, component, message, the fields, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        import msgspec

        entry = {
            "time": _time(record),
            "level": record.levelname,
            "component": getattr(record, "component", record.name),
            "message": record.getMessage(),
            **{name: str(value) for name, value in _fields(record).items()},
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode({name: redact(text) for name, text in entry.items()}).decode()


class _Console(logging.StreamHandler):
    """A stream that cannot write every letter (LANG=C, PYTHONIOENCODING=ascii) shows the others as \\u…."""

    def format(self, record: logging.LogRecord) -> str:
        line, encoding = super().format(record), getattr(self.stream, "encoding", None) or "utf-8"
        return line.encode(encoding, "backslashreplace").decode(encoding)


class _Threshold(logging.Filter):
    """A component's own level stands before the sink's."""

    def __init__(self, level: int, components: dict[str, int], components_only: bool):
        super().__init__()
        self._level = level
        self._components = components
        self._components_only = components_only

    def filter(self, record: logging.LogRecord) -> bool:
        component = getattr(record, "component", "")
        if component in self._components:
            return record.levelno >= self._components[component]
        return not self._components_only and record.levelno >= self._level


def configure(config: LogConfig | None = None) -> None:
    """Where the lines go from now on; replaces what an earlier call set up."""
    config = config or LogConfig()
    root = logging.getLogger(ROOT)
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    root.propagate = False
    components = {name: LEVELS[level] for name, level in config.component_levels.items()}
    levels = []
    for handler, level in _sinks(config):
        handler.addFilter(_Threshold(level, components, bool(config.log_components_only)))
        root.addHandler(handler)
        levels.append(level)
    root.setLevel(_OFF if config.bypass else min([*levels, *components.values()]))
    if config.print_config:
        Logger("log").info(f"configuration: {config}")


def _sinks(config: LogConfig) -> list[tuple[logging.Handler, int]]:
    # A process without standard output may still have the other one; without both, the lines go nowhere.
    stream = sys.stdout or sys.stderr
    console = logging.NullHandler() if stream is None else _Console(stream)
    console.setFormatter(_Line(config.colors and stream is not None and stream.isatty()))
    sinks: list[tuple[logging.Handler, int]] = [(console, LEVELS[config.level_stdout])]
    if config.file_name:
        level = config.level_stdout if config.level_file == "OFF" else config.level_file
        sinks.append((_file(config), LEVELS[level]))
    return sinks


def _file(config: LogConfig) -> logging.Handler:
    from logging.handlers import RotatingFileHandler

    directory = os.path.abspath(config.directory or ".")

    class PrivateFileHandler(RotatingFileHandler):
        def _open(self) -> Any:
            return open_private(self.baseFilename, self.mode, errors="backslashreplace")

    path = os.path.join(directory, config.file_name)
    try:
        make_folder(directory)
        handler = PrivateFileHandler(
            path, maxBytes=config.max_file_size, backupCount=config.max_backup_count, encoding="utf-8"
        )
    except OSError as error:
        raise ConfigurationError(
            f"the log cannot be written to {path} ({error.strerror}): give another folder with LogConfig(directory=…), or leave "
            "file_name= out"
        ) from None
    handler.setFormatter(_Json() if config.file_format == "JSON" else _Line(False))
    return handler
