"""What can go wrong with shared memory."""


class SegmentError(RuntimeError):
    """A segment could not be made, mapped or used."""


class SegmentBusy(SegmentError):
    """Another live process writes this segment."""


class SegmentMissing(SegmentError):
    """There is no such segment."""


class SegmentRetired(SegmentError):
    """The writer removed the segment, as an engine does when it ends, or replaced it by one of another size: attach again. Until
    there is a new one that raises SegmentMissing."""


class SegmentMismatch(SegmentError):
    """The segment was written by another version, or is something else."""


class SegmentDamaged(SegmentMismatch):
    """What stands in the segment is none that a writer stores: a damaged file, or somebody else wrote into it."""
