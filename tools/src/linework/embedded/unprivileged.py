"""Runs PostgreSQL as a separate system user when the caller is root, because PostgreSQL refuses to run as root."""

import fcntl
import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from linework.stopped import Stopped

USER = "pgserver"
ACCOUNTS = Path("/etc")


def unprivileged_user() -> str | None:
    """The user that PostgreSQL runs as, or None for whoever we are; made if it is missing."""
    if os.geteuid() != 0:
        return None
    if not _user_exists():
        with _locked(ACCOUNTS):
            # Two installations may start at once on a new machine; useradd fails for the second.
            if not _user_exists():
                _make_user()
    return USER


def _user_exists() -> bool:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make_user() -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", USER]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Stopped(
            f"PostgreSQL does not run as root and the user {USER} could not be created ({error}); "
            "run this as another user, or set DATABASE_URL."
        ) from error


def give_to(user: str | None, folder: Path) -> None:
    """Make a folder that this user owns."""
    folder.mkdir(parents=True, exist_ok=True)
    if user is None:
        return
    account = pwd.getpwnam(user)
    os.chown(folder, account.pw_uid, account.pw_gid)


def let_pass_to(path: Path) -> None:
    """Let others pass through the folders above a path, without letting them list any.

    A repository in root's home is the common case in a container.
    """
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def let_read_programs(folder: Path) -> None:
    """Let others run the programs below a folder: a strict umask leaves a wheel to its owner alone."""
    let_pass_to(folder)
    if folder.stat().st_mode & stat.S_IROTH:
        return
    # The folder last: once it can be read, a second start takes the whole for done.
    for path in (*folder.rglob("*"), folder):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
