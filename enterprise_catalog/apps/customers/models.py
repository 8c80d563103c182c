"""
Local copies of the LMS's enterprise customers.

The LMS owns the data; the copies spare requests a call to it (CUST-1). A row without `fetched_at` was created here and
not copied yet. Every customer that has a row is kept fresh.
"""

from django.db import models

from enterprise_catalog.apps.core.fields import HexUUIDField


class EnterpriseCustomer(models.Model):
    """What links and permissions need of a customer, as the LMS last sent it (DISC-20)."""

    uuid = HexUUIDField(primary_key=True)
    slug = models.CharField(max_length=255, default="", blank=True)
    name = models.CharField(max_length=255, default="", blank=True)
    enable_learner_portal = models.BooleanField(default=False)
    # The LMS lists only active customers, so a customer that is not in its list is inactive (CUST-3).
    active = models.BooleanField(default=True)
    # When it was last changed in the LMS.
    modified = models.DateTimeField(null=True)
    # When the LMS last answered, and when the last call began.
    fetched_at = models.DateTimeField(null=True)
    attempted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "uuid"]

    def __str__(self) -> str:
        return self.name or str(self.uuid)
