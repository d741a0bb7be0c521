"""Versions of an article, and the calls that it settled."""

from datetime import datetime

from pydantic import BaseModel

from chassis.database import columns_of
from chassis.paging import from_cursor, moment_of, page_of
from chassis.request_context import RequestContext
from intake import tables
from intake.knowledge.store import get_article
from intake.scope_store import scope_of, sees_call


class ArticleVersion(BaseModel):
    version: int
    title: str
    body: str
    demand_type: str | None
    keywords: list[str]
    is_active: bool
    changed_by: str
    changed_at: datetime


class ArticleVersions(BaseModel):
    items: list[ArticleVersion]


class SettledCall(BaseModel):
    id: str
    call_id: str
    settled_by: str
    settled_at: datetime


class SettledCalls(BaseModel):
    items: list[SettledCall]
    next_cursor: str | None


async def versions(context: RequestContext, article_id: str) -> ArticleVersions:
    """The latest first; raises `ArticleNotFound`."""
    async with context.db.statements() as statements:
        await get_article(statements, article_id)
        rows = await statements.fetch(
            f"""select {columns_of(tables.ARTICLE_VERSIONS.c)} from article_versions
                where article_id = $1 order by version desc""",
            article_id,
        )
    return ArticleVersions(items=[ArticleVersion.model_validate(dict(row)) for row in rows])


async def calls_settled(context: RequestContext, article_id: str, *, cursor: str | None, limit: int) -> SettledCalls:
    """The calls that an article settled and that the caller may see, the latest first.

    Raises `ArticleNotFound` or `CursorBroken`.
    """
    after = from_cursor("settled-calls", cursor, str, str) if cursor else None
    scope = scope_of(context)
    async with context.db.statements() as statements:
        await get_article(statements, article_id)
        rows = await statements.fetch(
            f"""select used.id, used.call_id, used.settled_by, used.settled_at
               from settlements as used join calls on calls.id = used.call_id
               where used.article_id = $1 and ($2::timestamptz is null or (used.settled_at, used.id) < ($2, $3))
                 and {sees_call("$5", "$6")}
               order by used.settled_at desc, used.id desc limit $4""",
            article_id,
            moment_of(after[0]) if after else None,
            after[1] if after else "",
            limit + 1,
            scope.sub,
            scope.area_list,
        )
    items = [SettledCall.model_validate(dict(row)) for row in rows]
    shown, next_cursor = page_of("settled-calls", items, limit, lambda last: (last.settled_at.isoformat(), last.id))
    return SettledCalls(items=list(shown), next_cursor=next_cursor)
