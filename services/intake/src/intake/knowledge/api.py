"""Knowledge articles over HTTP: searched while on the phone, written by those who know."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from chassis.any_route import ANY
from chassis.commands import IdempotencyKeyBroken, IdempotencyKeyReused
from chassis.field_types import Body, Code, Line, Prose
from chassis.identity import new_id
from chassis.paging import CursorBroken
from chassis.problems import Responses, VersionRequired
from chassis.request_context import CommandContext, Context
from contracts.amendment import DemandTypeUnknown
from intake.knowledge import search, store, use_cases, views
from intake.knowledge.domain import Article, ArticleChanged, ArticleNotFound
from intake.knowledge.views import ArticleVersions, SettledCalls
from work_orders.routes import Cursor, Limit, OrderId

_ACT = (*ANY, IdempotencyKeyBroken, IdempotencyKeyReused)

router = APIRouter(prefix="/v1/articles", tags=["knowledge"])


class ArticleText(Body):
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
    article = Article(id=new_id(), **_text(body))
    return (await use_cases.write_article(article, uow=context.uow)).response()


@router.put(
    "/{article_id}",
    response_model=ShownArticle,
    responses=Responses.of((*_ACT, ArticleNotFound, ArticleChanged, DemandTypeUnknown, VersionRequired)),
)
async def change_article(article_id: OrderId, body: ArticleText, context: CommandContext) -> Response:
    """Writes the next version; `If-Match` names the version that it was written on. Earlier ones are kept."""
    return (await use_cases.change_article(article_id, _text(body), uow=context.uow)).response()


def _text(body: ArticleText) -> dict[str, Any]:
    return body.model_dump() | {"keywords": list(dict.fromkeys(body.keywords))}


@router.get("/{article_id}", responses=Responses.of((*ANY, ArticleNotFound)))
async def get_article(article_id: OrderId, context: Context) -> ShownArticle:
    """One article, with how many calls it has settled."""
    async with context.db.statements() as statements:
        found = await store.get_article(statements, article_id)
    return ShownArticle.model_validate(found, from_attributes=True)


@router.get("/{article_id}/versions", responses=Responses.of((*ANY, ArticleNotFound)))
async def list_article_versions(article_id: OrderId, context: Context) -> ArticleVersions:
    """Every version of an article, the latest first."""
    return await views.versions(context, article_id)


@router.get("/{article_id}/calls", responses=Responses.of((*ANY, ArticleNotFound, CursorBroken)))
async def list_calls_settled(
    article_id: OrderId, context: Context, cursor: Cursor = None, limit: Limit = 50
) -> SettledCalls:
    """The calls that an article settled and that the caller may see, the latest first."""
    return await views.calls_settled(context, article_id, cursor=cursor, limit=limit)
