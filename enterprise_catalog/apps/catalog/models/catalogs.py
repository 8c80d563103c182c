"""Enterprise catalogs."""

import uuid

from django.db import models

from enterprise_catalog.apps.catalog.models.queries import CatalogQuery
from enterprise_catalog.apps.core.callers import CallerRecords
from enterprise_catalog.apps.core.fields import HexUUIDField


class EnterpriseCatalog(models.Model):
    """A catalog query attached to an enterprise customer. The record of the customer is in the LMS."""

    uuid = HexUUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=255)
    enterprise_uuid = HexUUIDField(db_index=True, verbose_name="enterprise customer")
    # The name that the caller sent, for UTM parameters (META-22).
    enterprise_name = models.CharField(max_length=255, verbose_name="enterprise customer name")
    catalog_query = models.ForeignKey(CatalogQuery, on_delete=models.PROTECT, related_name="catalogs")
    enabled_course_modes = models.JSONField(default=list)
    publish_audit_enrollment_urls = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)
    # The last real change. Services set it, since an identical write must not change it (CRUD-1).
    modified = models.DateTimeField()

    history = CallerRecords()

    class Meta:
        ordering = ["created", "uuid"]
        indexes = [models.Index(fields=["enterprise_uuid", "created", "uuid"], name="catalog_of_customer")]

    def __str__(self) -> str:
        return f"{self.title} ({self.uuid})"
