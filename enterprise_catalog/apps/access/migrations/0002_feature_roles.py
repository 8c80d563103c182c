"""Create the three feature roles (ROLE-2)."""

from django.db import migrations

FEATURE_ROLES = ("enterprise_catalog_admin", "enterprise_learner", "enterprise_catalog_provisioning_admin")


def create_feature_roles(apps, schema_editor):
    feature_role = apps.get_model("access", "EnterpriseCatalogFeatureRole")
    for name in FEATURE_ROLES:
        feature_role.objects.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [("access", "0001_initial")]

    # Going back drops the table itself, so there is nothing to undo here.
    operations = [migrations.RunPython(create_feature_roles, migrations.RunPython.noop)]
