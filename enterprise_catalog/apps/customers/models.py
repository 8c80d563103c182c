"""
The tenant: local copies of the LMS's enterprise customers.

The LMS owns these facts; a copy exists so that no request has to ask for them (CUST-1). A row without `fetched_at` is
a customer we were told of and have not read yet. This room knows nothing of catalogs: whoever has a row is kept
fresh.
"""

from django.db import models

from enterprise_catalog.apps.core.fields import HexUUIDField


class EnterpriseCustomer(models.Model):
    """What links and permissions need to know of a customer, as the LMS last said it (DISC-20)."""

    uuid = HexUUIDField(primary_key=True)
    slug = models.CharField(max_length=255, default="", blank=True)
    name = models.CharField(max_length=255, default="", blank=True)
    enable_learner_portal = models.BooleanField(default=False)
    # The LMS lists only active customers, so one that it does not list is inactive (CUST-3).
    active = models.BooleanField(default=True)
    # The LMS's own date of change.
    modified = models.DateTimeField(null=True)
    # When the LMS last answered, and when it was last asked.
    fetched_at = models.DateTimeField(null=True)
    attempted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "uuid"]

    def __str__(self) -> str:
        return self.name or str(self.uuid)
