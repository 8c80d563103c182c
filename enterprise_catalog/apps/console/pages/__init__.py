"""Pages of the admin that belong to no single model. They read, and leave all else to the desk."""
