"""An API and a page as small as they can be, to call the authentication through all of Django."""

from django.http import JsonResponse  # noqa: TID251 - stands in for an interface
from django.urls import include, path
from ninja import NinjaAPI

from medtheca.interfaces.http.api_auth import anybody, somebody
from medtheca.interfaces.http.authentication import identify
from medtheca.interfaces.http.refusals import Refused, refusal_response

api = NinjaAPI(urls_namespace="authentication-tests")
api.add_exception_handler(Refused, lambda _, refusal: refusal_response(refusal))


def _shown(request):
    caller = identify(request)
    return {"email": caller.user.email if caller.user else None, "scope": caller.scope, "via": caller.via}


@api.api_operation(["GET", "POST", "PATCH"], "/anybody", auth=anybody)
def for_anybody(request):
    return _shown(request)


@api.api_operation(["GET", "POST", "PATCH"], "/somebody", auth=somebody)
def for_somebody(request):
    return _shown(request)


def page(request):
    return JsonResponse(_shown(request))


urlpatterns = [
    path("api/", api.urls),
    path("page/", page),
    path("", include("medtheca.config.urls")),
]
