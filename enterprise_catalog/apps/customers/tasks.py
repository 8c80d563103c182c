"""Celery tasks that copy customers. A message is only a notification: `sync` decides what is due."""

from uuid import UUID

from celery import shared_task

from enterprise_catalog.apps.customers import sync


@shared_task(name="customers.sync_customer")
def sync_customer(uuid: str) -> None:
    sync.sync_customer(UUID(uuid))


@shared_task(name="customers.sync_due_customers")
def sync_due_customers() -> None:
    sync.sync_due_customers()
