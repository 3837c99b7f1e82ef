"""Backups: a folder that holds snapshots of the database and the blobs that any of them refers to.

```
blobs/sha256/ab/…               shared by all snapshots, so that the next backup copies only what is new
snapshots/20261121T093000Z/     one backup: database.dump, manifest.jsonl, uploads/, secret.key, snapshot.json
snapshots/….partial/            a torn one; the next backup clears it away
```

The secret key is included (mode 0600), because without it signed links and sessions of a restored archive would break:
guard a backup as you guard the archive. Mail files, logs and the cache of static files are not included.
"""
