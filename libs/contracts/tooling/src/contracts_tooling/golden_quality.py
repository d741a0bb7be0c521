"""What is recorded of quality: each type with nothing but what it must say, and with everything."""

from datetime import UTC, datetime
from typing import Any

from contracts import quality as q
from contracts.events import Channel

_NINE = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
_TEN = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_ORDERS = ("0f5e8a52-6f0c-4d1b-9a41-2c6a3f3b7d10", "7c2b1f64-95a0-4a7e-8f0d-51f1f6a8e3b2")

_RECORDING: dict[str, Any] = {"recording_id": "rec-1", "call_id": "call-5521"}
_FOLLOW_UP: dict[str, Any] = {"follow_up_id": "follow-up-1", "project_id": "after-completion"}
_OF_ORDERS: dict[str, Any] = {"order_ids": _ORDERS, "work_area_id": "north", "demand_type": "fault_repair"}

QUALITY: tuple[Any, ...] = tuple(
    body
    for shape, must, may in (
        (q.RecordingOpened, _RECORDING | {"purpose": q.ListeningPurpose.EVALUATION}, {}),
        (
            q.SamplingPlanCommitted,
            {
                "plan_id": "plan-1",
                "plan_digest": _DIGEST,
                "seed_digest": _DIGEST[::-1],
                "period_start": _NINE,
                "period_end": _TEN,
            },
            {},
        ),
        (
            q.SampleDrawn,
            {
                "plan_id": "plan-1",
                "plan_digest": _DIGEST,
                "seed": "00ff" * 16,
                "algorithm": "linework-draw-1",
                "frame_digest": _DIGEST,
                "frame_count": 310,
                "sample_count": 42,
            },
            {},
        ),
        (
            q.RecordingSampled,
            _RECORDING
            | {
                "plan_id": "plan-1",
                "agent_id": "agent-7",
                "stratum": "long/agent-7",
                "numerator": 5,
                "denominator": 31,
            },
            {"is_mandatory": True, "is_double_blind": True},
        ),
        (
            q.RecordingEvaluated,
            _RECORDING
            | {
                "evaluation_id": "evaluation-1",
                "revision": 2,
                "cause": q.RevisionCause.APPEALED,
                "mode": q.EvaluationMode.DOUBLE_BLIND,
                "agent_id": "agent-7",
                "auditor_id": "auditor-4",
                "form_id": "service",
                "form_version": 3,
                "raw_hundredths": 9250,
                "fatal_items": ("privacy",),
                "final_hundredths": 0,
            },
            {"plan_id": "plan-1", "demand_type": "complaint", "queue": "support", "is_settled": False},
        ),
        (
            q.EvaluationAppealed,
            {
                "appeal_id": "appeal-1",
                "evaluation_id": "evaluation-1",
                "revision": 1,
                "recording_id": "rec-1",
                "agent_id": "agent-7",
                "auditor_id": "auditor-4",
                "decide_by": _TEN,
            },
            {},
        ),
        (
            q.AppealDecided,
            {
                "appeal_id": "appeal-1",
                "evaluation_id": "evaluation-1",
                "recording_id": "rec-1",
                "agent_id": "agent-7",
                "auditor_id": "auditor-4",
                "is_overturned": True,
            },
            {"is_late": True},
        ),
        (
            q.CalibrationClosed,
            {
                "session_id": "session-1",
                "form_id": "service",
                "form_version": 3,
                "recording_count": 5,
                "auditor_ids": ("auditor-4", "auditor-5"),
                "agreement_millionths": 900_000,
            },
            {"kappa_millionths": -20_000},
        ),
        (
            q.FollowUpPlanned,
            _FOLLOW_UP | {"cause": q.FollowUpCause.COMPLETION, "subscriber_no": "111", "due_by": _TEN},
            _OF_ORDERS | {"outage_id": "outage-4"},
        ),
        (q.FollowUpJoined, _FOLLOW_UP | {"order_id": _ORDERS[1]}, {}),
        (
            q.FollowUpAttempted,
            _FOLLOW_UP | {"attempt": 1, "caller_id": "agent-7", "outcome": q.AttemptOutcome.NO_ANSWER},
            {},
        ),
        (
            q.FollowUpEnded,
            _FOLLOW_UP
            | {
                "end": q.FollowUpEnd.COMPLETED,
                "caller_id": "agent-7",
                "attempt_count": 2,
                "questionnaire_id": "visit",
                "questionnaire_version": 1,
            },
            {"order_ids": _ORDERS, "is_late": True},
        ),
        (q.SatisfactionGiven, _FOLLOW_UP | {"score": 4, "highest": 5}, _OF_ORDERS),
        (
            q.FindingOpened,
            _FOLLOW_UP | {"finding_id": "finding-1", "kind": q.FindingKind.DISSATISFACTION},
            {"order_ids": _ORDERS},
        ),
        (
            q.FindingClosed,
            {"finding_id": "finding-1", "project_id": "after-completion", "kind": q.FindingKind.RISK},
            {"order_id": _ORDERS[0]},
        ),
    )
    for body in ((shape(**must), shape(**must, **may)) if may else (shape(**must),))
)

_TOLD_LATER: tuple[Any, ...] = (
    q.FollowUpPlanned(
        **_FOLLOW_UP,
        **_OF_ORDERS,
        cause=q.FollowUpCause.COMPLETION,
        subscriber_no="111",
        due_by=_TEN,
        outage_id="outage-4",
        staff_id="staff-7",
        channel=Channel.WEB,
    ),
    q.CalibrationClosed(
        session_id="session-1",
        form_id="service",
        form_version=3,
        recording_count=5,
        auditor_ids=("auditor-4", "auditor-5"),
        agreement_millionths=900_000,
        kappa_millionths=513_000,
        kappa_method="cohen_within_items",
    ),
)
"""With fields that were added after the others had been recorded, whose files never change."""

QUALITY += _TOLD_LATER
