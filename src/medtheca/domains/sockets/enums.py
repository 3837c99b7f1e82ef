"""Enumerations of sockets, for the database."""

from medtheca.toolkit.sockets.kinds import KINDS

KIND_CHOICES = [(kind.code, kind.label) for kind in KINDS.values()]
INTERPOLATIONS = ("RGB", "HLS", "HLSpos", "HLSneg", "Constant")
"""How colours between two stops of a look-up table are found."""

INTERPOLATION_CHOICES = [(name, name) for name in INTERPOLATIONS]
