"""Rows of knowledge articles, their versions and their words."""

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Statements, Transaction, columns_of
from chassis.row_store import RowStore
from intake import tables
from intake.knowledge.domain import Article, ArticleNotFound
from intake.knowledge.tokenizer import weights

ARTICLES = RowStore(tables.ARTICLES, Article, "changed_by", "changed_at")
_VERSION = columns_of(tables.ARTICLE_VERSIONS.c)


async def get_article(statements: Statements, article_id: str) -> Article:
    """Raises `ArticleNotFound`."""
    article = await ARTICLES.find(statements, article_id)
    if article is None:
        raise ArticleNotFound(article_id=article_id)
    return article


async def articles_by_id(statements: Statements, ids: Sequence[str]) -> list[Article]:
    rows = await statements.fetch(f"select {columns_of(tables.ARTICLES.c)} from articles where id = any($1)", list(ids))
    return [ARTICLES.row_of(row) for row in rows]


async def save_article(tx: Transaction, article: Article, *, by: str, at: datetime) -> Article:
    """Writes a new article, or the next version of one that this transaction has locked; the row as it is stored."""
    saved = await ARTICLES.save(tx, article, changed_by=by, changed_at=at)
    await tx.execute(
        f"""insert into article_versions ({_VERSION})
            select {_VERSION.replace("article_id", "id")} from articles where id = $1""",
        article.id,
    )
    await _index(tx, article)
    return saved


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
