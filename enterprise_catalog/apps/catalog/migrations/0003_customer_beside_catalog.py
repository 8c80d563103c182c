import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_legacy_surface"),
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="enterprisecatalog",
            name="customer",
            field=models.ForeignObject(
                editable=False,
                from_fields=["enterprise_uuid"],
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="customers.enterprisecustomer",
                to_fields=["uuid"],
            ),
        ),
    ]
