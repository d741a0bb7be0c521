"""Which migrations a database has, by what its table `alembic_version` names.

It names the heads of several branches; what stands below a head, or is needed by it, was applied before it. A database
from before the branches names one revision of a single chain, in which every service had a copy of the libraries'
migrations. The section `[single_chain]` of `alembic.ini` lists what each revision of that chain added:

    0004 = sealing_keys_0001
    0005 = intake_0004

Such a database is read as if it named the heads of all that was added up to its revision. Ids of branches carry the
branch's name, so the two are never taken for each other.
"""

from collections.abc import Collection, Iterable, Mapping

from alembic.config import Config
from alembic.script import ScriptDirectory

_SINGLE_CHAIN = "single_chain"


class Revisions:
    """The migrations that an `alembic.ini` finds."""

    def __init__(self, config: Config, script: ScriptDirectory) -> None:
        self._below: Mapping[str, frozenset[str]] = {
            revision.revision: frozenset((*_several(revision.down_revision), *_several(revision.dependencies)))
            for revision in script.walk_revisions()
        }
        self._heads = frozenset(script.get_heads())
        self._single_chain = _single_chain(config)

    def heads_of(self, present: Collection[str]) -> set[str]:
        """The heads that a database has which names these revisions; unknown ones as they are."""
        if not set(present) & set(self._single_chain):
            return set(present)
        applied: set[str] = set()
        for revision, added in self._single_chain.items():
            applied.update(added)
            if revision in present:
                break
        return {revision for revision in applied if not any(revision in self._below[other] for other in applied)}

    def are_known(self, present: Collection[str]) -> bool:
        return self.heads_of(present) <= set(self._below)

    def are_complete(self, present: Collection[str]) -> bool:
        """Whether nothing is missing from a database that names these known revisions."""
        return self._heads <= self.applied(present)

    def applied(self, present: Collection[str]) -> set[str]:
        """Every migration that such a database has."""
        applied: set[str] = set()
        waiting = list(self.heads_of(present))
        while waiting:
            revision = waiting.pop()
            if revision not in applied:
                applied.add(revision)
                waiting += self._below[revision]
        return applied


def _single_chain(config: Config) -> Mapping[str, tuple[str, ...]]:
    """In the order of the chain: each of its revisions, and those of branches that it stands for."""
    section = config.get_section(_SINGLE_CHAIN, {})
    return {revision: tuple(added.split()) for revision, added in section.items() if revision.isdigit()}


def _several(value: str | Iterable[str] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)
