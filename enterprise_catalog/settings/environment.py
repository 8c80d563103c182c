"""How settings read the environment: what cannot be read stops the start, by the name of the variable."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


class Environment(environ.Env):
    """django-environ's reader, whose own error for `GUARD_MIN_ITEMS=ten` says only that "ten" is no number."""

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        try:
            return super().get_value(var, cast=cast, default=default, parse_default=parse_default)
        except (TypeError, ValueError) as error:
            raise ImproperlyConfigured(f"{var} cannot be read as {getattr(cast, '__name__', 'a value')}.") from error
