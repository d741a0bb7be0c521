"""The states of a rebuild, and when its set may be switched to."""

from contracts.refusals import Conflict, NotFound

UNDER_WAY = ("building", "catching_up", "comparing")


class RebuildNotFound(NotFound):
    """There is no rebuild {rebuild_id}."""

    zh = "没有编号为 {rebuild_id} 的重建任务。"


class RebuildUnderWay(Conflict):
    """Rebuild {rebuild_id} is running; wait until it is ready."""

    zh = "重建任务 {rebuild_id} 正在进行，请等待其就绪。"


class RebuildNotReady(Conflict):
    """Rebuild {rebuild_id} is {state:rebuild_state}; only a rebuild that is ready can be switched to."""

    zh = "重建任务 {rebuild_id} 状态为“{state:rebuild_state}”，只有就绪的任务才能切换。"


class RebuildDiffers(Conflict):
    """Rebuild {rebuild_id} differs from the present figures in {difference_count} rows; review and accept the
    differences."""

    zh = "重建任务 {rebuild_id} 与当前数据有 {difference_count} 行不同；请核对后再确认接受。"


def check_is_ready(rebuild_id: int, state: str) -> None:
    """Raises `RebuildNotReady`."""
    if state != "ready":
        raise RebuildNotReady(rebuild_id=rebuild_id, state=state)


def check_differences(rebuild_id: int, count: int | None, *, are_accepted: bool) -> None:
    """Raises `RebuildDiffers`."""
    if count and not are_accepted:
        raise RebuildDiffers(rebuild_id=rebuild_id, difference_count=count)
