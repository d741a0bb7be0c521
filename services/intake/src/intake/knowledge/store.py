"""Rows of knowledge articles, their versions and their words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.database import Statements, Transaction
from contracts.refusals import NotFound, Stale
from intake.knowledge.tokenizer import weights
from intake.scope_store import Scope, sees_call


class ArticleNotFound(NotFound):
    """There is no article {article_id}."""

    zh = "没有编号为 {article_id} 的知识条目。"


class ArticleChanged(Stale):
    """The article is at version {present_version}; you decided on version {expected_version}."""

    zh = "知识条目当前版本为 {present_version}，您所依据的版本为 {expected_version}。"


@dataclass(frozen=True, slots=True)
class Article:
    id: str
    title: str
    body: str
    demand_type: str | None = None
    keywords: tuple[str, ...] = ()
    is_active: bool = True
    version: int = 0
    use_count: int = 0
    """How many calls it has settled."""
    last_used_at: datetime | None = None


_ARTICLE = "id, title, body, demand_type, keywords, is_active, version, use_count, last_used_at"


def _article(row: Mapping[str, object]) -> Article:
    return Article(**{**dict(row), "keywords": tuple(row["keywords"])})  # type: ignore[arg-type,call-overload]


async def get_article(statements: Statements, article_id: str) -> Article:
    row = await statements.fetchrow(f"select {_ARTICLE} from articles where id = $1", article_id)
    if row is None:
        raise ArticleNotFound(article_id=article_id)
    return _article(row)


async def articles_by_id(statements: Statements, ids: Sequence[str]) -> dict[str, Article]:
    rows = await statements.fetch(f"select {_ARTICLE} from articles where id = any($1)", list(ids))
    return {row["id"]: _article(row) for row in rows}


async def put_article(tx: Transaction, article: Article, *, by: str, now: datetime) -> Article:
    """Writes a new article, or the next version of one; raises `ArticleChanged` or `ArticleNotFound`."""
    if article.version == 0:
        await tx.execute(
            """insert into articles (id, version, title, body, demand_type, keywords, is_active, changed_by, changed_at)
               values ($1, 1, $2, $3, $4, $5, $6, $7, $8)""",
            *_values(article),
            by,
            now,
        )
    else:
        done = await tx.execute(
            """update articles set version = version + 1, title = $2, body = $3, demand_type = $4, keywords = $5,
                   is_active = $6, changed_by = $7, changed_at = $8 where id = $1 and version = $9""",
            *_values(article),
            by,
            now,
            article.version,
        )
        if done == "UPDATE 0":
            present = await get_article(tx, article.id)
            raise ArticleChanged(present_version=present.version, expected_version=article.version)
    written = replace(article, version=article.version + 1)
    await _keep_version(tx, written, by=by, now=now)
    await _index(tx, written)
    return await get_article(tx, article.id)


def _values(article: Article) -> tuple[object, ...]:
    return (
        article.id,
        article.title,
        article.body,
        article.demand_type,
        list(article.keywords),
        article.is_active,
    )


async def _keep_version(tx: Transaction, article: Article, *, by: str, now: datetime) -> None:
    await tx.execute(
        """insert into article_versions (article_id, title, body, demand_type, keywords, is_active, version, changed_by,
                                         changed_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        *_values(article),
        article.version,
        by,
        now,
    )


async def _index(tx: Transaction, article: Article) -> None:
    await tx.execute("delete from article_words where article_id = $1", article.id)
    if article.is_active:
        weighted = weights(article.title, article.body, article.keywords)
        await tx.execute(
            """insert into article_words (word, article_id, weight)
               select word, $1, weight from unnest($2::text[], $3::int[]) as found (word, weight)""",
            article.id,
            list(weighted),
            list(weighted.values()),
        )


async def note_use(tx: Transaction, article_id: str, *, now: datetime) -> None:
    """An article settled a call; raises `ArticleNotFound`."""
    done = await tx.execute(
        "update articles set use_count = use_count + 1, last_used_at = $2 where id = $1", article_id, now
    )
    if done == "UPDATE 0":
        raise ArticleNotFound(article_id=article_id)


async def occurrences(statements: Statements, words: Sequence[str]) -> dict[str, dict[str, int]]:
    """By word: the articles that have it, and how much it counts there."""
    rows = await statements.fetch(
        "select word, article_id, weight from article_words where word = any($1)", list(set(words))
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["word"], {})[row["article_id"]] = row["weight"]
    return found


async def vocabulary(statements: Statements) -> list[str]:
    """Every word that an article has."""
    return [row["word"] for row in await statements.fetch("select distinct word from article_words")]


async def article_count(statements: Statements) -> int:
    return await statements.fetchval("select count(*) from articles where is_active")


async def versions(statements: Statements, article_id: str) -> list[dict[str, object]]:
    rows = await statements.fetch(
        """select version, title, body, demand_type, keywords, is_active, changed_by, changed_at from article_versions
           where article_id = $1 order by version desc""",
        article_id,
    )
    return [dict(row) for row in rows]


async def calls_settled(
    statements: Statements, article_id: str, *, scope: Scope, after: tuple[datetime, str] | None, limit: int
) -> list[dict[str, object]]:
    """The calls that an article settled and that the caller may see, the latest first."""
    rows = await statements.fetch(
        f"""select used.id, used.call_id, used.settled_by, used.settled_at
           from settlements as used join calls on calls.id = used.call_id
           where used.article_id = $1 and ($2::timestamptz is null or (used.settled_at, used.id) < ($2, $3))
             and {sees_call("$5", "$6")}
           order by used.settled_at desc, used.id desc limit $4""",
        article_id,
        after[0] if after else None,
        after[1] if after else "",
        limit,
        scope.sub,
        scope.area_list,
    )
    return [dict(row) for row in rows]
