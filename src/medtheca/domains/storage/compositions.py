"""Rows of composed blobs: written beside those of plain ones, and given up where a blob gets a file of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from django.db import connection

from medtheca.domains.storage.enums import BlobState
from medtheca.domains.storage.models import Blob, Composition, CompositionSource
from medtheca.domains.storage.queries import blob_store, unreferenced_blobs
from medtheca.domains.storage.stores import Staged


def recipes_to_store(composed: Mapping[str, Staged]) -> dict[str, Staged]:
    """Recipes of those contents that need one, by the recipes' SHA-256. Call inside `keeping_blobs`.

    A content that is there with a file of its own needs none, nor one whose recipe and sources are as they should be:
    then its recipe is written again only where it is the same, as bytes of plain blobs are.
    """
    if not composed:
        return {}
    plain = _there_as_files(composed)
    well = _composed_well(composed)
    found: dict[str, Staged] = {}
    for sha256, item in composed.items():
        made_of = item.composed
        if made_of is None or sha256 in plain or well.get(sha256, made_of.recipe_sha256) != made_of.recipe_sha256:
            continue
        found[made_of.recipe_sha256] = Staged(made_of.recipe_sha256, made_of.recipe_size, item.path)
    return found


def write_compositions(composed: Mapping[str, Staged], stored: Collection[str]) -> None:
    """Rows of composed contents whose recipes are among `stored`, by their SHA-256. Call inside `keeping_blobs`.

    One whose sources are gone for good meanwhile gets none: nobody needs it any more, either.
    """
    of = {sha256: item.composed for sha256, item in composed.items() if item.composed}
    names = {name for made_of in of.values() for name in (made_of.recipe_sha256, *made_of.sources)}
    ids = dict(Blob.objects.filter(sha256__in=names).values_list("sha256", "pk"))
    wanted = {
        sha256: made_of
        for sha256, made_of in of.items()
        if made_of.recipe_sha256 in stored and ids.keys() >= {made_of.recipe_sha256, *made_of.sources}
    }
    begun = _begin_rows({sha256: composed[sha256].size for sha256 in wanted})
    rows = dict(Blob.objects.filter(sha256__in=wanted).values_list("sha256", "pk"))
    there = wanted.keys() - begun
    # Somebody else may have stored the same in the meantime: with a file of its own, or by another recipe.
    needless = {*_there_as_files(there), *_composed_well(there)} if there else set()
    chosen = {sha256: made_of for sha256, made_of in wanted.items() if sha256 not in needless}
    Composition.objects.filter(blob__in=[rows[sha256] for sha256 in chosen]).delete()
    Composition.objects.bulk_create(
        Composition(blob_id=rows[sha256], recipe_id=ids[made_of.recipe_sha256]) for sha256, made_of in chosen.items()
    )
    CompositionSource.objects.bulk_create(
        CompositionSource(composition_id=rows[sha256], source_id=ids[source])
        for sha256, made_of in chosen.items()
        for source in made_of.sources
    )
    # What is quarantined and not chosen still lacks its bytes.
    Blob.objects.filter(sha256__in=of, state=BlobState.TOMBSTONED).update(state=BlobState.STORED, tombstoned=None)
    Blob.objects.filter(sha256__in=chosen).update(state=BlobState.STORED, tombstoned=None)
    Blob.objects.filter(sha256__in=names, state=BlobState.TOMBSTONED).update(state=BlobState.STORED, tombstoned=None)


def forget_compositions(sha256s: Iterable[str]) -> None:
    """These blobs have files of their own now. Call in the transaction that writes their rows."""
    Composition.objects.filter(blob__sha256__in=list(sha256s)).delete()


def with_compositions(sha256s: Collection[str]) -> set[str]:
    """These blobs, those composed of them that nobody needs, and the recipes of them all: what has to go in one."""
    names = set(sha256s)
    made_of_them = Composition.objects.filter(sources__source__sha256__in=names, blob__in=unreferenced_blobs())
    names |= set(made_of_them.values_list("blob__sha256", flat=True))
    recipes = Composition.objects.filter(blob__sha256__in=names).values_list("recipe__sha256", flat=True)
    return names | set(recipes)


def free_to_go(blobs: Collection[Blob]) -> list[Blob]:
    """Those of the blobs of which nothing is composed that would stay behind."""
    going = {blob.pk for blob in blobs}
    held = set(
        CompositionSource.objects.filter(source__in=going)
        .exclude(composition__in=going)
        .values_list("source", flat=True)
    )
    held |= set(Composition.objects.filter(recipe__in=going).exclude(blob__in=going).values_list("recipe", flat=True))
    return [blob for blob in blobs if blob.pk not in held]


def _begin_rows(sizes: Mapping[str, int]) -> set[str]:
    """New rows for contents that have none; which those are. Whoever writes the same waits for one of both to end."""
    if not sizes:
        return set()
    names = sorted(sizes)
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO storage_blob (sha256, size, state)
            SELECT name, size, %s FROM unnest(%s::text[], %s::bigint[]) AS wanted (name, size)
            ON CONFLICT (sha256) DO NOTHING RETURNING sha256""",
            [BlobState.STORED.value, names, [sizes[name] for name in names]],
        )
        return {name for (name,) in cursor.fetchall()}


def _there_as_files(sha256s: Iterable[str]) -> set[str]:
    rows = Blob.objects.filter(sha256__in=list(sha256s), composition=None).exclude(state=BlobState.QUARANTINED)
    store = blob_store()
    return {sha256 for sha256 in rows.values_list("sha256", flat=True) if store.exists(sha256)}


def _composed_well(sha256s: Iterable[str]) -> dict[str, str]:
    """Recipes of those that are composed already, of blobs of which none is lost."""
    rows = Composition.objects.filter(blob__sha256__in=list(sha256s)).exclude(recipe__state=BlobState.QUARANTINED)
    lost = CompositionSource.objects.filter(source__state=BlobState.QUARANTINED).values("composition")
    return dict(rows.exclude(pk__in=lost).values_list("blob__sha256", "recipe__sha256"))
