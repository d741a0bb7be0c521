"""Dashes that are taken for a hyphen look like it, as in `contracts.look_alikes`.

The function is made again with its index, in one transaction: who creates a subscriber meanwhile waits for it. Its
result is for comparing only, so code of before goes on working with it.
"""

from chassis.migrations import execute

revision = "intake_0012"
down_revision = "intake_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute(r"""
drop index subscribers_look_alike;
drop function look_alike;
create function look_alike(reference text) returns text language sql immutable parallel safe
    return translate(plain_reference(reference),
        U&'abcdefghijklmnopqrstuvwxyz\0456\03b9\0410\0391\0430\03b1\0412\0392\0432\03b2\0415\0395\0435\03b5\0396\03b6\041d\0397\043d\03b7\041a\039a\043a\03ba\041c\039c\043c\03bc\039d\03bd\0420\03a1\0440\03c1\0421\03f9\0441\03f2\0422\03a4\0442\03c4\0423\03a5\0443\03c5\0425\03a7\0445\03c7\0408\0458\0405\0455\051a\051b\051c\051dO\041e\039f\3007\25cb\043e\03bfI|\0406\0399\04c0\30ed\30ab\30a8\30cf\30bf\30c8\30cb\30fc\2014\4e00\2010\2012\2013\2015\2043\02d7\2212\2500',
        U&'ABCDEFGHIJK1MN0PQRSTUVWXYZIIAAAABBBBEEEEZZHHHHKKKKMMMMNNPPPPCCCCTTTTYYYYXXXXJJSSQQWW000000011111\53e3\529b\5de5\516b\5915\535c\4e8c-----------');
create index subscribers_look_alike on subscribers (look_alike(subscriber_no));
""")


def downgrade() -> None:
    execute(r"""
drop index subscribers_look_alike;
drop function look_alike;
create function look_alike(reference text) returns text language sql immutable parallel safe
    return translate(plain_reference(reference),
        U&'abcdefghijklmnopqrstuvwxyz\0456\03b9\0410\0391\0430\03b1\0412\0392\0432\03b2\0415\0395\0435\03b5\0396\03b6\041d\0397\043d\03b7\041a\039a\043a\03ba\041c\039c\043c\03bc\039d\03bd\0420\03a1\0440\03c1\0421\03f9\0441\03f2\0422\03a4\0442\03c4\0423\03a5\0443\03c5\0425\03a7\0445\03c7\0408\0458\0405\0455\051a\051b\051c\051dO\041e\039f\3007\25cb\043e\03bfI|\0406\0399\04c0\30ed\30ab\30a8\30cf\30bf\30c8\30cb\30fc\2014\4e00',
        U&'ABCDEFGHIJK1MN0PQRSTUVWXYZIIAAAABBBBEEEEZZHHHHKKKKMMMMNNPPPPCCCCTTTTYYYYXXXXJJSSQQWW000000011111\53e3\529b\5de5\516b\5915\535c\4e8c---');
create index subscribers_look_alike on subscribers (look_alike(subscriber_no));
""")
