"""Addresses of collections."""

from django.urls import path

from medtheca.interfaces.web.collecting import adding, lists, one, people
from medtheca.interfaces.web.errors import page

urlpatterns = [
    path("collections/", page(lists.collections), name="collections"),
    path("collections/new/", page(lists.collection_create), name="collection_create"),
    path("collections/add/", page(adding.collection_add), name="collection_add"),
    path("collections/<int:collection_id>/", page(one.collection), name="collection"),
    path("collections/<int:collection_id>/edit/", page(one.collection_edit), name="collection_edit"),
    path("collections/<int:collection_id>/people/", page(people.collection_people), name="collection_people"),
    path("collections/<int:collection_id>/delete/", page(one.collection_delete), name="collection_delete"),
]
