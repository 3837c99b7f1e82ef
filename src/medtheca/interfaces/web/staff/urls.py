"""Addresses of the staff's tools."""

from __future__ import annotations

from django.urls import path

from medtheca.interfaces.web.errors import page
from medtheca.interfaces.web.staff import archives, people, pins, tools

urlpatterns = [
    path("staff/", page(tools.index), name="staff"),
    path("staff/relicense/", page(tools.relicense_tool), name="staff_relicense"),
    path("staff/remove-field/", page(tools.remove_field_tool), name="staff_remove_field"),
    path("staff/purge/", page(tools.purge_tool), name="staff_purge"),
    path("staff/merge/", page(tools.merge_tool), name="staff_merge"),
    path("staff/reconvert/", page(tools.reconvert_tool), name="staff_reconvert"),
    path("staff/pins/", page(pins.pins), name="staff_pins"),
    path("staff/archives/", page(archives.archives), name="staff_archives"),
    path("staff/people/", page(people.people), name="staff_people"),
    path("staff/people/<int:user_id>/", page(people.person), name="staff_person"),
]
