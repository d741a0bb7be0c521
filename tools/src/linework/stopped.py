"""The error that ends a command early, with a sentence for the user."""

from pathlib import Path


class Stopped(Exception):
    """The command cannot go on; the text is the whole explanation, no traceback follows."""

    exit_status = 1


class NotChecked(Stopped):
    """A check could not be begun: nothing is known to be broken."""

    exit_status = 3


class ComponentDied(Stopped):
    """A process that should be running has ended."""

    def __init__(self, name: str, log: Path, exit_code: int | None = None) -> None:
        how = "did not become ready" if exit_code is None else f"died at start (exit status {exit_code})"
        super().__init__(f"{name} {how}; its log is {log}{_last_words(log)}")


def _last_words(log: Path) -> str:
    line = last_line(log)
    return f" and ends with: {line}" if line else " and it is empty."


def last_line(log: Path) -> str:
    """The last non-empty line of a log, shortened to fit a sentence."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
