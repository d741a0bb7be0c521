"""`linework up`: start everything in order, watch it, stop everything in the opposite order."""

import fcntl
import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from linework.embedded import EmbeddedKafka, EmbeddedPostgres
from linework.embedded.jars import fetch_jars
from linework.ports import SERVICES, refuse_taken_ports
from linework.processes import Child, find_recorded, stop_leftovers, write_record
from linework.runtime.checks import refuse_small_disk
from linework.runtime.giving_up import GivingUp, end_with
from linework.runtime.installation import STOP_ORDER, LocalInstallation
from linework.runtime.migrations import migrate
from linework.runtime.preparation import create_databases, create_topics, database_urls
from linework.runtime.program import Program, make_programs, service_environment
from linework.runtime.progress import Report, Steps
from linework.runtime.sample import first_loads
from linework.runtime.watch import Component, Watch
from linework.runtime.welcome import show_welcome
from linework.stopped import Stopped, last_line

STOP_SECONDS = 20
LOOK_EVERY_SECONDS = 0.5
PHASES = ("starting", "loading", "ready", "stopping")


def supervise(
    installation: LocalInstallation, steps: Steps, *, is_empty: bool, with_process: int | None = None
) -> None:
    """Run an installation in the foreground until a signal or a component that cannot be kept alive ends it.

    It also ends, in order, with the process of the id `with_process`.
    """
    installation.make_folders()
    supervisor = Supervisor(installation, steps)
    with _only_supervisor(installation), _interrupts(supervisor.given_up):
        if with_process is not None:
            end_with(with_process, supervisor.given_up)
        try:
            supervisor.start()
            supervisor.load(is_empty=is_empty)
            supervisor.watch()
        except Interrupted:
            steps.say("Stopping.")
        finally:
            supervisor.stop()


class Interrupted(Exception):
    """Ctrl-C, SIGTERM or a closed terminal: not a failure, only the end."""


class Supervisor:
    def __init__(self, installation: LocalInstallation, steps: Steps) -> None:
        self._installation = installation
        self._steps = steps
        self._components: list[Component] = []
        self._load: Child | None = None
        self.given_up = GivingUp()
        self._watch = Watch(self._components, lambda text: steps.say(f"[yellow]{text}[/]"))

    def start(self) -> None:
        installation = self._installation
        leftovers = stop_leftovers(installation.records, STOP_ORDER)
        if leftovers:
            self._steps.say(f"Stopped what an earlier run left behind: {', '.join(leftovers)}.")
        refuse_small_disk(installation.state_folder)
        refuse_taken_ports(installation.used_ports())
        installation.remember()
        environments: dict[str, dict[str, str]] = {}
        # Neither needs the other, and most of the time each waits for a process.
        self._all_at_once([partial(self._prepare_postgres, environments), self._prepare_kafka])
        self._start_programs(make_programs(installation, environments))

    def _prepare_postgres(self, environments: dict[str, dict[str, str]]) -> None:
        """A server with every service's database at its newest schema; adds each service's environment."""
        installation = self._installation
        postgres = EmbeddedPostgres(
            *(installation.state_folder / "postgres", installation.ports["postgres"]),
            log=installation.logs / "postgres.log",
            records=installation.records,
        )
        if not installation.outside_database_url:
            self._components.append(postgres)
            self._step("PostgreSQL", postgres.start)
        server_url = installation.outside_database_url or postgres.url
        self._step("Databases", partial(create_databases, server_url))
        for service, url in database_urls(server_url).items():
            environments[service] = service_environment(installation, service, url)
        migrations = [partial(migrate, installation, name, env, self.given_up) for name, env in environments.items()]
        with self._steps.step("Migrations"):
            self._all_at_once(migrations, at_once=max(2, os.cpu_count() or 2))

    def _prepare_kafka(self) -> None:
        """A broker with every topic."""
        installation = self._installation
        if not installation.outside_kafka:
            kafka = EmbeddedKafka(
                *(installation.state_folder / "kafka", installation.ports["kafka"]),
                installation.ports["kafka_controller"],
                log=installation.logs / "kafka.log",
                records=installation.records,
            )
            with self._steps.step("Kafka's jars") as report:
                fetch_jars(on_progress=self._stoppable(report))
            self._components.append(kafka)
            self._step("Kafka", kafka.start)
        self._step("Topics", partial(create_topics, installation.bootstrap_servers, installation.topic_prefix))

    def _start_programs(self, programs: Sequence[Program]) -> None:
        with self._steps.step("Issuer and services") as report:
            self._components += programs
            for program in programs:
                program.start()
            waits = [partial(program.wait_ready, self.given_up) for program in programs]
            self._all_at_once(waits, report=report)

    def load(self, *, is_empty: bool) -> None:
        """On the first start of a state folder: reference data and sample traffic."""
        set_phase(self._installation, "loading")
        for load in [] if is_empty else first_loads(self._installation):
            with self._steps.step(load.title):
                self._load = load.child
                load.child.spawn()
                while load.child.exit_code() is None:
                    self._look()
            if load.child.exit_code() != 0:
                # Services without sample data are still worth having, and the next start tries again.
                log = load.child.log
                self._steps.say(f"[yellow]{load.title} failed; its log is {log} and ends with: {last_line(log)}[/]")
                return
            load.mark_done()

    def watch(self) -> None:
        set_phase(self._installation, "ready")
        show_welcome(self._installation, self._steps)
        while True:
            self._look()

    def _look(self) -> None:
        self._watch.tend()
        self.given_up.wait(LOOK_EVERY_SECONDS)
        self._go_on()

    def _stoppable(self, report: Report) -> Report:
        def report_and_go_on(done: int, of: int) -> None:
            report(done, of)
            self._go_on()

        return report_and_go_on

    def _go_on(self) -> None:
        if self.given_up.is_set():
            raise Interrupted

    def stop(self) -> None:
        set_phase(self._installation, "stopping")
        self.given_up.set()
        if self._load:
            self._load.signal_stop()
            self._load.wait_stopped(STOP_SECONDS)
        for group in _stop_groups(self._components):
            for component in group:
                component.signal_stop()
            for component in group:
                component.wait_stopped(STOP_SECONDS)
        set_phase(self._installation, None)
        if self._components:
            self._steps.say("Everything is stopped; the data is kept.")

    def _step(self, title: str, act: Callable[[], None]) -> None:
        self._go_on()
        with self._steps.step(title):
            act()

    def _all_at_once(
        self,
        jobs: Sequence[Callable[[], None]],
        *,
        at_once: int = 32,
        report: Report = lambda done, of: None,
    ) -> None:
        with ThreadPoolExecutor(at_once) as pool:
            futures = [pool.submit(job) for job in jobs]
            try:
                for done, future in enumerate(as_completed(futures), 1):
                    future.result()
                    report(done, len(futures))
            except Exception:
                # The pool waits for its threads, and they wait for this.
                self.given_up.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        self._go_on()


def _stop_groups(components: Sequence[Component]) -> list[list[Component]]:
    """HTTP processes, then workers, then one by one what they lean on."""
    by_name = {component.name: component for component in components}
    workers = [f"{service}_worker" for service in SERVICES]
    groups = [list(SERVICES), workers, ["issuer"], ["kafka"], ["postgres"]]
    return [[by_name[name] for name in group if name in by_name] for group in groups]


def supervisor_record(installation: LocalInstallation) -> Path:
    return installation.state_folder / "supervisor.json"


def set_phase(installation: LocalInstallation, phase: str | None) -> None:
    file = installation.state_folder / "phase"
    if phase is None:
        file.unlink(missing_ok=True)
    else:
        file.write_text(json.dumps(phase))


def read_phase(installation: LocalInstallation) -> str | None:
    """How far the running supervisor is; None when there is none."""
    if find_recorded(supervisor_record(installation)) is None:
        return None
    try:
        phase = json.loads((installation.state_folder / "phase").read_text())
    except (OSError, ValueError, RecursionError):
        return None
    return phase if phase in PHASES else None


@contextmanager
def _only_supervisor(installation: LocalInstallation) -> Iterator[None]:
    # The lock decides between two that start at the same moment and ends with its process; the record names it.
    with (installation.state_folder / "supervisor.lock").open("w") as lock:
        _take(lock, installation)
        # First, because a supervisor that was killed may have left "ready" behind.
        set_phase(installation, "starting")
        write_record(supervisor_record(installation), os.getpid(), signal.SIGTERM)
        try:
            yield
        finally:
            supervisor_record(installation).unlink(missing_ok=True)


def _take(lock: IO[str], installation: LocalInstallation) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Stopped(
            f"The installation in {installation.state_folder} is already running; "
            "see it with `linework status`, stop it with `linework down`, or choose another --state-folder."
        ) from None


@contextmanager
def _interrupts(given_up: GivingUp) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal end us in order; once that has begun, more of them change nothing."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: given_up.set()) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
