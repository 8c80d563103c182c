"""Serializers by noun. They read bodies, make answers, and describe both in the OpenAPI document."""
