"""Calls from before intake_0006 get the agents and queues of their earlier legs, from their facts, and plain numbers.

In a transaction of its own: it reads every fact, and nothing waits for it but the calls it changes.
"""

from chassis.migrations import execute

revision = "intake_0007"
down_revision = "intake_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
update calls set
    earlier_agent_ids = (select array_agg(distinct had.agent_id)
                         from jsonb_to_recordset(legs.had) as had (agent_id text, queue text)
                         where had.agent_id is distinct from calls.agent_id and had.agent_id is not null),
    earlier_queues = (select array_agg(distinct had.queue)
                      from jsonb_to_recordset(legs.had) as had (agent_id text, queue text)
                      where had.queue is distinct from calls.queue and had.queue is not null)
from (select call_id, jsonb_agg(jsonb_build_object(
              'agent_id', case when published_type = 'linework.call.answered.v1' then published ->> 'agent_id' end,
              'queue', published ->> 'queue')) as had
      from call_facts where published_type in ('linework.call.queued.v1', 'linework.call.answered.v1')
      group by call_id having count(distinct coalesce(published ->> 'leg', '1')) > 1) as legs
where calls.id = legs.call_id;
update calls set caller = regexp_replace(regexp_replace(caller, '[ ().-]+', '', 'g'), '^00(?=[0-9]{9})', '+')
where caller ~ '^[+]?[0-9 ().-]+$' and (caller ~ '[ ().-]' or caller ~ '^00[0-9]{9}');
""")


def downgrade() -> None:
    pass
