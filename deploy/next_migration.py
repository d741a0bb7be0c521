"""Writes one more migration for every service: the later release that `make k8s-try` upgrades to and rolls back from.

    python -m deploy.next_migration SERVICES_FOLDER

It does what a real release may do while the code before it runs: adds a table, and a column to the outbox, which
every act writes.
"""

import sys
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

REVISION = "next_release"
_TEXT = '''"""A later release: one more table, and a column that the code before it does not know."""

from chassis.migrations import execute

revision = "{revision}"
down_revision = "{head}"
branch_labels = None
depends_on = "chassis_0001"


def upgrade() -> None:
    execute("""
create table release_notes (id bigint generated always as identity primary key, note text not null);
alter table outbox add column release text not null default '';
    """)


def downgrade() -> None:
    execute("""
alter table outbox drop column release;
drop table release_notes;
    """)
'''


def write(services: Path) -> None:
    for ini in sorted(services.glob("*/alembic.ini")):
        head = ScriptDirectory.from_config(Config(ini)).as_revision_number(f"{ini.parent.name}@head")
        (ini.parent / "migrations" / "versions" / f"{REVISION}.py").write_text(
            _TEXT.format(revision=REVISION, head=head), encoding="utf-8"
        )


if __name__ == "__main__":
    write(Path(sys.argv[1]))
