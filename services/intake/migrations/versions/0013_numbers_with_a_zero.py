"""A number is the same with a country code and a leading zero: Italy's are dialled so from abroad.

Code of before goes on working with the function: it compares with more spellings than it knew.
"""

from chassis.migrations import execute

revision = "intake_0013"
down_revision = "intake_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create or replace function same_number(phone text) returns text[] language sql stable as $$
    select case when significant ~ '^[0-9]{7,}$'
                then array[significant, '0' || significant, '+' || country_code || significant,
                           '+' || country_code || '0' || significant]
                else array[phone] end
    from (select country_code, ltrim(case when starts_with(phone, '+' || country_code)
                                          then substr(phone, length(country_code) + 2) else phone end, '0')
              as significant from desk_rules) as known
$$;
""")


def downgrade() -> None:
    execute("""
create or replace function same_number(phone text) returns text[] language sql stable as $$
    select case when significant ~ '^[0-9]{7,}$'
                then array[significant, '0' || significant, '+' || country_code || significant] else array[phone] end
    from (select country_code, ltrim(case when starts_with(phone, '+' || country_code)
                                          then substr(phone, length(country_code) + 2) else phone end, '0')
              as significant from desk_rules) as known
$$;
""")
