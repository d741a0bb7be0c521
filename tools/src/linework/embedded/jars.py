"""Downloads Kafka's jars as listed in the committed lock file, verifies each SHA-256 and caches them per user.

`make lock` resolves the versions. A start only downloads the files of the lock file and needs neither a POM nor a JDK
(jgo's own environment builder would download a JDK to sort modules).
"""

import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from linework.stopped import Stopped

if TYPE_CHECKING:
    from jgo.env import LockedDependency, LockFile
    from jgo.maven import MavenContext

WANTED = Path(__file__).parent.parent / "kafka" / "jgo.toml"
LOCK = WANTED.with_name("jgo.lock.toml")
_AT_ONCE = 8


class JarsUnavailable(Stopped):
    """Kafka's jars are not here and cannot be fetched."""

    def __init__(self, missing_count: int, cache: Path, reason: str) -> None:
        super().__init__(
            f"{missing_count} of Kafka's jars are missing in {cache} and the package registry "
            f"does not give them ({reason}); connect to it once, or set KAFKA_BOOTSTRAP_SERVERS."
        )


def jar_cache() -> Path:
    """Where jars are kept between installations: LINEWORK_JAR_CACHE or the user's cache folder."""
    import platformdirs

    chosen = os.environ.get("LINEWORK_JAR_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("linework") / "jars"


def fetch_jars(
    cache: Path | None = None, on_progress: Callable[[int, int], None] = lambda done, of: None
) -> list[Path]:
    """The paths of all jars, fetched where they are missing or damaged; reports how many of how many are there."""
    from jgo.env import LockFile

    cache = cache or jar_cache()
    cache.mkdir(parents=True, exist_ok=True)
    wanted = LockFile.load(LOCK).dependencies
    paths = [cache / f"{jar.artifactId}-{jar.version}.jar" for jar in wanted]
    missing = [(jar, path) for jar, path in zip(wanted, paths, strict=True) if not _is_intact(path, jar.sha256)]
    if missing:
        _fetch_missing(missing, cache, lambda done: on_progress(len(paths) - len(missing) + done, len(paths)))
    return paths


def fetch_file(wanted: "LockedDependency", path: Path) -> None:
    """Any other file of the registry, with the SHA-256 that it must have."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetch-") as folder:
        _fetch(_maven(Path(folder)), wanted, path)


def _fetch_missing(
    missing: "list[tuple[LockedDependency, Path]]", cache: Path, on_progress: Callable[[int], None]
) -> None:
    # Fetched beside the cache and moved in once proved, so that an interrupted download or a
    # second installation that fetches at the same time never leaves half a jar.
    with tempfile.TemporaryDirectory(dir=cache, prefix=".fetch-") as folder, ThreadPoolExecutor(_AT_ONCE) as pool:
        context = _maven(Path(folder))
        fetches = [pool.submit(_fetch, context, jar, path) for jar, path in missing]
        try:
            for done, fetch in enumerate(fetches, 1):
                fetch.result()
                on_progress(done)
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
            pool.shutdown(cancel_futures=True)
            left_count = sum(not path.exists() for _, path in missing)
            raise JarsUnavailable(left_count, cache, _reason(error)) from error


def _fetch(context: "MavenContext", jar: "LockedDependency", path: Path) -> None:
    component = context.project(jar.groupId, jar.artifactId).at_version(jar.version)
    fetched = component.artifact(jar.classifier or "", jar.packaging).resolve()
    if not _is_intact(fetched, jar.sha256):
        raise Stopped(f"{path.name} does not have the SHA-256 that was locked; it is not used.")
    fetched.replace(path)


def _maven(folder: Path) -> "MavenContext":
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=folder, timeout=30)
    # The machine's own jgo settings may name a mirror; one called `central` replaces the default.
    context.remote_repos.update(GlobalSettings.load().repositories)
    return context


def _is_intact(path: Path, sha256: str | None) -> bool:
    from hashlib import file_digest

    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest() == sha256


def _reason(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def lock_jars() -> None:
    """Resolve what is wanted and write the lock file; only `make lock` does this."""
    from jgo.env import EnvironmentBuilder, EnvironmentSpec, LockFile

    with tempfile.TemporaryDirectory() as folder:
        builder = EnvironmentBuilder(context=_maven(Path(folder)), cache_dir=Path(folder))
        wanted = builder.spec_to_dependencies(EnvironmentSpec.load(WANTED))
        inputs, others = builder.context.resolver.resolve(wanted)
        used = [dependency for dependency in others if dependency.scope in ("compile", "runtime")]
        resolved = LockFile.from_resolved_dependencies([*inputs, *used])
    # The file carries the time it was made; without news it stays as it is.
    if not LOCK.exists() or _sums(LockFile.load(LOCK)) != _sums(resolved):
        resolved.save(LOCK)


def _sums(lock: "LockFile") -> dict[str, str | None]:
    return {f"{jar.groupId}:{jar.artifactId}:{jar.version}": jar.sha256 for jar in lock.dependencies}
