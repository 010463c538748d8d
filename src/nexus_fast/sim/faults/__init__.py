"""Faults that a simulator makes on demand: by script, by seed, or at run time (docs/simulator.md, "Faults")."""

from nexus_fast.sim.faults.faults import NONE, Faults
from nexus_fast.sim.faults.rules import KINDS, FaultError, Rule, read_rules

__all__ = ["KINDS", "NONE", "FaultError", "Faults", "Rule", "read_rules"]
