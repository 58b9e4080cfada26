"""Policies of the VO `smp` for Rucio."""

# Hosts compare their major version with this range. One range: the entries of a list are combined with AND.
SUPPORTED_VERSION = ">=38,<42"


def get_algorithms():
    # Here, not at the top: Rucio loads this package while it loads itself.
    from sample_rucio_policy import paths

    return {
        "lfn2pfn": {"smp_by_year": paths.by_year},
        "non_deterministic_pfn": {"smp_by_dataset": paths.by_dataset},
    }
