"""Calls know whose they were before their last leg, and one number is found in every way in which it is written.

Expands: both columns are null for a call of one leg; calls that are there get theirs by intake_0007. One function
knows how a number of this country is written at home and from abroad, so that no query has to; the other, that blanks,
width and case make no other address.
"""

from chassis.migrations import execute

revision = "intake_0006"
down_revision = "intake_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
alter table calls add column earlier_agent_ids text[], add column earlier_queues text[];
create index calls_earlier_agents on calls using gin (earlier_agent_ids)
    where earlier_agent_ids is not null;
alter table cases add column promised_by text;
update cases set promised_by = opened_by;
alter table desk_rules add column country_code text not null default '86';
create function plain_address(address text) returns text language sql immutable parallel safe as $$
    select regexp_replace(lower(normalize(address, NFKC)), '[[:space:]]+', '', 'g')
$$;
create index subscribers_same_address on subscribers (plain_address(address));
create function same_number(phone text) returns text[] language sql stable as $$
    select case when significant ~ '^[0-9]{7,}$'
                then array[significant, '0' || significant, '+' || country_code || significant] else array[phone] end
    from (select country_code, ltrim(case when starts_with(phone, '+' || country_code)
                                          then substr(phone, length(country_code) + 2) else phone end, '0')
              as significant from desk_rules) as known
$$;
""")


def downgrade() -> None:
    execute("""
drop function same_number;
drop index subscribers_same_address;
drop function plain_address;
alter table cases drop column promised_by;
alter table desk_rules drop column country_code;
alter table calls drop column earlier_queues, drop column earlier_agent_ids;
""")
