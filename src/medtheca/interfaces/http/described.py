"""An API of django-ninja whose description is made once: it takes a second of the processor, and anybody may ask."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from threading import Lock
from typing import Any

from django.conf import settings
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation


class DescribedApi(NinjaAPI, ABC):
    """`describe_refusals` says how its routes refuse."""

    def __init__(self, **options: Any) -> None:
        self._described: dict[str, OpenAPISchema] = {}
        self._describing = Lock()
        super().__init__(**options)

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name of the function, which is what a generated client calls the operation."""
        name: str = operation.view_func.__name__
        return name

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The description as OpenAPI 3.1, with the refusals of every route; all but the first level is shared."""
        prefix = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        with self._describing:
            schema = self._described.get(prefix)
            if schema is None:
                schema = self._described[prefix] = self._describe(prefix)
        contact = {"name": f"Support of {settings.INSTANCE_NAME}", "email": settings.SUPPORT_EMAIL}
        told = copy(schema)
        told["info"] = schema["info"] | {"contact": contact}
        return told

    @abstractmethod
    def describe_refusals(self, schema: OpenAPISchema) -> None:
        """Add to the description how routes refuse."""

    def _describe(self, prefix: str) -> OpenAPISchema:
        schema = super().get_openapi_schema(path_prefix=prefix)
        for operations in schema["paths"].values():
            for operation in operations.values():
                # JSON has no other keys than text, and a sorted document must not mix kinds.
                operation["responses"] = {str(status): answer for status, answer in operation["responses"].items()}
        self.describe_refusals(schema)
        return schema
