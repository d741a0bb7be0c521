"""Subscribers' numbers are found in one spelling, and those that look alike find one another.

Expands: functions and indexes only. Numbers that were stored in full width or with invisible characters stay as they
are, because orders carry them; a query finds them by their spelling. The table of `look_alike` is that of
`contracts.look_alikes`; a test holds both against each other. Its body is bound when it is created: an index is built
with a search path of its own, on which a name in a text body is not found.
"""

from chassis.migrations import execute

revision = "intake_0009"
down_revision = "intake_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(r"""
create function plain_reference(reference text) returns text language sql immutable parallel safe as $$
    select btrim(regexp_replace(normalize(translate(reference,
        U&'\00AD\061C\180E\200B\200C\200D\200E\200F\202A\202B\202C\202D\202E\2060\2061\2062\2063\2064\2066\2067\2068\2069\FEFF',
        ''), NFKC), '[[:space:]]+', ' ', 'g'))
$$;
create index subscribers_plain_no on subscribers (plain_reference(subscriber_no));
create function look_alike(reference text) returns text language sql immutable parallel safe
    return translate(plain_reference(reference),
        U&'abcdefghijklmnopqrstuvwxyz\0456\03b9\0410\0391\0430\03b1\0412\0392\0432\03b2\0415\0395\0435\03b5\0396\03b6\041d\0397\043d\03b7\041a\039a\043a\03ba\041c\039c\043c\03bc\039d\03bd\0420\03a1\0440\03c1\0421\03f9\0441\03f2\0422\03a4\0442\03c4\0423\03a5\0443\03c5\0425\03a7\0445\03c7\0408\0458\0405\0455\051a\051b\051c\051dO\041e\039f\3007\25cb\043e\03bfI|\0406\0399\04c0\30ed\30ab\30a8\30cf\30bf\30c8\30cb\30fc\2014\4e00',
        U&'ABCDEFGHIJK1MN0PQRSTUVWXYZIIAAAABBBBEEEEZZHHHHKKKKMMMMNNPPPPCCCCTTTTYYYYXXXXJJSSQQWW000000011111\53e3\529b\5de5\516b\5915\535c\4e8c---');
create index subscribers_look_alike on subscribers (look_alike(subscriber_no));
""")


def downgrade() -> None:
    execute("""
drop index subscribers_look_alike;
drop function look_alike;
drop index subscribers_plain_no;
drop function plain_reference;
""")
