"""
Pages of the admin that belong to no single model.

Each module has a function from a request to a template's name and context, and `console.site` makes views of them. The
site is loaded before the pages of models, so these modules must not import `console.admin`.
"""
