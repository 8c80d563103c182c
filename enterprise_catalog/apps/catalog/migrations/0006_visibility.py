"""
Rename the fields of a member's visibility, and keep their columns and indexes.

Nothing is done to the database: Django by itself would build three indexes of the largest table anew.
"""

from django.db import migrations, models

CHOICES = [(0, 'hidden'), (1, 'contained, listed only when asked for by key'), (2, 'listed')]
VERSIONS = {'v1': {}, 'v2': {}, 'legacy': {'db_default': 1}}


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0005_bounded_history'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[],
            state_operations=[
                operation
                for version, options in VERSIONS.items()
                for operation in (
                    migrations.RemoveIndex(model_name='catalogcontentkey', name=f'pages_of_query_{version}'),
                    migrations.RenameField('catalogcontentkey', f'standing_{version}', f'visibility_{version}'),
                    migrations.AlterField(
                        model_name='catalogcontentkey',
                        name=f'visibility_{version}',
                        field=models.PositiveSmallIntegerField(
                            choices=CHOICES, db_column=f'standing_{version}', **options
                        ),
                    ),
                    migrations.AddIndex(
                        model_name='catalogcontentkey',
                        index=models.Index(
                            fields=['catalog_query', f'visibility_{version}', 'content'],
                            name=f'pages_of_query_{version}',
                        ),
                    ),
                )
            ],
        ),
    ]
