"""
Create two groups: one may view and refresh, and the other may also edit and decide about held runs.

Rights are set only when a group is created. An existing group of the same name stays as it is, and so do later changes
of these two.
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

SEEN = {
    "access": ["enterprisecatalogfeaturerole", "enterprisecatalogroleassignment"],
    "auth": ["group"],
    "catalog": ["catalogcontentchange", "catalogquery", "contentmetadata", "coursereview", "enterprisecatalog"],
    "core": ["user"],
    "customers": ["enterprisecustomer"],
    "refresh": ["refreshrun"],
}
EDITED = ["catalogquery", "enterprisecatalog"]

SUPPORT = [
    *((label, f"view_{model}") for label, models in SEEN.items() for model in models),
    ("catalog", "refresh_catalogquery"),
]
OPERATORS = [
    *SUPPORT,
    *(("catalog", f"{action}_{model}") for action in ("add", "change", "delete") for model in EDITED),
    # Approving and rejecting.
    ("refresh", "change_refreshrun"),
]


def create_groups(apps, schema_editor):
    alias = schema_editor.connection.alias
    # Django makes permissions after all migrations, which for a new database is too late.
    for label in SEEN:
        create_permissions(installed.get_app_config(label), verbosity=0, using=alias, apps=apps)
    permission = apps.get_model("auth", "Permission").objects.using(alias)
    for name, rights in (("Catalog support", SUPPORT), ("Catalog operators", OPERATORS)):
        group, created = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name=name)
        if created:
            group.permissions.set(
                permission.get(content_type__app_label=label, codename=codename) for label, codename in rights
            )


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0002_feature_roles"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0003_refresh_permission"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("core", "0001_initial"),
        ("customers", "0001_initial"),
        ("refresh", "0001_initial"),
    ]

    # Going back leaves the groups, with the people in them: the old version knows groups, too.
    operations = [migrations.RunPython(create_groups, migrations.RunPython.noop)]
