"""Knowledge articles 知识条目."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.refusals import NotFound, Stale


class ArticleNotFound(NotFound):
    """There is no article {article_id}."""

    zh = "没有编号为 {article_id} 的知识条目。"


class ArticleChanged(Stale):
    """The article is at version {present_version}; the request is based on version {expected_version}."""

    zh = "知识条目当前版本为 {present_version}，您所依据的版本为 {expected_version}。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    title: str
    body: str
    demand_type: str | None = None
    keywords: Sequence[str] = ()
    is_active: bool = True
    id: str
    version: int = 1
    use_count: int = 0
    """How many calls it has settled."""
    last_used_at: datetime | None = None
