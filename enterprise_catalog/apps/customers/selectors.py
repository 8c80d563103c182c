"""From a customer's uuid to what this service knows of it."""

from uuid import UUID

from enterprise_catalog.apps.core.db.row_lookup import ModelColumns, RowLookup
from enterprise_catalog.apps.customers.models import EnterpriseCustomer

# As links need it.
SERVED = ModelColumns(EnterpriseCustomer, "slug", "name", "enable_learner_portal", "modified")

_customer_with: RowLookup[EnterpriseCustomer] = RowLookup(
    "{customer} WHERE uuid = %s", lambda customer: customer, customer=SERVED
)


def get_customer(uuid: UUID) -> EnterpriseCustomer | None:
    """The copy of this customer, None for one that this service was never told of."""
    return _customer_with(uuid.hex)
