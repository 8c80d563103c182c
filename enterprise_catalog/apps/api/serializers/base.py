"""The base of serializers that make answers."""

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any

from rest_framework import serializers

# Renderers write the values of these fields as they are (COM-13).
_AS_THEY_ARE = {
    field.to_representation
    for field in (
        serializers.BooleanField,
        serializers.CharField,
        serializers.ChoiceField,
        serializers.DateTimeField,
        serializers.IntegerField,
        serializers.UUIDField,
    )
}


class OutputSerializer(serializers.Serializer):
    """
    Read each field's value straight from its `source`. REST framework also looks for methods, dictionaries and
    missing attributes, which makes a list of 100 catalogs half as slow again. Fields with their own
    `to_representation` also get null. All instances of a class share its fields, so these have no context; copying
    them took a twentieth of the time of one catalog.
    """

    def to_representation(self, instance: Any) -> Any:
        return {
            name: read(instance) if represent is None else represent(read(instance))
            for name, read, represent in _readers(type(self))
        }


@cache
def _readers(
    serializer: type[serializers.Serializer],
) -> list[tuple[str, Callable[[Any], Any], Callable[[Any], Any] | None]]:
    return [
        (
            name,
            _whole if field.source == "*" else attrgetter(field.source or ""),
            None if type(field).to_representation in _AS_THEY_ARE else field.to_representation,
        )
        for name, field in serializer().fields.items()
    ]


def _whole(instance: Any) -> Any:
    return instance
