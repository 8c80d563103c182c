"""
Pages of the admin that belong to no single model.

`console.site` shows them. It is loaded before the pages of models, so these modules must not import `console.admin`.
"""
