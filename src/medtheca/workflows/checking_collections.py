"""The invariant of collections and of what is shared through them; see `checking`."""

from __future__ import annotations

from collections.abc import Iterator

from medtheca.workflows.statements import rows


def sharing_is_as_granted(_look: object) -> Iterator[tuple[str, str]]:
    """A list shows nobody anything, a shared circle has the members that its grants say, and shows what it lists."""
    for scope, kind in rows("""
        SELECT DISTINCT s.id, s.kind FROM access_scope s JOIN access_membership m ON m.scope_id = s.id
        WHERE s.kind = 'collection' OR (s.kind = 'sharing' AND m.role <> 'viewer')"""):
        what = "It lists a collection and has members" if kind == "collection" else "It has members who are no viewers"
        yield f"scope {scope}", f"{what}."
    for scope, user in rows("""
        SELECT m.scope_id, m.user_id FROM access_membership m
        JOIN access_scope s ON s.id = m.scope_id AND s.kind = 'sharing'
        WHERE NOT access_is_granted(m.scope_id, m.user_id)"""):
        yield f"scope {scope}", f"User {user} is in it, and nobody has let them in."
    for scope, user in rows("""
        SELECT g.scope_id, COALESCE(g.user_id, m.user_id) FROM access_grant g
        LEFT JOIN access_membership m ON m.scope_id = g.group_id
        WHERE COALESCE(g.user_id, m.user_id) IS NOT NULL AND NOT EXISTS (
            SELECT FROM access_membership there
            WHERE there.scope_id = g.scope_id AND there.user_id = COALESCE(g.user_id, m.user_id))"""):
        yield f"scope {scope}", f"User {user} was let in and is not there."
    for image, collection in rows("""
        SELECT p.image_id, c.id FROM access_placement p JOIN collections_collection c ON c.sharing_id = p.scope_id
        WHERE NOT EXISTS (
            SELECT FROM access_placement l WHERE l.scope_id = c.listing_id AND l.image_id = p.image_id)"""):
        yield f"image {image}", f"Collection {collection} shows it and does not hold it."
    for image, scope in rows("""
        SELECT p.image_id, p.scope_id FROM access_placement p
        JOIN access_scope s ON s.id = p.scope_id AND s.kind = 'sharing'
        JOIN access_withdrawal w ON w.image_id = p.image_id"""):
        yield f"image {image}", f"It is withdrawn and still hangs in the shared circle {scope}."
    for scope, kind in rows("""
        SELECT s.id, s.kind FROM access_scope s WHERE s.kind IN ('collection', 'sharing') AND NOT EXISTS (
            SELECT FROM collections_collection c WHERE s.id IN (c.listing_id, c.sharing_id))"""):
        yield f"scope {scope}", f"It is of kind {kind} and of no collection."
