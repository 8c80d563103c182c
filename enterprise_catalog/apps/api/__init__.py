"""The HTTP API: views, serializers, paths and the OpenAPI document. Views call services and add no rules."""
