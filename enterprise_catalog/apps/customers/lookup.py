"""From a customer's uuid to what this service knows of it."""

from enterprise_catalog.apps.core.prepared import PreparedLookup
from enterprise_catalog.apps.customers.models import EnterpriseCustomer

# The copy of this customer, as links and permissions need it, or None for one that this service was never told of.
customer_with = PreparedLookup(
    EnterpriseCustomer.objects.only("slug", "name", "enable_learner_portal", "active", "modified"), field="uuid"
)
