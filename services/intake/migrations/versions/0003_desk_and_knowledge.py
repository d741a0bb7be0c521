"""What agents write and promise: call records, settlements, referrals, difficult cases, outages, links, articles."""

from chassis.migrations import execute

revision = "intake_0003"
down_revision = "intake_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute("""
create table call_records (
    call_id text collate "C" primary key references calls (id),
    version integer not null,
    organisation text not null,
    caller_name text not null,
    caller_position text not null,
    answered_by text not null,
    content text not null,
    remark text not null,
    handling_opinion text not null,
    changed_by text not null,
    changed_at timestamptz not null
);
create table settlements (
    id text collate "C" primary key,
    call_id text collate "C" not null references calls (id),
    outcome text not null,
    article_id text,
    order_id text,
    order_was_open boolean not null,
    referral_id text,
    case_id text,
    settled_by text not null,
    settled_at timestamptz not null
);
create index settlements_call on settlements (call_id, settled_at);
create index settlements_article on settlements (article_id, settled_at desc) where article_id is not null;
create table referrals (
    id text collate "C" primary key,
    call_id text collate "C" not null references calls (id),
    department text not null,
    question text not null,
    asked_by text not null,
    asked_at timestamptz not null,
    answer text,
    answered_by text,
    answered_at timestamptz
);
create index referrals_waiting on referrals (asked_at, id) where answered_at is null;
create index referrals_call on referrals (call_id);
create table cases (
    id text collate "C" primary key,
    version integer not null,
    call_id text collate "C" not null references calls (id),
    content text not null,
    contact text not null,
    reply_by timestamptz not null,
    opened_by text not null,
    opened_at timestamptz not null,
    warned_at timestamptz,
    overdue_at timestamptz,
    reply text,
    replied_by text,
    replied_at timestamptz
);
create index cases_waiting on cases (reply_by, id) where replied_at is null;
create index cases_call on cases (call_id);
create table outages (
    id text collate "C" primary key,
    version integer not null,
    territories text[] not null,
    cause text not null,
    began_at timestamptz not null,
    restore_by timestamptz,
    ended_at timestamptz,
    told_by text not null,
    changed_at timestamptz not null
);
create index outages_open on outages using gin (territories) where ended_at is null;
create table links (
    id text collate "C" primary key,
    order_id text not null,
    kind text not null,
    other_order_id text,
    outage_id text references outages (id),
    reason text not null,
    linked_by text not null,
    linked_at timestamptz not null,
    undone_by text,
    undone_at timestamptz
);
create index links_order on links (order_id);
create index links_other on links (other_order_id) where other_order_id is not null;
create index links_outage on links (outage_id) where outage_id is not null;
create table desk_rules (
    only_row boolean primary key default true check (only_row),
    version integer not null,
    warn_before_minutes integer not null,
    call_closes_after_hours integer not null,
    duplicate_hours integer not null,
    duplicate_least_score integer not null
);
insert into desk_rules (version, warn_before_minutes, call_closes_after_hours, duplicate_hours, duplicate_least_score)
values (1, 120, 24, 168, 40);
create table articles (
    id text collate "C" primary key,
    version integer not null,
    demand_type text,
    title text not null,
    body text not null,
    keywords text[] not null,
    is_active boolean not null,
    use_count integer not null default 0,
    last_used_at timestamptz,
    changed_by text not null,
    changed_at timestamptz not null
);
create table article_versions (
    article_id text collate "C" not null references articles (id),
    version integer not null,
    demand_type text,
    title text not null,
    body text not null,
    keywords text[] not null,
    is_active boolean not null,
    changed_by text not null,
    changed_at timestamptz not null,
    primary key (article_id, version)
);
create table article_words (
    word text collate "C" not null,
    article_id text collate "C" not null references articles (id),
    weight integer not null,
    primary key (word, article_id)
);
create index article_words_article on article_words (article_id);
""")


def downgrade() -> None:
    execute("""
drop table article_words, article_versions, articles, desk_rules, links, outages;
drop table cases, referrals, settlements, call_records;
""")
