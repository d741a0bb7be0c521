"""Follow-up projects over HTTP: calendars, questionnaires, projects, who is on their lists, what came of them."""

from datetime import date, time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from chassis.field_types import Body, Code, Line, Moment, Reference
from chassis.problems import Responses, language_for
from chassis.request_context import Context
from contracts.quality import FindingKind, FollowUpCause
from qa.evaluation.api_forms import NamesBody
from qa.follow_up import store, summary, use_cases, views
from qa.follow_up.domain import questionnaire as asking
from qa.follow_up.domain.calendar import NoWorkingDays, WorkingCalendar
from qa.follow_up.domain.project import (
    CallingHoursInverted,
    DeadlineRule,
    FollowUpProject,
    OneCallPer,
    ProjectNotOpen,
    ProjectPeriodInverted,
    Quotas,
)
from qa.follow_up.domain.questionnaire import Questionnaire
from qa.follow_up.use_cases import Listed
from qa.periods import PeriodLength
from qa.routes import (
    ACT_REFUSALS,
    ANY,
    CHANGE_REFUSALS,
    LIST_REFUSALS,
    Day,
    Wanted,
    Zone,
    json_of,
)
from work_orders.directory import CalendarNotFound
from work_orders.routes import CommandContext

router = APIRouter(prefix="/v1", tags=["follow-up projects"])


Days = Annotated[list[Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))]], Field(max_length=500)]


class FollowUpCalendarBody(Body):
    time_zone: Zone = "Asia/Shanghai"
    days_off: Annotated[list[Annotated[int, Field(strict=True, ge=0, le=6)]], Field(max_length=7)] = [5, 6]
    holidays: Days = []
    make_up_days: Days = []

    def calendar(self, calendar_id: str) -> WorkingCalendar:
        return WorkingCalendar(
            id=calendar_id,
            version=1,
            time_zone=self.time_zone,
            days_off=tuple(sorted(set(self.days_off))),
            holidays=tuple(sorted(set(self.holidays))),
            make_up_days=tuple(sorted(set(self.make_up_days))),
        )


class ChoiceBody(Body):
    choice: Code
    names: NamesBody
    opens: FindingKind | None = None

    def part(self) -> asking.Choice:
        return asking.Choice(choice=self.choice, names=self.names.names(), opens=self.opens)


class QuestionBody(Body):
    question: Code
    names: NamesBody
    kind: asking.QuestionKind
    is_required: bool = True
    choices: Annotated[list[ChoiceBody], Field(max_length=50)] = []
    highest: int | None = Field(None, ge=2, le=100)
    is_satisfaction: bool = False
    opens: FindingKind | None = None
    opens_up_to: int | None = Field(None, ge=1, le=100)

    def part(self) -> asking.SurveyQuestion:
        values = self.model_dump(exclude={"names", "choices"})
        choices = tuple(one.part() for one in self.choices)
        return asking.SurveyQuestion(**values, names=self.names.names(), choices=choices)


class QuestionnaireBody(Body):
    names: NamesBody
    questions: Annotated[list[QuestionBody], Field(min_length=1, max_length=100)]


class QuotasBody(Body):
    """How many follow-ups are handed out at most; left out, as many as there are."""

    per_day: int | None = Field(None, ge=1, le=1_000_000)
    per_month: int | None = Field(None, ge=1, le=1_000_000)
    per_manager_month: int | None = Field(None, ge=1, le=1_000_000)


Hour = Annotated[time, Field(description="Local time of the calendar, such as 08:30.")]


class ProjectBody(Body):
    name: Line
    start: Moment
    end: Moment
    cause: FollowUpCause
    questionnaire: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}:[1-9][0-9]{0,5}$")]
    calendar: Code
    deadline_rule: DeadlineRule = DeadlineRule.WORKING_DAYS_AFTER
    deadline_days: int = Field(3, ge=0, le=60)
    quotas: QuotasBody = QuotasBody()
    calls_from: Hour = time(8, 30)
    calls_until: Hour = time(20, 30)
    working_days_only: bool = False
    max_attempts: int = Field(3, ge=1, le=20)
    retry_after_minutes: int = Field(120, ge=1, le=20_160)
    one_call_per: OneCallPer = OneCallPer.OUTAGE
    demand_types: Annotated[list[Code], Field(max_length=100)] = []
    work_area_ids: Annotated[list[Code], Field(max_length=500)] = []
    is_open: bool = True

    def project(self, project_id: str) -> FollowUpProject:
        values = self.model_dump(exclude={"quotas", "demand_types", "work_area_ids", "calls_from", "calls_until"})
        return FollowUpProject(
            **values,
            id=project_id,
            version=1,
            quotas=Quotas(**self.quotas.model_dump()),
            calls_from=self.calls_from.replace(tzinfo=None),
            calls_until=self.calls_until.replace(tzinfo=None),
            demand_types=tuple(self.demand_types),
            work_area_ids=tuple(self.work_area_ids),
        )


class ListBody(Body):
    subscriber_nos: Annotated[list[Reference], Field(min_length=1, max_length=1_000)]


class QuestionnairePage(BaseModel):
    items: list[Questionnaire]
    next_cursor: str | None


class ProjectPage(BaseModel):
    items: list[FollowUpProject]
    next_cursor: str | None


@router.put(
    "/calendars/{calendar_id}",
    response_model=WorkingCalendar,
    responses=Responses.of((*ACT_REFUSALS, NoWorkingDays, store.CalendarIsShared)),
    deprecated=True,
)
async def define_calendar(calendar_id: Code, body: FollowUpCalendarBody, context: CommandContext) -> Response:
    """A calendar that only qa counts in. Define calendars at dispatch, for every service, instead: one with the same
    id takes the place of this one. Deadlines counted before stay as they are."""
    return (await use_cases.define_calendar(body.calendar(calendar_id), uow=context.uow)).response()


@router.get("/calendars/{calendar_id}", responses=Responses.of((*ANY, CalendarNotFound)))
async def get_calendar(calendar_id: Code, context: Context) -> WorkingCalendar:
    """A calendar as it is."""
    async with context.db.statements() as statements:
        return await store.get_calendar(statements, calendar_id)


@router.post(
    "/questionnaires/{questionnaire_id}/versions",
    status_code=201,
    response_model=Questionnaire,
    responses=Responses.of((*ACT_REFUSALS, asking.QuestionMisdefined)),
)
async def publish_questionnaire(questionnaire_id: Code, body: QuestionnaireBody, context: CommandContext) -> Response:
    """A further version of a questionnaire; follow-ups keep the one that they were planned with."""
    command = use_cases.PublishQuestionnaire(
        questionnaire_id=questionnaire_id,
        names=body.names.names(),
        questions=tuple(one.part() for one in body.questions),
    )
    return (await use_cases.publish_questionnaire(command, uow=context.uow)).response()


@router.get(
    "/questionnaires",
    response_model=QuestionnairePage,
    responses=Responses.of((*LIST_REFUSALS,)),
)
async def list_questionnaires(
    context: Context, wanted: Wanted, questionnaire_id: Annotated[Code | None, Query()] = None
) -> Response:
    """Versions of questionnaires, latest first."""
    return json_of(await store.QUESTIONNAIRES.page(context.db, wanted.page(questionnaire_id=questionnaire_id)))


@router.put(
    "/follow-up-projects/{project_id}",
    response_model=FollowUpProject,
    responses=Responses.of(
        (
            *CHANGE_REFUSALS,
            ProjectPeriodInverted,
            CallingHoursInverted,
            CalendarNotFound,
            store.QuestionnaireNotFound,
            use_cases.CauseCannotChange,
        )
    ),
)
async def define_project(project_id: Code, body: ProjectBody, context: CommandContext) -> Response:
    """Begins a project, or changes it; a change names the version it was made on in `If-Match`."""
    return (await use_cases.define_project(body.project(project_id), uow=context.uow)).response()


@router.get("/follow-up-projects", response_model=ProjectPage, responses=Responses.of((*LIST_REFUSALS,)))
async def list_projects(context: Context, wanted: Wanted, is_open: bool | None = None) -> Response:
    """Follow-up projects, the latest begun first."""
    return json_of(await store.PROJECTS.page(context.db, wanted.page(is_open=is_open)))


@router.get("/follow-up-projects/{project_id}", responses=Responses.of((*ANY, store.ProjectNotFound)))
async def get_project(project_id: Code, context: Context) -> FollowUpProject:
    """One project; the version is what a change names in `If-Match`."""
    async with context.db.statements() as statements:
        return await store.PROJECTS.get(statements, project_id)


@router.post(
    "/follow-up-projects/{project_id}/subscribers",
    response_model=Listed,
    responses=Responses.of(
        (
            *ACT_REFUSALS,
            store.ProjectNotFound,
            CalendarNotFound,
            use_cases.ProjectFollowsOrders,
            ProjectNotOpen,
        )
    ),
)
async def list_subscribers(project_id: Code, body: ListBody, context: CommandContext) -> Response:
    """Puts new, lost or listed subscribers on a project's list, each once however often they are sent."""
    return (await use_cases.list_subscribers(project_id, body.subscriber_nos, uow=context.uow)).response()


async def _days(
    from_on: Annotated[Day | None, Query(description="The first day; without it from the beginning.")] = None,
    until_on: Annotated[Day | None, Query(description="The first day that is not in it any more.")] = None,
    period: Annotated[PeriodLength | None, Query(description="Instead of both: the period that a day lies in.")] = None,
    on: Annotated[Day | None, Query(description="That day; today in the project's calendar if left out.")] = None,
) -> summary.Days:
    return summary.Days(from_on=from_on, until_on=until_on, period=period, on=on)


DaysAsked = Annotated[summary.Days, Depends(_days)]
SUMMARY_REFUSALS = (*ANY, store.ProjectNotFound, CalendarNotFound, summary.SummaryDaysUnclear)


@router.get("/follow-up-projects/{project_id}/summary", responses=Responses.of(SUMMARY_REFUSALS))
async def get_summary(project_id: Code, context: Context, days: DaysAsked) -> summary.ProjectSummary:
    """What came of the follow-ups that were planned within the days, with sums and counts that add up."""
    return await views.project_summary(context.db, project_id, days, now=context.clock.now())


@router.get(
    "/follow-up-projects/{project_id}/summary.html",
    response_class=HTMLResponse,
    responses=Responses.of(SUMMARY_REFUSALS),
)
async def print_summary(project_id: Code, context: Context, days: DaysAsked) -> HTMLResponse:
    """The summary as one page to print and file, in Chinese or English."""
    found = await views.project_summary(context.db, project_id, days, now=context.clock.now())
    return HTMLResponse(summary.to_html(found, language_for(context.request)))
