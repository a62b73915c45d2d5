import sqlalchemy as sa

from fairlead.store.constraints import DUPLICATES, duplicate
from fairlead.store.schema import NOUNS, SCHEMA


def test_every_unique_rule_has_its_words() -> None:
    named = {
        str(rule.name)
        for table in SCHEMA.sorted_tables
        for rule in (*table.constraints, *(index for index in table.indexes if index.unique))
        if isinstance(rule, sa.UniqueConstraint | sa.Index)
    }
    # Nothing but its key makes two devices of one id and host.
    assert named - {"uq_devices_id_host"} <= set(DUPLICATES)
    assert set(DUPLICATES) <= named | {f"pk_{table.name}" for table in SCHEMA.sorted_tables}


def test_the_words_name_columns_that_are_there() -> None:
    for name, refused in DUPLICATES.items():
        table = next(t for t in SCHEMA.sorted_tables if name.partition("_")[2].startswith(t.name))
        assert refused.message.format_map({column.name: "" for column in table.columns})


def test_any_other_duplicate_is_that_of_an_id() -> None:
    assert duplicate("pk_ports", "port", {"id": "p1"}).message == "Port with ID p1 already exists."
    assert duplicate(None, "port", {"id": "p1"}).code == "id_in_use"


def test_every_table_is_a_noun_and_every_reference_has_an_index() -> None:
    assert {noun.table for noun in NOUNS} == set(SCHEMA.sorted_tables)
    for table in SCHEMA.sorted_tables:
        unique = [rule for rule in table.constraints if not isinstance(rule, sa.ForeignKeyConstraint)]
        indexed = {next(iter(rule.columns)).name for rule in (*table.indexes, *unique) if len(rule.columns)}
        for constraint in table.foreign_key_constraints:
            assert next(iter(constraint.columns)).name in indexed, (
                f"deleting looks through all of {table.name}"
            )
