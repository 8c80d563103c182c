"""
Check that migrations only expand: the version before must still work, so nothing is removed or required.

Unknown kinds of operations count as contractions, so that nobody adds one unnoticed.
"""

from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from django.db import connection
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models import Field, JSONField

from enterprise_catalog.apps.core.fields import JsonTextField

APPS = ("core", "customers", "catalog", "refresh", "access")

# What says nothing to the database.
_HARMLESS = (operations.AlterModelOptions, operations.AlterModelManagers)
# Of a field: what only forms, the admin and validation read.
_NOT_STORED = {"blank", "choices", "default", "editable", "help_text", "validators", "verbose_name"}
# Classes of fields that read and write the same text, so that either version may use the column of the other.
# `test_rolling_deploy` proves it with rows of both.
_SAME_TEXT = {(JSONField, JsonTextField)}


@cache
def loader() -> MigrationLoader:
    """Return the graph of the migration files, applied or not."""
    return MigrationLoader(None)


def later_migrations() -> list[Migration]:
    """Return all but the first migration of each of our apps, in an order in which they can be applied."""
    graph = loader().graph
    names = dict.fromkeys(name for leaf in graph.leaf_nodes() for name in graph.forwards_plan(leaf))
    later = (name for name in names if name[0] in APPS and not graph.nodes[name].initial)
    return [graph.nodes[name] for name in later]


def contractions(migration: Migration) -> Iterator[tuple[str, str]]:
    """Yield each operation that contracts, with its effect on the version before."""
    state = loader().project_state(migration.dependencies, at_end=True)
    new_tables: set[str] = set()
    for operation in migration.operations:
        if isinstance(operation, operations.AlterField):
            before = state.models[migration.app_label, operation.model_name_lower].fields[operation.name]
            why = _narrows(before, operation.field)
        else:
            why = why_it_contracts(operation, app=migration.app_label, new_tables=new_tables)
        if why:
            yield operation.describe(), why
        if isinstance(operation, operations.CreateModel):
            new_tables.add(operation.name_lower)
        operation.state_forwards(migration.app_label, state)


def why_it_contracts(operation: Operation, *, app: str, new_tables: Collection[str]) -> str | None:
    """Return why an operation contracts, except AlterField. `new_tables` are models that the migration creates."""
    match operation:
        case operations.CreateModel():
            reasons = (_ties(field, app, {*new_tables, operation.name_lower}) for _, field in operation.fields)
            return next((reason for reason in reasons if reason), None)
        case operations.AddField() if operation.model_name_lower in new_tables:
            return _ties(operation.field, app, new_tables)
        case operations.AddField():
            return _asks_for_more(operation.field) or _ties(operation.field, app, new_tables)
        case operations.AddConstraint() if operation.model_name_lower not in new_tables:
            return "it refuses rows that the version before writes"
        case operations.RunPython() | operations.RunSQL() if not operation.reversible:
            return "nobody can go back past it"
        case operations.RunPython() | operations.AddIndex() | operations.AddConstraint():
            return None
        case operations.SeparateDatabaseAndState() if not operation.database_operations:
            return None
    return None if isinstance(operation, _HARMLESS) else "it is of no kind that is known to expand"


def _asks_for_more(field: Field) -> str | None:
    if not (field.many_to_many or field.null or field.has_db_default()):
        return "the version before leaves the column out, and it is neither nullable nor has a database default"
    if field.unique and field.has_db_default():
        return "all rows of the version before get the same value, which has to be unique"
    return None


def _ties(field: Any, app: str, new_tables: Collection[str]) -> str | None:
    """Return why a foreign key to an old table contracts: the version before could not delete the referenced rows."""
    if not field.is_relation or not getattr(field, "db_constraint", True):
        return None
    target = field.related_model if isinstance(field.related_model, str) else field.related_model._meta.label
    ours = target.lower().removeprefix(f"{app}.") in new_tables
    return None if ours else f"rows of {target} that it refers to cannot be deleted by the version before"


def _narrows(before: Field, after: Field) -> str | None:
    """Return how a changed field stops fitting stored values or those of the version before, or None."""
    (_, old_class, old_positional, old), (_, new_class, new_positional, new) = before.deconstruct(), after.deconstruct()
    if (old_class, old_positional) != (new_class, new_positional) and (type(before), type(after)) not in _SAME_TEXT:
        return f"{old_class} becomes {new_class}"
    differing = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)} - _NOT_STORED
    if after.null and not before.null:
        differing.discard("null")
    if (before.max_length or 0) <= (after.max_length or 0):
        differing.discard("max_length")
    if after.has_db_default():
        differing.discard("db_default")
    # An index more or less is nobody's business.
    differing.discard("db_index")
    return f"it changes {', '.join(sorted(differing))}" if differing else None


def columns_added() -> dict[str, set[str]]:
    """Return by model (`app.model`) the fields that later migrations add to existing tables."""
    added: dict[str, set[str]] = {}
    for migration in later_migrations():
        created = {one.name_lower for one in migration.operations if isinstance(one, operations.CreateModel)}
        for operation in migration.operations:
            if isinstance(operation, operations.AddField) and operation.model_name_lower not in created:
                added.setdefault(f"{migration.app_label}.{operation.model_name_lower}", set()).add(operation.name)
    return added


def steps_back() -> list[tuple[str, str, str]]:
    """Yield app, last migration and the one before, for each app with several."""
    graph = loader().graph
    leaves = (leaf for app in APPS for leaf in graph.leaf_nodes(app))
    parents = {
        leaf: [str(node.key[1]) for node in graph.node_map[leaf].parents if node.key[0] == leaf[0]] for leaf in leaves
    }
    return [(app, name, before[0]) for (app, name), before in parents.items() if before]


def applied(app: str) -> set[str]:
    return {name for label, name in MigrationLoader(connection).applied_migrations if label == app}
