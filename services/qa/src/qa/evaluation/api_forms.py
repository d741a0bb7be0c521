"""Evaluation forms over HTTP: versions that are published and never change."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from chassis.field_types import Body, Code, Line
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.directory import Names
from qa.evaluation import store, use_cases
from qa.evaluation.domain import form as forms
from qa.evaluation.domain.form import EvaluationForm
from qa.routes import (
    ACT_REFUSALS,
    ANY,
    LIST_REFUSALS,
    Id,
    Wanted,
    json_of,
)
from work_orders.routes import CommandContext

Percent = Annotated[int, Field(ge=0, le=100)]

router = APIRouter(prefix="/v1/evaluation-forms", tags=["evaluation forms"])


class NamesBody(Body):
    en: Line
    zh: Line

    def names(self) -> Names:
        return Names(en=self.en, zh=self.zh)


class OptionBody(Body):
    option: Code
    names: NamesBody
    percent: Percent

    def part(self) -> forms.Option:
        return forms.Option(option=self.option, names=self.names.names(), percent=self.percent)


class ItemBody(Body):
    item: Code
    names: NamesBody
    kind: forms.ItemKind = forms.ItemKind.YES_NO
    weight: Percent
    options: Annotated[list[OptionBody], Field(max_length=50)] = []
    highest: int | None = Field(None, ge=1, le=10_000)
    is_fatal: bool = False
    may_be_not_applicable: bool = False
    fact: forms.CallFactName | None = None
    fact_seconds: int | None = Field(None, ge=0, le=86_400)

    def part(self) -> forms.Item:
        values = self.model_dump(exclude={"names", "options"})
        return forms.Item(**values, names=self.names.names(), options=tuple(one.part() for one in self.options))


class SectionBody(Body):
    section: Code
    names: NamesBody
    weight: Percent
    items: Annotated[list[ItemBody], Field(min_length=1, max_length=100)]

    def part(self) -> forms.Section:
        items = tuple(item.part() for item in self.items)
        return forms.Section(section=self.section, names=self.names.names(), weight=self.weight, items=items)


class RulesBody(Body):
    blind_tolerance_hundredths: int = Field(500, ge=0, le=10_000)
    appeal_within_hours: int = Field(120, ge=1, le=8_760)
    decide_within_hours: int = Field(120, ge=1, le=8_760)


class FormBody(Body):
    names: NamesBody
    sections: Annotated[list[SectionBody], Field(min_length=1, max_length=50)]
    rules: RulesBody = RulesBody()


class FormPage(BaseModel):
    items: list[EvaluationForm]
    next_cursor: str | None


@router.post(
    "/{form_id}/versions",
    status_code=201,
    response_model=EvaluationForm,
    responses=Responses.of(
        (
            *ACT_REFUSALS,
            forms.WeightsDoNotAddUp,
            forms.NamedTwiceInForm,
            forms.ItemMisdefined,
        )
    ),
)
async def publish_form(form_id: Code, body: FormBody, context: CommandContext) -> Response:
    """A further version of a form. What was evaluated on an earlier one stays with it."""
    command = use_cases.PublishForm(
        form_id=form_id,
        names=body.names.names(),
        sections=tuple(section.part() for section in body.sections),
        rules=forms.FormRules(**body.rules.model_dump()),
    )
    return (await use_cases.publish_form(command, uow=context.uow)).response()


@router.get("", response_model=FormPage, responses=Responses.of((*LIST_REFUSALS,)))
async def list_forms(context: Context, wanted: Wanted, form_id: Annotated[Code | None, Query()] = None) -> Response:
    """Versions of forms, latest first."""
    return json_of(await store.FORMS.page(context.db, wanted.page(form_id=form_id)))


@router.get("/{version_id}", responses=Responses.of((*ANY, store.EvaluationFormNotFound)))
async def get_form(version_id: Id, context: Context) -> EvaluationForm:
    """One version of a form, such as `service:3`."""
    async with context.db.statements() as statements:
        return await store.FORMS.get(statements, version_id)
