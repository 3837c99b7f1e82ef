"""Addresses of publishing, groups, and files that replace others."""

from __future__ import annotations

from django.urls import path

from medtheca.interfaces.web import groups, images, publish_requests, publishing, replacing, taking_back
from medtheca.interfaces.web.errors import page

urlpatterns = [
    path("images/<str:ref>/", page(images.image), name="image"),
    path("images/<str:ref>/withdraw/", page(images.image_withdraw), name="image_withdraw"),
    path("images/<str:ref>/unpublish/", page(images.image_unpublish), name="image_unpublish"),
    path("cohorts/<int:cohort_id>/publish/", page(publishing.publish), name="publish"),
    path("cohorts/<int:cohort_id>/take-back/", page(taking_back.take_back), name="take_back"),
    path("publish-requests/", page(publish_requests.publish_requests), name="publish_requests"),
    path("publish-requests/<int:request_id>/", page(publish_requests.publish_request), name="publish_request"),
    path("publish-requests/<int:request_id>/accept/", page(publish_requests.publish_accept), name="publish_accept"),
    path("publish-requests/<int:request_id>/reject/", page(publish_requests.publish_reject), name="publish_reject"),
    path("accessions/<int:accession_id>/replace/", page(replacing.replace), name="accession_replace"),
    path(
        "accessions/<int:accession_id>/versions/<int:number>/<str:name>/",
        page(replacing.version_file),
        name="accession_version_file",
    ),
    path("groups/", page(groups.groups), name="groups"),
    path("groups/<int:group_id>/", page(groups.group), name="group"),
    path("groups/join/<str:secret>/", page(groups.group_join), name="group_join"),
]
