"""Look up the copy of a customer by its uuid."""

from uuid import UUID

from enterprise_catalog.apps.core.db.row_lookup import ModelColumns, RowLookup
from enterprise_catalog.apps.customers.models import EnterpriseCustomer

# The columns that links need.
SERVED = ModelColumns(EnterpriseCustomer, "slug", "name", "enable_learner_portal", "modified")

_customer_by_uuid: RowLookup[EnterpriseCustomer] = RowLookup(
    "{customer} WHERE uuid = %s", lambda customer: customer, customer=SERVED
)


def get_customer(uuid: UUID) -> EnterpriseCustomer | None:
    """Return the copy of this customer, or None if there is none."""
    return _customer_by_uuid(uuid.hex)
