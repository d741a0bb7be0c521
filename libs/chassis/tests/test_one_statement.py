"""Several changes as one statement: all or none, in the order given, planned once."""

import pytest

from chassis.database import Database, Overtaken, is_transient
from chassis.one_statement import Part, execute_together, fetch_together

from .toy import effects_of

EFFECT = "insert into effects (key, version, note) select * from unnest($1::text[], $2::int[], $3::text[])"
FOLLOWED = "insert into followed (key, version) select $1::text, $2::int"
COUNT_UP = "update followed set version = version + 1 where key = $1::text and version = $2::int"


async def versions(db: Database) -> dict[str, int]:
    async with db.statements() as statements:
        (rows,) = await fetch_together(statements, [Part("select key, version from followed")])
    return dict(rows)


async def test_each_part_has_parameters_and_rows_of_its_own(toy_db: Database) -> None:
    async with toy_db.statements() as statements:
        parts = [Part(FOLLOWED, ("a", 1)), Part(EFFECT, (["b"], [2], ["seen"])), Part(FOLLOWED, ("c", 3))]
        await execute_together(statements, parts)
        text = "select key, version from followed where key = any($1::text[]) order by key"
        read = await fetch_together(
            statements, [Part(text, [["a", "c"]]), Part("select $1::int", [7]), Part(text, [[]])]
        )
    assert read == [[("a", 1), ("c", 3)], [(7,)], []]
    assert await effects_of(toy_db) == {"b": [2]}


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_change_that_finds_too_few_rows_takes_all_others_back(toy_db: Database, place: int) -> None:
    changes = [Part(FOLLOWED, ("b", 1), least=1), Part(EFFECT, (["b"], [2], ["seen"]), least=1)]
    changes.insert(place, Part(COUNT_UP, ("a", 1), least=1))
    async with toy_db.statements() as statements:
        with pytest.raises(Overtaken) as error:
            await execute_together(statements, changes)
        assert is_transient(error.value)
        assert await versions(toy_db) == {}
        await execute_together(statements, [Part(FOLLOWED, ("a", 1))])
        await execute_together(statements, changes)
    assert await versions(toy_db) == {"a": 2, "b": 1}
    assert await effects_of(toy_db) == {"b": [2]}


async def test_changes_are_made_in_the_order_given(toy_db: Database) -> None:
    parts = [Part(EFFECT, ([key], [1], ["seen"]), least=place % 2) for place, key in enumerate("cabed")]
    async with toy_db.statements() as statements:
        await execute_together(statements, parts)
    assert list(await effects_of(toy_db)) == list("cabed")


async def test_a_statement_is_not_planned_again_for_each_short_batch(toy_db: Database) -> None:
    async with toy_db.begin() as tx:
        for _ in range(30):
            await execute_together(tx, [Part(EFFECT, (["a"], [1], ["seen"]), least=1)])
            await fetch_together(tx, [Part("select * from followed where key = any($1::text[])", [["a"]])])
        plans = await tx.fetch(
            "select custom_plans from pg_prepared_statements where statement like any($1) order by statement",
            ["with part_1%", "select array%"],
        )
    assert [row["custom_plans"] for row in plans] == [5, 5]
