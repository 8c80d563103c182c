"""Keep the old name of `refresh_catalogs`, which existing cron lines call."""

from enterprise_catalog.apps.console.management.commands.refresh_catalogs import Command as RefreshCatalogs


class Command(RefreshCatalogs):
    help = f"Another name of refresh_catalogs. {RefreshCatalogs.help}"
