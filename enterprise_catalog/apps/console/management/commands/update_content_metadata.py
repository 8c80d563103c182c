"""The name that existing cron lines call; see `refresh_catalogs`."""

from enterprise_catalog.apps.console.management.commands.refresh_catalogs import Command as RefreshCatalogs


class Command(RefreshCatalogs):
    help = f"Another name of refresh_catalogs. {RefreshCatalogs.help}"
