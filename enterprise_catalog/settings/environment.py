"""Read environment variables; one that cannot be parsed stops the start with its name."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


class Environment(environ.Env):
    """django-environ's reader with errors that name the variable, not only its value."""

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        try:
            return super().get_value(var, cast=cast, default=default, parse_default=parse_default)
        except (TypeError, ValueError) as error:
            raise ImproperlyConfigured(f"{var} cannot be read as {getattr(cast, '__name__', 'a value')}.") from error
