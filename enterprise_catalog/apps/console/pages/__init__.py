"""
Pages of the admin that belong to no single model. Each module has a function from a request to the name of a template
and its context; `console.site` makes pages of them. It is imported before there are models' pages, so none of these
may import `console.admin`.
"""
