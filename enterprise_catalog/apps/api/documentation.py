"""
The OpenAPI document and a page to read and try it on (SURF-4), both from our own host and for everybody (PERM-18).
"""

from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView


class SchemaView(SpectacularAPIView):
    # Plain `application/json` first: what a client gets that asks for nothing in particular.
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]


class DocumentationView(SpectacularSwaggerView):
    url_name = "schema"
