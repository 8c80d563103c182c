"""Who asks: admins of two customers, an operator, and provisioning."""

from typing import Any
from uuid import UUID, uuid4

from enterprise_catalog.apps.access.roles import Contexts, Grants, Roles
from enterprise_catalog.apps.services.catalogs import CatalogValues

ACME = uuid4()
GLOBEX = uuid4()


def admin_of(*customers: UUID) -> Grants:
    return Grants(roles=Roles(admin=Contexts(customers=frozenset(customers))))


ACME_ADMIN = admin_of(ACME)
GLOBEX_ADMIN = admin_of(GLOBEX)
OPERATOR = Grants(roles=Roles(admin=Contexts(everywhere=True)))
PROVISIONER = Grants(roles=Roles(provisioning=True))

COURSES = {"content_type": "course"}
PROGRAMS = {"content_type": "program"}


def complete_values(enterprise_uuid: UUID = ACME, **changes) -> CatalogValues:
    values: dict[str, Any] = {
        "title": "All content",
        "enterprise_uuid": enterprise_uuid,
        "enterprise_name": "Acme, Inc.",
        "enabled_course_modes": ["verified"],
        "publish_audit_enrollment_urls": False,
        "content_filter": COURSES,
    }
    return CatalogValues(**(values | changes))
