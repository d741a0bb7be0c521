"""Writing knowledge articles."""

from dataclasses import replace
from typing import Any

from chassis.commands import Reply
from chassis.unit_of_work import Command, UnitOfWork
from intake.knowledge import store
from intake.knowledge.domain import Article, ArticleChanged, ArticleNotFound
from intake.reference import store as reference_store


async def write_article(article: Article, *, uow: UnitOfWork) -> Reply:
    """Raises `DemandTypeUnknown`."""
    async with uow.command() as command:
        await reference_store.require_demand_type(command.tx, article.demand_type)
        await _save(command, article, status=201)
    return command.reply


async def change_article(article_id: str, text: dict[str, Any], *, uow: UnitOfWork) -> Reply:
    """Writes the next version; the ones before it are kept.

    Raises `VersionRequired`, `DemandTypeUnknown`, `ArticleNotFound` or `ArticleChanged`.
    """
    versions = uow.headers.versions
    async with uow.command() as command:
        await reference_store.require_demand_type(command.tx, text["demand_type"])
        present = await store.ARTICLES.lock(command.tx, article_id)
        if present is None:
            raise ArticleNotFound(article_id=article_id)
        if not versions.fits(present.version):
            raise ArticleChanged(present_version=present.version, expected_version=versions.newest)
        await _save(command, replace(present, version=present.version + 1, **text), status=200)
    return command.reply


async def _save(command: Command, article: Article, *, status: int) -> None:
    saved = await store.save_article(command.tx, article, by=command.actor.sub, at=command.now)
    command.reply_with(saved, status=status)
