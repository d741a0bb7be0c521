"""Knowledge articles over HTTP: searched while on the phone, written by those who know."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from chassis.any_route import ANY
from chassis.commands import IdempotencyKeyBroken, IdempotencyKeyReused, Reply, etag_of, raise_if_replied, store_reply
from chassis.field_types import Code, Line, Prose
from chassis.identity import new_id
from chassis.paging import CursorBroken, from_cursor, moment_of, to_cursor
from chassis.problems import Responses, VersionRequired
from chassis.request_context import Context
from intake.doing import scope_of
from intake.knowledge import search, store
from intake.knowledge.store import Article, ArticleChanged, ArticleNotFound
from intake.reference import store as reference_store
from intake.reference.domain import DemandTypeUnknown
from work_orders.routes import CommandContext, Cursor, Limit, OrderContext, OrderId

_ACT = (*ANY, IdempotencyKeyBroken, IdempotencyKeyReused)

router = APIRouter(prefix="/v1/articles", tags=["knowledge"])


class ArticleText(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Line
    body: Prose
    demand_type: Code | None = None
    keywords: Annotated[list[Line], Field(max_length=50)] = []
    is_active: bool = True


class ShownArticle(ArticleText):
    id: str
    version: int
    use_count: int
    last_used_at: datetime | None


class FoundArticle(BaseModel):
    article: ShownArticle
    score: float
    words: list[str]


class FoundArticles(BaseModel):
    items: list[FoundArticle]


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


@router.get("", responses=Responses.of(ANY))
async def search_articles(
    context: Context,
    q: Annotated[str, Query(min_length=1, max_length=200, description="Chinese or English; slips are forgiven.")],
    demand_type: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> FoundArticles:
    """Knowledge articles 知识条目, the best first; those of the demand type are raised."""
    async with context.db.statements() as statements:
        found = await search.search(statements, q, demand_type=demand_type, limit=limit)
    return FoundArticles.model_validate({"items": found}, from_attributes=True)


@router.post("", status_code=201, response_model=ShownArticle, responses=Responses.of((*_ACT, DemandTypeUnknown)))
async def write_article(body: ArticleText, context: CommandContext) -> Response:
    """Writes a new article."""
    return (await _put(Article(id=new_id(), **_values(body)), context, 201)).response()


@router.put(
    "/{article_id}",
    response_model=ShownArticle,
    responses=Responses.of((*_ACT, ArticleNotFound, ArticleChanged, DemandTypeUnknown, VersionRequired)),
)
async def change_article(article_id: OrderId, body: ArticleText, context: CommandContext) -> Response:
    """Writes the next version; `If-Match` names the version that it was written on. Earlier ones are kept."""
    article = Article(id=article_id, version=context.headers.expected_version, **_values(body))
    return (await _put(article, context, 200)).response()


def _values(body: ArticleText) -> dict[str, object]:
    return body.model_dump() | {"keywords": tuple(dict.fromkeys(body.keywords))}


async def _put(article: Article, context: OrderContext, status: int) -> Reply:
    async with context.db.begin() as tx:
        await raise_if_replied(tx, context.headers.idempotency)
        await reference_store.require_demand_type(tx, article.demand_type)
        written = await store.put_article(tx, article, by=context.caller.sub, now=context.clock.now())
        shown = ShownArticle.model_validate(written, from_attributes=True)
        answer = Reply(status, shown.model_dump_json().encode(), etag_of(written.version))
        await store_reply(tx, context.headers.idempotency, answer)
    return answer


@router.get("/{article_id}", responses=Responses.of((*ANY, ArticleNotFound)))
async def get_article(article_id: OrderId, context: Context) -> ShownArticle:
    """One article, with how many calls it has settled."""
    async with context.db.statements() as statements:
        found = await store.get_article(statements, article_id)
    return ShownArticle.model_validate(found, from_attributes=True)


@router.get("/{article_id}/versions", responses=Responses.of((*ANY, ArticleNotFound)))
async def list_article_versions(article_id: OrderId, context: Context) -> ArticleVersions:
    """Every version of an article, the latest first."""
    async with context.db.statements() as statements:
        await store.get_article(statements, article_id)
        return ArticleVersions.model_validate({"items": await store.versions(statements, article_id)})


@router.get("/{article_id}/calls", responses=Responses.of((*ANY, ArticleNotFound, CursorBroken)))
async def list_calls_settled(
    article_id: OrderId, context: Context, cursor: Cursor = None, limit: Limit = 50
) -> SettledCalls:
    """The calls that an article settled and that the caller may see, the latest first."""
    after = from_cursor("settled-calls", cursor, str, str) if cursor else None
    async with context.db.statements() as statements:
        await store.get_article(statements, article_id)
        rows = await store.calls_settled(
            statements,
            article_id,
            scope=scope_of(context),
            after=(moment_of(after[0]), after[1]) if after else None,
            limit=limit + 1,
        )
    last = rows[limit - 1] if len(rows) > limit else None
    next_cursor = to_cursor("settled-calls", last["settled_at"].isoformat(), last["id"]) if last else None
    return SettledCalls.model_validate({"items": rows[:limit], "next_cursor": next_cursor})
