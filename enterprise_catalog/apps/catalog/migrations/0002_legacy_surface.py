"""
What the legacy surface lists. Contents that are stored already are listed with the next refresh of their queries, which
renders every item anew; until then the legacy lists are empty.
"""

from django.db import migrations, models


def hide_restricted_runs(apps, schema_editor):
    """At once: they must not be contained for a day only because nothing is known of a surface yet (V2-2)."""
    members = apps.get_model('catalog', 'CatalogContentKey').objects
    members.filter(content__restricted=True).update(standing_legacy=0)


def render_anew(apps, schema_editor):
    """
    With the next refresh, also what this version rendered before somebody went back and came again: going back drops
    what is listed, and nothing else would tell that it is missing.
    """
    apps.get_model('catalog', 'ContentMetadata').objects.update(rendering_version=0)


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='catalogcontentkey',
            name='standing_legacy',
            field=models.PositiveSmallIntegerField(choices=[(0, 'hidden'), (1, 'contained, listed only when asked for by key'), (2, 'listed')], db_default=1),
        ),
        migrations.AddField(
            model_name='catalogquery',
            name='count_legacy',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='contentmetadata',
            name='listed_on_legacy',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='contentoverride',
            name='search_document',
            field=models.BinaryField(null=True),
        ),
        migrations.RunPython(hide_restricted_runs, migrations.RunPython.noop),
        migrations.RunPython(render_anew, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='catalogcontentkey',
            index=models.Index(fields=['catalog_query', 'standing_legacy', 'content'], name='pages_of_query_legacy'),
        ),
    ]
